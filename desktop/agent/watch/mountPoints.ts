import { readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { prepare } from '../db/openDatabase.ts';
import { type Folder, isInside } from './folders.ts';

/**
 * Tells an empty directory inside a watched folder from a drive that was taken off: where one was, there is nothing, and no drive. Notes otherwise whether
 * a drive is there.
 * @throws the system's error when the directory cannot be read
 */
export async function isDriveTakenOff(db: DatabaseSync, { id }: Pick<Folder, 'id'>, directory: string): Promise<boolean> {
  const [device, around] = await Promise.all([directory, dirname(directory)].map(deviceOf));
  const known = prepare(db, 'SELECT device FROM mount_point WHERE path = ?').get(directory)?.['device'];
  if (device === around) {
    if (known === undefined) return false;
    if ((await readdir(directory)).length === 0) return true;
    prepare(db, 'DELETE FROM mount_point WHERE path = ?').run(directory);
  } else if (known !== device) {
    prepare(
      db,
      'INSERT INTO mount_point (path, folder, device) VALUES (?, ?, ?) ON CONFLICT (path) DO UPDATE SET device = excluded.device',
    ).run(directory, id, String(device));
  }
  return false;
}

const deviceOf = async (path: string) => String((await stat(path, { bigint: true })).dev);

/** Where drives were in a watched folder, at or below a path. Systems remove a mount point that they made. */
export function mountPointsIn(db: DatabaseSync, { id }: Pick<Folder, 'id'>, path: string): string[] {
  const all = prepare(db, 'SELECT path FROM mount_point WHERE folder = ?').all(id);
  return all.map((row) => String(row['path'])).filter((mount) => mount === path || isInside(mount, path));
}
