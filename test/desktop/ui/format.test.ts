import { expect, test } from 'vitest';
import {
  formatBytes,
  formatDuration,
  formatPercent,
  formatPlace,
  formatTaken,
  formatTimecode,
  splitPath,
} from '../../../desktop/ui/format.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [1_234_567, '1.2 MB'],
  [123_456_789, '123 MB'],
  [5e15, '5,000 TB'],
])('formatBytes(%i)', (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected);
});

test.each([
  [0, '1 s'],
  [12.2, '13 s'],
  [60, '1 min'],
  [61, '2 min'],
  [3600, '1 h 0 min'],
  [7199, '2 h 0 min'],
  [5400, '1 h 30 min'],
])('formatDuration(%d)', (seconds, expected) => {
  expect(formatDuration(seconds)).toBe(expected);
});

test.each([
  [0, '0:00'],
  [499, '0:00'],
  [12_000, '0:12'],
  [59_500, '1:00'],
  [72_400, '1:12'],
  [3_599_600, '1:00:00'],
  [3_723_000, '1:02:03'],
  [36_000_000, '10:00:00'],
])('formatTimecode(%d)', (ms, expected) => {
  expect(formatTimecode(ms)).toBe(expected);
});

test('a confidence never reads higher than it is', () => {
  expect(formatPercent(89.99)).toBe('89 %');
});

test('a photo shows its own time wherever it is looked at', () => {
  expect(formatTaken('2024-06-01T23:30:00.000Z')).toBe('1 June 2024 at 23:30');
});

test('a place has a side on both axes', () => {
  expect(formatPlace({ latitude: -33.8568, longitude: 151.2153 })).toBe('33.8568° S, 151.2153° E');
});

test.each([
  ['/home/anna/a.jpg', { folder: '/home/anna/', name: 'a.jpg' }],
  ['C:\\Photos\\a.jpg', { folder: 'C:\\Photos\\', name: 'a.jpg' }],
  ['a.jpg', { folder: '', name: 'a.jpg' }],
])('splitPath(%j)', (path, expected) => {
  expect(splitPath(path)).toEqual(expected);
});
