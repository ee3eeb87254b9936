import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { saveRule } from '../../../../desktop/agent/rules/rules.ts';
import { search } from '../../../../desktop/agent/search/search.ts';
import { startSync } from '../../../../desktop/agent/sync/startSync.ts';
import { type Clock, isoTime, systemClock } from '../../../../shared/clock.ts';
import { assetItem, ruleItem } from '../../../../shared/keys.ts';
import { idOf, library, memoryDatabase, recordOf } from '../search/library.ts';
import { openTestTable, type TestTable } from './table.ts';

const noAnswer = 'The cloud does not answer. Check the internet connection; it goes on by itself.';
const never = 3_600_000;
const draft = {
  name: 'Dogs',
  condition: { kind: 'label' as const, label: 'Dog', minConfidence: 80 },
  notify: { desktop: true, sns: false },
};

let table: TestTable;
let db: DatabaseSync;
let closers: (() => Promise<void>)[];
beforeEach(async () => {
  table = await openTestTable();
  db = memoryDatabase();
  closers = [];
});
afterEach(async () => {
  for (const close of closers) await close();
  await table.close();
});

/** Keeps `db` in step; looks when woken, and quickly while something is analysed. */
function start(pace: Partial<Parameters<typeof startSync>[0]['pace']> = {}, clock: Clock = systemClock) {
  const seen = { applied: 0, rulesChanged: 0, offlineChanged: 0, lines: [] as string[] };
  const sync = startSync({
    db,
    cloud: table.cloud,
    clock,
    pace: { quickMs: 20, slowMs: never, retryMs: 20, slowestRetryMs: 40, ...pace },
    onApplied: (applied) => {
      seen.applied += applied.length;
    },
    onRulesChanged: () => {
      seen.rulesChanged++;
    },
    onOffline: () => {
      seen.offlineChanged++;
    },
    onError: (thrown) => {
      throw thrown;
    },
    log: (line) => seen.lines.push(line),
  });
  closers.push(sync.close);
  return { sync, seen };
}

const names = () => search(db, '', { cursor: null, limit: 10 }).items.map((hit) => hit.name);
const fresh = (name: string) => recordOf(name, { changedAt: isoTime(systemClock) });

test('looks quickly while something is analysed, else only when woken', async () => {
  const { sync, seen } = start();
  await sync.ready;
  await table.putRecord(fresh('unasked.jpg'));
  await sleep(100);
  expect(names()).toEqual([]);

  db.prepare("INSERT INTO asset (id, ext, size, uploaded) VALUES (?, 'jpg', 1, 1)").run(idOf('mine.jpg'));
  sync.wake();
  await vi.waitFor(() => expect(names()).toEqual(['unasked.jpg']));
  await table.putRecord(fresh('mine.jpg'));
  await vi.waitFor(() => expect(names()).toHaveLength(2));
  await table.putRecord(fresh('later.jpg'));
  await sleep(100);
  expect(seen.applied).toBe(2);
});

test('says why the cloud cannot be reached, tries again, and goes on', async () => {
  await table.stop();
  const { sync, seen } = start();
  await vi.waitFor(() => expect(sync.offline()).toBe(noAnswer));
  await sleep(100);
  expect(seen.offlineChanged).toBe(1);
  expect(seen.lines).toEqual([noAnswer]);
  await table.start();
  await vi.waitFor(() => expect(sync.offline()).toBeNull());
  expect(seen.offlineChanged).toBe(2);
});

test('says when the sign-in is refused', async () => {
  const { dynamodb, ...cloud } = table.cloud;
  const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb');
  const { DynamoDBDocumentClient } = await import('@aws-sdk/lib-dynamodb');
  const endpoint = await dynamodb.config.endpoint?.();
  const wrong = new DynamoDBClient({
    endpoint: `http://${endpoint?.hostname}:${endpoint?.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'wrong' },
  });
  table = { ...table, cloud: { ...cloud, dynamodb: DynamoDBDocumentClient.from(wrong) } };
  const { sync } = start();
  await vi.waitFor(() => expect(sync.offline()).toMatch(/^The cloud refuses this device/));
});

test('a rule edited offline reaches the cloud, and one of another device comes here', async () => {
  await table.stop();
  const { sync, seen } = start();
  await vi.waitFor(() => expect(sync.offline()).not.toBeNull());
  const rule = saveRule(db, systemClock, null, draft);
  await table.start();
  await vi.waitFor(async () => expect(await table.getItem(ruleItem(library, rule.id))).toMatchObject(rule));

  saveRule(db, systemClock, rule.id, { ...draft, name: 'All dogs' });
  sync.wake();
  await vi.waitFor(async () => expect(await table.getItem(ruleItem(library, rule.id))).toMatchObject({ name: 'All dogs', revision: 2 }));
  expect(seen.rulesChanged).toBe(0);
});

test('a bad item is told once, however often it is seen', async () => {
  await table.putItem({ ...assetItem(library, idOf('bad')), changedAt: isoTime(systemClock) });
  db.prepare("INSERT INTO asset (id, ext, size, uploaded) VALUES (?, 'jpg', 1, 1)").run(idOf('mine.jpg'));
  const { seen } = start();
  await sleep(200);
  expect(seen.lines).toHaveLength(1);
  expect(seen.lines[0]).toContain(`asset#${idOf('bad')} in the cloud cannot be read and is left out`);
});

test('closing ends a pause and a call under way', async () => {
  const { sync } = start();
  await sync.close();
  const again = start();
  await again.sync.ready;
  await again.sync.close();
});

test('reads again what it may have missed, and pays for that only until it cannot have', async () => {
  let passed = 0;
  const { sync } = start({}, { now: () => systemClock.now() + passed });
  await sync.ready;
  await Promise.all(Array.from({ length: 150 }, (_, n) => table.putRecord(fresh(`${n}.jpg`))));
  const look = async () => {
    const before = table.unitsRead();
    sync.wake();
    await expect.poll(() => table.unitsRead()).toBeGreaterThan(before);
    for (let read = before; read !== table.unitsRead(); await sleep(100)) read = table.unitsRead();
    return table.unitsRead() - before;
  };
  await look();
  await expect.poll(() => db.prepare('SELECT count(*) AS n FROM asset').get()?.['n']).toBe(150);
  const again = await look();
  expect(again).toBeGreaterThan(4);
  passed = 3 * 60_000;
  expect(await look()).toBeLessThan(again / 2);
});
