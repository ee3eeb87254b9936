import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRefresher } from '../../../desktop/ui/refresher.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Work that takes 100 ms and says how often it ran and whether two ran at once. */
function slowWork() {
  const seen = { runs: 0, atOnce: 0, most: 0 };
  const work = async () => {
    seen.runs++;
    seen.most = Math.max(seen.most, ++seen.atOnce);
    await new Promise((resolve) => setTimeout(resolve, 100));
    seen.atOnce--;
  };
  return { seen, work };
}

test('runs at once, and again when asked', async () => {
  const { seen, work } = slowWork();
  const refresher = createRefresher(work);
  expect(seen.runs).toBe(1);
  await vi.advanceTimersByTimeAsync(5000);
  expect(seen.runs).toBe(1);
  refresher.ask();
  expect(seen.runs).toBe(2);
});

test('a flood of questions is answered now and then, never twice at once, and once after the last', async () => {
  const { seen, work } = slowWork();
  const refresher = createRefresher(work);
  for (let i = 0; i < 100; i++) {
    refresher.ask();
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(seen.runs).toBeLessThanOrEqual(3);
  const { runs } = seen;
  refresher.ask();
  await vi.advanceTimersByTimeAsync(5000);
  expect(seen.runs).toBe(runs + 1);
  expect(seen.most).toBe(1);
});

test('does nothing after it was stopped', async () => {
  const { seen, work } = slowWork();
  const refresher = createRefresher(work);
  refresher.stop();
  refresher.ask();
  await vi.advanceTimersByTimeAsync(5000);
  expect(seen.runs).toBe(1);
});
