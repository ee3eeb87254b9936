import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../../shared/errors.ts';

/** Moves what is in the write-ahead log into the database, away from the thread that answers requests. */
const sqlite = new DatabaseSync(workerData, { timeout: 5000 });

parentPort?.on('message', (message: 'run' | 'stop') => {
  if (message === 'run') return checkpoint();
  sqlite.close();
  parentPort?.close();
});

/** A failure, such as a full disk, loses nothing: all stays in the log until a later run. */
function checkpoint(): void {
  try {
    sqlite.exec('PRAGMA wal_checkpoint(PASSIVE)');
  } catch (thrown) {
    parentPort?.postMessage(messageOf(thrown));
  }
}
