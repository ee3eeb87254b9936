import type { BigIntStats } from 'node:fs';
import type { Clock } from '../../../shared/clock.ts';
import { lstatFiles } from './lstatFiles.ts';
import type { Unsettled } from './scanDirectory.ts';
import { lastChange, stampOf } from './stamp.ts';

/**
 * What became of a still file that was handed on.
 * - taken: dealt with
 * - changed: it was written to meanwhile; it must be still again
 * - later: it cannot be read at the moment
 */
export type Taken = 'taken' | 'changed' | 'later';

export interface SettleOptions {
  readonly clock: Clock;
  /** How long a file must be still, in milliseconds. */
  readonly settleMs: number;
  /** Takes a file that has been still; may throw the signal's reason when `close` aborts it. */
  take(path: string, signal: AbortSignal): Promise<Taken>;
  /** A file is not there any more. */
  onLost(path: string): void;
  /** `take` threw; the file is tried again later. */
  onError(thrown: unknown): void;
}

export interface Settler {
  add(files: readonly Unsettled[]): void;
  /** Whether every file was dealt with; one that cannot be read does not count. */
  isIdle(): boolean;
  close(): Promise<void>;
}

/** When a file that could not be read is tried again. */
const retryMs = 30_000;
/** Files handed on at a time: enough that they share what each costs, few enough to keep memory bounded. */
const takenAtOnce = 16;
/** Files looked at between two turns of the event loop. */
const batchSize = 256;
/** Looks are at least so far apart, so that many files are looked at together. */
const shortestRestMs = 50;

/** Hands files on once they have been still for the settle time, twice seen with the same stamp. */
export function settle(options: SettleOptions): Settler {
  return new Settling(options);
}

interface Waiting {
  readonly stamp: string;
  /** Of performance.now(): a clock that is set must not make a file wait. */
  readonly dueAt: number;
  /** It could not be read and is tried again. */
  readonly isRetry: boolean;
}

class Settling implements Settler {
  readonly #options: SettleOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #still = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #looking: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer rings. */
  #lookAt = Number.POSITIVE_INFINITY;
  readonly #stop = new AbortController();

  constructor(options: SettleOptions) {
    this.#options = options;
  }

  add(files: readonly Unsettled[]): void {
    for (const file of files) {
      if (this.#waiting.get(file.path)?.stamp !== file.stamp && !this.#still.has(file.path)) this.#waitFor(file);
    }
  }

  isIdle(): boolean {
    const allRetries = () => [...this.#waiting.values()].every(({ isRetry }) => isRetry);
    return this.#still.size === 0 && this.#running.size === 0 && allRetries();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    this.#waiting.clear();
    this.#still.clear();
    await this.#looking;
    await Promise.all(this.#running);
  }

  /** A file has been still since it was changed, not only since it was seen. That a drive's clock is ahead of ours makes no difference. */
  #waitFor({ path, stamp, changedAt }: Unsettled): void {
    const { clock, settleMs } = this.#options;
    const stillMs = Math.max(0, clock.now() - changedAt);
    this.#wait(path, { stamp, dueAt: performance.now() + settleMs - stillMs, isRetry: false });
  }

  #wait(path: string, waiting: Waiting): void {
    this.#waiting.set(path, waiting);
    this.#lookBy(waiting.dueAt);
  }

  #lookBy(at: number): void {
    if (this.#stop.signal.aborted || at >= this.#lookAt) return;
    clearTimeout(this.#timer);
    this.#lookAt = at;
    this.#timer = setTimeout(() => this.#look(), Math.max(shortestRestMs, at - performance.now()));
  }

  #look(): void {
    // Until it is over, no other is begun.
    this.#lookAt = Number.NEGATIVE_INFINITY;
    this.#looking = this.#lookAtDue().then(() => {
      this.#lookAt = Number.POSITIVE_INFINITY;
      this.#lookBy([...this.#waiting.values()].reduce((first, { dueAt }) => Math.min(first, dueAt), Number.POSITIVE_INFINITY));
    });
  }

  async #lookAtDue(): Promise<void> {
    const now = performance.now();
    const due = [...this.#waiting].filter(([, { dueAt }]) => dueAt <= now).map(([path]) => path);
    for (let at = 0; at < due.length; at += batchSize) {
      const paths = due.slice(at, at + batchSize);
      const found = await lstatFiles(paths);
      for (const [i, stats] of found.entries()) this.#judge(paths[i] ?? '', stats);
      this.#handOn();
    }
  }

  #judge(path: string, stats: BigIntStats | Error): void {
    const before = this.#waiting.get(path);
    if (!before) return;
    this.#waiting.delete(path);
    if (stats instanceof Error) this.#options.onLost(path);
    else if (stampOf(stats) === before.stamp) this.#still.add(path);
    else this.#waitFor({ path, stamp: stampOf(stats), changedAt: lastChange(stats) });
  }

  #handOn(): void {
    for (const path of this.#still) {
      if (this.#running.size >= takenAtOnce) return;
      this.#still.delete(path);
      const one = this.#handOnOne(path).finally(() => {
        this.#running.delete(one);
        this.#handOn();
      });
      this.#running.add(one);
    }
  }

  async #handOnOne(path: string): Promise<void> {
    const { take, onError } = this.#options;
    const { signal } = this.#stop;
    const taken = await take(path, signal).catch((thrown): Taken => {
      if (!signal.aborted) onError(thrown);
      return 'later';
    });
    if (taken === 'changed') this.#wait(path, { stamp: '', dueAt: performance.now(), isRetry: false });
    if (taken === 'later') this.#wait(path, { stamp: '', dueAt: performance.now() + retryMs, isRetry: true });
  }
}
