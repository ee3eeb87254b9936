import { basename } from 'node:path';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListParts,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Permanent, Transient } from '../../../shared/errors.ts';
import { inboxKey, originalMetadata } from '../../../shared/keys.ts';
import type { AssetId } from '../../../shared/model/asset.ts';
import { modifiedAt } from '../watch/stamp.ts';
import { answerOf, cloudTrouble } from './cloudTrouble.ts';
import { free } from './readFile.ts';
import { recordedAssets } from './recordedAssets.ts';
import type { UploadJob, UploadTarget } from './uploadFile.ts';
import type { SentPart } from './uploadState.ts';

/**
 * The requests of which uploading an original consists. All of them throw CloudUnavailable or Permanent, or the signal's reason when it is
 * aborted. None ever replaces an object: each write has the condition that its key is free.
 */

type Original = Pick<UploadJob, 'asset' | 'ext' | 'size'>;
/** An original with the file it is read from. */
type SourceFile = Pick<UploadJob, 'asset' | 'ext' | 'size' | 'path' | 'stamp'>;

/**
 * Stores a whole original. One that is there already is as good.
 * @param body its bytes, which have memory of their own; it is given back once they are stored
 */
export async function putOriginal(
  target: UploadTarget,
  original: SourceFile,
  body: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<void> {
  const command = new PutObjectCommand({
    ...placeOf(target, original),
    Body: body,
    ChecksumCRC32: checksumOf(crc32(body)),
    IfNoneMatch: '*',
    Metadata: describe(original),
  });
  try {
    await ask(signal, () => target.s3.send(command, { abortSignal: signal }));
    // Not after a refusal, which may come while the bytes are still being sent out of this memory.
    free(body);
  } catch (thrown) {
    if (!isAnswer(thrown, 'PreconditionFailed')) throw thrown;
    await requireStored(target, original, signal);
  }
}

/**
 * Whether the cloud has the original: waiting in the inbox, or recorded as dealt with. In this order, because the pipeline records an
 * asset before it takes it out of the inbox.
 */
export async function isStored(target: UploadTarget, original: Original, signal: AbortSignal): Promise<boolean> {
  const bytes = await bytesInInbox(target, original, signal);
  if (bytes === null) return isDone(target, original, signal);
  if (bytes === original.size) return true;
  throw new Permanent(`The cloud has something else under its name (${bytes} bytes instead of ${original.size}). Ask for help.`);
}

/**
 * Which of these the cloud has. What the pipeline has begun with, and is not through with, can have got lost on its way: so the inbox is asked, too.
 * @param originals at most `mostAsked`
 */
export async function storedAssets(target: UploadTarget, originals: readonly Original[], signal: AbortSignal): Promise<Set<AssetId>> {
  const assets = originals.map(({ asset }) => asset);
  const records = await recordedAssets(target, assets, signal);
  const isThere = async (original: Original) => {
    if (records.get(original.asset) !== 'open') return records.has(original.asset);
    const bytes = await bytesInInbox(target, original, signal);
    // Something of another size is refused when this one is sent, with the reason.
    return bytes === null ? isDone(target, original, signal) : bytes === original.size;
  };
  const there = await Promise.all(originals.map(isThere));
  return new Set(assets.filter((_, i) => there[i]));
}

async function isDone(target: UploadTarget, { asset }: Original, signal: AbortSignal): Promise<boolean> {
  return (await recordedAssets(target, [asset], signal)).get(asset) === 'done';
}

/** The size of an original in the inbox; null when it is not there. */
async function bytesInInbox(target: UploadTarget, original: Original, signal: AbortSignal): Promise<number | null> {
  try {
    const { ContentLength = 0 } = await ask(signal, () =>
      target.s3.send(new HeadObjectCommand(placeOf(target, original)), { abortSignal: signal }),
    );
    return ContentLength;
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw thrown;
  }
}

/**
 * S3 answers 403 in place of 404 to whoever may not list the bucket, as a desktop on AWS may not. Where really nothing is allowed, the next
 * request says so.
 */
const isMissing = (thrown: unknown) => thrown instanceof Error && [403, 404].includes(answerOf(thrown.cause).status ?? 0);

/**
 * Begins an upload in parts. One that a crash kept from being noted is not looked for: it holds no parts, S3's lifecycle ends it, and whoever
 * may list uploads sees everybody's.
 * @returns its id
 */
export async function beginUpload(target: UploadTarget, original: SourceFile, signal: AbortSignal): Promise<string> {
  const command = new CreateMultipartUploadCommand({
    ...placeOf(target, original),
    ChecksumAlgorithm: 'CRC32',
    Metadata: describe(original),
  });
  const { UploadId } = await ask(signal, () => target.s3.send(command, { abortSignal: signal }));
  if (UploadId === undefined) throw new Transient('The cloud gave no upload id. It is tried again.');
  return UploadId;
}

/** @returns the part as S3 acknowledged it */
export async function sendPart(
  target: UploadTarget,
  original: Original,
  uploadId: string,
  { number, body, crc32 }: { number: number; body: Buffer; crc32: number },
  signal: AbortSignal,
): Promise<SentPart> {
  const command = new UploadPartCommand({
    ...placeOf(target, original),
    UploadId: uploadId,
    PartNumber: number,
    Body: body,
    ChecksumCRC32: checksumOf(crc32),
  });
  const { ETag } = await ask(signal, () => target.s3.send(command, { abortSignal: signal }));
  if (ETag === undefined) throw new Transient('The cloud did not acknowledge a part. It is tried again.');
  return { number, etag: ETag, crc32 };
}

/** The ETags of the parts that S3 holds, by part number; null when it knows no such upload (any more). */
export async function listParts(
  target: UploadTarget,
  original: Original,
  uploadId: string,
  signal: AbortSignal,
): Promise<Map<number, string> | null> {
  const etags = new Map<number, string>();
  try {
    await ask(signal, async () => {
      const pages = paginateListParts({ client: target.s3 }, { ...placeOf(target, original), UploadId: uploadId }, { abortSignal: signal });
      for await (const { Parts = [] } of pages) for (const { PartNumber, ETag } of Parts) etags.set(PartNumber ?? 0, ETag ?? '');
    });
    return etags;
  } catch (thrown) {
    if (isAnswer(thrown, 'NoSuchUpload')) return null;
    throw thrown;
  }
}

/** Makes one object of the parts. An answer that says NoSuchUpload or InvalidPart means to begin again. */
export async function completeUpload(
  target: UploadTarget,
  original: Original,
  uploadId: string,
  parts: readonly SentPart[],
  signal: AbortSignal,
): Promise<void> {
  const listed = parts.map(({ number, etag, crc32 }) => ({ PartNumber: number, ETag: etag, ChecksumCRC32: checksumOf(crc32) }));
  const command = new CompleteMultipartUploadCommand({
    ...placeOf(target, original),
    UploadId: uploadId,
    IfNoneMatch: '*',
    MultipartUpload: { Parts: listed },
  });
  try {
    await ask(signal, () => target.s3.send(command, { abortSignal: signal }));
  } catch (thrown) {
    // Done before and the answer lost, or another device was quicker.
    const mayBeStored = isAnswer(thrown, 'NoSuchUpload') || isAnswer(thrown, 'PreconditionFailed');
    if (!mayBeStored || !(await isStored(target, original, signal))) throw thrown;
    await abortUpload(target, original, uploadId, signal);
  }
}

/** Gives an upload in parts up; S3 forgets its parts. */
export async function abortUpload(target: UploadTarget, original: Original, uploadId: string, signal: AbortSignal): Promise<void> {
  const command = new AbortMultipartUploadCommand({ ...placeOf(target, original), UploadId: uploadId });
  try {
    await ask(signal, () => target.s3.send(command, { abortSignal: signal }));
  } catch (thrown) {
    if (!isAnswer(thrown, 'NoSuchUpload')) throw thrown;
  }
}

async function requireStored(target: UploadTarget, original: Original, signal: AbortSignal): Promise<void> {
  if (await isStored(target, original, signal)) return;
  throw new Transient('The cloud is just dealing with the same content. It is tried again.');
}

async function ask<T>(signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (thrown) {
    signal.throwIfAborted();
    throw cloudTrouble(thrown);
  }
}

/** Whether something thrown here comes from an answer with this S3 error code. */
export function isAnswer(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && answerOf(thrown.cause).name === code;
}

function placeOf({ inputBucket, library }: UploadTarget, { asset, ext }: Original) {
  return { Bucket: inputBucket, Key: inboxKey({ library, asset, ext }) };
}

/** What S3 keeps beside the bytes: the file's name, for people, and when it was last changed. */
const describe = ({ path, stamp }: SourceFile) => originalMetadata.write(basename(path), modifiedAt(stamp));

/** As S3 writes it: big-endian, base64. */
function checksumOf(crc32: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32);
  return bytes.toString('base64');
}
