import { randomUUID } from 'node:crypto';
import { messageOf } from '../../../shared/errors.ts';
import type { Database } from './database.ts';
import { keyBytes, keyText, type StoredObject } from './metadata.ts';

export type Reason = 'PutObject' | 'CopyObject' | 'CompleteMultipartUpload';

/** S3's "Object Created" event as EventBridge delivers it. Keys are raw, not URL-encoded. */
export interface ObjectCreated {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': 'Object Created';
  readonly source: 'aws.s3';
  readonly account: string;
  /** ISO 8601, whole seconds. */
  readonly time: string;
  readonly region: string;
  /** ARN of the bucket. */
  readonly resources: readonly string[];
  readonly detail: {
    readonly version: '0';
    readonly bucket: { readonly name: string };
    /** `sequencer` is hexadecimal and grows with each change of a key. */
    readonly object: { readonly key: string; readonly size: number; readonly etag: string; readonly sequencer: string };
    readonly 'request-id': string;
    readonly requester: string;
    readonly 'source-ip-address': string;
    readonly reason: Reason;
  };
}

/** Events on their way out. Each is stored with the change that it tells of and removed when it was taken. */
export interface Events {
  /** Stores an event; to be called within the `commit` of its object. */
  record(object: StoredObject, reason: Reason, requestId: string): void;
  /** Says that a commit has recorded events. */
  committed(): void;
  /** Waits for the delivery under way. What is left is delivered after the next start. */
  close(): Promise<void>;
}

export interface EventOptions {
  readonly region: string;
  onEvent(event: ObjectCreated): Promise<void>;
  log(line: string): void;
}

const batch = 100;
const retryMs = 1_000;

/** Begins to deliver what is stored, oldest first: at least once, and again until it is taken. */
export function startEvents(database: Database, options: EventOptions): Events {
  let delivering: Promise<void> | null = null;
  let wanted = false;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;

  const waiting = () => database.all<EventRow>(`SELECT * FROM event ORDER BY n LIMIT ${batch}`);
  async function deliver(): Promise<void> {
    while (wanted && !closed) {
      wanted = false;
      for (let rows = waiting(); rows.length > 0 && !closed; rows = waiting()) {
        for (const row of rows) await options.onEvent(eventOf(row, options.region));
        // Not waited for to be on the disk: an event that comes back after a power cut is given once more.
        database.run('DELETE FROM event WHERE n <= ?', rows.at(-1)?.n ?? 0);
      }
    }
  }
  const wake = () => {
    wanted = true;
    if (delivering !== null || closed) return;
    clearTimeout(retry);
    retry = undefined;
    delivering = deliver()
      .catch((error) => {
        options.log(`An event of S3 was not taken, and is given again: ${messageOf(error)}`);
        retry = setTimeout(wake, retryMs);
      })
      .finally(() => {
        delivering = null;
        if (wanted && retry === undefined) wake();
      });
  };
  wake();

  return {
    record(object, reason, requestId) {
      database.run(
        'INSERT INTO event (id, bucket, key, size, etag, at, request_id, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        ...[randomUUID(), object.bucket, keyBytes(object.key), object.size, object.etag, object.modifiedAt, requestId, reason],
      );
    },
    committed: wake,
    async close() {
      closed = true;
      clearTimeout(retry);
      await delivering;
    },
  };
}

interface EventRow {
  readonly n: number;
  readonly id: string;
  readonly bucket: string;
  readonly key: Uint8Array;
  readonly size: number;
  readonly etag: string;
  readonly at: number;
  readonly request_id: string;
  readonly reason: Reason;
}

function eventOf(row: EventRow, region: string): ObjectCreated {
  return {
    version: '0',
    id: row.id,
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '000000000000',
    time: `${new Date(row.at).toISOString().slice(0, 19)}Z`,
    region,
    resources: [`arn:aws:s3:::${row.bucket}`],
    detail: {
      version: '0',
      bucket: { name: row.bucket },
      object: { key: keyText(row.key), size: row.size, etag: row.etag, sequencer: row.n.toString(16).toUpperCase().padStart(16, '0') },
      'request-id': row.request_id,
      requester: '000000000000',
      'source-ip-address': '127.0.0.1',
      reason: row.reason,
    },
  };
}
