import { randomUUID } from 'node:crypto';
import { ServiceError } from '../gateway/service.ts';
import { type Attributes, readAttributes } from './attributes.ts';
import { type Call, header, quoted, sendXml, xmlTime } from './call.ts';
import { type Algorithm, anyDigests, checksumElement, readAlgorithm } from './checksums.ts';
import { checkCopySource } from './conditions.ts';
import { type Part, partsOf, putPart, requireObject, type StoredObject } from './metadata.ts';
import { extentsOf } from './objects.ts';
import { checkIsReadable } from './restore.ts';
import { checkCanWrite, commitBytes, commitObject, maxPutBytes, type StoredBytes, storeBytes } from './write.ts';

export async function copyObject(call: Call): Promise<void> {
  checkCanWrite(call);
  const source = findSource(call);
  if (source.size > maxPutBytes) {
    throw new ServiceError(
      'InvalidRequest',
      `The specified copy source is larger than the maximum allowable size for a copy source: ${maxPutBytes}`,
    );
  }
  const attributes = copiedAttributes(call, source);
  const algorithm = readAlgorithm(header(call, 'x-amz-checksum-algorithm')) ?? source.checksum?.algorithm ?? null;
  const copy = isWholeKnown(source, algorithm)
    ? await shareBlobs(call, source, attributes)
    : await copyBytes(call, source, { start: 0, end: source.size }, algorithm, (bytes) =>
        commitBytes(call, 'CopyObject', attributes, bytes),
      );
  sendXml(call, 'CopyObjectResult', copyResult(copy));
}

/**
 * The object that a request wants to copy from.
 * @throws ServiceError when there is none, or its conditions do not hold
 */
export function findSource(call: Call): StoredObject {
  const { bucket, key } = readSource(header(call, 'x-amz-copy-source') ?? '');
  const source = requireObject(call.store.database, bucket, key);
  checkCopySource(call.request.headers, source);
  checkIsReadable(call, source);
  return source;
}

/**
 * Reads what `x-amz-copy-source` names.
 * @throws ServiceError when it is not well-formed
 */
export function readSource(text: string): { bucket: string; key: string } {
  const [path = '', version] = text.split('?versionId=');
  if (version !== undefined && version !== 'null') throw new ServiceError('NoSuchVersion', 'The specified version does not exist.', 404);
  const [, bucket, key] = /^([^/]+)\/(.+)$/s.exec(decodeSource(path).replace(/^\//, '')) ?? [];
  if (bucket === undefined || key === undefined) {
    throw new ServiceError('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  }
  return { bucket, key };
}

function decodeSource(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new ServiceError('InvalidArgument', 'Invalid copy source encoding.', 400, { cause });
  }
}

function copiedAttributes(call: Call, source: StoredObject): Attributes {
  const given = readAttributes(call);
  const replaces = (name: string) => header(call, name)?.toUpperCase() === 'REPLACE';
  const [replacesHeaders, replacesTags] = [replaces('x-amz-metadata-directive'), replaces('x-amz-tagging-directive')];
  const storageClass = given.headers['x-amz-storage-class'];
  if (
    source.bucket === call.bucket &&
    source.key === call.key &&
    !replacesHeaders &&
    storageClass === source.headers['x-amz-storage-class']
  ) {
    throw new ServiceError(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const { 'x-amz-storage-class': _, 'x-amz-restore': __, ...sourceHeaders } = source.headers;
  return {
    headers: replacesHeaders
      ? given.headers
      : { ...sourceHeaders, ...(storageClass !== undefined && { 'x-amz-storage-class': storageClass }) },
    tags: replacesTags ? given.tags : source.tags,
  };
}

/** Whether the copy's ETag and checksum are the source's own. Those of an object of many parts are not: a copy is one part. */
const isWholeKnown = (source: StoredObject, algorithm: Algorithm | null) =>
  !source.etag.includes('-') && algorithm === (source.checksum?.algorithm ?? null);

/** Copies without copying a byte: both objects refer to the same blob. Nothing may be awaited between finding the source and this. */
function shareBlobs(call: Call, source: StoredObject, attributes: Attributes): Promise<StoredObject> {
  const { database, clock } = call.store;
  return commitObject(call, 'CopyObject', () => {
    const [content, modifiedAt] = [randomUUID(), clock.now()];
    for (const part of partsOf(database, source.content)) putPart(database, content, { ...part, modifiedAt });
    return { object: { ...source, ...attributes, bucket: call.bucket, key: call.key, content, modifiedAt } };
  });
}

/** Stores a slice of an object anew and gives it to `use`. */
export function copyBytes<T>(
  { store }: Call,
  source: StoredObject,
  slice: { start: number; end: number },
  algorithm: Algorithm | null,
  use: (bytes: StoredBytes) => Promise<T>,
): Promise<T> {
  const extents = extentsOf(partsOf(store.database, source.content), slice);
  return store.blobs.read(extents, (bytes) => storeBytes(store, bytes, anyDigests(algorithm), use));
}

export const copyResult = ({ modifiedAt, etag, checksum }: Pick<Part, 'modifiedAt' | 'etag' | 'checksum'>) => ({
  LastModified: xmlTime(modifiedAt),
  ETag: quoted(etag),
  ...(checksum && { [checksumElement(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type }),
});
