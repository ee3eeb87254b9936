/** A page of a list as the contract gives it. */
export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the page after this one; null at the end. */
  readonly next: string | null;
}

export interface Pager {
  /** Reads on until `count` items are there or the list ends. */
  loadTo(count: number): Promise<void>;
  /** Reads again what was read so far, for the list may have changed anywhere. */
  refresh(): Promise<void>;
}

/** The first page fills a large screen; later ones are as long as the contract allows. */
const firstPage = 100;
const longestPage = 500;

/**
 * Keeps the beginning of a list that is read page by page.
 * @param ask reads one page
 * @param onChange gets all items so far and the page that came last
 */
export function createPager<T, P extends Page<T>>(
  ask: (cursor: string | null, limit: number) => Promise<P>,
  onChange: (items: readonly T[], last: P) => void,
): Pager {
  let items: readonly T[] = [];
  let last: P | null = null;
  let wanted = firstPage;
  // One read at a time: a page appended to a list that was replaced meanwhile would repeat or miss items.
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>) => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };

  const readOn = async (from: readonly T[], after: P | null) => {
    let [read, page] = [from, after];
    while (!page || (page.next !== null && read.length < wanted)) {
      page = await ask(page?.next ?? null, Math.min(Math.max(wanted - read.length, firstPage), longestPage));
      read = [...read, ...page.items];
    }
    [items, last] = [read, page];
    onChange(items, last);
  };
  return {
    loadTo: (count) => {
      wanted = Math.max(wanted, count);
      return inTurn(async () => {
        if (last?.next && items.length < wanted) await readOn(items, last);
      });
    },
    refresh: () => inTurn(() => readOn([], null)),
  };
}
