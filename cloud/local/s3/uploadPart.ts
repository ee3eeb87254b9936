import { ServiceError } from '../gateway/service.ts';
import { writeChecksum } from './attributes.ts';
import { type Call, header, queryNumber, quoted, sendEmpty, sendXml } from './call.ts';
import { type Algorithm, expectedDigests } from './checksums.ts';
import { copyBytes, copyResult, findSource } from './copy.ts';
import { type Part, putPart, type StoredObject } from './metadata.ts';
import { requireUpload, type Upload } from './uploads.ts';
import { maxPutBytes, receive, type StoredBytes } from './write.ts';

export async function uploadPart(call: Call): Promise<void> {
  const number = partNumber(call);
  const expected = expectedDigests(call.request);
  checkAlgorithm(requireUpload(call), expected.algorithm);
  const part = await receive(call, expected, (bytes) => commitPart(call, number, bytes));
  call.response.setHeader('etag', quoted(part.etag));
  writeChecksum(call, part);
  sendEmpty(call, 200);
}

export async function uploadPartCopy(call: Call): Promise<void> {
  const number = partNumber(call);
  const upload = requireUpload(call);
  const source = findSource(call);
  const range = sourceRange(call, source);
  const algorithm = upload.checksum?.algorithm ?? null;
  const part = await copyBytes(call, source, range, algorithm, (bytes) => commitPart(call, number, bytes));
  sendXml(call, 'CopyPartResult', copyResult(part));
}

function partNumber(call: Call): number {
  return queryNumber(call, 'partNumber', 1, 1, 10_000);
}

/** All parts must have what the checksum of the whole is made of. */
function checkAlgorithm({ checksum }: Upload, algorithm: Algorithm | null): void {
  if (checksum === null || checksum.algorithm === algorithm) return;
  throw new ServiceError(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm.toLowerCase()}, actual checksum Type: ${algorithm?.toLowerCase() ?? null}`,
  );
}

async function commitPart(call: Call, number: number, bytes: StoredBytes): Promise<Part> {
  const { database, blobs, clock } = call.store;
  const part = { ...bytes, number, modifiedAt: clock.now() };
  // The upload may have been completed or aborted while the bytes came in.
  const dead = await database.commit(() => putPart(database, requireUpload(call).id, part));
  await blobs.collect(dead);
  return part;
}

function sourceRange(call: Call, { size }: StoredObject): { start: number; end: number } {
  const range = header(call, 'x-amz-copy-source-range');
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? `bytes=0-${size - 1}`) ?? [];
  const [start, end] = [Number(first), Number(last) + 1];
  if (first === undefined || start >= end || end > size) {
    throw new ServiceError(
      'InvalidArgument',
      `The x-amz-copy-source-range value must be of the form bytes=first-last within the ${size} bytes`,
    );
  }
  if (end - start > maxPutBytes) throw new ServiceError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed object size.');
  return { start, end };
}
