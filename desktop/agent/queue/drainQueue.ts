import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../../shared/clock.ts';
import type { Status } from '../../../shared/contract.ts';
import { readMeta, writeMeta } from '../sync/meta.ts';
import { CloudUnavailable } from '../upload/cloudTrouble.ts';
import { abortUpload, storedAssets } from '../upload/originals.ts';
import { smallestPart } from '../upload/planParts.ts';
import { mostAsked } from '../upload/recordedAssets.ts';
import type { UploadTarget } from '../upload/uploadFile.ts';
import { type Backoff, defaultBackoff, type Rand } from './backoff.ts';
import { createBell } from './bell.ts';
import { createGate, type Gate } from './gate.ts';
import {
  dropAbandoned,
  dueJobs,
  hasAbandoned,
  hasQueued,
  holds,
  isStillDue,
  type JobSize,
  markOverdue,
  nextTurnAt,
  overdueJobs,
  type QueuedJob,
  remaining,
  requeueInterrupted,
  retryFailed,
} from './jobs.ts';
import { followProgress, nothingToDo } from './progress.ts';
import { type Learnt, noteStored, type RunOptions, runJob } from './runJob.ts';
import { createSlots } from './slots.ts';

export interface DrainOptions {
  readonly db: DatabaseSync;
  readonly clock: Clock;
  readonly target: UploadTarget;
  readonly random?: Rand;
  readonly backoff?: Backoff;
  /** How long a job whose file is gone waits at least for it to turn up elsewhere, in milliseconds; at most twice as long. */
  readonly abandonAfterMs?: number;
  /** How long nothing is sent after what is told to `onError`, in milliseconds. */
  readonly restAfterFaultMs?: number;
  /** Whether anything may be sent at all, as far as what it costs is concerned; when absent, always. `wake` tells that it may have changed. */
  maySend?(): boolean;
  /** A file is not what the database says; it waits to be looked at again: `FolderWatch.recheck`. */
  onStale(path: string): void;
  /** The cloud has acknowledged assets. */
  onStored(): void;
  /** The state of files or of the queue changed; comes often. */
  onChange(): void;
  /** Something else than a file or the cloud failed, e.g. the database cannot be written. It is tried again. */
  onError(thrown: unknown): void;
}

/** Sends what is queued until it is closed. It alone retries. */
export interface UploadQueue {
  /** There may be something new to send. */
  wake(): void;
  /** Files are gone: what is being sent from them is broken off. */
  filesGone(): void;
  /** Tries a failed file again, or all of them with null. */
  retry(path: string | null): Promise<void>;
  /** Begins nothing new until `resume`, also after a restart. Requests under way end, so that nothing is sent twice. */
  pause(): void;
  resume(): void;
  isPaused(): boolean;
  /** Whether nothing is left that could be sent. */
  isIdle(): boolean;
  /** Why the cloud cannot be reached; null when it can, or nothing is to be sent. */
  offline(): string | null;
  progress(): Status['progress'];
  /** How many bytes of an asset that is being sent are in the cloud. @param n asset.n */
  bytesOf(n: number): number;
  close(): Promise<void>;
}

/** Room for requests under way: many small files, or four parts. It bounds the memory too. */
const room = { requests: 32, bytes: 4 * smallestPart };
/**
 * Files under way at a time. Small ones mostly wait for answers, so a quick line takes many; on a slow one they would only share it, until the
 * last of them had stood still for so long that they are given up. Large files one after the other are of use sooner than all at the same
 * time; the second keeps the line busy while the first is completed.
 */
const atOnce = { smallOnQuickLine: room.requests, small: 8, large: 2 };
/** A line is quick when the latest small file took less. Should it not stay so, four times as many take some seconds, not the half minute. */
const quickMs = 1000;
const defaultAbandonAfterMs = 60_000;
const longestRestMs = 5000;
const defaultRestAfterFaultMs = 5000;
const pausedKey = 'paused';

