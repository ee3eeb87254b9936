import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../desktop/agent/db/openDatabase.ts';
import { enqueue } from '../../desktop/agent/queue/enqueue.ts';
import { watchFolders } from '../../desktop/agent/watch/watchFolders.ts';
import { systemClock } from '../../shared/clock.ts';

/**
 * How long the agent's scan takes at a restart with nothing changed, against `find -printf` over the same tree. Usage: node test/bench/scan.ts [files]
 */
const files = Number(process.argv[2] ?? 20_000);
const rounds = 5;
const scratch = await realpath(await mkdtemp(join(tmpdir(), 'pixwatch-bench-')));
process.on('exit', () => execFileSync('rm', ['-rf', scratch]));

const photos = join(scratch, 'photos');
for (let i = 0; i < files; i += 200) {
  const folder = join(photos, `${i}`);
  await mkdir(folder, { recursive: true });
  await Promise.all(Array.from({ length: 200 }, (_, k) => writeFile(join(folder, `${k}.jpg`), `photo ${i} ${k}`)));
}

const { db } = openDatabase(join(scratch, 'agent.db'), { clock: systemClock });
const start = () =>
  watchFolders({
    db,
    clock: systemClock,
    settleMs: 0,
    take: (path) => enqueue(db, systemClock, path),
    onGone: () => {},
    onChange: () => {},
    onError: console.error,
  });

async function milliseconds(work: () => Promise<void> | void): Promise<number> {
  const begun = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - begun) / 1e6;
}
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const first = start();
await first.add(photos);
while (first.isScanning() || !first.isIdle()) await sleep(50);
await first.close();

const scans: number[] = [];
const finds: number[] = [];
const waits: number[] = [];
for (let round = 0; round < rounds; round++) {
  finds.push(await milliseconds(() => void execFileSync('find', [photos, '-printf', '%p %s %T@ %C@ %i\\n'], { maxBuffer: 1024 ** 3 })));
  // The loop must have noticed that `find` is over, else that counts as waiting. A monitor that is enabled again counts the time between.
  await sleep(20);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let watch: ReturnType<typeof start> | undefined;
  scans.push(
    await milliseconds(async () => {
      watch = start();
      while (watch.isScanning() || !watch.isIdle()) await sleep(1);
    }),
  );
  delay.disable();
  waits.push(delay.max / 1e6);
  await watch?.close();
}
const ratio = (median(scans) / median(finds)).toFixed(1);
console.log(`${files} unchanged files: scan ${median(scans).toFixed(0)} ms, find ${median(finds).toFixed(0)} ms: ${ratio} ×`);
console.log(`The event loop waited at most ${waits.map((ms) => ms.toFixed(0)).join(', ')} ms in ${rounds} rounds.`);
process.exit();
