import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { prepare, transaction } from '../db/openDatabase.ts';
import { smallestPart } from '../upload/planParts.ts';
import type { UploadJob } from '../upload/uploadFile.ts';
import type { Remaining } from './progress.ts';

/** The rows of `upload_job` and what follows from them for those of `local_file`. Times are milliseconds since 1970. */

/** Nothing waits longer for its turn; one that is further ahead was given by a clock that was, too, and has come. */
const longestWaitMs = 5 * 60_000;
const hasComeBy = (now: string) => `(next_try_at <= ${now} OR next_try_at > ${now} + ${longestWaitMs})`;

/** Small files go in one request, large ones in parts. */
export type JobSize = 'small' | 'large';

/** Rows changed between two turns of the event loop. */
const chunk = 200;
const droppedAtOnce = 50;

export interface QueuedJob extends UploadJob {
  /** Failed tries so far. */
  readonly attempts: number;
}

/** Jobs whose turn has come and of which a file is at hand, the smallest first. */
export function dueJobs(db: DatabaseSync, size: JobSize, now: number, limit: number): QueuedJob[] {
  const rows = prepare(
    db,
    `SELECT job.asset AS n, asset.id AS asset, ext, job.size, file.path, file.stamp, upload_id AS uploadId, part_size AS partSize, attempts
     FROM upload_job AS job
     JOIN asset ON asset.n = job.asset
     JOIN local_file AS file ON file.rowid = (SELECT rowid FROM local_file WHERE asset = job.asset AND kind = 'known' LIMIT 1)
     WHERE job.source = 'ready' AND job.state = 'queued' AND job.size ${size === 'large' ? '>' : '<='} ?1 AND ${hasComeBy('?2')}
     ORDER BY job.size LIMIT ?3`,
  );
  return rows.all(smallestPart, now, limit) as unknown as QueuedJob[];
}

/** Whether a job that was fetched a while ago is still to be sent, from the same file as it was then. */
export function isStillDue(db: DatabaseSync, { n, path, stamp }: QueuedJob): boolean {
  const row = prepare(
    db,
    `SELECT 1 FROM upload_job AS job JOIN local_file AS file ON file.asset = job.asset
     WHERE job.asset = ? AND job.state = 'queued' AND file.path = ? AND file.stamp = ? AND file.kind = 'known'`,
  );
  return row.get(n, path, stamp) !== undefined;
}

/** When the next job's turn comes, of those that wait and of which a file is at hand; null when none does. */
export function nextTurnAt(db: DatabaseSync, now: number): number | null {
  const row = prepare(
    db,
    `SELECT min(next_try_at) AS at FROM upload_job WHERE source = 'ready' AND state = 'queued' AND next_try_at > ?`,
  ).get(now);
  return row?.['at'] as number | null;
}

/** What an earlier run left as under way waits again. */
export function requeueInterrupted(db: DatabaseSync): void {
  db.exec(`UPDATE upload_job SET state = 'queued' WHERE state = 'uploading'`);
}

export function markUploading(db: DatabaseSync, n: number, at: string): void {
  prepare(db, `UPDATE upload_job SET state = 'uploading' WHERE asset = ?`).run(n);
  touchFiles(db, n, at);
}

/** A try was broken off through no fault of the file; its turn stays what it was. */
export function markInterrupted(db: DatabaseSync, n: number, at: string): void {
  prepare(db, `UPDATE upload_job SET state = 'queued' WHERE asset = ?`).run(n);
  touchFiles(db, n, at);
}

/** A try failed; there will be another. */
export function markQueued(db: DatabaseSync, n: number, at: string, next: { tryAt: number; attempts: number; reason: string }): void {
  const { tryAt, attempts, reason } = next;
  prepare(db, `UPDATE upload_job SET state = 'queued', next_try_at = ?, attempts = ?, reason = ? WHERE asset = ?`).run(
    tryAt,
    attempts,
    reason,
    n,
  );
  touchFiles(db, n, at);
}

export function markFailed(db: DatabaseSync, n: number, at: string, reason: string): void {
  prepare(db, `UPDATE upload_job SET state = 'failed', reason = ? WHERE asset = ?`).run(reason, n);
  touchFiles(db, n, at);
}

/** The cloud has acknowledged the asset. It counts towards what somebody has approved to pay for. */
export function markStored(db: DatabaseSync, n: number, at: string): void {
  prepare(db, 'UPDATE asset SET uploaded = 1 WHERE n = ?').run(n);
  prepare(
    db,
    `INSERT INTO sent (ext, files, bytes) SELECT ext, 1, job.size FROM upload_job AS job JOIN asset ON n = job.asset WHERE job.asset = ?
     ON CONFLICT (ext) DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes`,
  ).run(n);
  prepare(db, 'DELETE FROM upload_job WHERE asset = ?').run(n);
  touchFiles(db, n, at);
}

