import * as v from 'valibot';
import { expect, test } from 'vitest';
import { ignoredGlobs } from '../../shared/model/ignored.ts';

const sentenceOn = (...globs: string[]) => v.safeParse(ignoredGlobs, globs).issues?.[0].message;

test('globs as in a .gitignore are taken', () => {
  const globs = ['raw', '*.tif', '/raw', 'raw/', '2019/**/edit?', '**/private', 'a/**', 'ä ö.jpg'];
  expect(v.parse(ignoredGlobs, [...globs, '  spaced  '])).toEqual([...globs, 'spaced']);
});

test.each([
  [' ', /An empty pattern leaves nothing out\./],
  ['x'.repeat(201), /^“x{20}…” is too long: a pattern has at most 200 characters\.$/],
  ['raw\\old', /^Write \/ between folders, not \\, in “raw\\old”\.$/],
  ['*.{tif,png}', /^“\*\.\{tif,png\}” has a sign that means nothing here/],
  ['!keep', /“!keep” has a sign/],
  ['../other', /“\.\.\/other” must say a place in the folder/],
  ['./raw', /must say a place in the folder/],
  ['a//b', /must say a place in the folder/],
  ['/', /must say a place in the folder/],
])('%s is refused with a sentence', (glob, sentence) => {
  expect(sentenceOn('raw', glob)).toMatch(sentence);
});

test('there is a limit to how many', () => {
  expect(sentenceOn(...Array.from({ length: 101 }, (_, i) => `${i}`))).toBe('A folder has at most 100 patterns.');
});
