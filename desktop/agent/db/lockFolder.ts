import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLITE_BUSY; https://sqlite.org/rescode.html */
const busy = 5;

/**
 * Makes the data folder when it is absent and takes it for this process alone.
 * The lock is the operating system's own (held through SQLite, as Node has no file locks), so it ends with the process, however that ends.
 * @returns the function that releases it, or null when another Pixwatch has the folder
 * @throws the system's error when the folder cannot be made or written
 */
export function lockDataFolder(dir: string): (() => void) | null {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const lock = new DatabaseSync(join(dir, 'lock'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    lock.close();
    if (thrown instanceof Error && 'errcode' in thrown && thrown.errcode === busy) return null;
    throw thrown;
  }
  return () => lock.close();
}
