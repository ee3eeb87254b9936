import type { Clock } from '../../../shared/clock.ts';
import type { Status } from '../../../shared/contract.ts';

/** What is still to be done, the files under way included as a whole. */
export interface Remaining {
  readonly files: number;
  readonly bytes: number;
}

/** Follows one burst of work: from the first file after the queue was empty until it is empty again. Files are named by asset.n. */
export interface Progress {
  /** A file is taken up. */
  begin(file: number): void;
  /** So many more bytes of it are in the cloud. `isSent` is false for those that an earlier try had sent. */
  add(file: number, bytes: number, isSent: boolean): void;
  /** The file waits again; what is in the cloud of it counts again when it is next taken up. */
  interrupt(file: number): void;
  finish(file: number, size: number): void;
  /** The queue is empty. */
  end(): void;
  bytesOf(file: number): number;
  report(remaining: Remaining): Status['progress'];
}

export const nothingToDo: Status['progress'] = {
  filesDone: 0,
  filesTotal: 0,
  bytesSent: 0,
  bytesTotal: 0,
  bytesPerSecond: 0,
  secondsLeft: null,
};

/** Speed is that of the last while: long enough to be calm, short enough to follow the network. */
const windowMs = 10_000;
/** Below this there is too little to tell how long it takes. */
const shortestMs = 1000;
/** What is sent within this time is one sample. */
const sampleMs = 250;

export function followProgress(clock: Clock): Progress {
  const underWay = new Map<number, number>();
  let done = { files: 0, bytes: 0 };
  let samples: { at: number; bytes: number }[] = [];
  let beganAt = 0;

  function sample(bytes: number): void {
    const now = clock.now();
    const last = samples.at(-1);
    if (last && now - last.at < sampleMs) last.bytes += bytes;
    else samples = [...samples.filter(({ at }) => at > now - windowMs), { at: now, bytes }];
  }

  function bytesPerSecond(): number | null {
    const now = clock.now();
    const elapsed = Math.min(windowMs, now - beganAt);
    if (elapsed < shortestMs) return null;
    const recent = samples.filter(({ at }) => at > now - windowMs);
    return (recent.reduce((sum, { bytes }) => sum + bytes, 0) / elapsed) * 1000;
  }

  return {
    begin(file) {
      if (underWay.size === 0 && done.files === 0) beganAt = clock.now();
      underWay.set(file, 0);
    },
    add(file, bytes, isSent) {
      underWay.set(file, (underWay.get(file) ?? 0) + bytes);
      if (isSent) sample(bytes);
    },
    interrupt: (file) => void underWay.delete(file),
    finish(file, size) {
      underWay.delete(file);
      done = { files: done.files + 1, bytes: done.bytes + size };
    },
    end() {
      done = { files: 0, bytes: 0 };
      samples = [];
    },
    bytesOf: (file) => underWay.get(file) ?? 0,
    report(remaining) {
      const partly = [...underWay.values()].reduce((sum, bytes) => sum + bytes, 0);
      const speed = bytesPerSecond();
      return {
        filesDone: done.files,
        filesTotal: done.files + remaining.files,
        bytesSent: done.bytes + partly,
        bytesTotal: done.bytes + remaining.bytes,
        bytesPerSecond: Math.round(speed ?? 0),
        secondsLeft: speed ? Math.ceil((remaining.bytes - partly) / speed) : null,
      };
    },
  };
}
