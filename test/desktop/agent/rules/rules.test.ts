import { describe, expect, test } from 'vitest';
import { dryRun, selectCandidates } from '../../../../desktop/agent/rules/dryRun.ts';
import { deleteRule, listRules, saveRule } from '../../../../desktop/agent/rules/rules.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { InvalidInput } from '../../../../shared/errors.ts';
import type { AssetRecord } from '../../../../shared/model/asset.ts';
import type { Condition, RuleId } from '../../../../shared/model/rule.ts';
import { matchRules } from '../../../../shared/rules.ts';
import { apply, labelOf, lineOf, mediaOf, memoryDatabase, randomOf, recordOf } from '../search/library.ts';

const clock = { now: () => Date.parse('2025-01-01T00:00:00.000Z') };
const draftOf = (label: string, minConfidence = 80) => ({
  name: `${label}s`,
  condition: { kind: 'label' as const, label, minConfidence },
  notify: { desktop: true, sns: false },
});

describe('rules', () => {
  test('are made, changed, listed by name and deleted', () => {
    const db = memoryDatabase();
    const dog = saveRule(db, clock, null, draftOf('Dog'));
    const cat = saveRule(db, clock, null, draftOf('cat'));
    expect(dog).toEqual({ ...draftOf('Dog'), id: dog.id, revision: 1, changedAt: '2025-01-01T00:00:00.000Z', deleted: false });
    expect(listRules(db)).toEqual([cat, dog]);

    const changed = saveRule(db, clock, dog.id, draftOf('Bird', 50));
    expect(changed).toMatchObject({ id: dog.id, revision: 2, name: 'Birds' });
    expect(listRules(db)).toEqual([changed, cat]);

    deleteRule(db, clock, cat.id);
    expect(listRules(db)).toEqual([changed]);
    expect(() => deleteRule(db, clock, cat.id)).toThrow(InvalidInput);
    expect(() => saveRule(db, clock, cat.id, draftOf('cat'))).toThrow('This rule is not there any more');
    expect(() => saveRule(db, clock, 'nobody' as RuleId, draftOf('cat'))).toThrow(InvalidInput);
  });
});

describe('a dry run', () => {
  test('counts what the cloud would have matched, and shows the newest', async () => {
    const db = memoryDatabase();
    for (let day = 10; day < 30; day++) {
      const media = mediaOf({ takenAt: `2024-06-${day}T00:00:00.000Z` });
      apply(db, recordOf(`${day}.jpg`, { media, labels: [labelOf('dog', day), labelOf('Dog', day + 50)] }));
    }
    const { count, newest } = await dryRun(db, draftOf(' DOG', 65));
    expect(count).toBe(15);
    expect(newest.map((hit) => hit.name)).toEqual(Array.from({ length: 12 }, (_, i) => `${29 - i}.jpg`));
    expect(await dryRun(db, draftOf('Unicorn'))).toEqual({ count: 0, newest: [] });
  });

  test.each<Condition>([
    { kind: 'label', label: 'Dog', minConfidence: 50 },
    { kind: 'text', text: 'exit' },
    { kind: 'moderation', label: null, minConfidence: 50 },
    { kind: 'hours', from: 8, until: 10 },
  ])('goes on behind the last candidate without looking at all of them again: %j', (condition) => {
    const { sql, values } = selectCandidates(condition);
    const plan = memoryDatabase()
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...values, 0)
      .map(({ detail }) => String(detail));
    expect(plan.join('\n')).not.toContain('TEMP B-TREE');
    // By the index of the text itself: `>` in what FTS5 is asked for.
    if (condition.kind === 'text') expect(plan[0]).toMatch(/VIRTUAL TABLE INDEX \d+:.*>/);
  });

  test('finds by text, flag, place, time and several of them', async () => {
    const db = memoryDatabase();
    const place = { latitude: 50.9413, longitude: 6.9583 };
    apply(db, recordOf('a.jpg', { text: [lineOf('INVOICE'), lineOf('2024')], media: mediaOf({ takenAt: '2024-06-01T23:00:00.000Z' }) }));
    apply(db, recordOf('b.jpg', { text: [lineOf('Invoices 2024')], media: mediaOf({ place }), labels: [labelOf('Dog', 90)] }));
    apply(db, recordOf('c.jpg', { moderation: [{ name: 'Explicit', confidence: 92, parents: [] }] }));
    const { text: _, moderation: __, ...old } = recordOf('analysed before there was text.jpg');
    apply(db, old as AssetRecord);
    const names = async (condition: Condition) =>
      (await dryRun(db, { ...draftOf('Dog'), condition })).newest.map(({ name }) => name).toSorted();
    expect(await names({ kind: 'text', text: 'Invoice 2024' })).toEqual(['a.jpg']);
    expect(await names({ kind: 'text', text: 'receipt' })).toEqual([]);
    expect(await names({ kind: 'moderation', label: null, minConfidence: 90 })).toEqual(['c.jpg']);
    expect(await names({ kind: 'place', ...place, withinKm: 1 })).toEqual(['b.jpg']);
    expect(await names({ kind: 'hours', from: 22, until: 6 })).toEqual(['a.jpg']);
    const dog = draftOf('Dog').condition;
    expect(await names({ kind: 'all', conditions: [{ kind: 'hours', from: 6, until: 22 }, dog] })).toEqual(['b.jpg']);
    expect(await names({ kind: 'all', conditions: [{ kind: 'text', text: '2024' }, dog] })).toEqual(['b.jpg']);
  });

  test('judges as matchRules does, over more records than are read in one go', async () => {
    const db = memoryDatabase();
    const random = randomOf(7);
    const records = Array.from({ length: 450 }, (_, i) => {
      const labels = ['Dog', 'dog ', 'Cat', 'CAT'].filter(() => random() < 0.5).map((name) => labelOf(name, Math.round(random() * 100)));
      return recordOf(`${i}.jpg`, { labels });
    });
    for (const record of records) apply(db, record);
    for (const [label, minConfidence] of [
      ['dog', 0],
      ['Cat', 50],
      ['cat', 99],
    ] as const) {
      const rule = saveRule(db, systemClock, null, draftOf(label, minConfidence));
      const expected = records.filter((record) => matchRules(record, [rule]).length > 0).length;
      expect((await dryRun(db, draftOf(label, minConfidence))).count).toBe(expected);
    }
  });
});
