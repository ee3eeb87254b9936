const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

export interface Repeated {
  /** Does the work at once; when it is under way, once more after it. */
  wake(): void;
  /** Aborts the work's signal and waits for it to end. */
  close(): Promise<void>;
}

/**
 * Does `work` again and again, never twice at once: when woken, and when the milliseconds it answered are over (null: only when woken).
 * After a failure it is done again, with growing pauses. What fails because it was closed is no failure.
 */
export function repeat(work: (signal: AbortSignal) => Promise<number | null>, onFailure: (thrown: unknown) => void): Repeated {
  const stop = new AbortController();
  let woken = false;
  let endPause = () => {};

  const pause = (ms: number | null) =>
    new Promise<void>((resolve) => {
      if (woken || stop.signal.aborted) return resolve();
      const timer = ms === null ? undefined : setTimeout(resolve, ms);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const loop = async () => {
    let failures = 0;
    while (!stop.signal.aborted) {
      woken = false;
      try {
        const next = await work(stop.signal);
        failures = 0;
        await pause(next);
      } catch (thrown) {
        if (stop.signal.aborted) return;
        onFailure(thrown);
        await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** failures++));
      }
    }
  };

  const looping = loop();
  const wake = () => {
    woken = true;
    endPause();
  };
  return {
    wake,
    close() {
      stop.abort();
      wake();
      return looping;
    },
  };
}
