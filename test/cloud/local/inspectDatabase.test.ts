import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { inspectDatabase } from '../../../cloud/local/inspectDatabase.ts';
import { scratchDir } from './serve.ts';

/** A database of version 1 whose rows are also in an index. */
async function database(): Promise<{ path: string; sql: DatabaseSync }> {
  const path = join(await scratchDir(), 'a.db');
  const sql = new DatabaseSync(path);
  sql.exec('PRAGMA journal_mode = WAL; CREATE TABLE part (blob TEXT); CREATE INDEX part_blob ON part (blob); PRAGMA user_version = 1');
  return { path, sql };
}

test('one of an older version is copied before somebody changes it, one of this version is not', async () => {
  const { path, sql } = await database();
  sql.exec("INSERT INTO part VALUES ('a')");
  expect(await inspectDatabase(path, 1)).toBeNull();
  expect(existsSync(`${path}.version-1`)).toBe(false);
  expect(await inspectDatabase(path, 2)).toBeNull();
  sql.close();
  const copy = new DatabaseSync(`${path}.version-1`);
  expect(copy.prepare('SELECT blob FROM part').all()).toEqual([{ blob: 'a' }]);
  copy.close();
});

test('a write to an index that the disk has lost is found: by it a blob would seem to be of no use', async () => {
  const { path, sql } = await database();
  const page = Number(sql.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'part_blob'").get()?.['rootpage']);
  sql.close();
  const before = await readFile(path);
  const later = new DatabaseSync(path);
  later.exec("INSERT INTO part VALUES ('a')");
  later.close();
  const bytes = await readFile(path);
  before.copy(bytes, 4096 * (page - 1), 4096 * (page - 1), 4096 * page);
  await writeFile(path, bytes);
  expect(await inspectDatabase(path, 1)).toMatch(/in index part_blob/);
  // And where it is too large to be read at once.
  const larger = new DatabaseSync(path);
  larger.exec('CREATE TABLE other (bytes); INSERT INTO other VALUES (zeroblob(3000000))');
  larger.close();
  expect(await inspectDatabase(path, 1)).toMatch(/in index part_blob/);
});
