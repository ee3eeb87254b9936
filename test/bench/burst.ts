import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { keepLogShort } from '../../desktop/agent/db/keepLogShort.ts';
import { openDatabase } from '../../desktop/agent/db/openDatabase.ts';
import { enqueue } from '../../desktop/agent/queue/enqueue.ts';
import { watchFolders } from '../../desktop/agent/watch/watchFolders.ts';
import { systemClock } from '../../shared/clock.ts';

/**
 * Copies many files at once into a folder that is watched, as from a camera's card, and says how long it takes until each is queued, once. Ends with 1
 * when one is missing or queued twice. Usage: node test/bench/burst.ts [files]
 */
const files = Number(process.argv[2] ?? 20_000);
const longestMs = 600_000;
const scratch = await realpath(await mkdtemp(join(tmpdir(), 'pixwatch-bench-')));
process.on('exit', () => execFileSync('rm', ['-rf', scratch]));

const card = join(scratch, 'card');
for (let i = 0; i < files; i += 1000) {
  const folder = join(card, `${i}`);
  await mkdir(folder, { recursive: true });
  const names = Array.from({ length: Math.min(1000, files - i) }, (_, k) => join(folder, `IMG_${k}.jpg`));
  await Promise.all(names.map((name) => writeFile(name, name)));
}

const file = join(scratch, 'agent.db');
const { db } = openDatabase(file, { clock: systemClock });
const photos = join(scratch, 'photos');
await mkdir(photos);
const errors: unknown[] = [];
const closeLog = keepLogShort(db, file, (thrown) => errors.push(thrown));
const watch = watchFolders({
  db,
  clock: systemClock,
  take: (path) => enqueue(db, systemClock, path),
  onGone: () => {},
  onChange: () => {},
  onError: (thrown) => errors.push(thrown),
});
await watch.add(photos);
while (watch.isScanning() || !watch.isIdle()) await sleep(50);

const count = (what: string) => Number(db.prepare(`SELECT count(*) AS n FROM ${what}`).get()?.['n']);
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const begun = performance.now();
await promisify(execFile)('cp', ['-r', card, photos]);
const copied = performance.now();
while ((count('upload_job') < files || !watch.isIdle()) && performance.now() - begun < longestMs) await sleep(100);
const queued = performance.now();
delay.disable();
await watch.close();
await closeLog();

const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
const [jobs, known] = [count("upload_job WHERE state = 'queued'"), count("local_file WHERE kind = 'known'")];
console.log(
  `${files} files were copied in ${seconds(begun, copied)} s, and all queued ${seconds(copied, queued)} s later: ${jobs} jobs, ${known} files known.`,
);
console.log(`The event loop waited at most ${(delay.max / 1e6).toFixed(0)} ms.`);
for (const thrown of errors) console.error(thrown);
process.exit(jobs === files && known === files && errors.length === 0 ? 0 : 1);
