import { once } from 'node:events';
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../shared/errors.ts';

/** This much is read through in some 20 ms (9 ms/MB, measured), less than a thread takes to start. */
const smallBytes = 2 << 20;

/** Whether a database is read through at once, rather than in a thread of its own. */
export function isSmall(path: string): boolean {
  const sizes = [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size) <= smallBytes;
}

/**
 * What `inspect` does, without holding the event loop up.
 * @returns what `inspect` returns; null when there is no such file
 * @throws what `inspect` throws
 */
export async function inspectDatabase(path: string, version: number): Promise<string | null> {
  if (!existsSync(path)) return null;
  if (isSmall(path)) return inspect(path, version);
  const worker = new Worker(new URL('./inspectWorker.ts', import.meta.url), { workerData: { path, version } });
  const [damage] = await once(worker, 'message');
  return damage;
}

/**
 * Reads an SQLite database through for damage: a damaged one often opens normally and fails much later. Indexes are compared with their tables too, which
 * `quick_check` leaves out: by an index it is known which files are in use. One that is sound and of an older version than `version` is copied, to
 * `<path>.version-<its version>`, before somebody migrates it.
 * @returns what is damaged, in SQLite's words; null when it is sound
 * @throws SQLite's error when it cannot be read or copied, e.g. because another process has locked it or the disk is full
 */
export function inspect(path: string, version: number): string | null {
  const sqlite = new DatabaseSync(path, { timeout: 0 });
  try {
    const found = String(sqlite.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check']);
    if (found !== 'ok') return found.replace('*** in database main ***\n', '');
    const own = versionOf(sqlite);
    if (own > 0 && own < version) backUp(sqlite, `${path}.version-${own}`);
    return null;
  } catch (thrown) {
    if (isCorruption(thrown)) return messageOf(thrown);
    throw thrown;
  } finally {
    sqlite.close();
  }
}

export function versionOf(sqlite: DatabaseSync): number {
  return Number(sqlite.prepare('PRAGMA user_version').get()?.['user_version']);
}

/** SQLITE_CORRUPT and SQLITE_NOTADB; https://sqlite.org/rescode.html */
export function isCorruption(thrown: unknown): boolean {
  const code = thrown instanceof Error && 'errcode' in thrown ? Number(thrown.errcode) & 0xff : 0;
  return code === 11 || code === 26;
}

/** Renamed into place when it is whole, so that an interrupted copy is never taken for a good one. */
function backUp(sqlite: DatabaseSync, target: string): void {
  const unfinished = `${target}.unfinished`;
  rmSync(unfinished, { force: true });
  sqlite.prepare('VACUUM INTO ?').run(unfinished);
  renameSync(unfinished, target);
}
