import { sep } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, isoTime } from '../../../shared/clock.ts';
import { prepare, transaction } from '../db/openDatabase.ts';
import { ignoredReason } from './ignores.ts';

/** Rows read, or written, between two turns of the event loop: some ten milliseconds of work. */
const batchSize = 2000;
const writtenAtOnce = 200;
/** The character after the separator: bounds the range of the paths below a folder. */
const afterSep = String.fromCharCode(sep.charCodeAt(0) + 1);

/** A row of `local_file`, as far as a scan needs it. */
export interface KnownFile {
  readonly path: string;
  readonly stamp: string;
  readonly kind: string;
  readonly reason: string | null;
}

/** What the database knows directly in a directory: its files by path, and the subfolders that have files somewhere below. */
export async function knownChildren(db: DatabaseSync, directory: string): Promise<{ files: Map<string, KnownFile>; subfolders: string[] }> {
  const select = prepare(db, 'SELECT path, stamp, kind, reason FROM local_file WHERE path > ? AND path < ? ORDER BY path LIMIT ?');
  const [prefix, end] = rangeBelow(directory);
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

/** Paths below a directory come after the first and before the second. */
function rangeBelow(directory: string): [string, string] {
  const prefix = directory.endsWith(sep) ? directory : directory + sep;
  return [prefix, prefix.slice(0, -1) + afterSep];
}

/** All known paths below a directory. */
export async function pathsBelow(db: DatabaseSync, directory: string): Promise<string[]> {
  const all: string[][] = [];
  for await (const paths of pagesBelow(db, directory)) all.push(paths);
  return all.flat();
}

/** All known paths below a directory, a few at a time, so that what is done with them lets others have their turn. */
async function* pagesBelow(db: DatabaseSync, directory: string): AsyncGenerator<string[]> {
  const select = prepare(db, 'SELECT path FROM local_file WHERE path > ? AND path < ? ORDER BY path LIMIT ?');
  const [start, end] = rangeBelow(directory);
  for (let from: string | undefined = start; from !== undefined; ) {
    const page: string[] = select.all(from, end, writtenAtOnce).map((row) => String(row['path']));
    from = page.at(-1);
    yield page;
    await nextTurn();
  }
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
 * @param directory the place in it that cannot be found: all of it, or a drive inside
 */
export async function markUnreachable(
  db: DatabaseSync,
  clock: Clock,
  { folder, directory, reason }: { readonly folder: number; readonly directory: string; readonly reason: string },
): Promise<void> {
  const mark = prepare(
    db,
    `UPDATE local_file SET kind = 'unreachable', reason = ?, changed_at = ?
     WHERE rowid IN (SELECT rowid FROM local_file WHERE folder = ? AND state IN ('settling', 'queued') AND +path > ? AND +path < ? LIMIT ?)`,
  );
  const marked = () => Number(mark.run(reason, isoTime(clock), folder, ...rangeBelow(directory), writtenAtOnce).changes);
  while (marked() === writtenAtOnce) await nextTurn();
}

/**
 * What a person ignores now is not sent any more, and not said to hold anything; what it held stays in the library.
 * @param folder absolute path of the watched folder
 * @param globAbove what leaves a path out; null: nothing
 * @returns the paths
 */
export async function markIgnored(
  db: DatabaseSync,
  clock: Clock,
  folder: string,
  globAbove: (path: string) => string | null,
): Promise<string[]> {
  const mark = prepare(db, `UPDATE local_file SET kind = 'skipped', stamp = '', asset = NULL, reason = ?, changed_at = ? WHERE path = ?`);
  const marked: string[] = [];
  for await (const paths of pagesBelow(db, folder)) {
    transaction(db, () => {
      for (const path of paths) {
        const glob = globAbove(path);
        if (glob === null) continue;
        mark.run(ignoredReason(glob), isoTime(clock), path);
        marked.push(path);
      }
    });
  }
  return marked;
}
