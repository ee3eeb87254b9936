import { describe, expect, test } from 'vitest';
import { gap, gridWindow } from '../../../desktop/ui/gridWindow.ts';
import { moved } from '../../../desktop/ui/views/PhotoGrid.tsx';

describe('gridWindow', () => {
  const measure = { width: 1000, scrolled: 0, viewHeight: 800 };

  test('fills the width exactly', () => {
    const { columns, tile } = gridWindow(measure, 100);
    expect(columns * tile + (columns - 1) * gap).toBeCloseTo(1000);
    expect(tile).toBeGreaterThanOrEqual(168);
  });

  test('shows three columns in a narrow window', () => {
    expect(gridWindow({ ...measure, width: 376 }, 100).columns).toBe(3);
  });

  test('draws only what is near the visible part, however long the list is', () => {
    const { first, end, columns, height } = gridWindow({ ...measure, scrolled: 1e6 }, 100_000);
    expect(end - first).toBeLessThan(100);
    expect(first % columns).toBe(0);
    const { tile } = gridWindow(measure, 100_000);
    expect(Math.floor(first / columns) * (tile + gap)).toBeLessThanOrEqual(1e6);
    expect(Math.ceil(end / columns) * (tile + gap)).toBeGreaterThanOrEqual(1e6 + 800);
    expect(height).toBeCloseTo(Math.ceil(100_000 / columns) * (tile + gap) - gap);
  });

  test('stays inside the list', () => {
    expect(gridWindow({ ...measure, scrolled: 1e6 }, 3)).toMatchObject({ first: 3, end: 3 });
    expect(gridWindow({ ...measure, scrolled: -5000 }, 3)).toMatchObject({ first: 0, end: 0 });
    expect(gridWindow(measure, 0)).toMatchObject({ first: 0, end: 0, height: 0 });
  });
});

describe('moved', () => {
  test.each([
    ['ArrowRight', 4, 5],
    ['ArrowLeft', 0, 0],
    ['ArrowDown', 4, 9],
    ['ArrowUp', 4, 4],
    ['ArrowDown', 18, 18],
    ['Home', 7, 0],
    ['End', 7, 19],
    ['a', 7, null],
  ])('%s from %i leads to %s', (key, from, expected) => {
    expect(moved(key, from, 5, 20)).toBe(expected);
  });
});
