import { beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../../../desktop/agent/db/openDatabase.ts';
import { complete, search } from '../../../../desktop/agent/search/search.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { fill } from './manyAssets.ts';

/** How long it takes, with ten times as many, is what test/bench/search.ts shows. */
const assets = 10_000;
const { db } = openDatabase(':memory:', { clock: systemClock });
beforeAll(() => fill(db, assets));

test.each([
  ['', assets],
  ['jpg', assets],
  ['i', assets],
  ['dog', null],
  ['do', null],
  ['label:person', null],
  ['label:"label900 thing"', null],
  ['label:dog>=90 -label:cat is:photo after:2012', null],
  ['event 2015 -dog', null],
  ['is:video', null],
  ['is:alert', 0],
  ['IMG_7777', 1],
  ['nothing at all', 0],
])(`"%s" in ${assets} assets: the total, and pages that follow each other`, (text, total) => {
  const first = search(db, text, { cursor: null, limit: 20 });
  if (total === null) expect(first.total).toBeGreaterThan(20);
  else expect(first.total).toBe(total);
  expect(first.items).toHaveLength(Math.min(20, first.total));
  if (first.next === null) return;
  const second = search(db, text, { cursor: first.next, limit: 20 });
  const both = search(db, text, { cursor: null, limit: 40 });
  expect([...first.items, ...second.items]).toEqual(both.items);
});

test('completion', () => {
  expect(complete(db, '', 20)[0]?.label).toBe('Person');
});
