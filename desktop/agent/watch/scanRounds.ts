/** Directories of a folder to look at, or the whole folder. */
export type Wanted = ReadonlySet<string> | 'all';

export interface ScanRounds {
  /** Asks for one directory, or for all of a folder. */
  want(folder: number, what: string | 'all'): void;
  isScanning(): boolean;
  /** Whether nothing is wanted or under way. */
  isIdle(): boolean;
  /** Resolves when no scan is under way. */
  untilStill(): Promise<void>;
  close(): Promise<void>;
}

/** Changes that come within this time are looked at together. */
const pauseMs = 200;
/** Rest after a round in times its length: a long burst of changes must not mean scanning all the time. */
const restPerScan = 4;
/** A scan seems to take hours when the computer sleeps meanwhile. */
const longestRestMs = 60_000;
const restAfterFailureMs = 5000;

/**
 * Runs scans one at a time and gathers what is wanted meanwhile, so that a thousand hints become a few scans.
 * @param scan one scan; when it throws, `onError` is told and the scan is wanted again
 */
export function scanInRounds(scan: (folder: number, wanted: Wanted) => Promise<void>, onError: (thrown: unknown) => void): ScanRounds {
  const wanted = new Map<number, Set<string> | 'all'>();
  let round: Promise<void> | null = null;
  let rest: NodeJS.Timeout | null = null;
  let isClosed = false;

  function begin(): void {
    rest = null;
    if (wanted.size === 0 || isClosed) return;
    const began = performance.now();
    round = scanWanted().then((hasFailed) => {
      round = null;
      const restMs = Math.min(longestRestMs, Math.max(pauseMs, restPerScan * (performance.now() - began)));
      rest = setTimeout(begin, hasFailed ? restAfterFailureMs : restMs);
    });
  }

  async function scanWanted(): Promise<boolean> {
    let hasFailed = false;
    const todo = [...wanted];
    wanted.clear();
    for (const [folder, what] of todo) {
      try {
        await scan(folder, what);
      } catch (thrown) {
        hasFailed = true;
        onError(thrown);
        wanted.set(folder, 'all');
      }
    }
    return hasFailed;
  }

  return {
    want(folder, what) {
      const before = wanted.get(folder);
      if (what === 'all' || before === undefined) wanted.set(folder, what === 'all' ? what : new Set([what]));
      else if (before !== 'all') before.add(what);
      if (!round && !rest) begin();
    },
    isScanning: () => round !== null,
    isIdle: () => round === null && wanted.size === 0,
    async untilStill() {
      while (round) await round;
    },
    async close() {
      isClosed = true;
      await round;
      if (rest) clearTimeout(rest);
    },
  };
}