interface Running {
  readonly job: QueuedJob;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export function drainQueue(options: DrainOptions): UploadQueue {
  return new Drain(options);
}

class Drain implements UploadQueue {
  readonly #options: DrainOptions;
  readonly #run: RunOptions;
  readonly #gate: Gate;
  readonly #bell = createBell();
  readonly #stop = new AbortController();
  readonly #ready: Record<JobSize, QueuedJob[]> = { small: [], large: [] };
  readonly #running = new Map<number, Running>();
  readonly #loop: Promise<void>;
  /** What a job's run failed with through no fault of the file or the cloud. */
  #fault: unknown;
  /** Since a fault, until what was under way waits again. */
  #isRecovering = false;
  #isPaused: boolean;
  #isLineQuick = false;
  /** Of performance.now(). Not at the start: the first scan may find what was moved while nobody watched. */
  #sweepAt: number;

  constructor(options: DrainOptions) {
    const { db, clock, backoff = defaultBackoff, random = Math.random } = options;
    this.#options = options;
    this.#gate = createGate(backoff, random);
    // A large file is under way for hours; nothing else must wait for its end to learn that the cloud is back.
    const onAcknowledged = () => this.#gate.succeeded();
    this.#run = { ...options, backoff, random, slots: createSlots(room), progress: followProgress(clock), onAcknowledged };
    this.#sweepAt = performance.now() + this.#abandonAfterMs;
    this.#isPaused = readMeta(db, pausedKey) === 'yes';
    if (this.#isPaused) this.#run.slots.pause();
    requeueInterrupted(db);
    this.#loop = this.#drain();
  }

  async #drain(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await (this.#isHeld ? this.#bell.rest(longestRestMs) : this.#step());
      } catch (thrown) {
        if (this.#stop.signal.aborted) break;
        if (thrown instanceof CloudUnavailable) this.#gate.failed(thrown.message);
        else await this.#recover(thrown);
      }
    }
    await this.#untilNothingRuns();
  }

