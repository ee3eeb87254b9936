export interface Refresher {
  /** Asks for another run: soon, and once for however many times it is asked meanwhile. */
  ask(): void;
  stop(): void;
}

const pauseMs = 500;

/** Runs `work` now and whenever asked: never twice at once, and with a pause between two runs. */
export function createRefresher(work: () => Promise<unknown>): Refresher {
  let asked = true;
  let stopped = false;
  let running = false;
  const run = async () => {
    if (running) return;
    running = true;
    while (asked && !stopped) {
      asked = false;
      await work();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    running = false;
  };
  void run();
  return {
    ask() {
      asked = true;
      void run();
    },
    stop() {
      stopped = true;
    },
  };
}
