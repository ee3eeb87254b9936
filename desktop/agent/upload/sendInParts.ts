import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { Transient } from '../../../shared/errors.ts';
import { beginUpload, completeUpload, isAnswer, isStored, listParts, sendPart } from './originals.ts';
import { type Part, partSizeFor, planParts } from './planParts.ts';
import { free, isAsHashed, openFile, readPart } from './readFile.ts';
import type { Uploaded, UploadJob, UploadOptions, UploadTarget } from './uploadFile.ts';
import { forgetUpload, type SentPart, savedParts, savePart, saveUpload } from './uploadState.ts';

/** An upload in progress, with the parts that both sides know to be there. */
interface InProgress {
  readonly uploadId: string;
  readonly partSize: number;
  readonly sent: Map<number, SentPart>;
}

/** How much is hashed between two turns of the event loop: a few milliseconds. */
const hashedAtOnce = 4 * 1024 * 1024;

/**
 * Sends a large file in parts, several at a time. What arrived is noted, so that after a crash only what was under way is sent again.
 * @throws what `uploadFile` throws
 */
export async function sendInParts(target: UploadTarget, job: UploadJob, options: UploadOptions): Promise<Uploaded> {
  await using file = await openFile(job.path);
  if (!(await isAsHashed(file, job))) return 'stale';
  const upload = (await takeUp(target, job, options)) ?? (await begin(target, job, options));
  if (upload === 'stored') return 'stored';
  try {
    const hash = await sendParts(target, job, file, upload, options);
    // The parts stay: should the content turn out to be the same after all, they are not sent again.
    if (hash !== job.asset || !(await isAsHashed(file, job))) return 'stale';
    const parts = [...upload.sent.values()].sort((a, b) => a.number - b.number);
    await completeUpload(target, job, upload.uploadId, parts, options.signal);
    return 'stored';
  } catch (thrown) {
    if (!isAnswer(thrown, 'NoSuchUpload') && !isAnswer(thrown, 'InvalidPart')) throw thrown;
    forgetUpload(options.db, job.n);
    throw new Transient('The cloud has lost what was sent of it. It is sent again.', { cause: thrown });
  }
}

/** What an earlier try began; null when there is nothing (any more). */
async function takeUp(target: UploadTarget, job: UploadJob, { db, signal }: UploadOptions): Promise<InProgress | null> {
  const { uploadId, partSize } = job;
  if (uploadId === null || partSize === null) return null;
  const listed = await listParts(target, job, uploadId, signal);
  if (listed === null) return null;
  const known = savedParts(db, job.n).filter(({ number, etag }) => listed.get(number) === etag);
  return { uploadId, partSize, sent: new Map(known.map((part) => [part.number, part])) };
}

async function begin(target: UploadTarget, job: UploadJob, { db, signal }: UploadOptions): Promise<InProgress | 'stored'> {
  // Also the end of an upload whose Complete was done and its answer lost.
  if (await isStored(target, job, signal)) return 'stored';
  const partSize = partSizeFor(job.size);
  const uploadId = await beginUpload(target, job, signal);
  saveUpload(db, job.n, uploadId, partSize);
  return { uploadId, partSize, sent: new Map() };
}

/**
 * Reads the file once from start to end, and sends the parts that are not there yet.
 * @returns the SHA-256 of all the bytes that the upload holds now; null when the file ended early
 */
async function sendParts(
  target: UploadTarget,
  job: UploadJob,
  file: FileHandle,
  upload: InProgress,
  { db, slots, signal, onBytes }: UploadOptions,
): Promise<string | null> {
  const hash = createHash('sha256');
  const failed = new AbortController();
  const sending = new Set<Promise<void>>();

  const sendUnlessThere = async ({ number, length }: Part, body: Buffer<ArrayBuffer>) => {
    const crc = crc32(body);
    const isThere = upload.sent.get(number)?.crc32 === crc;
    if (!isThere) {
      const part = await sendPart(target, job, upload.uploadId, { number, body, crc32: crc }, signal);
      savePart(db, job.n, part);
      upload.sent.set(number, part);
    }
    free(body);
    onBytes(length, !isThere);
  };

  let isWhole = true;
  for (const part of planParts(job.size, upload.partSize)) {
    const release = await slots.acquire(part.length, AbortSignal.any([signal, failed.signal])).catch(() => null);
    if (release === null) break;
    const reading = readPart(file, part.start, part.length).then((body) => body && hashed(hash, body));
    const one: Promise<void> = reading
      .then(async (body) => {
        if (body) await sendUnlessThere(part, body);
      })
      .catch((thrown) => failed.abort(thrown))
      .finally(() => {
        sending.delete(one);
        release();
      });
    sending.add(one);
    isWhole = (await reading.catch(() => null)) !== null;
    if (!isWhole) break;
  }
  // What is under way is let finish, so that it need not be sent again.
  await Promise.all(sending);
  signal.throwIfAborted();
  failed.signal.throwIfAborted();
  return isWhole ? hash.digest('hex') : null;
}

async function hashed<B extends Buffer>(hash: Hash, body: B): Promise<B> {
  for (let at = 0; at < body.length; at += hashedAtOnce) {
    hash.update(body.subarray(at, at + hashedAtOnce));
    await nextTurn();
  }
  return body;
}
