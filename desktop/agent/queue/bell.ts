/** Lets one loop rest until something happens. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, at once when it rang since the last rest, and after `ms` at the latest. */
  rest(ms: number): Promise<void>;
}

export function createBell(): Bell {
  let hasRung = false;
  let wake: (() => void) | null = null;
  return {
    ring() {
      hasRung = true;
      wake?.();
    },
    rest: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => wake?.(), hasRung ? 0 : ms);
        wake = () => {
          clearTimeout(timer);
          wake = null;
          hasRung = false;
          resolve();
        };
      }),
  };
}
