import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { deleteRule, listRules, saveRule } from '../../../../desktop/agent/rules/rules.ts';
import { hasUnpushedRules, syncRules } from '../../../../desktop/agent/rules/syncRules.ts';
import { ruleItem } from '../../../../shared/keys.ts';
import type { Rule, RuleId } from '../../../../shared/model/rule.ts';
import { library, memoryDatabase } from '../search/library.ts';
import { openTestTable, type TestTable } from '../sync/table.ts';

const early = { now: () => Date.parse('2025-01-01T00:00:00.000Z') };
const late = { now: () => Date.parse('2025-01-02T00:00:00.000Z') };
const draftOf = (name: string) => ({
  name,
  condition: { kind: 'label' as const, label: 'Dog', minConfidence: 80 },
  notify: { desktop: true, sns: false },
});

let table: TestTable;
let here: DatabaseSync;
let there: DatabaseSync;
beforeEach(async () => {
  table = await openTestTable();
  here = memoryDatabase();
  there = memoryDatabase();
});
afterEach(() => table.close());

const bad: string[] = [];
const sync = (db: DatabaseSync) =>
  syncRules(db, table.cloud, new AbortController().signal, (key, error) => bad.push(`${key}: ${error.message}`));
const names = (db: DatabaseSync) => listRules(db).map((rule) => rule.name);

test('a rule reaches the other device, and so do its change and its deletion', async () => {
  const rule = saveRule(here, early, null, draftOf('first'));
  expect(hasUnpushedRules(here)).toBe(true);
  expect(await sync(here)).toBe(false);
  expect(hasUnpushedRules(here)).toBe(false);
  expect(await sync(there)).toBe(true);
  expect(listRules(there)).toEqual([rule]);

  saveRule(there, late, rule.id, draftOf('second'));
  await sync(there);
  expect(await sync(here)).toBe(true);
  expect(names(here)).toEqual(['second']);
  expect(await sync(here)).toBe(false);

  deleteRule(here, late, rule.id);
  await sync(here);
  await sync(there);
  expect(names(there)).toEqual([]);
  expect(await table.getItem(ruleItem(library, rule.id))).toMatchObject({ deleted: true, revision: 3 });
});

test('both edited offline: the higher revision holds on both', async () => {
  const { id } = saveRule(here, early, null, draftOf('first'));
  await sync(here);
  await sync(there);
  saveRule(here, late, id, draftOf('once here'));
  saveRule(there, early, id, draftOf('once there'));
  saveRule(there, early, id, draftOf('twice there'));
  for (const db of [here, there, here]) await sync(db);
  expect([names(here), names(there)]).toEqual([['twice there'], ['twice there']]);
});

test.each([
  ['pushed first', [0, 1, 0]],
  ['pushed last', [1, 0, 1]],
])('both edited offline to the same revision: the one written later holds on both (%s)', async (_, order) => {
  const { id } = saveRule(here, early, null, draftOf('first'));
  await sync(here);
  await sync(there);
  saveRule(here, early, id, draftOf('earlier'));
  saveRule(there, late, id, draftOf('later'));
  for (const i of order) await sync([here, there][i] as DatabaseSync);
  expect([names(here), names(there)]).toEqual([['later'], ['later']]);
});

test('a later revision that arrives between pull and push is not overwritten', async () => {
  const mine = saveRule(here, early, null, draftOf('mine'));
  const theirs: Rule = { ...mine, name: 'theirs', revision: 5 };
  const { dynamodb } = table.cloud;
  const send = dynamodb.send.bind(dynamodb);
  let calls = 0;
  const racing = Object.assign(Object.create(dynamodb), {
    send: async (...args: Parameters<typeof send>) => {
      const answer = await send(...args);
      if (calls++ === 0) await table.putRule(theirs);
      return answer;
    },
  });
  await syncRules(here, { ...table.cloud, dynamodb: racing }, new AbortController().signal, () => {});
  expect(await table.getItem(ruleItem(library, mine.id))).toMatchObject({ name: 'theirs' });
  await sync(here);
  expect(names(here)).toEqual(['theirs']);
});

test('an edit made while the one before is on its way is pushed next', async () => {
  const { id } = saveRule(here, early, null, draftOf('first'));
  const running = sync(here);
  saveRule(here, late, id, draftOf('second'));
  await running;
  await sync(here);
  expect(await table.getItem(ruleItem(library, id))).toMatchObject({ name: 'second', revision: 2 });
  expect(hasUnpushedRules(here)).toBe(false);
});

test('what is no rule is reported and left out', async () => {
  const rule = saveRule(there, early, null, draftOf('good'));
  await sync(there);
  await table.putItem({ ...ruleItem(library, 'bad' as RuleId), ...rule, revision: 'one' });
  await table.putItem({ ...ruleItem(library, 'imposter' as RuleId), ...rule, revision: 9 });
  expect(await sync(here)).toBe(true);
  expect(names(here)).toEqual(['good']);
  expect(bad).toHaveLength(2);
});
