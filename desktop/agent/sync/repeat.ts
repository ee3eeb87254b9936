/**
 * Does `work` again and again, each time after as many ms as it answered, or at once when woken.
 * @param work must not throw; its signal is aborted on closing
 */
export function repeat(work: (signal: AbortSignal) => Promise<number>): { wake(): void; close(): Promise<void> } {
  const closing = new AbortController();
  let woken = false;
  let endPause = () => {};

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const run = async () => {
    while (!closing.signal.aborted) {
      woken = false;
      const ms = await work(closing.signal);
      if (!woken) await pause(ms);
    }
  };
  const wake = () => {
    woken = true;
    endPause();
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
