import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  type HeadObjectCommandOutput,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import * as v from 'valibot';
import { Transient } from '../../shared/errors.ts';
import { analyzedKey, inboxKey, originalRef, rejectedKey } from '../../shared/keys.ts';
import type { Backend } from './backend.ts';
import { headOriginal } from './objects.ts';
import { destination, task } from './state.ts';

const input = v.object({ ...originalRef.entries, ended: v.object({ destination }) });

/** S3 copies at most this much in one call. */
const maxCopyBytes = 5 * 1024 ** 3;
/** A copy of the largest object, 5 TB, then has 5,000 parts; 10,000 are allowed. */
const partBytes = 1024 ** 3;

/**
 * Moves the original from the inbox to where its record says. The inbox's object is deleted only when its copy is there in full, so that
 * whenever this dies the original exists, and running again ends the same.
 */
export const file = task('File', input, async (original, backend) => {
  const { destination } = original.ended;
  if (destination === 'inbox') return {};
  const from = inboxKey(original);
  const source = await headOriginal(backend, from);
  // Somebody filed it before, as when this runs for the second time.
  if (!source) return {};
  const to = destination === 'rejected' ? rejectedKey(original) : analyzedKey(original, destination);
  if (!isCopy(await headOriginal(backend, to), source)) await copy(backend, from, to, source);
  if (!isCopy(await headOriginal(backend, to), source)) throw new Transient(`The original could not be moved to ${to}. It is tried again.`);
  await backend.s3.send(new DeleteObjectCommand({ Bucket: backend.names.inputBucket, Key: from }));
  return {};
});

/** Keys name the content, hence an object of the same size under such a key is the same. */
const isCopy = (copied: HeadObjectCommandOutput | null, source: HeadObjectCommandOutput) =>
  copied !== null && copied.ContentLength === source.ContentLength;

/** Copies inside the input bucket, with the user metadata. `If-Match` makes sure that what was looked at is what is copied. */
async function copy(backend: Backend, from: string, to: string, source: HeadObjectCommandOutput): Promise<void> {
  const { inputBucket: Bucket } = backend.names;
  const what = {
    Bucket,
    Key: to,
    CopySource: `${Bucket}/${from.split('/').map(encodeURIComponent).join('/')}`,
    CopySourceIfMatch: source.ETag,
  };
  if ((source.ContentLength ?? 0) <= maxCopyBytes) await backend.s3.send(new CopyObjectCommand(what));
  else await copyInParts(backend, what, source);
}

async function copyInParts(
  { s3 }: Backend,
  { Bucket, Key, ...copySource }: { Bucket: string; Key: string; CopySource: string; CopySourceIfMatch: string | undefined },
  { ContentLength: size = 0, ContentType, Metadata }: HeadObjectCommandOutput,
): Promise<void> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType, Metadata }));
  const upload = { Bucket, Key, UploadId };
  try {
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (let start = 0; start < size; start += partBytes) {
      const PartNumber = Parts.length + 1;
      const CopySourceRange = `bytes=${start}-${Math.min(start + partBytes, size) - 1}`;
      const { CopyPartResult } = await s3.send(new UploadPartCopyCommand({ ...upload, ...copySource, PartNumber, CopySourceRange }));
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
    }
    await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  } catch (thrown) {
    await s3.send(new AbortMultipartUploadCommand(upload));
    throw thrown;
  }
}
