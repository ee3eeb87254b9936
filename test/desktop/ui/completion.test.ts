import { describe, expect, test } from 'vitest';
import { complete, suggestionsFor, takesLabels, wordAt } from '../../../desktop/ui/completion.ts';

const labels = [
  { label: 'Dog', count: 12 },
  { label: 'Traffic Light', count: 3 },
];
const photos = (n: number) => `${n} photos`;
const insertsFor = (text: string, caret = text.length) => suggestionsFor(wordAt(text, caret), labels, photos).map(({ insert }) => insert);

describe('wordAt', () => {
  test.each([
    ['do', 2, { start: 0, end: 2, prefix: '', typed: 'do' }],
    ['cat dog', 5, { start: 4, end: 7, prefix: '', typed: 'd' }],
    ['label:do', 8, { start: 0, end: 8, prefix: 'label:', typed: 'do' }],
    ['x -label:do', 11, { start: 2, end: 11, prefix: '-label:', typed: 'do' }],
    ['-do', 3, { start: 0, end: 3, prefix: '-', typed: 'do' }],
    ['label:"traffic li', 17, { start: 0, end: 17, prefix: 'label:', typed: 'traffic li' }],
    ['"fire truck" d', 14, { start: 13, end: 14, prefix: '', typed: 'd' }],
    ['dog ', 4, { start: 4, end: 4, prefix: '', typed: '' }],
    ['', 0, { start: 0, end: 0, prefix: '', typed: '' }],
  ])('%j at %i', (text, caret, expected) => {
    expect(wordAt(text, caret)).toEqual(expected);
  });
});

describe('takesLabels', () => {
  test.each([
    ['do', true],
    ['label:', true],
    ['label:do', true],
    ['', false],
    ['after:20', false],
    ['label:dog>=9', false],
  ])('%j: %s', (text, expected) => {
    expect(takesLabels(wordAt(text, text.length))).toBe(expected);
  });
});

describe('suggestionsFor', () => {
  test('completes labels, those of several words in quotation marks', () => {
    expect(insertsFor('x')).toEqual(['label:Dog', 'label:"Traffic Light"']);
  });

  test('keeps the sign', () => {
    expect(insertsFor('-x')).toEqual(['-label:Dog', '-label:"Traffic Light"']);
    expect(insertsFor('-label:')).toEqual(['-label:Dog', '-label:"Traffic Light"']);
  });

  test('knows the operators', () => {
    expect(insertsFor('is')).toContain('is:alert');
    expect(insertsFor('af')).toContain('after:');
    expect(insertsFor('label:af')).not.toContain('after:');
  });

  test('offers nothing where nothing was typed', () => {
    expect(insertsFor('dog ')).toEqual([]);
  });
});

describe('complete', () => {
  test('puts the suggestion in place of the word, closed by a space', () => {
    expect(complete('cat do', wordAt('cat do', 6), 'label:Dog')).toEqual({ text: 'cat label:Dog ', caret: 14 });
  });

  test('leaves what follows', () => {
    expect(complete('do cat', wordAt('do cat', 2), 'label:Dog')).toEqual({ text: 'label:Dog cat', caret: 10 });
  });

  test('leaves an operator open', () => {
    expect(complete('af', wordAt('af', 2), 'after:')).toEqual({ text: 'after:', caret: 6 });
  });
});
