import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { ServiceError } from '../gateway/service.ts';
import { type Call, header, quoted, sendXml, unquoted } from './call.ts';
import { type Checksum, checksumElement, checksumHeader, combineChecksums } from './checksums.ts';
import type { Database } from './database.ts';
import { blobsOf, deletePart, type Part, partsOf } from './metadata.ts';
import { parseXml } from './readXml.ts';
import { requireUpload, type Upload } from './uploads.ts';
import { commitObject } from './write.ts';

const minPartBytes = 5 << 20;

const checksumText = v.optional(v.string());
const listedPart = v.object({
  PartNumber: v.pipe(v.string(), v.digits(), v.transform(Number), v.maxValue(10_000)),
  ETag: v.pipe(v.string(), v.transform(unquoted)),
  ChecksumCRC32: checksumText,
  ChecksumCRC32C: checksumText,
  ChecksumCRC64NVME: checksumText,
  ChecksumSHA1: checksumText,
  ChecksumSHA256: checksumText,
});
type ListedPart = v.InferOutput<typeof listedPart>;
const completeRequest = v.object({
  CompleteMultipartUpload: v.object({ Part: v.pipe(v.array(listedPart), v.minLength(1), v.maxLength(10_000)) }),
});
/** 10,000 parts take some 3 MB. */
const maxCompleteBytes = 8 << 20;
const partsPerTurn = 1000;

/** Makes the listed parts the object, as they are: no byte is copied. Ten thousand parts are looked at in several turns of the event loop. */
export async function completeUpload(call: Call): Promise<void> {
  const { database, clock } = call.store;
  const begun = requireUpload(call);
  const body = await call.request.readBody(maxCompleteBytes);
  const listed = (await parseXml(body.toString(), completeRequest)).CompleteMultipartUpload.Part;
  const seen = await readParts(database, begun.id);
  const assembled = assemble(begun, seen, listed);
  await nextTurn();
  const object = await commitObject(call, 'CompleteMultipartUpload', () => {
    const upload = requireUpload(call);
    // A part that was sent again meanwhile has another blob.
    const isAsSeen = isDeepStrictEqual(
      blobsOf(database, upload.id),
      seen.map(({ blob }) => blob),
    );
    const { left, ...whole } = isAsSeen ? assembled : assemble(upload, partsOf(database, upload.id), listed);
    checkWhole(call, upload, whole);
    database.run('DELETE FROM upload WHERE id = ?', upload.id);
    const { headers, tags } = upload;
    return {
      object: { ...whole, bucket: call.bucket, key: call.key, content: upload.id, modifiedAt: clock.now(), headers, tags },
      dead: left.flatMap((part) => deletePart(database, upload.id, part.number)),
    };
  });
  sendXml(call, 'CompleteMultipartUploadResult', {
    Location: `http://${header(call, 'host')}${call.request.rawPath}`,
    Bucket: call.bucket,
    Key: call.key,
    ETag: quoted(object.etag),
    ...(object.checksum && { [checksumElement(object.checksum.algorithm)]: object.checksum.value, ChecksumType: object.checksum.type }),
  });
}

async function readParts(database: Database, content: string): Promise<Part[]> {
  const parts: Part[] = [];
  for (;;) {
    await nextTurn();
    const page = partsOf(database, content, { after: parts.at(-1)?.number ?? 0, limit: partsPerTurn });
    parts.push(...page);
    if (page.length < partsPerTurn) return parts;
  }
}

interface Whole {
  readonly size: number;
  readonly etag: string;
  readonly checksum: Checksum | null;
}

/** @returns the object that the listed parts make, and the parts that are `left` over */
function assemble(upload: Upload, stored: readonly Part[], listed: readonly ListedPart[]): Whole & { readonly left: Part[] } {
  const parts = chooseParts(stored, listed, upload);
  const chosen = new Set(parts);
  return {
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: wholeEtag(parts),
    checksum: wholeChecksum(upload, parts),
    left: stored.filter((part) => !chosen.has(part)),
  };
}

/** The stored parts that the client lists, once it is clear that both mean the same. */
function chooseParts(stored: readonly Part[], listed: readonly ListedPart[], upload: Upload): Part[] {
  const isAscending = listed.every(({ PartNumber }, index) => PartNumber > (listed[index - 1]?.PartNumber ?? 0));
  if (!isAscending) {
    throw new ServiceError('InvalidPartOrder', 'The list of parts was not in ascending order. Parts must be ordered by part number.');
  }
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  return listed.map((wanted, index) => {
    const part = byNumber.get(wanted.PartNumber);
    if (!part || part.etag !== wanted.ETag || !hasListedChecksum(part, wanted, upload)) {
      throw new ServiceError(
        'InvalidPart',
        `One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag. Part number: ${wanted.PartNumber}`,
      );
    }
    if (part.size < minPartBytes && index < listed.length - 1) {
      throw new ServiceError(
        'EntityTooSmall',
        `Your proposed upload is smaller than the minimum allowed size. Part number: ${part.number}`,
      );
    }
    return part;
  });
}

function hasListedChecksum(part: Part, wanted: ListedPart, upload: Upload): boolean {
  if (part.checksum === null) return true;
  const value = wanted[`Checksum${part.checksum.algorithm}`];
  if (value === undefined && upload.checksum?.type === 'COMPOSITE') {
    const algorithm = upload.checksum.algorithm.toLowerCase();
    throw new ServiceError(
      'InvalidRequest',
      `The upload was created using a ${algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`,
    );
  }
  return value === undefined || value === part.checksum.value;
}

/** The MD5 of the parts' MD5s, with their number. */
function wholeEtag(parts: readonly Part[]): string {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(etag, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}

function wholeChecksum({ checksum }: Upload, parts: readonly Part[]): Checksum | null {
  if (checksum === null) return null;
  const pieces = parts.map((part) => ({ value: part.checksum?.value ?? '', size: part.size }));
  return combineChecksums(checksum.algorithm, checksum.type, pieces);
}

/** Compares the object with what the client says that it must be. */
function checkWhole(call: Call, upload: Upload, { size, checksum }: Whole): void {
  const wantedSize = header(call, 'x-amz-mp-object-size');
  if (wantedSize !== undefined && Number(wantedSize) !== size) {
    throw new ServiceError('InvalidRequest', `The parts have ${size} bytes, not the ${wantedSize} that x-amz-mp-object-size says.`);
  }
  const wantedType = header(call, 'x-amz-checksum-type');
  if (wantedType !== undefined && upload.checksum !== null && wantedType !== upload.checksum.type) {
    throw new ServiceError(
      'InvalidRequest',
      `The upload was created using the ${upload.checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  const wantedValue = checksum && header(call, checksumHeader(checksum.algorithm));
  if (checksum && wantedValue !== undefined && wantedValue !== checksum.value) {
    throw new ServiceError('BadDigest', `The ${checksum.algorithm} you specified did not match the calculated checksum.`);
  }
}
