import { expect, test } from 'vitest';
import { compileIgnores } from '../../../../desktop/agent/watch/ignores.ts';

const fits = (glob: string, path: string, isCaseless = false) =>
  compileIgnores('/photos', [glob], isCaseless).globOf(`/photos/${path}`) === glob;

test.each([
  // Without a slash before the end: that name anywhere.
  ['raw', ['raw', 'a/raw', 'a/b/raw'], ['raw2', 'araw', 'raw/a.jpg', 'RAW']],
  ['raw/', ['raw', 'a/raw'], ['raws']],
  ['*.tif', ['a.tif', 'x/y/.tif', 'a.b.tif'], ['a.tiff', 'tif', 'a.TIF']],
  ['IMG_??.*', ['IMG_12.jpg', 'a/IMG_ab.tar.gz'], ['IMG_1.jpg', 'IMG_123.jpg']],
  ['*', ['a', 'a/b', '.c'], []],
  ['a.b', ['a.b'], ['axb']],
  ['a+(b)|$^', ['a+(b)|$^'], ['ab']],
  // Else at that very place.
  ['/raw', ['raw'], ['a/raw']],
  ['2019/raw', ['2019/raw'], ['raw', 'a/2019/raw', '2019/raw/b.jpg']],
  ['*/raw', ['a/raw'], ['raw', 'a/b/raw']],
  ['**/raw', ['raw', 'a/raw', 'a/b/raw'], ['raw/a']],
  ['2019/**/raw', ['2019/raw', '2019/a/raw', '2019/a/b/raw'], ['2018/raw', '2019/raw2']],
  ['raw/**', ['raw/a', 'raw/a/b.jpg'], ['raw', 'a/raw/b']],
  ['**/a/**/b*', ['a/b', 'x/a/y/z/bc', 'a/a/b/b'], ['a/c', 'b']],
] as const)('%s', (glob, fitting, other) => {
  expect(fitting.filter((path) => !fits(glob, path))).toEqual([]);
  expect(other.filter((path) => fits(glob, path))).toEqual([]);
});

test('case does not matter where the file system has it so; composed and decomposed names are the same', () => {
  expect([fits('*.TIF', 'Raw/a.tif', true), fits('raw', 'RAW', true), fits('raw', 'RAW')]).toEqual([true, true, false]);
  expect(fits('é*'.normalize('NFC'), 'école'.normalize('NFD'))).toBe(true);
});

test('says which glob it is, also for what is inside', () => {
  const { globOf, globAbove } = compileIgnores('/photos', ['*.tif', '2019/raw'], false);
  expect([globOf('/photos/2019/raw/a/b.jpg'), globAbove('/photos/2019/raw/a/b.jpg')]).toEqual([null, '2019/raw']);
  expect([globOf('/photos/a.tif'), globAbove('/photos/a.tif'), globAbove('/photos/a.jpg')]).toEqual(['*.tif', '*.tif', null]);
  expect(globAbove('/photos')).toBeNull();
});

test('no glob takes for ever', () => {
  expect(fits(`${'a*'.repeat(99)}b`, 'a'.repeat(255))).toBe(false);
  expect(fits(`${'**/a/'.repeat(39)}b`, `${'a/'.repeat(2000)}c`)).toBe(false);
});
