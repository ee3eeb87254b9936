import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../../desktop/agent/db/openDatabase.ts';
import { listFolders } from '../../../../desktop/agent/watch/folders.ts';
import { watchFolders } from '../../../../desktop/agent/watch/watchFolders.ts';
import { systemClock } from '../../../../shared/clock.ts';

/** Run as a process of its own, with fewer inotify watches than the folder in its argument needs. Prints what it learnt. */
const folder = process.argv[2] ?? '';
let passed = 0;
const clock = { now: () => systemClock.now() + passed };
const { db } = openDatabase(':memory:', { clock });
const taken: string[] = [];
const watch = watchFolders({
  db,
  clock,
  settleMs: 100,
  async take(path) {
    taken.push(basename(path));
    return 'taken';
  },
  onGone: () => {},
  onChange: () => {},
  onError: console.error,
});
await watch.add(folder);
const problem = () => listFolders(db)[0]?.problem;
while (!problem()) await sleep(50);
await writeFile(join(folder, 'a/b/c/d/late.jpg'), 'a photo');
await sleep(500);
passed = 5 * 60_000;
for (let i = 0; i < 100 && taken.length === 0; i++) await sleep(50);
console.log(JSON.stringify({ problem: problem(), taken }));
await watch.close();
