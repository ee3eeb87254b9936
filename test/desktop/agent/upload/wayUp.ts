import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClients } from '../../../../desktop/agent/clients.ts';
import { openDatabase } from '../../../../desktop/agent/db/openDatabase.ts';
import { drainQueue } from '../../../../desktop/agent/queue/drainQueue.ts';
import { enqueue } from '../../../../desktop/agent/queue/enqueue.ts';
import { watchFolders } from '../../../../desktop/agent/watch/watchFolders.ts';
import { systemClock } from '../../../../shared/clock.ts';

/**
 * Run as a process of its own, so that a test can kill it: keeps its database in the folder of the first argument, and sends to the cloud
 * of the second what is in the folder of the third (`photos` in the first when absent). Prints `idle` when all is sent.
 */
const [dir = '', cloud = '{}', photos = join(dir, 'photos')] = process.argv.slice(2);
const { connection, credentials } = JSON.parse(cloud);
const { db } = openDatabase(join(dir, 'agent.db'), { clock: systemClock });
const events = { onChange: () => {}, onError: console.error };
const queue = drainQueue({
  db,
  clock: systemClock,
  target: { ...createClients(connection, async () => credentials), ...connection },
  onStale: (path) => watch.recheck(path),
  onStored: () => {},
  ...events,
});
const watch = watchFolders({
  db,
  clock: systemClock,
  async take(path) {
    const taken = await enqueue(db, systemClock, path);
    queue.wake();
    return taken;
  },
  onGone: () => queue.filesGone(),
  ...events,
});
await watch.add(photos);
while (!watch.isIdle() || !queue.isIdle()) await sleep(20);
console.log('idle');
await watch.close();
await queue.close();
process.exit();
