import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../../desktop/agent/db/openDatabase.ts';
import { listFolders } from '../../../../desktop/agent/watch/folders.ts';
import { watchFolders } from '../../../../desktop/agent/watch/watchFolders.ts';
import { systemClock } from '../../../../shared/clock.ts';

/** Run as a process of its own that may mount: the folder in its argument is a drive that is taken off and connected again. Prints what it learnt. */
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
    db.prepare(`UPDATE local_file SET kind = 'known' WHERE path = ?`).run(path);
    return 'taken';
  },
  onGone: () => {},
  onChange: () => {},
  onError: console.error,
});
const until = async (check: () => boolean) => {
  for (let i = 0; i < 100 && !check(); i++) await sleep(50);
};
const problem = () => listFolders(db)[0]?.problem ?? null;
const connect = (photo: string) => {
  execFileSync('mount', ['-t', 'tmpfs', 'photos', folder]);
  writeFileSync(join(folder, photo), 'a photo');
};
connect('first.jpg');
await watch.add(folder);
await until(() => taken.includes('first.jpg'));
await sleep(500);
execFileSync('umount', [folder]);
await until(() => problem() !== null);
const away = problem();
connect('second.jpg');
passed += 60_000;
await until(() => taken.includes('second.jpg'));
await sleep(500);
writeFileSync(join(folder, 'third.jpg'), 'a photo');
await until(() => taken.includes('third.jpg'));
console.log(JSON.stringify({ away, back: problem(), taken }));
await watch.close();
