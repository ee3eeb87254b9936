import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createEvents } from '../../../desktop/agent/events.ts';
import type { AgentEvent, Status } from '../../../shared/contract.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const noAlerts = { untold: () => [], markTold: () => {} };
const statusOf = (assets: number) => ({ assets }) as Status;

test('what happens often is told a few times a second, and the status only when it is another one', () => {
  let assets = 0;
  const events = createEvents(() => statusOf(assets), noAlerts);
  const told: AgentEvent[] = [];
  const stop = events.onEvent((event) => told.push(event));
  for (let ms = 0; ms < 1000; ms++) {
    events.changed('library', 'status');
    assets = Math.min(ms, 300);
    vi.advanceTimersByTime(1);
  }
  vi.advanceTimersByTime(1000);
  const kinds = told.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'libraryChanged').length).toBeLessThanOrEqual(4);
  expect(kinds.filter((kind) => kind === 'libraryChanged').length).toBeGreaterThan(1);
  expect(told.filter((event) => event.kind === 'statusChanged').map(({ status }) => status.assets)).toEqual([249, 300]);
  expect(kinds).not.toContain('foldersChanged');

  stop();
  events.changed('folders');
  vi.advanceTimersByTime(1000);
  expect(told).toHaveLength(kinds.length);
});

test('after closing nothing is told any more', () => {
  const events = createEvents(() => {
    throw new Error('the database is closed');
  }, noAlerts);
  events.changed('status');
  events.close();
  events.changed('status');
  vi.advanceTimersByTime(1000);
});
