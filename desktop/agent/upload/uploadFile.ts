import type { DatabaseSync } from 'node:sqlite';
import type { S3Client } from '@aws-sdk/client-s3';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { Transient } from '../../../shared/errors.ts';
import type { AssetId, LibraryId } from '../../../shared/model/asset.ts';
import { readFile } from '../queue/hashFile.ts';
import type { Slots } from '../queue/slots.ts';
import { fileTrouble, isAbsent, isFileError } from '../watch/fileTrouble.ts';
import { putOriginal } from './originals.ts';
import { smallestPart } from './planParts.ts';
import { sendInParts } from './sendInParts.ts';

/** The file cannot be read at the moment. */
export class FileUnreadable extends Transient {}

/** Where originals go: one library of one backend. */
export interface UploadTarget {
  readonly s3: S3Client;
  readonly dynamodb: DynamoDBDocumentClient;
  readonly inputBucket: string;
  readonly table: string;
  readonly library: LibraryId;
}

/** An asset to be sent, and a local file that held it when it was last looked at. */
export interface UploadJob {
  /** asset.n */
  readonly n: number;
  readonly asset: AssetId;
  readonly ext: string;
  /** Bytes. */
  readonly size: number;
  readonly path: string;
  readonly stamp: string;
  /** The multipart upload that an earlier try began, and the size of its parts in bytes. */
  readonly uploadId: string | null;
  readonly partSize: number | null;
}

export interface UploadOptions {
  readonly db: DatabaseSync;
  readonly slots: Slots;
  /** Breaks the requests off that are under way. */
  readonly signal: AbortSignal;
  /** So many more bytes of the file are in the cloud. `isSent` is false for those that an earlier try had sent. */
  onBytes(bytes: number, isSent: boolean): void;
}

/**
 * - stored: S3 has acknowledged the whole content
 * - stale: the file is gone, or not what was hashed any more; nothing of it was stored under the content's name
 */
export type Uploaded = 'stored' | 'stale';

/**
 * Sends one file, from where an earlier try stopped. Every byte that is stored was hashed on its way, so that an object is always what its
 * name says, whatever happens to the file meanwhile.
 * @throws CloudUnavailable, Permanent or FileUnreadable; the signal's reason when it is aborted
 */
export async function uploadFile(target: UploadTarget, job: UploadJob, options: UploadOptions): Promise<Uploaded> {
  try {
    return await (job.size <= smallestPart ? sendWhole(target, job, options) : sendInParts(target, job, options));
  } catch (thrown) {
    if (!isFileError(thrown)) throw thrown;
    if (isAbsent(thrown)) return 'stale';
    throw new FileUnreadable(fileTrouble(thrown), { cause: thrown });
  }
}

async function sendWhole(target: UploadTarget, job: UploadJob, { slots, signal, onBytes }: UploadOptions): Promise<Uploaded> {
  const release = await slots.acquire(job.size, signal);
  try {
    const file = await readFile(job.path, job.size);
    if (file?.asset !== job.asset) return 'stale';
    await putOriginal(target, job, file.body, signal);
    onBytes(job.size, true);
    return 'stored';
  } finally {
    release();
  }
}
