import { sep } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, isoTime } from '../../../shared/clock.ts';
import { prepare, transaction } from '../db/openDatabase.ts';

/** Rows read, or written, between two turns of the event loop: a few milliseconds of work. */
const batchSize = 2000;
const writtenAtOnce = 500;
/** The character after the separator: bounds the range of the paths below a folder. */
const afterSep = String.fromCharCode(sep.charCodeAt(0) + 1);

/** A row of `local_file`, as far as a scan needs it. */
export interface KnownFile {
  readonly path: string;
  readonly stamp: string;
  readonly kind: string;
}

/** What the database knows directly in a directory: its files by path, and the subfolders that have files somewhere below. */
export async function knownChildren(db: DatabaseSync, directory: string): Promise<{ files: Map<string, KnownFile>; subfolders: string[] }> {
  const select = prepare(db, 'SELECT path, stamp, kind FROM local_file WHERE path > ? AND path < ? ORDER BY path LIMIT ?');
  const prefix = directory.endsWith(sep) ? directory : directory + sep;
  const end = prefix.slice(0, -1) + afterSep;
  const files = new Map<string, KnownFile>();
  const subfolders: string[] = [];
  let from: string | undefined = prefix;
  for (let limit = 1; from !== undefined; limit = Math.min(limit * 4, batchSize)) {
    const rows = select.all(from, end, limit) as unknown as KnownFile[];
    from = rows.at(-1)?.path;
    for (const row of rows) {
      const slash = row.path.indexOf(sep, prefix.length);
      if (slash === -1) {
        files.set(row.path, row);
        continue;
      }
      // What is below a subfolder may be thousands of rows: go on behind it, with small steps, as it may have many neighbours.
      const subfolder = row.path.slice(0, slash);
      subfolders.push(subfolder);
      from = subfolder + afterSep;
      limit = 1;
      break;
    }
    await nextTurn();
  }
  return { files, subfolders };
}

/** All known paths below a directory. */
export function pathsBelow(db: DatabaseSync, directory: string): string[] {
  const rows = prepare(db, 'SELECT path FROM local_file WHERE path > ? AND path < ?').all(directory + sep, directory + afterSep);
  return rows.map((row) => String(row['path']));
}

/** Removes the rows of paths that are gone. What they held stays in the library. */
export async function forgetFiles(db: DatabaseSync, paths: readonly string[]): Promise<void> {
  const remove = prepare(db, 'DELETE FROM local_file WHERE path = ?');
  for (let at = 0; at < paths.length; at += writtenAtOnce) {
    transaction(db, () => {
      for (const path of paths.slice(at, at + writtenAtOnce)) remove.run(path);
    });
    await nextTurn();
  }
}

/**
 * A folder cannot be found: what of it was being taken up, or waits to be sent, cannot be read. The next scan that sees the files takes them up.
 * What is being sent just now ends by itself, and is looked at again.
 * @param folder watched_folder.id
 */
export async function markUnreachable(db: DatabaseSync, clock: Clock, folder: number, reason: string): Promise<void> {
  const mark = prepare(
    db,
    `UPDATE local_file SET kind = 'unreachable', reason = ?, changed_at = ?
     WHERE rowid IN (SELECT rowid FROM local_file WHERE folder = ? AND state IN ('settling', 'queued') LIMIT ?)`,
  );
  while (Number(mark.run(reason, isoTime(clock), folder, writtenAtOnce).changes) === writtenAtOnce) await nextTurn();
}
