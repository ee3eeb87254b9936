import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../shared/clock.ts';
import { Permanent, Transient } from '../../../shared/errors.ts';
import { hasUnpushedRules, syncRules } from '../rules/syncRules.ts';
import { type Applied, hasPulledOnce, type LibraryTable, pullChanges } from './pullChanges.ts';
import { repeat } from './repeat.ts';

export interface SyncOptions {
  readonly db: DatabaseSync;
  readonly cloud: LibraryTable;
  readonly clock: Clock;
  /** How often to look; for tests. */
  readonly pace?: Pace;
  /** Assets got a new revision. */
  onApplied(applied: readonly Applied[]): void;
  /** A rule came from another device. */
  onRulesChanged(): void;
  /** `offline` changed. */
  onOffline(): void;
  /** Something else than the cloud failed, e.g. the database cannot be written. It is tried again. */
  onError(thrown: unknown): void;
  log(line: string): void;
}

export interface Sync {
  /** Why the cloud cannot be reached right now; null when it can. */
  offline(): string | null;
  /** Looks at once instead of when it is next due. */
  wake(): void;
  /** Something was sent: looks within the quick pace. */
  lookSoon(): void;
  /** Fulfils when the index of the library was once pulled to its end, in this run or an earlier one, or cannot be for the moment. */
  readonly ready: Promise<void>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export interface Pace {
  /** While something is being analysed. */
  readonly quickMs: number;
  readonly slowMs: number;
  /** After the first failure; doubles up to `slowestRetryMs`. */
  readonly retryMs: number;
  readonly slowestRetryMs: number;
}

const usualPace: Pace = { quickMs: 1_500, slowMs: 30_000, retryMs: 2_000, slowestRetryMs: 60_000 };
/** Covers reads of an index that lags behind, and records stamped before others but written after them. */
const overlapMs = 2 * 60_000;
/** Covers writers whose clock is wrong, and writes that were held up. */
const deepOverlapMs = 30 * 60_000;
/** Often enough that the deep looks leave no gap between them. */
const deepEveryMs = 20 * 60_000;

/** Keeps the local index, the alerts and the rules like the cloud's, for as long as it is open. */
export function startSync({ db, cloud, clock, pace = usualPace, onApplied, onRulesChanged, onOffline, onError, log }: SyncOptions): Sync {
  const ready = Promise.withResolvers<void>();
  if (hasPulledOnce(db)) ready.resolve();
  const onBadItem = reportOnce(log);
  let offline: string | null = null;
  let failures = 0;
  let deepDueAt = 0;
  let rulesDueAt = 0;
  /** Since when nothing later was found than all before. */
  let quietSince = clock.now();

  async function look(signal: AbortSignal): Promise<void> {
    const now = clock.now();
    if (now >= rulesDueAt || hasUnpushedRules(db)) {
      if (await syncRules(db, cloud, signal, onBadItem)) onRulesChanged();
      rulesDueAt = now + pace.slowMs;
    }
    const isDeep = now >= deepDueAt;
    // What was written up to the overlap before the latest record has been seen once that was so long ago: it would only be read, and paid for, again.
    const overlap = Math.max(0, (isDeep ? deepOverlapMs : overlapMs) - Math.max(0, now - quietSince));
    if (await pullChanges(db, cloud, { now, overlapMs: overlap, signal, onApplied, onBadItem })) quietSince = now;
    if (isDeep) deepDueAt = now + deepEveryMs;
  }

  function setOffline(reason: string | null): void {
    if (reason === offline) return;
    if (reason !== null) log(reason);
    offline = reason;
    onOffline();
  }

  const { wake, close } = repeat(async (signal) => {
    try {
      await look(signal);
      failures = 0;
      setOffline(null);
      return isAnalysing(db) ? pace.quickMs : pace.slowMs;
    } catch (thrown) {
      if (signal.aborted) return 0;
      failures++;
      if (thrown instanceof Transient || thrown instanceof Permanent) setOffline(thrown.message);
      else onError(thrown);
      return Math.min(pace.slowestRetryMs, pace.retryMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
    } finally {
      ready.resolve();
    }
  });
  return { offline: () => offline, wake, lookSoon: () => wake(pace.quickMs), ready: ready.promise, close };
}

/** The overlap brings a bad item again and again; one line is enough. */
function reportOnce(log: (line: string) => void): (key: string, error: Error) => void {
  const reported = new Set<string>();
  return (key, error) => {
    const line = `${key} in the cloud cannot be read and is left out: ${error.message}`;
    if (!reported.has(line)) log(line);
    reported.add(line);
  };
}

/** Whether an asset was sent and its answer is not here yet. */
export function isAnalysing(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM asset WHERE uploaded = 1 AND outcome IS NULL LIMIT 1').get() !== undefined;
}
