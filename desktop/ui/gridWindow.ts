import { type RefObject, useLayoutEffect, useState } from 'react';

export interface GridMeasure {
  /** Of the grid, in CSS pixels. */
  readonly width: number;
  /** How far the grid's top edge is above the visible part's; negative while it is below. */
  readonly scrolled: number;
  readonly viewHeight: number;
}

export interface GridWindow {
  readonly columns: number;
  /** Side of a square tile. */
  readonly tile: number;
  /** Of the whole grid. */
  readonly height: number;
  /** The tiles to draw: from `first` up to, not including, `end`. */
  readonly first: number;
  readonly end: number;
}

export const gap = 8;
const smallestTile = 168;
/** In a narrow window three pictures still stand side by side. */
const fewestColumns = 3;
/** Rows drawn beyond each edge, so that scrolling meets finished pictures. */
const spareRows = 3;

/** Which of `count` square tiles are in view, and how large they are. */
export function gridWindow({ width, scrolled, viewHeight }: GridMeasure, count: number): GridWindow {
  const columns = Math.max(fewestColumns, Math.floor((width + gap) / (smallestTile + gap)));
  const tile = (width - gap * (columns - 1)) / columns;
  const row = tile + gap;
  const rows = Math.ceil(count / columns);
  const firstRow = Math.max(0, Math.floor(scrolled / row) - spareRows);
  const endRow = Math.min(rows, Math.ceil((scrolled + viewHeight) / row) + spareRows);
  return {
    columns,
    tile,
    height: Math.max(0, rows * row - gap),
    first: Math.min(count, firstRow * columns),
    end: Math.min(count, Math.max(0, endRow) * columns),
  };
}

/** Drawing anew for every pixel would be too often; the spare rows are far taller than this. */
const scrollStep = 64;

const isEqual = (a: GridMeasure, b: GridMeasure) => a.width === b.width && a.scrolled === b.scrolled && a.viewHeight === b.viewHeight;

/** Which of `count` tiles of a grid are in view. */
export function useGridWindow(grid: RefObject<HTMLElement | null>, count: number): GridWindow {
  const measure = useMeasure(grid);
  return gridWindow(measure, measure.width === 0 ? 0 : count);
}

/** Follows the size and scroll position of a list or grid inside its scrolling ancestor `.scroller`. */
export function useMeasure(list: RefObject<HTMLElement | null>): GridMeasure {
  const [measure, setMeasure] = useState<GridMeasure>({ width: 0, scrolled: 0, viewHeight: 0 });
  useLayoutEffect(() => {
    const element = list.current;
    const scroller = element?.closest('.scroller');
    if (!element || !scroller) return;
    const take = () => {
      const top = scroller.getBoundingClientRect().top - element.getBoundingClientRect().top;
      const next = { width: element.clientWidth, scrolled: top - (top % scrollStep), viewHeight: scroller.clientHeight };
      setMeasure((old) => (isEqual(old, next) ? old : next));
    };
    take();
    const observer = new ResizeObserver(take);
    observer.observe(element);
    observer.observe(scroller);
    scroller.addEventListener('scroll', take, { passive: true });
    return () => {
      observer.disconnect();
      scroller.removeEventListener('scroll', take);
    };
  }, [list]);
  return measure;
}
