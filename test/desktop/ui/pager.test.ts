import { expect, test } from 'vitest';
import { createPager } from '../../../desktop/ui/pager.ts';

/** A list that answers like the agent, and can change between two questions. */
function listOf(length: number) {
  const list = { numbers: Array.from({ length }, (_, i) => i), asked: 0, shown: [] as readonly number[] };
  const pager = createPager<number, { items: number[]; next: string | null }>(
    async (cursor, limit) => {
      list.asked++;
      const start = Number(cursor ?? 0);
      const end = start + limit;
      return { items: list.numbers.slice(start, end), next: end < list.numbers.length ? String(end) : null };
    },
    (items) => {
      list.shown = items;
    },
  );
  return { list, pager };
}

test('reads the first page, then as far as it is asked to', async () => {
  const { list, pager } = listOf(1000);
  await pager.refresh();
  expect(list.shown).toHaveLength(100);
  await pager.loadTo(340);
  expect(list.shown.length).toBeGreaterThanOrEqual(340);
  expect(list.shown).toEqual(list.numbers.slice(0, list.shown.length));
});

test('asks for nothing that it has, nor beyond the end', async () => {
  const { list, pager } = listOf(120);
  await pager.refresh();
  await pager.loadTo(5000);
  expect(list.shown).toEqual(list.numbers);
  const { asked } = list;
  await pager.loadTo(100);
  await pager.loadTo(6000);
  expect(list.asked).toBe(asked);
});

test('a refresh reads again as much as was shown', async () => {
  const { list, pager } = listOf(1000);
  await pager.refresh();
  await pager.loadTo(700);
  list.numbers.unshift(-1);
  await pager.refresh();
  expect(list.shown[0]).toBe(-1);
  expect(list.shown.length).toBeGreaterThanOrEqual(700);
  expect(new Set(list.shown).size).toBe(list.shown.length);
});

test('a page asked for during a refresh never repeats or skips an item', async () => {
  const { list, pager } = listOf(1000);
  await pager.refresh();
  list.numbers.unshift(-3, -2, -1);
  await Promise.all([pager.refresh(), pager.loadTo(400), pager.loadTo(600)]);
  expect(list.shown).toEqual(list.numbers.slice(0, list.shown.length));
  expect(list.shown.length).toBeGreaterThanOrEqual(600);
});

test('a failed page leaves what is shown, and the next try goes on', async () => {
  let broken = false;
  let shown: readonly number[] = [];
  const pager = createPager<number, { items: number[]; next: string | null }>(
    async (cursor, limit) => {
      if (broken) throw new Error('gone');
      const start = Number(cursor ?? 0);
      return { items: Array.from({ length: limit }, (_, i) => start + i), next: String(start + limit) };
    },
    (items) => {
      shown = items;
    },
  );
  await pager.refresh();
  broken = true;
  await expect(pager.loadTo(300)).rejects.toThrow('gone');
  expect(shown).toHaveLength(100);
  broken = false;
  await pager.loadTo(300);
  expect(shown.slice(0, 300)).toEqual(Array.from({ length: 300 }, (_, i) => i));
});
