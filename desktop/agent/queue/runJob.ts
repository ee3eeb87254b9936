import type { DatabaseSync } from 'node:sqlite';
import { type Clock, isoTime } from '../../../shared/clock.ts';
import { Permanent, Transient } from '../../../shared/errors.ts';
import { CloudUnavailable } from '../upload/cloudTrouble.ts';
import { type UploadTarget, uploadFile } from '../upload/uploadFile.ts';
import { type Backoff, backoffMs, type Rand } from './backoff.ts';
import { markFailed, markInterrupted, markQueued, markStored, markUnsettled, markUploading, type QueuedJob } from './jobs.ts';
import type { Progress } from './progress.ts';
import type { Slots } from './slots.ts';

export interface RunOptions {
  readonly db: DatabaseSync;
  readonly clock: Clock;
  readonly target: UploadTarget;
  readonly slots: Slots;
  readonly progress: Progress;
  readonly backoff: Backoff;
  readonly random: Rand;
  onStale(path: string): void;
  onStored(): void;
  onChange(): void;
}

/** What a try says about the cloud as a whole. */
export type Learnt = { kind: 'answered' } | { kind: 'nothing' } | { kind: 'unavailable'; reason: string };

/**
 * Tries to send one job's file and notes what came of it.
 * @throws what is neither the file's nor the cloud's fault, e.g. that the database cannot be written
 */
export async function runJob(options: RunOptions, job: QueuedJob, signal: AbortSignal): Promise<Learnt> {
  const { db, clock, target, slots, progress, onStale, onStored, onChange } = options;
  markUploading(db, job.n, isoTime(clock));
  progress.begin(job.n);
  const onBytes = (bytes: number, isSent: boolean) => {
    progress.add(job.n, bytes, isSent);
    onChange();
  };
  try {
    const uploaded = await uploadFile(target, job, { db, slots, signal, onBytes });
    if (uploaded === 'stored') {
      markStored(db, [job.n], isoTime(clock));
      progress.finish(job.n, job.size);
      onStored();
      return { kind: 'answered' };
    }
    markUnsettled(db, job.path, isoTime(clock));
    markInterrupted(db, job.n, isoTime(clock));
    onStale(job.path);
    return { kind: 'nothing' };
  } catch (thrown) {
    return noteFailure(options, job, signal, thrown);
  } finally {
    progress.interrupt(job.n);
    onChange();
  }
}

function noteFailure({ db, clock, backoff, random }: RunOptions, job: QueuedJob, signal: AbortSignal, thrown: unknown): Learnt {
  const at = isoTime(clock);
  if (signal.aborted) {
    markInterrupted(db, job.n, at);
    return { kind: 'nothing' };
  }
  if (thrown instanceof Permanent) {
    markFailed(db, job.n, at, thrown.message);
    return { kind: 'answered' };
  }
  if (!(thrown instanceof Transient)) throw thrown;
  const attempts = job.attempts + 1;
  markQueued(db, job.n, at, { attempts, tryAt: clock.now() + backoffMs(attempts, backoff, random), reason: thrown.message });
  return thrown instanceof CloudUnavailable ? { kind: 'unavailable', reason: thrown.message } : { kind: 'nothing' };
}
