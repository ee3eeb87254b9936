import { type ReactElement, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useMeasure } from '../gridWindow.ts';
import { rowsWindow } from '../rowsWindow.ts';

/** What a row's `li` says of its place in the list. */
export interface Place {
  readonly 'data-index': number;
  readonly 'aria-setsize': number;
  readonly 'aria-posinset': number;
}

interface RowsProps<T> {
  /** The beginning of the list, as far as it was read. */
  readonly items: readonly T[];
  readonly hasMore: boolean;
  readonly busy: boolean;
  show(first: number, end: number): void;
  row(item: T, place: Place): ReactElement;
}

/** Until rows were measured, in CSS pixels. */
const usualHeight = 72;
/** Rows read beyond those that are drawn. */
const ahead = 40;

/** Rows of a list, of which only those near the visible part exist. */
export function Rows<T>({ items, hasMore, busy, show, row }: RowsProps<T>) {
  const list = useRef<HTMLUListElement>(null);
  const measure = useMeasure(list);
  const [heights] = useState(() => new Map<number, number>());
  const [, setMeasured] = useState(0);
  const [focused, setFocused] = useState<number | null>(null);
  const { first, end, pieces } = rowsWindow(measure, items.length, (index) => heights.get(index) ?? usualHeight, focused);

  useEffect(() => show(first, end + ahead), [first, end, show]);
  useLayoutEffect(() => {
    let isNews = false;
    for (const element of rowsIn(list.current)) {
      const [index, height] = [indexOf(element), element.offsetHeight];
      isNews ||= heights.get(index) !== height;
      heights.set(index, height);
    }
    if (isNews) setMeasured((times) => times + 1);
  });
  return (
    <ul
      className="rows"
      ref={list}
      aria-busy={busy}
      onFocus={({ target }) => setFocused(indexOf(target.closest<HTMLElement>('[data-index]')))}
      onBlur={() => setFocused(null)}
    >
      {pieces.map((piece) => {
        if (piece.kind === 'gap') return <li key={`to ${piece.end}`} aria-hidden="true" style={{ height: piece.height }} />;
        const { index } = piece;
        return row(items[index] as T, { 'data-index': index, 'aria-setsize': hasMore ? -1 : items.length, 'aria-posinset': index + 1 });
      })}
    </ul>
  );
}

const rowsIn = (list: HTMLElement | null) => list?.querySelectorAll<HTMLElement>(':scope > [data-index]') ?? [];
const indexOf = (row: HTMLElement | null) => Number(row?.dataset['index'] ?? 0);
