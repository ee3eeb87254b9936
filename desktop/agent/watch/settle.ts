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
      for (const [i, stats] of found.entries()) judge(paths[i] ?? '', stats);
      handOn();
    }
  }

  function judge(path: string, stats: BigIntStats | Error): void {
    const before = waiting.get(path);
    waiting.delete(path);
    if (stats instanceof Error) onLost(path);
    else if (stampOf(stats) === before?.stamp) still.add(path);
    else wait({ path, stamp: stampOf(stats), changedAt: lastChange(stats) });
  }

  /** A file has been still since it was changed, not only since it was seen. A drive whose clock is ahead of ours makes no difference. */
  function wait({ path, stamp, changedAt }: Unsettled): void {
    waiting.set(path, { stamp, dueAt: Math.min(clock.now(), changedAt) + settleMs, retry: false });
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
      for (const file of files) if (waiting.get(file.path)?.stamp !== file.stamp && !still.has(file.path)) wait(file);
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
