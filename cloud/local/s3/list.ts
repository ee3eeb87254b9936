import { ServiceError } from '../gateway/service.ts';
import { type Call, quoted, sendXml, xmlTime } from './call.ts';
import { keyBytes, objectsFrom, requireBucket, type StoredObject } from './metadata.ts';
import { afterMarker, keyEncoder, type Page, readPage, readPageRequest, successor } from './page.ts';

/** ListObjectsV2. Its continuation token is the first key of the next page, in base64url. */
export async function listObjectsV2(call: Call): Promise<void> {
  const { query } = call.request;
  const token = query.get('continuation-token');
  const listing = readPageRequest(call, 'max-keys');
  const page = listFrom(call, token === undefined ? successor(query.get('start-after') ?? '') : readToken(token));
  const encode = keyEncoder(call);
  sendXml(call, 'ListBucketResult', {
    Name: call.bucket,
    Prefix: encode(listing.prefix),
    Delimiter: encode(query.get('delimiter')),
    StartAfter: encode(query.get('start-after')),
    EncodingType: query.get('encoding-type'),
    ContinuationToken: token,
    NextContinuationToken: page.next === null ? undefined : keyBytes(page.next).toString('base64url'),
    KeyCount: page.items.length + page.prefixes.length,
    MaxKeys: listing.max,
    IsTruncated: page.next !== null,
    ...pageXml(page, encode),
  });
}

/** ListObjects, which older tools use. */
export async function listObjectsV1(call: Call): Promise<void> {
  const { query } = call.request;
  const marker = query.get('marker') ?? '';
  const listing = readPageRequest(call, 'max-keys');
  const page = listFrom(call, afterMarker(listing, marker));
  const encode = keyEncoder(call);
  sendXml(call, 'ListBucketResult', {
    Name: call.bucket,
    Prefix: encode(listing.prefix),
    Delimiter: encode(query.get('delimiter')),
    Marker: encode(marker),
    EncodingType: query.get('encoding-type'),
    NextMarker: page.next === null || listing.delimiter === '' ? undefined : encode(page.last),
    MaxKeys: listing.max,
    IsTruncated: page.next !== null,
    ...pageXml(page, encode),
  });
}

function listFrom(call: Call, from: Buffer): Page<StoredObject> {
  const { database } = call.store;
  requireBucket(database, call.bucket);
  return readPage((start, to) => objectsFrom(database, call.bucket, start, to), readPageRequest(call, 'max-keys'), from);
}

function readToken(token: string): Buffer {
  const from = Buffer.from(token, 'base64url');
  if (from.length === 0 || from.toString('base64url') !== token) {
    throw new ServiceError('InvalidArgument', 'The continuation token provided is incorrect');
  }
  return from;
}

const pageXml = ({ items, prefixes }: Page<StoredObject>, encode: ReturnType<typeof keyEncoder>) => ({
  Contents: items.map(({ key, modifiedAt, etag, size, checksum, headers }) => ({
    Key: encode(key),
    LastModified: xmlTime(modifiedAt),
    ETag: quoted(etag),
    ChecksumAlgorithm: checksum?.algorithm,
    ChecksumType: checksum?.type,
    Size: size,
    StorageClass: headers['x-amz-storage-class'] ?? 'STANDARD',
  })),
  CommonPrefixes: prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
});
