import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { raiseAlerts } from '../../../../desktop/agent/alerts/raiseAlerts.ts';
import { copyIndex } from '../../../../desktop/agent/db/copyIndex.ts';
import { countFiles } from '../../../../desktop/agent/db/fileStates.ts';
import { openDatabase } from '../../../../desktop/agent/db/openDatabase.ts';
import { dropAbandoned } from '../../../../desktop/agent/queue/jobs.ts';
import { saveRule } from '../../../../desktop/agent/rules/rules.ts';
import { hasUnpushedRules } from '../../../../desktop/agent/rules/syncRules.ts';
import { search } from '../../../../desktop/agent/search/search.ts';
import { readMeta, writeMeta } from '../../../../desktop/agent/sync/meta.ts';
import { systemClock } from '../../../../shared/clock.ts';
import type { RuleId } from '../../../../shared/model/rule.ts';
import { apply, labelOf, recordOf } from '../search/library.ts';
import { scratchDir } from './scratch.ts';

const open = (dir: string) => openDatabase(join(dir, 'agent.db'), { clock: systemClock }).db;

function addFile(db: DatabaseSync, name: string, n: number): void {
  db.exec("INSERT INTO watched_folder (id, path) VALUES (1, '/photos') ON CONFLICT DO NOTHING");
  db.prepare(
    "INSERT INTO local_file (path, folder, size, stamp, asset, kind, changed_at) VALUES (?, 1, 7, 's', ?, 'known', '2025-01-01T00:00:00.000Z')",
  ).run(`/photos/${name}.jpg`, n);
}

/** A library of one photo here, one that only the cloud has, a rule, an alert and an upload in progress. */
async function library(): Promise<{ from: string; to: string; n: number }> {
  const dir = await scratchDir();
  const db = open(dir);
  const n = apply(db, recordOf('dog', { labels: [labelOf('Dog')], revision: 5 }));
  apply(db, recordOf('cat', { labels: [labelOf('Cat')] }));
  addFile(db, 'dog', n);
  const draft = {
    name: 'Dogs',
    condition: { kind: 'label', label: 'Dog', minConfidence: 80 },
    notify: { desktop: true, sns: false },
  } as const;
  const { id } = saveRule(db, systemClock, null, draft);
  raiseAlerts(db, n, [{ rule: id as RuleId, revision: 1, name: 'Dogs', because: 'Dog 90 %', notify: draft.notify }], '2025', false);
  db.exec("UPDATE rule SET pushed = 1; INSERT INTO asset (id, ext, size) VALUES ('new', 'jpg', 9)");
  const last = Number(db.prepare("SELECT n FROM asset WHERE id = 'new'").get()?.['n']);
  addFile(db, 'new', last);
  db.prepare("INSERT INTO upload_job (asset, size, state, attempts, upload_id, part_size) VALUES (?, 9, 'failed', 3, 'u', 8)").run(last);
  db.prepare("INSERT INTO upload_part VALUES (?, 1, 'e', 1)").run(last);
  writeMeta(db, 'paused', 'yes');
  writeMeta(db, 'changesCursor', '2025-01-01T00:00:00.000Z');
  writeMeta(db, 'costsApproved', 'yes');
  db.close();
  return { from: dir, to: join(dir, 'backends', '1234'), n };
}

test('what a person set and what can be searched stays; how the old cloud stands is forgotten', async () => {
  const { from, to } = await library();
  copyIndex(from, to);
  const db = open(to);
  const found = (text: string) => search(db, text, { cursor: null, limit: 10 }).items.map(({ name }) => name);
  expect([found('label:dog'), found('label:cat')]).toEqual([['dog.jpg'], ['cat']]);
  expect(db.prepare('SELECT path FROM watched_folder').all()).toEqual([{ path: '/photos' }]);
  expect(db.prepare('SELECT rule_name FROM alert').all()).toEqual([{ rule_name: 'Dogs' }]);
  expect(hasUnpushedRules(db)).toBe(true);
  expect(db.prepare('SELECT asset, size, state, attempts, upload_id FROM upload_job ORDER BY asset').all()).toEqual([
    { asset: 1, size: 7, state: 'queued', attempts: 0, upload_id: null },
    { asset: 3, size: 7, state: 'queued', attempts: 0, upload_id: null },
  ]);
  expect(db.prepare('SELECT count(*) AS parts FROM upload_part').get()).toEqual({ parts: 0 });
  expect(countFiles(db)).toMatchObject({ queued: 2, searchable: 0, failed: 0 });
  expect([readMeta(db, 'paused'), readMeta(db, 'changesCursor'), readMeta(db, 'costsApproved')]).toEqual(['yes', null, null]);
  // The new cloud's first record wins over a later revision of the old one's.
  apply(db, recordOf('dog', { labels: [labelOf('Wolf')], revision: 1 }));
  expect([found('label:dog'), found('label:wolf')]).toEqual([[], ['dog.jpg']]);
  db.close();
});

test('the old index is only read, and a copy that broke off is made anew', async () => {
  const { from, to } = await library();
  copyIndex(from, to);
  await rm(join(to, 'agent.db'));
  await writeFile(join(to, 'agent.db.unfinished'), 'half a copy');
  copyIndex(from, to);
  expect(await readdir(to)).toEqual(['agent.db']);
  const db = open(from);
  expect(countFiles(db)).toMatchObject({ searchable: 1, failed: 1 });
  expect(readMeta(db, 'changesCursor')).not.toBeNull();
  db.close();
});

test('a copy that fails, for lack of disk perhaps, does not stay', async () => {
  const { from, to } = await library();
  const db = open(from);
  db.exec("CREATE TRIGGER full BEFORE UPDATE ON rule BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END");
  db.close();
  expect(() => copyIndex(from, to)).toThrow('database or disk is full');
  expect(await readdir(to)).toEqual([]);
});

test('a photo that is gone before it was sent stays searchable, and holds nothing up', async () => {
  const { from, to, n } = await library();
  copyIndex(from, to);
  const db = open(to);
  db.exec("DELETE FROM local_file WHERE path = '/photos/dog.jpg'");
  dropAbandoned(db, n);
  expect(db.prepare('SELECT 1 FROM upload_job WHERE asset = ?').get(n)).toBeUndefined();
  expect(search(db, 'label:dog', { cursor: null, limit: 10 }).total).toBe(1);
  db.close();
});
