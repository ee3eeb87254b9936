import { expect, test } from 'vitest';
import { createPager } from '../../../desktop/ui/pager.ts';

/** A list of rising numbers that answers like the agent, by the last number of the page before, and can change between two questions. */
function listOf(length: number) {
  const list = {
    numbers: Array.from({ length }, (_, i) => i),
    asked: [] as number[],
    shown: [] as readonly number[],
    hasMore: false,
    broken: false,
  };
  const pager = createPager<number, { items: number[]; next: string | null }>(
    async (cursor, limit) => {
      if (list.broken) throw new Error('gone');
      list.asked.push(limit);
      const rest = list.numbers.filter((n) => cursor === null || n > Number(cursor));
      return { items: rest.slice(0, limit), next: rest.length > limit ? String(rest[limit - 1]) : null };
    },
    ({ items, hasMore }) => {
      list.shown = items;
      list.hasMore = hasMore;
    },
  );
  const asks = async (work: Promise<void>) => {
    list.asked.length = 0;
    await work;
    return list.asked;
  };
  return { list, pager, asks };
}

const isPrefix = ({ shown, numbers }: { shown: readonly number[]; numbers: readonly number[] }) =>
  expect(shown).toEqual(numbers.slice(0, shown.length));

test('reads the first page, then as far as it is looked at', async () => {
  const { list, pager } = listOf(1000);
  await pager.refresh();
  expect(list.shown).toHaveLength(100);
  await pager.show(300, 340);
  expect(list.shown.length).toBeGreaterThanOrEqual(340);
  isPrefix(list);
});

test('asks for nothing that it has, nor beyond the end', async () => {
  const { list, pager, asks } = listOf(120);
  await pager.refresh();
  await pager.show(0, 5000);
  expect([list.shown, list.hasMore]).toEqual([list.numbers, false]);
  expect(await asks(pager.show(0, 100))).toEqual([]);
  expect(await asks(pager.show(5900, 6000))).toEqual([]);
});

test('however far it was read, an event costs one question: for what is in view', async () => {
  const { list, pager, asks } = listOf(20_000);
  await pager.refresh();
  await pager.show(0, 10_000);
  expect(list.shown.length).toBeGreaterThanOrEqual(10_000);
  await pager.show(0, 60);
  expect(await asks(pager.refresh())).toEqual([100]);
  // Nothing has changed, so nothing is lost of what was read.
  expect(list.shown.length).toBeGreaterThanOrEqual(10_000);
  await pager.show(5000, 5060);
  expect(await asks(pager.refresh())).toHaveLength(1);
});

test('what has changed out of view is read when it comes into view', async () => {
  const { list, pager, asks } = listOf(20_000);
  await pager.refresh();
  await pager.show(0, 10_000);
  await pager.show(5000, 5060);
  list.numbers.unshift(-2, -1);
  list.numbers = list.numbers.filter((n) => n !== 5050);
  await pager.refresh();
  expect(list.shown).not.toContain(5050);
  expect(list.shown).not.toContain(-1);
  expect(new Set(list.shown).size).toBe(list.shown.length);
  expect(await asks(pager.show(0, 60))).toEqual([100]);
  expect(list.shown.slice(0, 60)).toEqual(list.numbers.slice(0, 60));
  await pager.show(5000, 5060);
  isPrefix(list);
});

test('an empty list fills, and one that shrinks ends', async () => {
  const { list, pager } = listOf(0);
  await pager.refresh();
  list.numbers = Array.from({ length: 300 }, (_, i) => i);
  await pager.refresh();
  expect(list.shown).toHaveLength(100);
  await pager.show(250, 300);
  list.numbers = [7];
  await pager.refresh();
  expect(list.shown.length).toBeLessThan(300);
  await pager.show(0, 50);
  expect(list.shown).toEqual([7]);
});

test('a page asked for during a refresh never repeats or skips an item', async () => {
  const { list, pager } = listOf(1000);
  await pager.refresh();
  list.numbers.unshift(-3, -2, -1);
  await Promise.all([pager.refresh(), pager.show(0, 400), pager.show(0, 600)]);
  isPrefix(list);
  expect(list.shown.length).toBeGreaterThanOrEqual(600);
});

test('a failed page leaves what is shown, and the next try goes on', async () => {
  const { list, pager } = listOf(1000);
  await pager.refresh();
  list.broken = true;
  await expect(pager.show(200, 300)).rejects.toThrow('gone');
  expect(list.shown).toHaveLength(100);
  list.broken = false;
  await pager.show(200, 300);
  expect(list.shown.length).toBeGreaterThanOrEqual(300);
  isPrefix(list);
});
