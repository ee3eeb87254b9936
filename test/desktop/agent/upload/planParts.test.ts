import { expect, test } from 'vitest';
import { partSizeFor, planParts, smallestPart } from '../../../../desktop/agent/upload/planParts.ts';
import { Permanent } from '../../../../shared/errors.ts';

test('parts follow each other without a gap up to the end', () => {
  expect(planParts(20, 8)).toEqual([
    { number: 1, start: 0, length: 8 },
    { number: 2, start: 8, length: 8 },
    { number: 3, start: 16, length: 4 },
  ]);
  expect(planParts(16, 8)).toHaveLength(2);
});

test('parts have 8 MiB, and grow so that ten thousand are enough', () => {
  const tebibyte = 1024 ** 4;
  for (const size of [1, smallestPart, smallestPart + 1, 10_000 * smallestPart]) expect(partSizeFor(size)).toBe(smallestPart);
  for (const size of [10_000 * smallestPart + 1, tebibyte, 5 * tebibyte]) {
    const partSize = partSizeFor(size);
    expect(partSize % 1024 ** 2).toBe(0);
    expect(Math.ceil(size / partSize)).toBeLessThanOrEqual(10_000);
    expect(Math.ceil(size / partSize)).toBeGreaterThan(8_000);
  }
  expect(() => partSizeFor(5 * tebibyte + 1)).toThrow(Permanent);
});
