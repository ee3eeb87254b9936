/** Room for requests under way. It bounds memory (a request's body is in memory) and connections, and it is where pausing happens. */
export interface Slots {
  /**
   * Waits for room, in the order of asking.
   * @param bytes what the request holds in memory
   * @returns the function that gives the room back
   * @throws the signal's reason when it is aborted meanwhile
   */
  acquire(bytes: number, signal: AbortSignal): Promise<() => void>;
  /** Gives no more room; what is under way ends as usual, so that nothing is sent twice. */
  pause(): void;
  resume(): void;
}

export interface Room {
  readonly requests: number;
  readonly bytes: number;
}

interface Waiting {
  readonly bytes: number;
  enter(): void;
}

/** Makes slots with room for so many requests and bytes. A single request may be larger than all the room. */
export function createSlots(room: Room): Slots {
  const waiting = new Set<Waiting>();
  let requests = 0;
  let bytes = 0;
  let isPaused = false;

  function letIn(): void {
    for (const next of waiting) {
      const fits = requests < room.requests && (requests === 0 || bytes + next.bytes <= room.bytes);
      if (isPaused || !fits) return;
      waiting.delete(next);
      requests += 1;
      bytes += next.bytes;
      next.enter();
    }
  }

  function release(released: number): void {
    requests -= 1;
    bytes -= released;
    letIn();
  }

  return {
    acquire: (wanted, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const giveUp = () => {
          waiting.delete(entry);
          reject(signal.reason);
        };
        const entry = {
          bytes: wanted,
          enter() {
            signal.removeEventListener('abort', giveUp);
            resolve(() => release(wanted));
          },
        };
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.add(entry);
        letIn();
      }),
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      letIn();
    },
  };
}
