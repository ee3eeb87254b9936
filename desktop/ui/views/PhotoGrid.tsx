import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Hit } from '../../../shared/contract.ts';
import type { AssetId } from '../../../shared/model/asset.ts';
import { formatTaken, formatTimecode } from '../format.ts';
import { type GridWindow, gap, useGridWindow } from '../gridWindow.ts';
import { Icon } from '../icons.tsx';
import { messages } from '../messages.ts';
import { Thumb } from '../parts/Thumb.tsx';

interface PhotoGridProps {
  /** The beginning of the list, as far as it was read. */
  readonly items: readonly Hit[];
  /** Length of the whole list: the grid has its full height at once, and tiles fill in as they are read. */
  readonly total: number;
  show(first: number, end: number): void;
  onOpen(asset: AssetId): void;
}

/** Squares of pictures; only those near the visible part exist. One tab stop, the arrow keys move inside. */
export function PhotoGrid({ items, total, show, onOpen }: PhotoGridProps) {
  const grid = useRef<HTMLUListElement>(null);
  const view = useGridWindow(grid, total);
  const [active, setActive] = useState(0);
  useEffect(() => show(view.first, view.end), [view.first, view.end, show]);

  // The focus follows once the tile is drawn: outside the visible part it exists only when it is the active one.
  const movedByKey = useRef(false);
  useLayoutEffect(() => {
    if (!movedByKey.current) return;
    movedByKey.current = false;
    const tile = grid.current?.querySelector<HTMLElement>(`[data-index="${active}"]`);
    tile?.focus({ preventScroll: true });
    tile?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  const onKeyDown = (event: KeyboardEvent) => {
    const target = moved(event.key, active, view.columns, Math.min(items.length, total));
    if (target === null) return;
    event.preventDefault();
    movedByKey.current = target !== active;
    setActive(target);
  };
  return (
    <ul className="grid" ref={grid} style={{ height: view.height }} aria-label={messages.photo.grid} onKeyDown={onKeyDown}>
      {drawn(view, active, total).map((index) => (
        <Tile
          key={items[index]?.asset ?? index}
          hit={items[index]}
          index={index}
          total={total}
          view={view}
          isActive={index === active}
          onFocus={() => setActive(index)}
          onOpen={onOpen}
        />
      ))}
    </ul>
  );
}

/** The tiles in view and the active one, which must not vanish while it has the focus. */
function drawn({ first, end }: GridWindow, active: number, total: number): number[] {
  const indexes = Array.from({ length: end - first }, (_, i) => first + i);
  if (active < first) indexes.unshift(active);
  if (active >= end && active < total) indexes.push(active);
  return indexes;
}

/** Where a key leads from a tile; null when it is none of ours. */
export function moved(key: string, from: number, columns: number, count: number): number | null {
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const step = steps[key];
  if (step === undefined) return null;
  const to = from + step;
  return to >= 0 && to < count ? to : from;
}

interface TileProps {
  readonly hit: Hit | undefined;
  readonly index: number;
  readonly total: number;
  readonly view: GridWindow;
  readonly isActive: boolean;
  onFocus(): void;
  onOpen(asset: AssetId): void;
}

function Tile({ hit, index, total, view: { columns, tile }, isActive, onFocus, onOpen }: TileProps) {
  const x = (index % columns) * (tile + gap);
  const y = Math.floor(index / columns) * (tile + gap);
  const place = { width: tile, height: tile, transform: `translate(${x}px, ${y}px)` };
  if (!hit) return <li className="tile tile-waiting" style={place} aria-hidden="true" />;
  return (
    <li className="tile" style={place} aria-setsize={total} aria-posinset={index + 1}>
      <button
        type="button"
        data-index={index}
        tabIndex={isActive ? 0 : -1}
        aria-label={nameOf(hit)}
        onFocus={onFocus}
        onClick={() => onOpen(hit.asset)}
      >
        <Thumb asset={hit.asset} has={hit.hasThumb} fallback={hit.kind === 'video' ? 'video' : 'library'} />
        {hit.isAlert && (
          <span className="mark mark-alert">
            <Icon name="alerts" />
          </span>
        )}
        {hit.kind === 'video' && (
          <span className="mark mark-video">
            <Icon name="video" />
            {hit.durationMs !== null && formatTimecode(hit.durationMs)}
          </span>
        )}
        <span className="caption">{hit.name}</span>
      </button>
    </li>
  );
}

function nameOf({ name, takenAt, isAlert, kind, durationMs }: Hit): string {
  const facts = [messages.photo.openPhoto(name, takenAt ? formatTaken(takenAt) : messages.photo.noDate)];
  if (kind === 'video') facts.push(messages.photo.video(durationMs === null ? null : formatTimecode(durationMs)));
  if (isAlert) facts.push(messages.photo.alert);
  return facts.join(', ');
}
