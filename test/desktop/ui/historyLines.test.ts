import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { historyLines } from '../../../desktop/ui/historyLines.ts';
import { messages } from '../../../desktop/ui/messages.ts';
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

test('every state of the pipeline has words, or is left out', async () => {
  const text = await readFile(new URL('../../../cloud/pipeline.asl.json', import.meta.url), 'utf8');
  const names: string[] = [];
  JSON.parse(text, (key, value) => {
    if (key === 'States') names.push(...Object.keys(value));
    return value;
  });
  expect(names.length).toBeGreaterThan(20);
  const wordless = historyLines(names.map((name) => entry(name, 'succeeded'))).filter(({ step }) => messages.photo.step(step) === step);
  expect(wordless).toEqual([]);
});
