import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../desktop/agent/db/openDatabase.ts';
import { complete, search } from '../../desktop/agent/search/search.ts';
import { systemClock } from '../../shared/clock.ts';
import { fill } from '../desktop/agent/search/manyAssets.ts';

/**
 * How long a search holds the agent's event loop: the first page with the total, and the next. It may not be over 50 ms.
 * Usage: node test/bench/search.ts [assets]
 */
const assets = Number(process.argv[2] ?? 100_000);
const rounds = 5;
const scratch = mkdtempSync(join(tmpdir(), 'pixwatch-bench-'));
process.on('exit', () => execFileSync('rm', ['-rf', scratch]));
const { db } = openDatabase(join(scratch, 'agent.db'), { clock: systemClock });
fill(db, assets);

/** The median in milliseconds. */
function typical(work: () => unknown): number {
  const times = Array.from({ length: rounds }, () => {
    const begun = process.hrtime.bigint();
    work();
    return Number(process.hrtime.bigint() - begun) / 1e6;
  });
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

console.log(`${assets} assets, median of ${rounds} in ms: first page with total, next page`);
const texts = ['', 'jpg', 'i', 'dog', 'do', 'label:person', 'label:"label900 thing"', 'label:dog>=90 -label:cat is:photo after:2012'];
for (const text of [...texts, 'event 2015 -dog', 'is:video', 'is:alert', 'IMG_77777', 'nothing at all']) {
  const { next } = search(db, text, { cursor: null, limit: 100 });
  const first = typical(() => search(db, text, { cursor: null, limit: 100 }));
  const second = next === null ? null : typical(() => search(db, text, { cursor: next, limit: 100 }));
  console.log(`  ${first.toFixed(1).padStart(6)} ${second?.toFixed(1).padStart(6) ?? '      '}  "${text}"`);
}
console.log(
  `  ${typical(() => complete(db, 'l', 20))
    .toFixed(1)
    .padStart(6)}         completion`,
);
