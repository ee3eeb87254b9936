import { expect, test } from 'vitest';
import { type RowsPiece, rowsWindow } from '../../../desktop/ui/rowsWindow.ts';

const measure = { scrolled: 0, viewHeight: 800 };
/** Every third row is higher, as with a reason. */
const heightOf = (index: number) => (index % 3 === 0 ? 100 : 70);
const heightOfAll = (count: number) => Array.from({ length: count }, (_, i) => heightOf(i)).reduce((sum, height) => sum + height, 0);
const heightOfPiece = (piece: RowsPiece) => (piece.kind === 'gap' ? piece.height : heightOf(piece.index));

test('draws only what is near the visible part, however long the list is, and is as high as all of it', () => {
  const { first, end, pieces } = rowsWindow({ ...measure, scrolled: 1e6 }, 80_000, heightOf, null);
  expect(end - first).toBeLessThan(40);
  expect(pieces).toHaveLength(end - first + 2);
  expect(heightOfAll(first)).toBeLessThanOrEqual(1e6);
  expect(heightOfAll(end)).toBeGreaterThanOrEqual(1e6 + 800);
  expect(pieces.reduce((sum, piece) => sum + heightOfPiece(piece), 0)).toBe(heightOfAll(80_000));
});

test('the row with the focus stays, wherever it is', () => {
  for (const kept of [3, 79_990]) {
    const { pieces } = rowsWindow({ ...measure, scrolled: 1e6 }, 80_000, heightOf, kept);
    expect(pieces).toContainEqual({ kind: 'row', index: kept });
    expect(pieces.reduce((sum, piece) => sum + heightOfPiece(piece), 0)).toBe(heightOfAll(80_000));
  }
  expect(rowsWindow(measure, 2, heightOf, 5).pieces).toHaveLength(2);
});

test('stays inside the list', () => {
  expect(rowsWindow(measure, 0, heightOf, null)).toEqual({ first: 0, end: 0, pieces: [] });
  expect(rowsWindow({ ...measure, scrolled: -5000 }, 3, heightOf, null)).toMatchObject({ first: 0, end: 3 });
  expect(rowsWindow({ ...measure, scrolled: 1e6 }, 3, heightOf, null)).toMatchObject({ first: 0, end: 3 });
});
