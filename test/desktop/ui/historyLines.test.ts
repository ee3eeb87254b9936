import { expect, test } from 'vitest';
import { historyLines } from '../../../desktop/ui/historyLines.ts';
import type { HistoryEntry } from '../../../shared/contract.ts';

const entry = (step: string, what: HistoryEntry['what']): HistoryEntry => ({ at: '2025-01-01T00:00:00.000Z', step, what, detail: null });
const tellsOf = (...entries: HistoryEntry[]) => historyLines(entries).map(({ step, what }) => `${step} ${what}`);

test('a step that ended is one line', () => {
  expect(tellsOf(entry('Admit', 'entered'), entry('Admit', 'succeeded'))).toEqual(['Admit succeeded']);
});

test('a step under way shows that it began', () => {
  expect(tellsOf(entry('Admit', 'entered'), entry('Admit', 'succeeded'), entry('Render', 'entered'))).toEqual([
    'Admit succeeded',
    'Render entered',
  ]);
});

test('every failure and every new try shows', () => {
  const tries = [entry('Render', 'entered'), entry('Render', 'failed'), entry('Render', 'retried'), entry('Render', 'succeeded')];
  expect(tellsOf(...tries)).toEqual(['Render failed', 'Render retried', 'Render succeeded']);
});

test('what only leads on is left out; a step that the page does not know is not', () => {
  expect(tellsOf(entry('Route', 'succeeded'), entry('Look', 'entered'), entry('Frobnicate', 'succeeded'))).toEqual([
    'Frobnicate succeeded',
  ]);
});
