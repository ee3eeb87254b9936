import { createClients } from '../../../../desktop/agent/clients.ts';
import { openDatabase } from '../../../../desktop/agent/db/openDatabase.ts';
import { pullChanges } from '../../../../desktop/agent/sync/pullChanges.ts';
import { systemClock } from '../../../../shared/clock.ts';

/** Run as a process of its own: pulls into the database of the first argument from the cloud of the second, and is killed after the COMMIT. */
const [file = '', cloud = '{}'] = process.argv.slice(2);
const { connection, credentials } = JSON.parse(cloud);
const { db } = openDatabase(file, { clock: systemClock });
await pullChanges(
  db,
  { ...connection, ...createClients(connection, async () => credentials) },
  {
    overlapMs: 0,
    now: systemClock.now(),
    signal: new AbortController().signal,
    onApplied: () => process.kill(process.pid, 'SIGKILL'),
    onBadItem: () => {},
  },
);
