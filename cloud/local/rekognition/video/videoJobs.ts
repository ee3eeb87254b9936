import { randomUUID } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Clock } from '../../../../shared/clock.ts';
import type { VideoAnswer } from './lookAtVideo.ts';

/** Jobs on videos, kept in SQLite: one that runs when the process ends is run again by the next. */

export interface VideoJob {
  readonly n: number;
  readonly id: string;
  readonly request: VideoRequest;
  readonly status: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED';
  /** Why it failed. */
  readonly message: string | null;
  readonly answer: VideoAnswer | null;
}

/** The part of StartLabelDetection's request that says what is to be done. */
export interface VideoRequest {
  readonly bucket: string;
  readonly key: string;
  readonly minConfidence: number;
  readonly tag: string | null;
  readonly topic: string | null;
}

export type VideoEnding =
  | { readonly status: 'SUCCEEDED'; readonly answer: VideoAnswer }
  | { readonly status: 'FAILED'; readonly message: string };

export interface VideoJobs {
  /** @param requestToken one that is known answers the job that it started, whatever is asked for now */
  add(request: VideoRequest, requestToken: string | null): VideoJob;
  find(id: string): VideoJob | null;
  /** The oldest that runs. */
  next(): VideoJob | null;
  /** @param also what is to be done in the same transaction: done or not done as the ending is written or not */
  end(job: VideoJob, ending: VideoEnding, also: () => void): void;
}

/** Rekognition forgets after 7 days: https://docs.aws.amazon.com/rekognition/latest/APIReference/API_GetLabelDetection.html */
const keptMs = 7 * 86_400_000;

export function createVideoJobs(sql: DatabaseSync, clock: Clock): VideoJobs {
  const forget = sql.prepare('DELETE FROM video_job WHERE ended_at < ?');
  // The update that changes nothing makes RETURNING answer the row that was there.
  const add = sql.prepare(`
    INSERT INTO video_job (id, request_token, request, status) VALUES (:id, :requestToken, :request, 'IN_PROGRESS')
    ON CONFLICT (request_token) DO UPDATE SET status = status RETURNING *`);
  const find = sql.prepare('SELECT * FROM video_job WHERE id = ?');
  const next = sql.prepare("SELECT * FROM video_job WHERE status = 'IN_PROGRESS' ORDER BY n LIMIT 1");
  const end = sql.prepare('UPDATE video_job SET status = :status, message = :message, answer = :answer, ended_at = :now WHERE n = :n');
  const one = (row: Record<string, SQLOutputValue> | undefined) => (row ? toJob(row) : null);
  return {
    add(request, requestToken) {
      forget.run(clock.now() - keptMs);
      return toJob(add.get({ id: randomUUID(), requestToken, request: JSON.stringify(request) }) ?? {});
    },
    find: (id) => one(find.get(id)),
    next: () => one(next.get()),
    end({ n }, ending, also) {
      const ended =
        ending.status === 'SUCCEEDED'
          ? { message: null, answer: JSON.stringify(ending.answer) }
          : { message: ending.message, answer: null };
      sql.exec('BEGIN');
      try {
        end.run({ n, now: clock.now(), status: ending.status, ...ended });
        also();
        sql.exec('COMMIT');
      } catch (thrown) {
        sql.exec('ROLLBACK');
        throw thrown;
      }
    },
  };
}

function toJob(row: Record<string, SQLOutputValue>): VideoJob {
  const text = (name: string) => (typeof row[name] === 'string' ? row[name] : null);
  return {
    n: Number(row['n']),
    id: String(row['id']),
    request: JSON.parse(String(row['request'])),
    status: String(row['status']) as VideoJob['status'],
    message: text('message'),
    answer: JSON.parse(text('answer') ?? 'null'),
  };
}
