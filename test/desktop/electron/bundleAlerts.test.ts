import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bundleAlerts } from '../../../desktop/electron/bundleAlerts.ts';
import type { Alert } from '../../../shared/contract.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const alertOf = (fileName: string) => ({ fileName }) as Alert;

test('of many alerts at once a few are shown, and how many more there were', () => {
  const shown: (string | number)[] = [];
  const notify = bundleAlerts(
    ({ fileName }) => shown.push(fileName),
    (more) => shown.push(more),
  );
  for (let i = 1; i <= 50; i++) notify(alertOf(`${i}.jpg`));
  vi.advanceTimersByTime(15_000);
  expect(shown).toEqual(['1.jpg', '2.jpg', '3.jpg', 47]);
  for (let i = 51; i <= 60; i++) notify(alertOf(`${i}.jpg`));
  vi.advanceTimersByTime(15_000);
  expect(shown.slice(4)).toEqual([10]);
  vi.advanceTimersByTime(60_000);
  notify(alertOf('later.jpg'));
  vi.advanceTimersByTime(60_000);
  expect(shown.slice(5)).toEqual(['later.jpg']);
});
