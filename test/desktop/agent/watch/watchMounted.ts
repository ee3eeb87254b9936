import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until, watchAlone } from './watchAlone.ts';

/** Run where it may mount: the folder is a drive that is taken off and connected again. Prints what it learnt. */
const { folder, watch, taken, problem, kindOf, pass } = watchAlone();
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
const back = problem();

// A drive below a folder, of which its mount point stays; then one whose mount point the system removes, with a place above it.
const inside: unknown[] = [];
for (const card of [join(folder, 'card'), join(folder, 'media', 'anna', 'card')]) {
  mkdirSync(join(card), { recursive: true });
  const name = `${inside.length}.jpg`;
  execFileSync('mount', ['-t', 'tmpfs', 'photos', card]);
  mkdirSync(join(card, 'DCIM'));
  writeFileSync(join(card, 'DCIM', name), 'a photo');
  pass(60 * 60_000);
  await until(() => taken.includes(name));
  await sleep(500);
  execFileSync('umount', [card]);
  if (inside.length === 2) rmSync(join(folder, 'media'), { recursive: true });
  pass(60 * 60_000);
  await until(() => problem() !== null);
  inside.push({ problem: problem(), isKnown: kindOf(join(card, 'DCIM', name)) });
  mkdirSync(card, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', 'photos', card]);
  pass(60 * 60_000);
  await until(() => problem() === null);
  inside.push({ problem: problem(), isKnown: kindOf(join(card, 'DCIM', name)) });
}
console.log(JSON.stringify({ away, back, taken, inside }));
await watch.close();
