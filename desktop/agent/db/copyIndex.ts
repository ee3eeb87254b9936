import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { pausedKey } from '../sync/meta.ts';
import { indexFile, transaction } from './openDatabase.ts';

/** Assets changed in one go: bounds how long the event loop waits. */
const chunk = 200;

/**
 * Makes the index of a backend that was never used from that of the one in use, on which no agent runs. Watched folders, rules, alerts and all that can
 * be searched stay. What says how the old cloud stands goes: the new one's records win whatever their revision, everything on this computer waits to be
 * sent (what the new one holds already is found out before), every rule waits to be pushed, and an alert that was raised is not raised again.
 * @param from the folder of the one in use; it is only read
 * @param to the folder of the new one, which has none yet. What is there is whole, also after a crash
 * @throws SQLite's or the system's error, e.g. when the disk is full; then nothing of the copy stays
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  const unfinished = `${indexFile(to)}.unfinished`;
  const remove = () => {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(unfinished + suffix, { force: true });
  };
  remove();
  try {
    await copyWithoutCloud(from, unfinished);
    renameSync(unfinished, indexFile(to));
  } catch (thrown) {
    // It may be for lack of disk, which it would keep full.
    remove();
    throw thrown;
  }
}

async function copyWithoutCloud(from: string, target: string): Promise<void> {
  const source = new DatabaseSync(indexFile(from), { readOnly: true });
  try {
    await backup(source, target);
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(target, { enableForeignKeyConstraints: true });
  try {
    await forgetCloud(copy);
  } finally {
    copy.close();
  }
}

async function forgetCloud(db: DatabaseSync): Promise<void> {
  // Everything but what a person set: the cursor, what was pulled, and whatever else was agreed on with the old backend.
  db.prepare('DELETE FROM meta WHERE key <> ?').run(pausedKey);
  db.exec('DELETE FROM sent');
  // Notified of by the agent on the other, if not yet.
  db.exec('UPDATE rule SET pushed = 0; UPDATE alert SET told = 1 WHERE told = 0');
  const forget = db.prepare(
    'UPDATE asset SET uploaded = 0, revision = 0, outcome = NULL, reason = NULL, unfiled = NULL, ask_at = NULL WHERE n > ? AND n <= ?',
  );
  // A file's size rather than the asset's, which a record that came before the file may not know.
  const queue = db.prepare(
    `INSERT INTO upload_job (asset, size)
     SELECT asset, max(size) FROM local_file WHERE kind = 'known' AND asset > ? AND asset <= ? GROUP BY asset`,
  );
  db.exec('DELETE FROM upload_job');
  const last = Number(db.prepare('SELECT max(n) AS n FROM asset').get()?.['n'] ?? 0);
  for (let n = 0; n < last; n += chunk) {
    transaction(db, () => {
      forget.run(n, n + chunk);
      queue.run(n, n + chunk);
    });
    await setImmediate();
  }
}