  /** Takes one job up, or rests when there is none or no room for it. */
  async #step(): Promise<void> {
    await this.#gate.enter(this.#stop.signal);
    if (this.#fault !== undefined) throw this.#fault;
    await this.#sweep();
    const job = this.#isHeld ? null : await this.#nextJob();
    if (job) return this.#start(job);
    this.#gate.left();
    const { db, clock } = this.#options;
    // The end of what runs rings the bell.
    if (this.#running.size > 0) return this.#bell.rest(longestRestMs);
    if (!hasQueued(db)) {
      this.#run.progress.end();
      // What the cloud last failed with stands in the way of nothing.
      this.#gate.succeeded();
    }
    const turnMs = (nextTurnAt(db, clock.now()) ?? Number.POSITIVE_INFINITY) - clock.now();
    const sweepMs = hasAbandoned(db) ? this.#sweepAt - performance.now() : Number.POSITIVE_INFINITY;
    await this.#bell.rest(Math.max(0, Math.min(longestRestMs, turnMs, sweepMs)));
  }

  async #nextJob(): Promise<QueuedJob | null> {
    for (const size of ['small', 'large'] as const) {
      const running = [...this.#running.values()].filter(({ job }) => sizeOf(job) === size).length;
      if (running >= this.#atOnce(size)) continue;
      let job = this.#ready[size].shift() ?? (await this.#fetch(size));
      // Since it was fetched its file may have changed or gone, or its folder been removed.
      while (job && !isStillDue(this.#options.db, job)) job = this.#ready[size].shift() ?? (await this.#fetch(size));
      if (job) return job;
    }
    return null;
  }

  #atOnce(size: JobSize): number {
    return size === 'small' && this.#isLineQuick ? atOnce.smallOnQuickLine : atOnce[size];
  }

  /** Fetches the next jobs, leaves out what the library holds already, and gives the first of them. */
  async #fetch(size: JobSize): Promise<QueuedJob | null> {
    const { db, clock, target } = this.#options;
    for (;;) {
      const due = dueJobs(db, size, clock.now(), mostAsked).filter(({ n }) => !this.#running.has(n));
      if (due.length === 0) return null;
      const stored = await storedAssets(target, due, this.#stop.signal);
      await Promise.all(due.filter(({ asset }) => stored.has(asset)).map((job) => noteStored(this.#run, job)));
      this.#ready[size] = due.filter(({ asset }) => !stored.has(asset));
      const first = this.#ready[size].shift();
      if (first) return first;
    }
  }

  #start(job: QueuedJob): void {
    const { clock } = this.#options;
    const stop = new AbortController();
    const began = clock.now();
    const ended = runJob(this.#run, job, AbortSignal.any([this.#stop.signal, stop.signal]))
      .then(
        (learnt) => {
          this.#learn(learnt);
          if (sizeOf(job) === 'small') this.#isLineQuick = learnt.kind === 'answered' && clock.now() - began < quickMs;
        },
        (thrown) => {
          this.#fault = thrown;
          this.#gate.left();
        },
      )
      .finally(() => {
        this.#running.delete(job.n);
        this.#bell.ring();
      });
    this.#running.set(job.n, { job, stop, ended });
  }

  #learn(learnt: Learnt): void {
    if (learnt.kind === 'answered') this.#gate.succeeded();
    else if (learnt.kind === 'unavailable') this.#gate.failed(learnt.reason);
    else this.#gate.left();
  }

  /** Gives up jobs whose file did not turn up again. Their multipart uploads would be paid for ever. */
  async #sweep(): Promise<void> {
    const { db, target } = this.#options;
    if (performance.now() < this.#sweepAt) return;
    for (let jobs = overdueJobs(db); jobs.length > 0; jobs = overdueJobs(db)) {
      for (const job of jobs) {
        if (job.uploadId !== null) await abortUpload(target, job, job.uploadId, this.#stop.signal);
        dropAbandoned(db, job.n);
      }
      await nextTurn();
    }
    await markOverdue(db);
    this.#sweepAt = performance.now() + this.#abandonAfterMs;
  }

  get #isHeld(): boolean {
    return this.#isPaused || this.#options.maySend?.() === false;
  }

  get #abandonAfterMs(): number {
    return this.#options.abandonAfterMs ?? defaultAbandonAfterMs;
  }

  async #recover(fault: unknown): Promise<void> {
    const { db, onError, restAfterFaultMs = defaultRestAfterFaultMs } = this.#options;
    this.#fault = undefined;
    this.#isRecovering = true;
    this.#gate.left();
    onError(fault);
    await this.#untilNothingRuns();
    await sleep(restAfterFaultMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    this.#ready.small = [];
    this.#ready.large = [];
    try {
      requeueInterrupted(db);
      this.#isRecovering = false;
    } catch (thrown) {
      // The disk is still full, say. It is the next fault, and told and rested for like this one.
      this.#fault = thrown;
    }
  }

  async #untilNothingRuns(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  wake(): void {
    this.#bell.ring();
  }

  filesGone(): void {
    const { db } = this.#options;
    for (const { job, stop } of this.#running.values()) if (!holds(db, job.path, job.n)) stop.abort();
  }

  async retry(path: string | null): Promise<void> {
    await retryFailed(this.#options.db, path);
    this.#options.onChange();
    this.#gate.hurry();
    this.#bell.ring();
  }

  pause(): void {
    writeMeta(this.#options.db, pausedKey, 'yes');
    this.#isPaused = true;
    this.#run.slots.pause();
    this.#options.onChange();
  }

  resume(): void {
    writeMeta(this.#options.db, pausedKey, 'no');
    this.#isPaused = false;
    this.#run.slots.resume();
    this.#options.onChange();
    this.#gate.hurry();
    this.#bell.ring();
  }

  isPaused(): boolean {
    return this.#isPaused;
  }

  isIdle(): boolean {
    return this.#running.size === 0 && !this.#isRecovering && !hasQueued(this.#options.db);
  }

  offline(): string | null {
    return this.#gate.trouble();
  }

  progress(): Status['progress'] {
    return this.isIdle() ? nothingToDo : this.#run.progress.report(remaining(this.#options.db));
  }

  bytesOf(n: number): number {
    return this.#run.progress.bytesOf(n);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#bell.ring();
    await this.#loop;
    this.#gate.close();
  }
}

const sizeOf = ({ size }: QueuedJob): JobSize => (size > smallestPart ? 'large' : 'small');
