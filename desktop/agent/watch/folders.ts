import { readdir, realpath, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import type { WatchedFolder } from '../../../shared/contract.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import { parse } from '../../../shared/parse.ts';
import { prepare } from '../db/openDatabase.ts';
import { fileTrouble } from './fileTrouble.ts';

/** A row of `watched_folder`. */
export interface Folder {
  readonly id: number;
  /** Absolute and real: no symbolic link on the way. */
  readonly path: string;
  /** Globs of what is left out: shared/model/ignored.ts. */
  readonly ignored: readonly string[];
}

export function folderRows(db: DatabaseSync): Folder[] {
  const rows = prepare(db, 'SELECT id, path, ignored FROM watched_folder ORDER BY path').all();
  return rows.map(({ id, path, ignored }) => ({ id: Number(id), path: String(path), ignored: parseIgnored(ignored) }));
}

const storedGlobs = v.pipe(v.string(), v.parseJson(), v.array(v.string()));
const parseIgnored = (ignored: unknown) => parse(storedGlobs, ignored, "what a folder's row says is ignored");

/** Every watched folder with the number of files known in it and what is wrong with it. */
export function listFolders(db: DatabaseSync): WatchedFolder[] {
  const rows = prepare(
    db,
    `SELECT id, path, problem, ignored, (SELECT count(*) FROM local_file WHERE folder = watched_folder.id) AS files
     FROM watched_folder ORDER BY path`,
  );
  return rows.all().map((row) => ({ ...row, ignored: parseIgnored(row['ignored']) })) as unknown as WatchedFolder[];
}

/**
 * Stores a folder to be watched. A folder that is watched already is answered as it is.
 * @param ignored globs of what is left out
 * @throws InvalidInput when it is no folder, cannot be read, or overlaps with a watched one
 */
export async function storeFolder(db: DatabaseSync, path: string, ignored: readonly string[]): Promise<Folder> {
  const real = await readableFolder(resolve(path));
  const existing = folderRows(db);
  const same = existing.find((folder) => folder.path === real);
  if (same) return same;
  const outer = existing.find((folder) => isInside(real, folder.path));
  if (outer) throw new InvalidInput(`${path} is in ${outer.path}, which is watched already.`);
  const inner = existing.find((folder) => isInside(folder.path, real));
  if (inner) throw new InvalidInput(`${path} contains ${inner.path}, which is watched already. Stop watching that one first.`);
  const row = prepare(db, 'INSERT INTO watched_folder (path, ignored) VALUES (?, ?) RETURNING id').get(real, JSON.stringify(ignored));
  return { id: Number(row?.['id']), path: real, ignored };
}

/** @param ignored globs of what is left out from now on */
export function storeIgnored(db: DatabaseSync, id: number, ignored: readonly string[]): void {
  prepare(db, 'UPDATE watched_folder SET ignored = ? WHERE id = ?').run(JSON.stringify(ignored), id);
}

/**
 * Notes what is wrong with a folder; null when all is well.
 * @returns whether that is news
 */
export function storeProblem(db: DatabaseSync, id: number, problem: string | null): boolean {
  return prepare(db, 'UPDATE watched_folder SET problem = ? WHERE id = ? AND problem IS NOT ?').run(problem, id, problem).changes > 0;
}

/**
 * Tells an empty folder from a drive that was taken off: what is left of a mount point is an empty folder on another device.
 * Notes the device otherwise.
 * @throws the system's error when the folder cannot be read
 */
export async function isTakenOff(db: DatabaseSync, { id, path }: Pick<Folder, 'id' | 'path'>): Promise<boolean> {
  const device = String((await stat(path, { bigint: true })).dev);
  const known = prepare(db, 'SELECT device FROM watched_folder WHERE id = ?').get(id)?.['device'];
  if (known === device) return false;
  if (known !== null && (await readdir(path)).length === 0) return true;
  prepare(db, 'UPDATE watched_folder SET device = ? WHERE id = ?').run(device, id);
  return false;
}

async function readableFolder(path: string): Promise<string> {
  try {
    const real = await realpath(path);
    if (!(await stat(real)).isDirectory()) throw new InvalidInput(`${path} is not a folder.`);
    await readdir(real);
    return real;
  } catch (thrown) {
    if (thrown instanceof InvalidInput) throw thrown;
    throw new InvalidInput(`Cannot watch ${path}: ${fileTrouble(thrown)}`, { cause: thrown });
  }
}

/** Whether a path is somewhere below a folder. */
export function isInside(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
