import type { Clock } from '../../../shared/clock.ts';
import { lstatFiles } from './lstatFiles.ts';
import type { Unsettled } from './scanDirectory.ts';
import { stampOf } from './stamp.ts';

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
  /** Takes a file that has been still. */
  take(path: string): Promise<Taken>;
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
/** Files handed on at a time: enough to keep the disk busy, few enough to keep memory and open files bounded. */
const takenAtOnce = 4;
/** Files looked at between two turns of the event loop. */
const batchSize = 256;

/** Hands files on once their stamp has stayed the same for the settle time. */
export function settle({ clock, settleMs, take, onLost, onError }: SettleOptions): Settler {
  const waiting = new Map<string, { stamp: string; dueAt: number; retry: boolean }>();
  const still = new Set<string>();
  const running = new Set<Promise<void>>();
  let looking: Promise<void> | null = null;
  const timer = setInterval(
    () => {
      looking ??= lookAtDue().finally(() => {
        looking = null;
      });
    },
    Math.max(10, settleMs / 4),
  );

  async function lookAtDue(): Promise<void> {
    const due = [...waiting].filter(([, { dueAt }]) => dueAt <= clock.now()).map(([path]) => path);
    for (let at = 0; at < due.length; at += batchSize) {
      const paths = due.slice(at, at + batchSize);
      const found = await lstatFiles(paths);
      paths.forEach((path, i) => {
        const stats = found[i];
        const stamp = stats === undefined || stats instanceof Error ? null : stampOf(stats);
        judge(path, stamp);
      });
      handOn();
    }
  }

  function judge(path: string, stamp: string | null): void {
    const before = waiting.get(path);
    waiting.delete(path);
    if (stamp === null) onLost(path);
    else if (stamp === before?.stamp) still.add(path);
    else waiting.set(path, { stamp, dueAt: clock.now() + settleMs, retry: false });
  }

  function handOn(): void {
    for (const path of still) {
      if (running.size >= takenAtOnce) return;
      still.delete(path);
      const one = handOnOne(path).finally(() => {
        running.delete(one);
        handOn();
      });
      running.add(one);
    }
  }

  async function handOnOne(path: string): Promise<void> {
    const taken = await take(path).catch((thrown): Taken => {
      onError(thrown);
      return 'later';
    });
    if (taken === 'changed') waiting.set(path, { stamp: '', dueAt: clock.now(), retry: false });
    if (taken === 'later') waiting.set(path, { stamp: '', dueAt: clock.now() + retryMs, retry: true });
  }

  return {
    add(files) {
      for (const { path, stamp } of files) {
        if (waiting.get(path)?.stamp === stamp || still.has(path)) continue;
        waiting.set(path, { stamp, dueAt: clock.now() + settleMs, retry: false });
      }
    },
    isIdle: () => still.size === 0 && running.size === 0 && [...waiting.values()].every(({ retry }) => retry),
    async close() {
      clearInterval(timer);
      waiting.clear();
      still.clear();
      await looking;
      still.clear();
      await Promise.all(running);
    },
  };
}
