import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pausedKey, readMeta, writeMeta } from '../sync/meta.ts';
import { indexFile, transaction } from './openDatabase.ts';

/** Which cloud an index is of: see `followCloud`. */
const cloudKey = 'cloud';

/**
 * Makes the index of a backend that was never used from that of the one in use, on which no agent runs. Watched folders, rules, alerts and all that can
 * be searched stay. What says how the old cloud stands goes: the new one's records win whatever their revision, everything on this computer waits to be
 * sent (what the new one holds already is found out before), every rule waits to be pushed, and an alert that was raised is not raised again. It takes
 * seconds: `copyApart` does the same without holding the event loop.
 * @param from the folder of the one in use; it is only read
 * @param to the folder of the new one, which has none yet. What is there is whole, also after a crash
 * @throws SQLite's or the system's error, e.g. when the disk is full; then nothing of the copy stays
 */
export function copyIndex(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  const unfinished = `${indexFile(to)}.unfinished`;
  const remove = () => {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(unfinished + suffix, { force: true });
  };
  remove();
  try {
    copyWithoutCloud(from, unfinished);
    renameSync(unfinished, indexFile(to));
  } catch (thrown) {
    // It may be for lack of disk, which it would keep full.
    remove();
    throw thrown;
  }
}

function copyWithoutCloud(from: string, target: string): void {
  const source = new DatabaseSync(indexFile(from), { readOnly: true });
  try {
    source.prepare('VACUUM INTO ?').run(target);
  } finally {
    source.close();
  }
  const copy = new DatabaseSync(target, { enableForeignKeyConstraints: true });
  try {
    transaction(copy, () => forgetCloud(copy));
  } finally {
    copy.close();
  }
}

/** The cloud an index is of, as `followCloud` noted it; null when it did not yet. */
export const cloudOf = (db: DatabaseSync) => readMeta(db, cloudKey);

/**
 * Notes which cloud an index is of. When it was of another, which was lost, what it says of that is forgotten, as in `copyIndex`: all that is in the
 * watched folders waits to be sent. That takes seconds: `followApart` does the same without holding the event loop.
 * @param cloud a name that no other has
 */
export function followCloud(db: DatabaseSync, cloud: string): void {
  transaction(db, () => {
    if (cloudOf(db) !== null) forgetCloud(db);
    writeMeta(db, cloudKey, cloud);
  });
}

function forgetCloud(db: DatabaseSync): void {
  // Everything but what a person set: the cursor, what was pulled, and whatever else was agreed on with the old backend.
  db.prepare('DELETE FROM meta WHERE key <> ?').run(pausedKey);
  db.exec('DELETE FROM sent; DELETE FROM upload_job');
  // Notified of by the agent on the other, if not yet.
  db.exec('UPDATE rule SET pushed = 0; UPDATE alert SET told = 1 WHERE told = 0');
  db.exec('UPDATE asset SET uploaded = 0, revision = 0, outcome = NULL, reason = NULL, unfiled = NULL, ask_at = NULL');
  // A file's size rather than the asset's, which a record that came before the file may not know.
  db.exec("INSERT INTO upload_job (asset, size) SELECT asset, max(size) FROM local_file WHERE kind = 'known' GROUP BY asset");
}
