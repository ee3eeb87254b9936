import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listAlerts, markTold, untoldAlerts } from '../../../../desktop/agent/alerts/alerts.ts';
import { search } from '../../../../desktop/agent/search/search.ts';
import { writeMeta } from '../../../../desktop/agent/sync/meta.ts';
import { type Applied, hasPulledOnce, pullChanges } from '../../../../desktop/agent/sync/pullChanges.ts';
import { assetItem } from '../../../../shared/keys.ts';
import type { LibraryId } from '../../../../shared/model/asset.ts';
import type { RuleId } from '../../../../shared/model/rule.ts';
import { idOf, labelOf, library, lineOf, mediaOf, memoryDatabase, recordOf } from '../search/library.ts';
import { openTestTable, type TestTable } from './table.ts';

const minute = 60_000;
const now = Date.parse('2025-06-01T12:00:00.000Z');
const at = (ms: number) => new Date(now + ms).toISOString();

let table: TestTable;
let db: DatabaseSync;
beforeEach(async () => {
  table = await openTestTable();
  db = memoryDatabase();
});
afterEach(() => table.close());

interface Pulled {
  applied: Applied[];
  bad: string[];
}

async function pull(options: Partial<Parameters<typeof pullChanges>[2]> = {}): Promise<Pulled> {
  const pulled: Pulled = { applied: [], bad: [] };
  await pullChanges(db, table.cloud, {
    overlapMs: 2 * minute,
    now,
    signal: new AbortController().signal,
    onApplied: (applied) => pulled.applied.push(...applied),
    onBadItem: (key, error) => pulled.bad.push(`${key}: ${error.message}`),
    ...options,
  });
  return pulled;
}

const names = (text = '') => search(db, text, { cursor: null, limit: 500 }).items.map((hit) => hit.name);
const match = (rule: string) => ({
  rule: rule as RuleId,
  revision: 1,
  name: rule,
  because: 'Dog 97 %',
  notify: { desktop: true, sns: false },
});

test('what the cloud found is searched here, also of assets that no local file holds', async () => {
  const { lastInsertRowid } = db.prepare("INSERT INTO asset (id, ext, size) VALUES (?, 'jpg', 7)").run(idOf('mine.jpg'));
  await table.putRecord(recordOf('mine.jpg', { labels: [labelOf('Dog', 97)], changedAt: at(-9 * minute) }));
  await table.putRecord(recordOf('other device.jpg', { labels: [labelOf('Dog', 80)], changedAt: at(-8 * minute) }));
  const { applied, bad } = await pull();
  expect(bad).toEqual([]);
  expect(applied).toEqual([idOf('mine.jpg'), idOf('other device.jpg')].map((asset) => ({ asset, replaced: false })));
  expect(names('label:dog').toSorted()).toEqual(['mine.jpg', 'other device.jpg']);
  expect(db.prepare('SELECT uploaded, size FROM asset WHERE n = ?').get(lastInsertRowid)).toEqual({ uploaded: 1, size: 7 });
});

test('a video brings its duration and when each label is seen; a record of before videos were analysed is still read', async () => {
  const media = mediaOf({ kind: 'video', type: 'video/mp4', durationMs: 61_240 });
  const labels = [{ ...labelOf('Dog', 97), times: [0, 12_000, 40_500] }];
  await table.putRecord(recordOf('new.mp4', { media, labels, changedAt: at(-8 * minute) }));
  const { durationMs: _, ...oldMedia } = mediaOf({ kind: 'video' });
  const old = recordOf('old.mp4', { outcome: { kind: 'kept', reason: 'not analysed yet' }, changedAt: at(-9 * minute) });
  await table.putRecord({ ...old, media: oldMedia as typeof media });
  expect((await pull()).bad).toEqual([]);
  const hits = search(db, 'is:video', { cursor: null, limit: 10 }).items;
  expect(hits.map(({ name, durationMs }) => [name, durationMs]).toSorted()).toEqual([
    ['new.mp4', 61_240],
    ['old.mp4', null],
  ]);
  const stored = db.prepare('SELECT record FROM asset WHERE id = ?').get(idOf('new.mp4'))?.['record'];
  expect(JSON.parse(String(stored))).toMatchObject({ media, labels });
});

