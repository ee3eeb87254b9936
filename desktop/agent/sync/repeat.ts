export interface Repeated {
  /** Does the work again within `ms`, after what is under way. */
  wake(ms?: number): void;
  close(): Promise<void>;
}

/**
 * Does `work` again and again, each time after as many ms as it answered, or sooner when woken.
 * @param work must not throw; its signal is aborted on closing
 */
export function repeat(work: (signal: AbortSignal) => Promise<number>): Repeated {
  const closing = new AbortController();
  /** When the pause ends, on the monotonic clock; while the work is under way, when it shall begin again at the latest. */
  let dueAt = Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let endPause: (() => void) | null = null;

  const wake = (ms = 0) => {
    const at = performance.now() + ms;
    if (at >= dueAt) return;
    dueAt = at;
    if (!endPause) return;
    clearTimeout(timer);
    timer = setTimeout(endPause, ms);
  };
  const pause = () =>
    new Promise<void>((resolve) => {
      endPause = resolve;
      timer = setTimeout(resolve, Math.max(0, dueAt - performance.now()));
    });
  const run = async () => {
    while (!closing.signal.aborted) {
      dueAt = Number.POSITIVE_INFINITY;
      wake(await work(closing.signal));
      await pause();
      endPause = null;
    }
  };
  const running = run();
  return {
    wake,
    async close() {
      closing.abort();
      wake();
      await running;
    },
  };
}
