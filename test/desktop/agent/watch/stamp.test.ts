import { expect, test } from 'vitest';
import { modifiedAt } from '../../../../desktop/agent/watch/stamp.ts';

test.each([
  ['2025-06-01', 1_748_736_000_000n, '2025-06-01T00:00:00.000Z'],
  ['the last second that 64 bits hold, as tmpfs gives it', 9_223_372_036_854_775_807_000n, '9999-12-31T23:59:59.999Z'],
  ['the first', -9_223_372_036_854_775_808_000n, '0000-01-01T00:00:00.000Z'],
  ['the year 10000', 253_402_300_800_000n, '9999-12-31T23:59:59.999Z'],
])('when a file was last changed: %s', (_, ms, iso) => {
  expect(modifiedAt(`1:${ms * 1_000_000n}:0:1`)).toBe(iso);
});