test('a full pull over many pages, then only what is new; what comes again changes nothing', async () => {
  for (let i = 0; i < 130; i++) await table.putRecord(recordOf(`${i}.jpg`, { changedAt: at(-(200 - i) * minute) }));
  const pages: number[] = [];
  await pull({ onApplied: (applied) => pages.push(applied.length) });
  expect(pages.reduce((sum, n) => sum + n)).toBe(130);
  expect(pages.length).toBeGreaterThan(1);
  expect(names()).toHaveLength(130);

  expect((await pull()).applied).toEqual([]);
  await table.putRecord(recordOf('new.jpg', { changedAt: at(-minute) }));
  expect((await pull()).applied.map(({ asset }) => asset)).toEqual([idOf('new.jpg')]);
});

test('a higher revision replaces labels and text; a lower one never does', async () => {
  const record = (revision: number, label: string, changedAt: string) =>
    recordOf('a.jpg', { revision, labels: [labelOf(label)], changedAt });
  await table.putRecord(record(2, 'Dog', at(-5 * minute)));
  await pull();
  await table.putRecord(record(3, 'Cat', at(-4 * minute)));
  expect((await pull()).applied).toEqual([{ asset: idOf('a.jpg'), replaced: true }]);
  expect(names('cat label:cat')).toEqual(['a.jpg']);
  expect([...names('dog'), ...names('label:dog')]).toEqual([]);

  await table.putRecord(record(2, 'Horse', at(-3 * minute)));
  expect((await pull()).applied).toEqual([]);
  expect(names('label:cat')).toEqual(['a.jpg']);
  expect(names('horse')).toEqual([]);
});

test('a record stamped before the cursor but seen after it is found by the overlap', async () => {
  await table.putRecord(recordOf('first.jpg', { changedAt: at(-10 * minute) }));
  await pull();
  await table.putRecord(recordOf('late.jpg', { changedAt: at(-11 * minute) }));
  await table.putRecord(recordOf('very late.jpg', { changedAt: at(-30 * minute) }));
  expect((await pull()).applied.map(({ asset }) => asset)).toEqual([idOf('late.jpg')]);
  expect((await pull({ overlapMs: 30 * minute })).applied.map(({ asset }) => asset)).toEqual([idOf('very late.jpg')]);
});

test('a writer whose clock is an hour ahead does not hide what others write', async () => {
  await table.putRecord(recordOf('from the future.jpg', { changedAt: at(60 * minute) }));
  await pull();
  await table.putRecord(recordOf('now.jpg', { changedAt: at(-minute) }));
  expect((await pull()).applied.map(({ asset }) => asset)).toEqual([idOf('now.jpg')]);
});

test('items that are no records of this library are reported and left out; their neighbours are applied', async () => {
  const good = recordOf('good.jpg', { changedAt: at(-2 * minute) });
  const put = (name: string, rest: object) =>
    table.putItem({ ...assetItem(library, idOf(name)), ...recordOf(name, { changedAt: at(-3 * minute) }), ...rest });
  await put('no labels', { labels: 'Dog' });
  await put('no revision', { revision: -1 });
  await put('other library', { library: 'someone' as LibraryId });
  await put('other asset', { asset: idOf('good.jpg') });
  await put('no time', { media: mediaOf({ takenAt: 'yesterday' }) });
  await put('no change time', { changedAt: 'zzz' });
  await table.putRecord(good);
  const { applied, bad } = await pull();
  expect(applied.map(({ asset }) => asset)).toEqual([good.asset]);
  expect(bad).toHaveLength(6);
  expect(bad.join('\n')).toContain(`asset#${idOf('no revision')}: record, revision`);
  expect(names()).toEqual(['good.jpg']);
  expect(db.prepare('SELECT count(*) AS n FROM asset').get()).toEqual({ n: 1 });
});

