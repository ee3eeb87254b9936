import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until, watchAlone } from './watchAlone.ts';

/** Run where it may mount: the folder is a drive that is taken off and connected again. Prints what it learnt. */
const { folder, watch, taken, problem, pass } = watchAlone();
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
pass(60_000);
await until(() => taken.includes('second.jpg'));
await sleep(500);
writeFileSync(join(folder, 'third.jpg'), 'a photo');
await until(() => taken.includes('third.jpg'));
console.log(JSON.stringify({ away, back: problem(), taken }));
await watch.close();
