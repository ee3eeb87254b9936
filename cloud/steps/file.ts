import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  type HeadObjectCommandOutput,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import * as v from 'valibot';
import { Transient } from '../../shared/errors.ts';
import { filedKey, inboxKey, type OriginalRef, originalRef } from '../../shared/keys.ts';
import { changeAsset, filed } from './assets.ts';
import type { Backend } from './backend.ts';
import { headOriginal } from './objects.ts';
import { type Destination, destination, task } from './state.ts';

const input = v.object({ ...originalRef.entries, ended: v.object({ destination }) });

/** In bytes: S3 copies up to 5 GB in one call, but may be silent until it is done; what is larger in up to 10,000 parts, some at a time. */
const limits = { maxCopy: 1024 ** 3, part: 1024 ** 3 };

/**
 * Moves the original from the inbox to where its record says. The inbox's object is deleted only when its copy is there in full, so that
 * whenever this dies the original exists, and running again ends the same.
 */
export const file = task('File', input, async (original, backend) => {
  const { destination } = original.ended;
  if (destination !== 'inbox') await move(backend, original, destination);
  await changeAsset(backend, original.library, original.asset, filed);
  return {};
});

async function move(backend: Backend, original: OriginalRef, destination: Exclude<Destination, 'inbox'>): Promise<void> {
  const from = inboxKey(original);
  const source = await headOriginal(backend, from);
  // Somebody filed it before, as when this runs for the second time.
  if (!source) return;
  const to = filedKey(original, destination);
  // What was rejected may be there with other content: that it is not what its key says can be the very reason.
  const isThere = destination !== 'rejected' && isCopy(await headOriginal(backend, to), source);
  if (!isThere) await copy(backend, from, to, source);
  if (!isCopy(await headOriginal(backend, to), source)) throw new Transient(`The original could not be moved to ${to}. It is tried again.`);
  await backend.s3.send(new DeleteObjectCommand({ Bucket: backend.names.inputBucket, Key: from }));
}

/** Keys name the content, hence an object of the same size under such a key is the same. */
const isCopy = (copied: HeadObjectCommandOutput | null, source: HeadObjectCommandOutput) =>
  copied !== null && copied.ContentLength === source.ContentLength;

/**
 * Copies inside the input bucket, with the user metadata; what is too large for one call in parts.
 * @throws when the source is not the object any more that `source` describes
 */
export async function copy(
  backend: Backend,
  from: string,
  to: string,
  source: HeadObjectCommandOutput,
  { maxCopy, part } = limits,
): Promise<void> {
  const { inputBucket: Bucket } = backend.names;
  const copySource = { CopySource: `${Bucket}/${from.split('/').map(encodeURIComponent).join('/')}`, CopySourceIfMatch: source.ETag };
  const { ContentLength: size = 0, ContentType, Metadata } = source;
  if (size <= maxCopy) {
    await backend.s3.send(new CopyObjectCommand({ Bucket, Key: to, ...copySource }));
    return;
  }
  const { UploadId } = await backend.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: to, ContentType, Metadata }));
  const upload = { Bucket, Key: to, UploadId };
  try {
    const Parts = await severalAtOnce(Math.ceil(size / part), async (n): Promise<CompletedPart> => {
      const start = n * part;
      const range = { PartNumber: n + 1, CopySourceRange: `bytes=${start}-${Math.min(start + part, size) - 1}` };
      const { CopyPartResult } = await backend.s3.send(new UploadPartCopyCommand({ ...upload, ...copySource, ...range }));
      return { PartNumber: range.PartNumber, ETag: CopyPartResult?.ETag };
    });
    await backend.s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  } catch (thrown) {
    await backend.s3.send(new AbortMultipartUploadCommand(upload));
    throw thrown;
  }
}

const atOnce = 10;

/**
 * Does something `count` times, some at a time. When one fails no other is begun, and those under way are waited for.
 * @returns what came of each, in their order
 */
async function severalAtOnce<T>(count: number, each: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async () => {
    try {
      for (let n = next++; n < count; n = next++) results[n] = await each(n);
    } catch (thrown) {
      next = count;
      throw thrown;
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, work));
  const failed = ended.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return results;
}
