import type { DatabaseSync } from 'node:sqlite';
import { type Clock, isoTime } from '../../../shared/clock.ts';
import { Permanent, Transient } from '../../../shared/errors.ts';
import { commitTogether } from '../db/commitTogether.ts';
import { CloudUnavailable } from '../upload/cloudTrouble.ts';
import { FileUnreadable, type UploadTarget, uploadFile } from '../upload/uploadFile.ts';
import { type Backoff, backoffMs, type Rand } from './backoff.ts';
import {
  markFailed,
  markInterrupted,
  markQueued,
  markStored,
  markUnreadable,
  markUnsettled,
  markUploading,
  type QueuedJob,
} from './jobs.ts';
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
  /** The cloud has acknowledged some of a file's bytes. */
  onAcknowledged(): void;
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
  const { db, clock, target, slots, progress, onAcknowledged, onChange } = options;
  progress.begin(job.n);
  const onBytes = (bytes: number, isSent: boolean) => {
    progress.add(job.n, bytes, isSent);
    if (isSent) onAcknowledged();
    onChange();
  };
  try {
    await commitTogether(db, () => markUploading(db, job.n, isoTime(clock)));
    const uploaded = await uploadFile(target, job, { db, slots, signal, onBytes });
    return await (uploaded === 'stored' ? noteStored(options, job) : noteStale(options, job, (at) => markUnsettled(db, job.path, at)));
  } catch (thrown) {
    return await noteFailure(options, job, signal, thrown);
  } finally {
    progress.interrupt(job.n);
    onChange();
  }
}

/** The cloud has the asset. */
export async function noteStored({ db, clock, progress, onStored, onChange }: RunOptions, job: QueuedJob): Promise<Learnt> {
  await commitTogether(db, () => markStored(db, job.n, isoTime(clock)));
  progress.finish(job.n, job.size);
  onStored();
  onChange();
  return { kind: 'answered' };
}

/** The job waits for the file to be looked at again. */
async function noteStale({ db, clock, onStale }: RunOptions, job: QueuedJob, mark: (at: string) => void): Promise<Learnt> {
  await commitTogether(db, () => {
    mark(isoTime(clock));
    markInterrupted(db, job.n, isoTime(clock));
  });
  onStale(job.path);
  return { kind: 'nothing' };
}

async function noteFailure(options: RunOptions, job: QueuedJob, signal: AbortSignal, thrown: unknown): Promise<Learnt> {
  const { db, clock, backoff, random } = options;
  const at = isoTime(clock);
  if (signal.aborted) {
    await commitTogether(db, () => markInterrupted(db, job.n, at));
    return { kind: 'nothing' };
  }
  if (thrown instanceof Permanent) {
    await commitTogether(db, () => markFailed(db, job.n, at, thrown.message));
    return { kind: 'answered' };
  }
  if (thrown instanceof FileUnreadable) return noteStale(options, job, (now) => markUnreadable(db, job.path, now, thrown.message));
  if (!(thrown instanceof Transient)) throw thrown;
  const attempts = job.attempts + 1;
  const tryAt = clock.now() + backoffMs(attempts, backoff, random);
  await commitTogether(db, () => markQueued(db, job.n, at, { attempts, tryAt, reason: thrown.message }));
  return thrown instanceof CloudUnavailable ? { kind: 'unavailable', reason: thrown.message } : { kind: 'nothing' };
}
