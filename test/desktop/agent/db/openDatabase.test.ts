import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openDatabase, openDatabaseReadOnly, transaction } from '../../../../desktop/agent/db/openDatabase.ts';
import { migrations } from '../../../../desktop/agent/db/schema.ts';
import { InvalidInput } from '../../../../shared/errors.ts';
import { scratchDatabase, scratchDir } from './scratch.ts';

const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5) };
const first = 'CREATE TABLE photo (name TEXT)';
const second = 'ALTER TABLE photo ADD COLUMN seen INTEGER NOT NULL DEFAULT 0';
const namesIn = (db: DatabaseSync) =>
  db
    .prepare('SELECT name FROM photo ORDER BY name')
    .all()
    .map((row) => row['name']);

/** A database of the first version with one photo in it. */
async function oldDatabase(): Promise<string> {
  const file = join(await scratchDir(), 'agent.db');
  const { db } = openDatabase(file, { clock, schema: [first] });
  db.exec(`INSERT INTO photo VALUES ('a.jpg')`);
  db.close();
  return file;
}

test('makes a database that is safe to write: WAL, foreign keys, current version', async () => {
  const db = await scratchDatabase();
  expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  expect(db.prepare('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 });
  expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: migrations.length });
});

test('migrates an older database and keeps a copy of it as it was', async () => {
  const file = await oldDatabase();
  const { db, setAside } = openDatabase(file, { clock, schema: [first, second] });
  expect(setAside).toBeNull();
  expect(db.prepare('SELECT * FROM photo').all()).toEqual([{ name: 'a.jpg', seen: 0 }]);
  db.close();
  const backup = new DatabaseSync(`${file}.version-1`);
  expect(backup.prepare('SELECT * FROM photo').all()).toEqual([{ name: 'a.jpg' }]);
  backup.close();
});

test('a migration that fails changes nothing', async () => {
  const file = await oldDatabase();
  expect(() => openDatabase(file, { clock, schema: [first, `${second}; nonsense`] })).toThrow();
  const { db } = openDatabase(file, { clock, schema: [first] });
  expect(db.prepare('SELECT * FROM photo').all()).toEqual([{ name: 'a.jpg' }]);
  db.close();
});

test('refuses a database of a newer version and leaves it alone', async () => {
  const file = await oldDatabase();
  const before = readFileSync(file);
  expect(() => openDatabase(file, { clock, schema: [] })).toThrow(InvalidInput);
  expect(() => openDatabase(file, { clock, schema: [] })).toThrow(/made by a newer Pixwatch/);
  expect(readFileSync(file)).toEqual(before);
});

test.each([
  ['that is no database', async (file: string) => writeFileSync(file, 'x'.repeat(10_000))],
  ['with a page overwritten', overwritePage],
  ['that was cut off', async (file: string) => truncateSync(file, 10_000)],
])('sets a file aside %s, and begins again', async (_, damage) => {
  const file = await oldDatabase();
  const { db: full } = openDatabase(file, { clock, schema: [first] });
  const insert = full.prepare('INSERT INTO photo VALUES (?)');
  transaction(full, () => {
    for (let i = 0; i < 2000; i++) insert.run(`IMG_${i}.jpg`);
  });
  full.close();
  await damage(file);

  const { db, setAside } = openDatabase(file, { clock, schema: [first] });
  expect(setAside).toBe(`${file}.damaged-2026-01-02T03-04-05.000Z`);
  expect(existsSync(setAside ?? '')).toBe(true);
  expect(namesIn(db)).toEqual([]);
  db.close();
});

async function overwritePage(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(4096, 0xee), 0, 4096, 4096 * 3);
  await handle.close();
}

test('is read by another process while it is written', async () => {
  const file = join(await scratchDir(), 'agent.db');
  const { db } = openDatabase(file, { clock });
  db.exec(`INSERT INTO watched_folder (path) VALUES ('/photos')`);
  const reader = openDatabaseReadOnly(file);
  expect(reader.prepare('SELECT path FROM watched_folder').all()).toEqual([{ path: '/photos' }]);
  db.exec(`INSERT INTO watched_folder (path) VALUES ('/more')`);
  expect(reader.prepare('SELECT count(*) AS n FROM watched_folder').get()).toEqual({ n: 2 });
  expect(() => reader.exec('DELETE FROM watched_folder')).toThrow(/readonly/);
  reader.close();
  db.close();
});

test('reading says what is missing: no library yet, or another version', async () => {
  const dir = await scratchDir();
  expect(() => openDatabaseReadOnly(join(dir, 'agent.db'))).toThrow(/there is no library in .* yet/);
  expect(readdirSync(dir)).toEqual([]);
  const old = join(dir, 'old.db');
  openDatabase(old, { clock, schema: [] }).db.close();
  expect(() => openDatabaseReadOnly(old)).toThrow(/older Pixwatch/);
  const newer = join(dir, 'newer.db');
  openDatabase(newer, { clock, schema: [...migrations, 'SELECT 1'] }).db.close();
  expect(() => openDatabaseReadOnly(newer)).toThrow(/newer Pixwatch/);
});

test('a transaction stores all or nothing', async () => {
  const db = await scratchDatabase();
  const add = (path: string) => db.prepare('INSERT INTO watched_folder (path) VALUES (?)').run(path);
  expect(transaction(db, () => add('/a').changes)).toBe(1);
  const failing = () => {
    add('/b');
    add('/a');
  };
  expect(() => transaction(db, failing)).toThrow(/UNIQUE/);
  expect(db.prepare('SELECT path FROM watched_folder').all()).toEqual([{ path: '/a' }]);
});

test('what was committed survives kill -9', async () => {
  const file = join(await scratchDir(), 'agent.db');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writeForEver.ts'), file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let acknowledged = 0;
  child.stdout.on('data', (data: Buffer) => {
    acknowledged = Number(data.toString().trim().split('\n').at(-1));
    if (acknowledged > 500) child.kill('SIGKILL');
  });
  await once(child, 'exit');
  const { db, setAside } = openDatabase(file, { clock });
  expect(setAside).toBeNull();
  expect(Number(db.prepare('SELECT count(*) AS n FROM meta').get()?.['n'])).toBeGreaterThanOrEqual(acknowledged);
  db.close();
});
