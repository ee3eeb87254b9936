import type { GridMeasure } from './gridWindow.ts';

/** A stretch of the list that is drawn as nothing but its height, in CSS pixels, or one row. */
export type RowsPiece =
  | { readonly kind: 'gap'; readonly height: number; readonly end: number }
  | { readonly kind: 'row'; readonly index: number };

export interface RowsWindow {
  /** The rows that are drawn for being near the visible part: from `first` up to, not including, `end`. */
  readonly first: number;
  readonly end: number;
  /** What the list is made of, from top to bottom. */
  readonly pieces: readonly RowsPiece[];
}

/** Rows drawn beyond each edge, so that neither scrolling nor the Tab key meets an empty place. */
const spareRows = 8;

/**
 * Which rows of a list are in view, where each has a height of its own.
 * @param heightOf the height of a row, or a guess, in CSS pixels
 * @param kept a row that is drawn wherever it is, because it has the focus; null: none
 */
export function rowsWindow(
  { scrolled, viewHeight }: Pick<GridMeasure, 'scrolled' | 'viewHeight'>,
  count: number,
  heightOf: (index: number) => number,
  kept: number | null,
): RowsWindow {
  const tops = new Float64Array(count + 1);
  for (let i = 0; i < count; i++) tops[i + 1] = (tops[i] ?? 0) + heightOf(i);
  const top = (index: number) => tops[index] ?? 0;
  const firstBehind = (y: number) => tops.subarray(1).findIndex((bottom) => bottom > y);
  const [upper, lower] = [firstBehind(scrolled), firstBehind(scrolled + viewHeight)];
  const first = Math.max(0, (upper < 0 ? count : upper) - spareRows);
  const end = Math.min(count, (lower < 0 ? count : lower + 1) + spareRows);
  const rows = Array.from({ length: end - first }, (_, i) => first + i);
  if (kept !== null && kept < first) rows.unshift(kept);
  if (kept !== null && kept >= end && kept < count) rows.push(kept);

  const pieces: RowsPiece[] = [];
  const addGap = (from: number, to: number) => {
    if (to > from) pieces.push({ kind: 'gap', height: top(to) - top(from), end: to });
  };
  let drawn = 0;
  for (const index of rows) {
    addGap(drawn, index);
    pieces.push({ kind: 'row', index });
    drawn = index + 1;
  }
  addGap(drawn, count);
  return { first, end, pieces };
}