test('a process that dies between two pages goes on behind the last whole one', async () => {
  for (let i = 0; i < 120; i++) await table.putRecord(recordOf(`${i}.jpg`, { changedAt: at(-(200 - i) * minute) }));
  let before = 0;
  const dies = pull({
    onApplied: (applied) => {
      before += applied.length;
      throw new Error('killed');
    },
  });
  await expect(dies).rejects.toThrow('killed');
  expect(names()).toHaveLength(before);
  expect(hasPulledOnce(db)).toBe(false);

  const { applied } = await pull();
  expect(applied).toHaveLength(120 - before);
  expect(names()).toHaveLength(120);
  expect(hasPulledOnce(db)).toBe(true);
});

test('a page that cannot be written whole is not written at all', async () => {
  await table.putRecord(recordOf('a.jpg', { changedAt: at(-5 * minute) }));
  await table.putRecord(recordOf('b.jpg', { changedAt: at(-4 * minute) }));
  db.exec(`CREATE TRIGGER full_disk BEFORE INSERT ON asset WHEN NEW.id = '${idOf('b.jpg')}' BEGIN SELECT raise(ABORT, 'disk full'); END`);
  await expect(pull()).rejects.toThrow('disk full');
  expect(names()).toEqual([]);
  db.exec('DROP TRIGGER full_disk');
  expect((await pull()).applied).toHaveLength(2);
});

test('alerts of the first full pull are listed, not notified; later ones once for ever', async () => {
  await table.putRecord(recordOf('old.jpg', { matches: [match('dogs')], changedAt: at(-9 * minute) }));
  await pull();
  expect(untoldAlerts(db)).toEqual([]);
  expect(listAlerts(db, { cursor: null, limit: 10 }).items).toMatchObject([{ asset: idOf('old.jpg'), ruleName: 'dogs', seen: true }]);

  await table.putRecord(recordOf('new.jpg', { matches: [match('dogs')], changedAt: at(-8 * minute) }));
  const alert = {
    asset: idOf('new.jpg'),
    rule: 'dogs' as RuleId,
    ruleName: 'dogs',
    because: 'Dog 97 %',
    fileName: 'new.jpg',
    at: at(-8 * minute),
    seen: false,
  };
  await pull();
  expect(untoldAlerts(db)).toEqual([alert]);
  markTold(db, alert);

  await table.putRecord(recordOf('new.jpg', { revision: 2, matches: [match('dogs'), match('cats')], changedAt: at(-7 * minute) }));
  await pull();
  expect(untoldAlerts(db).map(({ rule }) => rule)).toEqual(['cats']);
  expect(listAlerts(db, { cursor: null, limit: 10 }).items).toHaveLength(3);
});

test('after an update of Pixwatch all is pulled once more: what the earlier one did not know of a record, and records that it could not read', async () => {
  await table.putRecord(recordOf('sign.jpg', { text: [lineOf('EXIT')], changedAt: at(-60 * minute) }));
  await table.putRecord(recordOf('new kind.jpg', { changedAt: at(-50 * minute) }));
  await pull();
  // As an earlier version left it, which knew no text and not what the second one's outcome is.
  db.prepare("UPDATE asset SET record = json_remove(record, '$.text') WHERE id = ?").run(idOf('sign.jpg'));
  db.prepare('DELETE FROM asset WHERE id = ?').run(idOf('new kind.jpg'));
  writeMeta(db, 'recordFormat', 'an earlier one');

  const { applied } = await pull();
  expect(applied).toEqual([idOf('sign.jpg'), idOf('new kind.jpg')].map((asset) => ({ asset, replaced: false })));
  expect(names().toSorted()).toEqual(['new kind.jpg', 'sign.jpg']);
  expect(db.prepare("SELECT record ->> '$.text[0].text' AS text FROM asset WHERE id = ?").get(idOf('sign.jpg'))).toEqual({ text: 'EXIT' });
  // Once.
  expect((await pull()).applied).toEqual([]);
});
