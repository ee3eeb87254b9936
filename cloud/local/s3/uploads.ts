import { randomUUID } from 'node:crypto';
import { ServiceError } from '../gateway/service.ts';
import { type Attributes, readAttributes } from './attributes.ts';
import { type Call, header, queryNumber, quoted, sendEmpty, sendXml, xmlTime } from './call.ts';
import { type Algorithm, type ChecksumType, checksumElement, checksumTypeOf, readAlgorithm } from './checksums.ts';
import { deleteParts, keyBytes, keyText, type Part, partsOf, requireBucket } from './metadata.ts';
import { afterMarker, keyEncoder, readPage, readPageRequest } from './page.ts';

/** An upload in parts that is neither completed nor aborted. Its id becomes the content of the object. */
export interface Upload extends Attributes {
  readonly id: string;
  readonly key: string;
  readonly startedAt: number;
  /** Null when no checksum is wanted but the ETag. */
  readonly checksum: { readonly algorithm: Algorithm; readonly type: ChecksumType } | null;
}

interface UploadRow {
  readonly id: string;
  readonly key: Uint8Array;
  readonly startedAt: number;
  readonly headers: string;
  readonly tags: string;
  readonly checksum: string | null;
}

const uploadColumns = 'id, key, started_at AS startedAt, headers, tags, checksum';

const fromRow = (row: UploadRow): Upload => ({
  ...row,
  key: keyText(row.key),
  headers: JSON.parse(row.headers),
  tags: JSON.parse(row.tags),
  checksum: row.checksum === null ? null : JSON.parse(row.checksum),
});

export async function createUpload(call: Call): Promise<void> {
  const { store, response, bucket, key } = call;
  const { headers, tags } = readAttributes(call);
  const algorithm = readAlgorithm(header(call, 'x-amz-checksum-algorithm'));
  const checksum = algorithm && { algorithm, type: checksumTypeOf(algorithm, header(call, 'x-amz-checksum-type')) };
  const now = store.clock.now();
  // Begins with the time, so that uploads of one key are listed in the order in which they were started.
  const id = `${now.toString(36).padStart(9, '0')}${randomUUID().replaceAll('-', '')}`;
  await store.database.commit(() => {
    requireBucket(store.database, bucket);
    store.database.run(
      'INSERT INTO upload (id, bucket, key, started_at, headers, tags, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[id, bucket, keyBytes(key), now, JSON.stringify(headers), JSON.stringify(tags), checksum && JSON.stringify(checksum)],
    );
  });
  if (checksum) {
    response.setHeader('x-amz-checksum-algorithm', checksum.algorithm);
    response.setHeader('x-amz-checksum-type', checksum.type);
  }
  sendXml(call, 'InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: id });
}

/**
 * The upload that a request names.
 * @throws ServiceError when it is not there, never was, or is over
 */
export function requireUpload({ store: { database }, request, bucket, key }: Call): Upload {
  requireBucket(database, bucket);
  const id = request.query.get('uploadId') ?? '';
  const sql = `SELECT ${uploadColumns} FROM upload WHERE id = ? AND bucket = ? AND key = ?`;
  const row = database.get<UploadRow>(sql, id, bucket, keyBytes(key));
  if (row) return fromRow(row);
  throw new ServiceError(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    404,
  );
}

export async function abortUpload(call: Call): Promise<void> {
  const { database, blobs } = call.store;
  const dead = await database.commit(() => {
    const { id } = requireUpload(call);
    database.run('DELETE FROM upload WHERE id = ?', id);
    return deleteParts(database, id);
  });
  await blobs.collect(dead);
  sendEmpty(call, 204);
}

export async function listParts(call: Call): Promise<void> {
  const { query } = call.request;
  const upload = requireUpload(call);
  const marker = queryNumber(call, 'part-number-marker', 0, 0, 10_000);
  const max = Math.min(1000, queryNumber(call, 'max-parts', 1000, 0, 2 ** 31 - 1));
  const found = partsOf(call.store.database, upload.id, { after: marker, limit: max + 1 });
  const parts = found.slice(0, max);
  const isTruncated = max > 0 && found.length > max;
  const encode = keyEncoder(call);
  sendXml(call, 'ListPartsResult', {
    Bucket: call.bucket,
    Key: encode(call.key),
    EncodingType: query.get('encoding-type'),
    UploadId: upload.id,
    StorageClass: storageClass(upload),
    PartNumberMarker: marker,
    NextPartNumberMarker: isTruncated ? parts.at(-1)?.number : undefined,
    MaxParts: max,
    IsTruncated: isTruncated,
    ChecksumAlgorithm: upload.checksum?.algorithm,
    ChecksumType: upload.checksum?.type,
    Part: parts.map(partXml),
  });
}

const partXml = ({ number, modifiedAt, etag, size, checksum }: Part) => ({
  PartNumber: number,
  LastModified: xmlTime(modifiedAt),
  ETag: quoted(etag),
  Size: size,
  ...(checksum && { [checksumElement(checksum.algorithm)]: checksum.value }),
});

const storageClass = ({ headers }: Upload) => headers['x-amz-storage-class'] ?? 'STANDARD';

export async function listUploads(call: Call): Promise<void> {
  const { query } = call.request;
  const { database } = call.store;
  requireBucket(database, call.bucket);
  const request = readPageRequest(call, 'max-uploads');
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  // With an upload's id too, the marker stands between two uploads of one key.
  const from = idMarker === '' ? afterMarker(request, keyMarker) : keyBytes(keyMarker);
  const sql = `SELECT ${uploadColumns} FROM upload
    WHERE bucket = ? AND key >= ? AND (? IS NULL OR key < ?) AND (key, id) > (?, ?) ORDER BY key, id`;
  const page = readPage(
    function* (start, to) {
      for (const row of database.each<UploadRow>(sql, call.bucket, start, to, to, keyBytes(keyMarker), idMarker)) yield fromRow(row);
    },
    request,
    from,
  );
  const encode = keyEncoder(call);
  const isTruncated = page.next !== null;
  const lastUpload = page.items.at(-1);
  sendXml(call, 'ListMultipartUploadsResult', {
    Bucket: call.bucket,
    KeyMarker: encode(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: isTruncated ? encode(page.last) : undefined,
    NextUploadIdMarker: isTruncated && lastUpload?.key === page.last ? lastUpload.id : undefined,
    Prefix: encode(request.prefix),
    Delimiter: encode(query.get('delimiter')),
    EncodingType: query.get('encoding-type'),
    MaxUploads: request.max,
    IsTruncated: isTruncated,
    Upload: page.items.map((upload) => ({
      Key: encode(upload.key),
      UploadId: upload.id,
      StorageClass: storageClass(upload),
      Initiated: xmlTime(upload.startedAt),
      ChecksumAlgorithm: upload.checksum?.algorithm,
      ChecksumType: upload.checksum?.type,
    })),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
  });
}
