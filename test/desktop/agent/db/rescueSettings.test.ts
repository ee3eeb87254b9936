import { mkdir, open, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase, transaction } from '../../../../desktop/agent/db/openDatabase.ts';
import { rescueSettings } from '../../../../desktop/agent/db/rescueSettings.ts';
import { migrations } from '../../../../desktop/agent/db/schema.ts';
import { saveRule } from '../../../../desktop/agent/rules/rules.ts';
import { pausedKey, writeMeta } from '../../../../desktop/agent/sync/meta.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { memoryDatabase } from '../search/library.ts';
import { startTestAgent, startTestCloud } from '../testAgent.ts';
import { scratchDir } from './scratch.ts';

const draft = {
  name: 'Dogs',
  condition: { kind: 'label' as const, label: 'Dog', minConfidence: 80 },
  notify: { desktop: true, sns: false },
};

/** An index with a folder, a rule, a pause and many assets, of which the first page of one table is overwritten. */
async function damagedIndex(file: string, table: string, folder: string): Promise<void> {
  const { db } = openDatabase(file, { clock: systemClock });
  db.prepare('INSERT INTO watched_folder (path, ignored) VALUES (?, ?)').run(folder, '["*.png"]');
  saveRule(db, systemClock, null, draft);
  writeMeta(db, pausedKey, 'yes');
  const insert = db.prepare("INSERT INTO asset (id, ext, size) VALUES (?, 'jpg', 1)");
  transaction(db, () => {
    for (let n = 0; n < 500; n++) insert.run(`id ${n}`);
  });
  const page = Number(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table)?.['rootpage']);
  db.close();
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(4096, 0xee), 0, 4096, 4096 * (page - 1));
  await handle.close();
}

const foldersIn = (db: DatabaseSync) =>
  db
    .prepare('SELECT path FROM watched_folder')
    .all()
    .map(({ path }) => path);

test('a damaged index keeps the watched folders, the rules and the pause, and the status says what happened', async () => {
  const dir = await realpath(await scratchDir());
  const cloud = await startTestCloud(dir);
  onTestFinished(() => cloud.stop());
  const photos = join(dir, 'photos');
  await mkdir(photos);
  await writeFile(join(photos, 'a.jpg'), 'a');
  await mkdir(join(dir, 'data'));
  await damagedIndex(join(dir, 'data', 'agent.db'), 'asset', photos);
  const agent = await startTestAgent(cloud, join(dir, 'data'));
  onTestFinished(() => agent.close());
  expect(await agent.handlers.status({})).toMatchObject({
    paused: true,
    notice: expect.stringMatching(/damaged and is built anew.* were kept/),
  });
  expect(agent.lines).toContainEqual(expect.stringContaining('damaged'));
  expect(await agent.handlers.rules({})).toMatchObject([{ name: 'Dogs' }]);
  expect(await agent.handlers.folders({})).toMatchObject([{ path: photos, ignored: ['*.png'] }]);
  await expect.poll(agent.states, { timeout: 15_000 }).toEqual({ 'a.jpg': 'queued' });
});

test.each([
  ['watched_folder', []],
  ['rule', ['/photos']],
])('what is damaged itself (%s) cannot be kept, which is said', async (table, folders) => {
  const file = join(await scratchDir(), 'agent.db');
  await damagedIndex(file, table, '/photos');
  const db = memoryDatabase();
  expect(rescueSettings(file, db)).toBe(false);
  expect(foldersIn(db)).toEqual(folders);
});

test('a file of an older Pixwatch, which knew of nothing to ignore, keeps its folders', async () => {
  const file = join(await scratchDir(), 'agent.db');
  const { db: old } = openDatabase(file, { clock: systemClock, schema: migrations.slice(0, 7) });
  old.prepare('INSERT INTO watched_folder (path) VALUES (?)').run('/photos');
  old.close();
  const db = memoryDatabase();
  expect(rescueSettings(file, db)).toBe(true);
  expect(db.prepare('SELECT path, ignored FROM watched_folder').all()).toEqual([{ path: '/photos', ignored: '[]' }]);
});

test('of a file that is no database nothing is kept', async () => {
  const file = join(await scratchDir(), 'agent.db');
  await writeFile(file, 'x'.repeat(10_000));
  expect(rescueSettings(file, memoryDatabase())).toBe(false);
});
