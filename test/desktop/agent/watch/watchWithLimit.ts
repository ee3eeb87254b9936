import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until, watchAlone } from './watchAlone.ts';

/** Run with fewer inotify watches than the folder needs. Prints what it learnt. */
const { folder, watch, taken, problem, pass } = watchAlone();
await watch.add(folder);
await until(() => problem() !== null);
await writeFile(join(folder, 'a/b/c/d/late.jpg'), 'a photo');
await sleep(500);
pass(5 * 60_000);
await until(() => taken.length > 0);
console.log(JSON.stringify({ problem: problem(), taken }));
await watch.close();
