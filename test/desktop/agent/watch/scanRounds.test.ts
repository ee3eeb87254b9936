import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { scanInRounds } from '../../../../desktop/agent/watch/scanRounds.ts';
import { systemClock } from '../../../../shared/clock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const hourMs = 60 * 60_000;
const unexpected = (thrown: unknown) => expect.unreachable(String(thrown));

test('a clock that is set during a scan changes nothing about the rest', async () => {
  let scans = 0;
  const rounds = scanInRounds(async () => {
    scans += 1;
    vi.setSystemTime(systemClock.now() + 8 * hourMs);
  }, unexpected);
  rounds.want(1, 'all');
  rounds.want(1, 'all');
  await vi.advanceTimersByTimeAsync(1000);
  expect(scans).toBe(2);
  await rounds.close();
});

test('after a scan that took hours, as the computer slept, the next comes within a minute', async () => {
  let scans = 0;
  const rounds = scanInRounds(async () => {
    scans += 1;
    await new Promise((resolve) => setTimeout(resolve, 8 * hourMs));
  }, unexpected);
  rounds.want(1, 'all');
  await vi.advanceTimersByTimeAsync(8 * hourMs);
  rounds.want(1, 'all');
  expect(scans).toBe(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(scans).toBe(2);
  const closed = rounds.close();
  await vi.advanceTimersByTimeAsync(8 * hourMs);
  await closed;
});
