/** A page of a list as the contract gives it. */
export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the page after this one; null at the end. */
  readonly next: string | null;
}

/** The beginning of a list, as far as it was read. */
export interface Beginning<T, P> {
  readonly items: readonly T[];
  /** The first page, with what else it says of the list. */
  readonly first: P;
  readonly hasMore: boolean;
}

export interface Pager {
  /** Says which items are in view. What is missing up to there is read, and what of them is out of date is read again. */
  show(first: number, end: number): Promise<void>;
  /** The list may have changed anywhere: what is in view is read again at once, the rest when it comes into view. */
  refresh(): Promise<void>;
}

/** The first page fills a large screen; later ones are as long as the contract allows. */
const firstPage = 100;
const longestPage = 500;

/** A page that was read. Each begins where the one before it ends. */
interface Part<P> {
  readonly cursor: string | null;
  readonly page: P;
  readonly isFresh: boolean;
}

/**
 * Keeps the beginning of a list that is read page by page.
 * @param ask reads one page
 * @param onChange gets the list whenever something was read
 */
export function createPager<T, P extends Page<T>>(
  ask: (cursor: string | null, limit: number) => Promise<P>,
  onChange: (list: Beginning<T, P>) => void,
): Pager {
  let parts: readonly Part<P>[] = [];
  let view = { first: 0, end: firstPage };
  // One read at a time: a page appended to a list that was replaced meanwhile would repeat or miss items.
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>) => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };

  const readView = async () => {
    const place = placeToRead(parts, view);
    if (!place) return;
    const read = parts.slice(0, place.index);
    let { start } = place;
    let cursor = read.at(-1)?.page.next ?? null;
    do {
      // As long as it was, so that what comes after it can stay when nothing has changed.
      const length = parts.find((part) => part.cursor === cursor)?.page.items.length ?? view.end - start;
      const page = await ask(cursor, Math.min(Math.max(length, firstPage), longestPage));
      read.push({ cursor, page, isFresh: true });
      start += page.items.length;
      cursor = page.next;
    } while (cursor !== null && start < view.end);
    const rest = cursor === null ? -1 : parts.findIndex((part) => part.cursor === cursor);
    parts = rest < 0 ? read : [...read, ...parts.slice(rest)];
    const [first, last] = [parts[0]?.page, parts.at(-1)?.page];
    if (first && last) onChange({ items: parts.flatMap(({ page }) => page.items), first, hasMore: last.next !== null });
  };
  return {
    show(first, end) {
      view = { first, end };
      return inTurn(readView);
    },
    refresh: () =>
      inTurn(() => {
        parts = parts.map((part) => ({ ...part, isFresh: false }));
        return readView();
      }),
  };
}

/**
 * Where there is something to read: the first part in view that is out of date, else behind the last when the view goes beyond it; null: nowhere.
 * `start`: how many items are before it
 */
function placeToRead<T>(
  parts: readonly Part<Page<T>>[],
  view: { readonly first: number; readonly end: number },
): { index: number; start: number } | null {
  let start = 0;
  for (const [index, { page, isFresh }] of parts.entries()) {
    if (start >= view.end && start > 0) return null;
    const end = start + page.items.length;
    // A view beyond the end of the list is one of its last part.
    const isInView = end > view.first || index === parts.length - 1;
    if (isInView && !isFresh) return { index, start };
    start = end;
  }
  const isWhole = parts.at(-1)?.page.next === null;
  return isWhole || (parts.length > 0 && start >= view.end) ? null : { index: parts.length, start };
}
