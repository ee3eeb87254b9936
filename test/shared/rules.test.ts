import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { type Condition, condition, rule } from '../../shared/model/rule.ts';
import { type Judged, matchRules, reasonFor } from '../../shared/rules.ts';

const box = { left: 0, top: 0, width: 0.1, height: 0.1 };
const line = (text: string) => ({ text, confidence: 95, box });
const label = (name: string, confidence: number, instances: readonly number[] = []) => {
  return { name, confidence, parents: [], categories: [], instances: instances.map((sure) => ({ box, confidence: sure })) };
};
const judged: Judged = {
  labels: [label('Person', 97.8, [97.8, 91, 60]), label('Café', 70)],
  text: [line('DOUBLE'), line('PARKING'), line('Prohibited at all times.'), line('Crème brûlée 4,50')],
  moderation: [
    { name: 'Explicit', confidence: 93, parents: [] },
    { name: 'Explicit Nudity', confidence: 92.9, parents: ['Explicit'] },
  ],
  // In front of the cathedral of Cologne, by the camera's clock.
  media: { takenAt: '2024-06-30T22:15:00.000Z', place: { latitude: 50.9413, longitude: 6.9583 } },
};
const nothing: Judged = { labels: [], text: null, moderation: null, media: null };

const text = (wanted: string): Condition => ({ kind: 'text', text: wanted });
const people = (minConfidence: number, minCount?: number): Condition => {
  return { kind: 'label', label: 'person', minConfidence, ...(minCount && { minCount }) };
};
const near = (latitude: number, longitude: number, withinKm: number): Condition => ({ kind: 'place', latitude, longitude, withinKm });
const taken = (from: string | null, to: string | null): Condition => ({ kind: 'taken', from, to });
const hours = (from: number, until: number): Condition => ({ kind: 'hours', from, until });
const flag = (name: string | null, minConfidence: number): Condition => ({ kind: 'moderation', label: name, minConfidence });

describe('a condition', () => {
  test.each<[string, Condition, string | null]>([
    ['a label', people(90), 'Person 97 %'],
    ['a label that is not sure enough', people(98), null],
    ['two of it', people(90, 2), '2 × Person'],
    ['three of it, of which one is unsure', people(90, 3), null],
    ['three of it when less sure is enough', people(60, 3), '3 × Person'],
    ['a text', text('Prohibited'), 'text “Prohibited”'],
    ['a text in other case', text('pArKiNg'), 'text “pArKiNg”'],
    ['a text without its accents', text('creme brulee'), 'text “creme brulee”'],
    ['a text over two lines', text('double parking'), 'text “double parking”'],
    ['words in another order', text('parking double'), null],
    ['a part of a word', text('park'), null],
    ['a part of a number', text('4,5'), null],
    ['a text with other signs between its words', text('at-all times!'), 'text “at-all times!”'],
    ['any flag', flag(null, 90), 'Explicit Nudity 92 %'],
    ['a flag by its name', flag('explicit', 93), 'Explicit 93 %'],
    ['a flag that is not sure enough', flag('Explicit Nudity', 93), null],
    ['another flag', flag('Violence', 0), null],
    ['near: 1.1 km to the north', near(50.9513, 6.9583, 1.2), '1.1 km away'],
    ['not that near', near(50.9513, 6.9583, 1.1), null],
    ['as far as Paris', near(48.8566, 2.3522, 410), '403 km away'],
    ['the other side of the earth', near(-50.9413, -173.0417, 20_000), null],
    ['a range of days', taken('2024-06-01', '2024-06-30'), 'taken on 2024-06-30'],
    ['from a day on', taken('2024-06-30', null), 'taken on 2024-06-30'],
    ['until the day before', taken(null, '2024-06-29'), null],
    ['any day', taken(null, null), 'taken on 2024-06-30'],
    ['an hour', hours(22, 23), 'taken at 22:15'],
    ['hours over midnight', hours(20, 6), 'taken at 22:15'],
    ['the day', hours(6, 22), null],
    ['until midnight', hours(18, 24), 'taken at 22:15'],
    ['several at once', { kind: 'all', conditions: [text('parking'), hours(20, 6)] as never }, 'text “parking”, taken at 22:15'],
    ['several of which one does not hold', { kind: 'all', conditions: [text('parking'), hours(6, 20)] as never }, null],
  ])('%s', (_, wanted, reason) => {
    expect(v.parse(condition, wanted)).toEqual(wanted);
    expect(reasonFor(wanted, judged)).toBe(reason);
    expect(reasonFor(wanted, nothing)).toBeNull();
  });

  test.each([
    ['no label', { kind: 'label', label: ' ', minConfidence: 80 }],
    ['none of it', { kind: 'label', label: 'Dog', minConfidence: 80, minCount: 0 }],
    ['a text without a word', text('!?')],
    ['a place beyond the pole', near(91, 0, 1)],
    ['no number', near(Number.NaN, 0, 1)],
    ['a day that is none', taken('June', null)],
    ['an hour that is none', hours(24, 3)],
    ['nothing at once', { kind: 'all', conditions: [] }],
    ['several of several', { kind: 'all', conditions: [{ kind: 'all', conditions: [text('a')] }] }],
    ['something else', { kind: 'smell' }],
  ])('is refused: %s', (_, wanted) => {
    expect(v.safeParse(condition, wanted).success).toBe(false);
  });
});

test('a rule made before there were other kinds still counts, and a deleted one does not', () => {
  const stored = {
    ...{ id: 'r1', name: 'Visitors', revision: 3, changedAt: '2024-01-01T00:00:00.000Z', deleted: false },
    condition: { kind: 'label', label: 'Person', minConfidence: 50 },
    notify: { desktop: true, sns: false },
  };
  const old = v.parse(rule, stored);
  expect(old).toEqual(stored);
  expect(matchRules(judged, [old, { ...old, deleted: true }])).toEqual([
    { rule: 'r1', revision: 3, name: 'Visitors', because: 'Person 97 %', notify: { desktop: true, sns: false } },
  ]);
});
