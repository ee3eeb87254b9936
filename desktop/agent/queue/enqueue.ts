import { lstat } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, isoTime } from '../../../shared/clock.ts';
import { extensionOf } from '../../../shared/model/media.ts';
import { commitTogether } from '../db/commitTogether.ts';
import { prepare } from '../db/openDatabase.ts';
import { fileTrouble, isAbsent, isFileError } from '../watch/fileTrouble.ts';
import type { Taken } from '../watch/settle.ts';
import { stampOf } from '../watch/stamp.ts';
import { type HashedFile, hashFile } from './hashFile.ts';

/**
 * Finds out which asset a complete file holds, and queues the asset when the cloud does not have it. A file that moved, or a copy, is
 * linked to the asset it holds and sends nothing.
 * @param path a row of `local_file`; without one nothing is done
 * @throws SQLite's error when the database cannot be written; the signal's reason when it is aborted
 */
export async function enqueue(db: DatabaseSync, clock: Clock, path: string, signal?: AbortSignal): Promise<Taken> {
  const row = prepare(db, 'SELECT stamp, kind FROM local_file WHERE path = ?').get(path);
  if (!row) return 'taken';
  let file: HashedFile | null;
  try {
    if (row['kind'] === 'known' && row['stamp'] === stampOf(await lstat(path, { bigint: true }))) return 'taken';
    file = await hashFile(path, signal);
  } catch (thrown) {
    if (!isFileError(thrown)) throw thrown;
    if (isAbsent(thrown)) return 'changed';
    storeState(db, clock, path, 'unreachable', fileTrouble(thrown));
    return 'later';
  }
  if (file === null) return 'changed';
  if (file.size === 0) storeState(db, clock, path, 'skipped', 'It is empty (0 bytes).');
  else await commitTogether(db, () => link(db, clock, path, file));
  return 'taken';
}

function storeState(db: DatabaseSync, clock: Clock, path: string, kind: 'unreachable' | 'skipped', reason: string): void {
  prepare(
    db,
    `UPDATE local_file SET kind = ?1, reason = ?2, changed_at = ?3, asset = iif(?1 = 'skipped', NULL, asset) WHERE path = ?4 AND ${isWanted}`,
  ).run(kind, reason, isoTime(clock), path);
}

/** A person did not ignore it while it was read: see markIgnored. */
const isWanted = "NOT (kind = 'skipped' AND stamp = '')";

function link(db: DatabaseSync, clock: Clock, path: string, { asset, size, stamp }: HashedFile): void {
  if (!prepare(db, `SELECT 1 FROM local_file WHERE path = ? AND ${isWanted}`).get(path)) return;
  prepare(db, 'INSERT INTO asset (id, ext, size) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING').run(asset, extensionOf(path), size);
  const found = prepare(db, 'SELECT n, uploaded FROM asset WHERE id = ?').get(asset);
  const n = Number(found?.['n']);
  prepare(db, `UPDATE local_file SET asset = ?, size = ?, stamp = ?, kind = 'known', reason = NULL, changed_at = ? WHERE path = ?`).run(
    n,
    size,
    stamp,
    isoTime(clock),
    path,
  );
  if (found?.['uploaded']) return;
  // What it waits for after a failed try may have been this file, which was just read.
  prepare(db, 'INSERT INTO upload_job (asset, size) VALUES (?, ?) ON CONFLICT (asset) DO UPDATE SET next_try_at = 0').run(n, size);
}
