import { describe, expect, test } from 'vitest';
import { parseQuery, type Term, type Words } from '../../../../desktop/agent/search/parseQuery.ts';
import { randomOf } from './library.ts';

const words = (text: string, rest: Partial<Words> = {}): Words => ({ text, not: false, prefix: false, ...rest });
const label = (name: string, above: '>' | '>=' = '>=', confidence = 0, not = false): Term => ({
  kind: 'label',
  label: name,
  above,
  confidence,
  not,
});
const taken = (side: 'after' | 'before', day: string): Term => ({ kind: 'taken', side, at: `${day}T00:00:00.000Z`, not: false });

describe('what is understood', () => {
  test.each<[string, Words[], Term[]]>([
    ['', [], []],
    ['   ', [], []],
    ['dog', [words('dog', { prefix: true })], []],
    ['dog ', [words('dog')], []],
    ['dog ball', [words('dog'), words('ball', { prefix: true })], []],
    ['"fire truck"', [words('fire truck')], []],
    ['“fire truck”', [words('fire truck')], []],
    ['"fire tru', [words('fire tru')], []],
    ['-cat', [words('cat', { not: true })], []],
    ['-"fire truck" dog', [words('fire truck', { not: true }), words('dog', { prefix: true })], []],
    ['label:dog', [], [label('dog')]],
    ['LABEL: dog', [words('dog', { prefix: true })], []],
    ['Label:Dog', [], [label('dog')]],
    ['label:dog>=90', [], [label('dog', '>=', 90)]],
    ['label:dog>90.5%', [], [label('dog', '>', 90.5)]],
    ['label:"Fire Truck">=90', [], [label('fire truck', '>=', 90)]],
    ['label:"a>b"', [], [label('a>b')]],
    ['label:"Fire Tru', [], [label('fire tru')]],
    ['label:CAFE\u0301', [], [label('caf\u00e9')]],
    ['-label:cat', [], [label('cat', '>=', 0, true)]],
    ['text:inv', [], [{ kind: 'text', not: false, text: 'inv', prefix: true }]],
    [
      '-text:"invoice 2024" is:flagged',
      [],
      [
        { kind: 'text', not: true, text: 'invoice 2024', prefix: false },
        { kind: 'is', is: 'flagged', not: false },
      ],
    ],
    ['is:alert is:PHOTO is:video', [], (['alert', 'photo', 'video'] as const).map((is) => ({ kind: 'is', is, not: false }))],
    ['after:2024', [], [taken('after', '2024-01-01')]],
    ['after:2024-06', [], [taken('after', '2024-06-01')]],
    ['before:2025-01-15', [], [taken('before', '2025-01-15')]],
    ['after:2024-02-29', [], [taken('after', '2024-02-29')]],
    ['C:\\Photos', [words('C:\\Photos', { prefix: true })], []],
    ['12:30', [words('12:30', { prefix: true })], []],
    ['<img/src=x>', [words('<img/src=x>', { prefix: true })], []],
    ["'; DROP TABLE asset; --", [words('DROP'), words('TABLE'), words('asset;')], []],
  ])('%s', (text, wantedWords, wantedTerms) => {
    const { words: found, terms } = parseQuery(text);
    expect(found).toEqual(wantedWords);
    expect(terms).toEqual(wantedTerms);
  });
});

describe('what is not understood is told, and the rest applies', () => {
  test.each([
    ['label:', 'After “label:” comes the name of a label'],
    ['label:>=90', 'After “label:” comes the name of a label'],
    ['label:dog>=', 'After “label:dog>=” comes a number from 0 to 100.'],
    ['label:dog>=lots', 'After “label:dog>=” comes a number from 0 to 100.'],
    ['label:dog>=101', 'After “label:dog>=” comes a number from 0 to 100.'],
    ['label:dog>-1', 'After “label:dog>” comes a number from 0 to 100.'],
    ['text:', 'After “text:” comes a word that stands in the picture, like text:invoice or text:"invoice 2024".'],
    ['is:happy', 'After “is:” comes alert, flagged, photo or video.'],
    ['is:', 'After “is:” comes alert, flagged, photo or video.'],
    ['after:yesterday', 'After “after:” comes a date'],
    ['before:2025-02-30', 'After “before:” comes a date'],
    ['before:2025-13', 'After “before:” comes a date'],
    ['colour:red', '“colour:” is not known; there are label:, text:, is:, after: and before:.'],
    ['!!!', '“!!!” has no letters or digits to look for.'],
    ['🐕', '“🐕” has no letters or digits to look for.'],
  ])('%s', (text, problem) => {
    const query = parseQuery(`${text} cat is:photo`);
    expect(query.problem).toContain(problem);
    expect(query.words).toEqual([words('cat')]);
    expect(query.terms).toEqual([{ kind: 'is', is: 'photo', not: false }]);
  });

  test('each problem is told once', () => {
    expect(parseQuery('is:a is:b colour:red').problem).toBe(
      'After “is:” comes alert, flagged, photo or video. “colour:” is not known; there are label:, text:, is:, after: and before:.',
    );
  });

  test.each(['-', '"', '""', '- -', '-"'])('what is only begun (%s) is no problem', (text) => {
    expect(parseQuery(text)).toEqual({ words: [], terms: [], problem: null });
  });
});

test('never throws, and lets neither quotes nor control characters through, whatever is typed', () => {
  const pieces = [
    'label:',
    'is:',
    'after:',
    'before:',
    '-',
    '"',
    '“',
    ' ',
    '>=',
    '>',
    ':',
    '\0',
    '\n',
    '*',
    '(',
    ')',
    'AND',
    'NEAR',
    '^',
    '\\',
    '%',
  ];
  const characters = ['dog', '2024-06', '90', '\ud800', '🐕', 'é', 'e\u0301', 'ß', '\u202e', "'", '--', ';', '{', '+', '\u0378'];
  const all = [...pieces, ...characters];
  for (let seed = 1; seed <= 20_000; seed++) {
    const random = randomOf(seed);
    const text = Array.from({ length: Math.floor(random() * 12) }, () => all[Math.floor(random() * all.length)]).join('');
    for (const { text: phrase } of parseQuery(text).words) expect(phrase, `seed ${seed}`).not.toMatch(/["\p{Cc}]/u);
  }
});