/** How much is left to send, not counting what failed for good. */
export function remaining(db: DatabaseSync): Remaining {
  const row = prepare(
    db,
    `SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes FROM upload_job WHERE state IN ('queued', 'uploading')`,
  );
  return row.get() as unknown as Remaining;
}

/** Whether anything waits that could be sent; what waits for its file to be readable does not count. */
export function hasQueued(db: DatabaseSync): boolean {
  return prepare(db, "SELECT 1 FROM upload_job WHERE source = 'ready' AND state = 'queued' LIMIT 1").get() !== undefined;
}

/** Whether a path is still known to hold an asset. */
export function holds(db: DatabaseSync, path: string, n: number): boolean {
  return prepare(db, 'SELECT 1 FROM local_file WHERE path = ? AND asset = ?').get(path, n) !== undefined;
}

/** A file is not what the row says: it must settle and be hashed again. */
export function markUnsettled(db: DatabaseSync, path: string, at: string): void {
  prepare(db, `UPDATE local_file SET kind = 'settling', changed_at = ? WHERE path = ?`).run(at, path);
}

/** A file cannot be read; it is taken up again when it can. */
export function markUnreadable(db: DatabaseSync, path: string, at: string, reason: string): void {
  prepare(db, `UPDATE local_file SET kind = 'unreachable', reason = ?, changed_at = ? WHERE path = ?`).run(reason, at, path);
}

const tryAgain = "UPDATE upload_job SET state = 'queued', attempts = 0, next_try_at = 0, reason = NULL WHERE state = 'failed'";

/** Lets failed jobs be tried again: that of one path, or all with null. */
export async function retryFailed(db: DatabaseSync, path: string | null): Promise<void> {
  if (path !== null) {
    prepare(db, `${tryAgain} AND asset = (SELECT asset FROM local_file WHERE path = ?)`).run(path);
    return;
  }
  const some = prepare(db, `${tryAgain} AND asset IN (SELECT asset FROM upload_job WHERE state = 'failed' LIMIT ${chunk})`);
  while (Number(some.run().changes) === chunk) await nextTurn();
}

/**
 * The cloud gave an asset up and no longer has its bytes: they are queued to be sent again.
 * @returns false when no file at hand holds them
 */
export function sendAgain(db: DatabaseSync, n: number, at: string): boolean {
  return transaction(db, () => {
    const file = db.prepare("SELECT size FROM local_file WHERE asset = ? AND kind = 'known' LIMIT 1").get(n);
    if (!file) return false;
    db.prepare('INSERT INTO upload_job (asset, size) VALUES (?, ?) ON CONFLICT (asset) DO NOTHING').run(n, Number(file['size']));
    db.prepare('UPDATE asset SET uploaded = 0, outcome = NULL, reason = NULL, ask_at = NULL WHERE n = ?').run(n);
    touchFiles(db, n, at);
    return true;
  });
}

/** A job of whose asset no local file is left. */
export interface AbandonedJob extends Pick<UploadJob, 'n' | 'asset' | 'ext' | 'size' | 'uploadId'> {}

const isAbandoned = "source IN ('gone', 'overdue')";

export function hasAbandoned(db: DatabaseSync): boolean {
  return prepare(db, `SELECT 1 FROM upload_job WHERE ${isAbandoned} LIMIT 1`).get() !== undefined;
}

/** A moved file is gone from one place before it is found in another, so jobs that have no file now wait for one until this is called again. */
export async function markOverdue(db: DatabaseSync): Promise<void> {
  const some = prepare(
    db,
    `UPDATE upload_job SET source = 'overdue' WHERE asset IN (SELECT asset FROM upload_job WHERE source = 'gone' LIMIT ${chunk})`,
  );
  while (Number(some.run().changes) === chunk) await nextTurn();
}

/** Some of the jobs that have waited long enough for a file to turn up. */
export function overdueJobs(db: DatabaseSync): AbandonedJob[] {
  const rows = prepare(
    db,
    `SELECT n, id AS asset, ext, upload_job.size, upload_id AS uploadId FROM upload_job JOIN asset ON n = upload_job.asset
     WHERE source = 'overdue' AND state <> 'uploading' LIMIT ${droppedAtOnce}`,
  );
  return rows.all() as unknown as AbandonedJob[];
}

/** Removes a job that has no file, and the asset when nothing else is known of it. */
export function dropAbandoned(db: DatabaseSync, n: number): void {
  transaction(db, () => {
    const { changes } = prepare(db, `DELETE FROM upload_job WHERE asset = ? AND ${isAbandoned}`).run(n);
    if (changes > 0) prepare(db, 'DELETE FROM asset WHERE n = ? AND uploaded = 0 AND record IS NULL').run(n);
  });
}

function touchFiles(db: DatabaseSync, n: number, at: string): void {
  prepare(db, 'UPDATE local_file SET changed_at = ? WHERE asset = ?').run(at, n);
}
