import { randomUUID } from 'node:crypto';
import { ServiceError } from '../gateway/service.ts';
import type { Attributes } from './attributes.ts';
import { type Call, header, type Store } from './call.ts';
import { type Checksum, type Expected, startDigests } from './checksums.ts';
import { checkWrite } from './conditions.ts';
import type { Reason } from './events.ts';
import { findObject, putObject, putPart, requireBucket, type StoredObject } from './metadata.ts';

/** Bytes that are safe on the disk. */
export interface StoredBytes {
  readonly blob: string;
  readonly size: number;
  /** MD5 in hexadecimal. */
  readonly etag: string;
  readonly checksum: Checksum | null;
}

/** The largest object that can be put or copied at once, and the largest part. */
export const maxPutBytes = 5 * 2 ** 30;

/**
 * Stores the payload of a request and gives it to `use`; keeps it when `use` put it in the metadata.
 * @throws ServiceError when the payload is too large, or is not as `expected`
 */
export async function receive<T>(call: Call, expected: Expected, use: (bytes: StoredBytes) => Promise<T>): Promise<T> {
  const length = header(call, 'x-amz-decoded-content-length') ?? header(call, 'content-length');
  if (length === undefined && header(call, 'transfer-encoding') !== undefined) {
    throw new ServiceError('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411);
  }
  if (Number(length) > maxPutBytes) throw new ServiceError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
  return storeBytes(call.store, call.request.body, expected, use);
}

/** Stores `source` as a blob and gives it to `use`; keeps it when it is as `expected` and `use` put it in the metadata. */
export function storeBytes<T>(
  { blobs }: Store,
  source: AsyncIterable<Buffer>,
  { algorithm, check }: Expected,
  use: (bytes: StoredBytes) => Promise<T>,
): Promise<T> {
  const digests = startDigests(algorithm);
  return blobs.write(source, digests.update, (blob, size) => {
    const result = digests.finish();
    check(result);
    return use({ blob, size, etag: result.md5.toString('hex'), checksum: result.checksum });
  });
}

/**
 * Makes an object the one that its key holds, under the request's conditions, with its event, all in one transaction.
 * @param prepare runs inside it: makes the object and sees to its parts; `dead` are blobs that nothing may need any more
 * @throws ServiceError when a condition does not hold
 */
export async function commitObject(
  call: Call,
  reason: Reason,
  prepare: () => { object: StoredObject; dead?: readonly string[] },
): Promise<StoredObject> {
  const { database, events, blobs } = call.store;
  const { object, dead } = await database.commit(() => {
    checkCanWrite(call);
    const prepared = prepare();
    const replaced = putObject(database, prepared.object);
    events.record(prepared.object, reason, call.request.id);
    return { object: prepared.object, dead: [...(prepared.dead ?? []), ...replaced] };
  });
  events.committed();
  await blobs.collect(dead);
  return object;
}

/** Makes stored bytes the object that its key holds, in one part. */
export function commitBytes(call: Call, reason: Reason, attributes: Attributes, bytes: StoredBytes): Promise<StoredObject> {
  const { database, clock } = call.store;
  const { size, etag, checksum } = bytes;
  return commitObject(call, reason, () => {
    const [content, modifiedAt] = [randomUUID(), clock.now()];
    putPart(database, content, { ...bytes, number: 1, modifiedAt });
    return { object: { ...attributes, bucket: call.bucket, key: call.key, content, size, etag, checksum, modifiedAt } };
  });
}

/** @throws ServiceError when there is no such bucket or a condition of the request does not hold */
export function checkCanWrite({ store: { database }, request, bucket, key }: Call): void {
  requireBucket(database, bucket);
  checkWrite(request.headers, findObject(database, bucket, key));
}
