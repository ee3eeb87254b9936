import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { ServiceError } from '../gateway/service.ts';
import { readAttributes, writeAttributes, writeChecksum } from './attributes.ts';
import type { Extent } from './blobs.ts';
import { type Call, header, queryNumber, quoted, sendEmpty, sendXml } from './call.ts';
import { expectedDigests } from './checksums.ts';
import { checkRead, checkWrite } from './conditions.ts';
import { deleteObject as deleteFromMetadata, findObject, type Part, partsOf, requireBucket, requireObject } from './metadata.ts';
import { readXml } from './readXml.ts';
import { checkIsReadable } from './restore.ts';
import { checkCanWrite, commitBytes, receive } from './write.ts';

export async function putObject(call: Call): Promise<void> {
  checkCanWrite(call);
  const attributes = readAttributes(call);
  const object = await receive(call, expectedDigests(call.request), (bytes) => commitBytes(call, 'PutObject', attributes, bytes));
  call.response.setHeader('etag', quoted(object.etag));
  writeChecksum(call, object);
  sendEmpty(call, 200);
}

/** GET and HEAD of an object, of a range of it or of one of its parts. */
export async function getObject(call: Call): Promise<void> {
  const { store, request, response } = call;
  const object = requireObject(store.database, call.bucket, call.key);
  if (checkRead(request.headers, object)) {
    response.writeHead(304, { etag: quoted(object.etag), 'last-modified': new Date(object.modifiedAt).toUTCString() }).end();
    return;
  }
  if (request.method === 'GET') checkIsReadable(call, object);
  const parts = partsOf(store.database, object.content);
  const slice = selectSlice(call, parts, object.size);
  writeAttributes(call, object);
  if (slice.status === 200 && header(call, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED') writeChecksum(call, object);
  if (slice.status === 206) response.setHeader('content-range', `bytes ${slice.start}-${slice.end - 1}/${object.size}`);
  response.statusCode = slice.status;
  response.setHeader('content-length', slice.end - slice.start);
  if (request.method === 'HEAD') response.end();
  else await store.blobs.read(extentsOf(parts, slice), (bytes) => pipeline(bytes, response));
}

/** Bytes `start` to `end` (exclusive) of an object, and the status that they are answered with. */
interface Slice {
  readonly start: number;
  readonly end: number;
  readonly status: 200 | 206;
}

function selectSlice(call: Call, parts: readonly Part[], size: number): Slice {
  const range = header(call, 'range');
  if (call.request.query.has('partNumber')) {
    if (range !== undefined) throw new ServiceError('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
    return selectPart(call, parts);
  }
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  // Several ranges, other units and nonsense are ignored, as S3 and RFC 9110 do.
  if (first === undefined || last === undefined || first + last === '') return { start: 0, end: size, status: 200 };
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (last !== '' && first !== '' && Number(last) < Number(first)) return { start: 0, end: size, status: 200 };
  if (start >= end) {
    call.response.setHeader('content-range', `bytes */${size}`);
    throw new ServiceError('InvalidRange', 'The requested range is not satisfiable', 416);
  }
  return { start, end, status: 206 };
}

function selectPart(call: Call, parts: readonly Part[]): Slice {
  const number = queryNumber(call, 'partNumber', 1, 1, 10_000);
  // Parts count from 1 without gaps here, whatever numbers they were uploaded with.
  const part = parts[number - 1];
  if (!part) throw new ServiceError('InvalidPartNumber', 'The requested partnumber is not satisfiable', 416);
  const start = parts.slice(0, number - 1).reduce((sum, { size }) => sum + size, 0);
  if (parts.length > 1) call.response.setHeader('x-amz-mp-parts-count', parts.length);
  return { start, end: start + part.size, status: 206 };
}

/** Where the bytes of a slice are. */
export function extentsOf(parts: readonly Part[], slice: { start: number; end: number }): Extent[] {
  const extents: Extent[] = [];
  let offset = 0;
  for (const { blob, size } of parts) {
    const start = Math.max(slice.start - offset, 0);
    const end = Math.min(slice.end - offset, size);
    if (start < end) extents.push({ blob, start, end });
    offset += size;
  }
  return extents;
}

export async function deleteObject(call: Call): Promise<void> {
  const { store, request, bucket, key } = call;
  const dead = await store.database.commit(() => {
    requireBucket(store.database, bucket);
    if (request.headers['if-match'] !== undefined) checkWrite(request.headers, findObject(store.database, bucket, key));
    return deleteFromMetadata(store.database, bucket, key);
  });
  await store.blobs.collect(dead);
  sendEmpty(call, 204);
}

const deleteRequest = v.object({
  Delete: v.object({
    Quiet: v.optional(v.picklist(['true', 'false']), 'false'),
    Object: v.pipe(v.array(v.object({ Key: v.pipe(v.string(), v.minLength(1)) })), v.maxLength(1000)),
  }),
});
/** 1,000 keys of 1,024 bytes, each of which may be written as a character reference. */
const maxDeleteBytes = 8 << 20;

export async function deleteObjects(call: Call): Promise<void> {
  const { store, bucket } = call;
  const { Delete: wanted } = await readXml(call, deleteRequest, maxDeleteBytes);
  const dead = await store.database.commit(() => {
    requireBucket(store.database, bucket);
    return wanted.Object.flatMap(({ Key }) => deleteFromMetadata(store.database, bucket, Key));
  });
  await store.blobs.collect(dead);
  sendXml(call, 'DeleteResult', wanted.Quiet === 'true' ? {} : { Deleted: wanted.Object });
}
