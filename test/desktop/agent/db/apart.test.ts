import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { copyApart, openApart } from '../../../../desktop/agent/db/apart.ts';
import { keepLogShort } from '../../../../desktop/agent/db/keepLogShort.ts';
import { openDatabase } from '../../../../desktop/agent/db/openDatabase.ts';
import { migrations } from '../../../../desktop/agent/db/schema.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { InvalidInput } from '../../../../shared/errors.ts';
import { scratchDir } from './scratch.ts';

const clock = systemClock;

test('an older one is brought up to date, a damaged one set aside, and a newer one refused, in a thread of its own', async () => {
  const file = join(await scratchDir(), 'agent.db');
  openDatabase(file, { clock, schema: migrations.slice(0, 1) }).db.close();
  const older = await openApart(file, { clock });
  expect(older.db.prepare('PRAGMA user_version').get()).toEqual({ user_version: migrations.length });
  older.db.close();
  await truncate(file, 10_000);
  const damaged = await openApart(file, { clock });
  expect(damaged.setAside).toMatch(/agent\.db\.damaged-/);
  damaged.db.exec(`PRAGMA user_version = ${migrations.length + 1}`);
  damaged.db.close();
  await expect(openApart(file, { clock })).rejects.toThrow(InvalidInput);
});

test('what fails there says why, to people and to the agent', async () => {
  const dir = await scratchDir();
  // SQLITE_CANTOPEN; https://sqlite.org/rescode.html
  await expect(copyApart(join(dir, 'nowhere'), join(dir, 'to'))).rejects.toMatchObject({
    message: expect.stringContaining('unable to open'),
    errcode: 14,
  });
});

test('a long log is written back while the database is in use', async () => {
  const dir = await scratchDir();
  const file = join(dir, 'agent.db');
  const { db } = openDatabase(file, { clock });
  const errors: unknown[] = [];
  const close = keepLogShort(db, file, (thrown) => errors.push(thrown));
  db.prepare("INSERT INTO meta VALUES ('large', ?)").run('x'.repeat(2_000_000));
  expect((await stat(file)).size).toBeLessThan(1_000_000);
  await expect.poll(async () => (await stat(file)).size, { timeout: 10_000 }).toBeGreaterThan(2_000_000);
  db.prepare("INSERT INTO meta VALUES ('larger', ?)").run('x'.repeat(2_000_000));
  await close();
  // Without the log.
  await copyFile(file, join(dir, 'copy.db'));
  const copy = new DatabaseSync(join(dir, 'copy.db'));
  expect(copy.prepare('SELECT count(*) AS n FROM meta').get()).toEqual({ n: 2 });
  copy.close();
  db.close();
  expect(errors).toEqual([]);
});
