import { type Backoff, backoffMs, type Rand } from './backoff.ts';

/**
 * Keeps requests back while the cloud as a whole cannot be used: then one try at a time, each after a longer wait, so that thousands of
 * waiting files neither hammer it nor lose time when it is back.
 */
export interface Gate {
  /**
   * Waits until a try may be made. Each entry must be followed by one of the next three.
   * @throws the signal's reason when it is aborted meanwhile
   */
  enter(signal: AbortSignal): Promise<void>;
  /** The cloud answered. */
  succeeded(): void;
  /** The cloud cannot be used. @param reason for people */
  failed(reason: string): void;
  /** Nothing was learnt about the cloud. */
  left(): void;
  /** Why the cloud cannot be used; null when it can. */
  trouble(): string | null;
  /** Does not wait any longer for the next try: a person asked, or the network is back. */
  hurry(): void;
  close(): void;
}

export function createGate(backoff: Backoff, random: Rand): Gate {
  const waiting = new Set<() => void>();
  let failures = 0;
  let reason: string | null = null;
  /** Of performance.now(): a clock that is set must not make anybody wait. */
  let nextTryAt = 0;
  let isTrying = false;
  let timer: NodeJS.Timeout | undefined;

  function letIn(): void {
    clearTimeout(timer);
    for (const enter of waiting) {
      if (failures > 0) {
        const restMs = nextTryAt - performance.now();
        if (restMs > 0) timer = setTimeout(letIn, restMs);
        if (restMs > 0 || isTrying) return;
        isTrying = true;
      }
      waiting.delete(enter);
      enter();
    }
  }

  return {
    enter: (signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const giveUp = () => {
          waiting.delete(enter);
          reject(signal.reason);
        };
        const enter = () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        };
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.add(enter);
        letIn();
      }),
    succeeded() {
      failures = 0;
      reason = null;
      isTrying = false;
      letIn();
    },
    failed(why) {
      // Requests that were under way when the first one failed tell nothing new.
      if (failures > 0 && !isTrying) return;
      failures += 1;
      reason = why;
      isTrying = false;
      nextTryAt = performance.now() + backoffMs(failures, backoff, random);
      letIn();
    },
    left() {
      isTrying = false;
      letIn();
    },
    trouble: () => reason,
    hurry() {
      nextTryAt = 0;
      letIn();
    },
    close: () => clearTimeout(timer),
  };
}
