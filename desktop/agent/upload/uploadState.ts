import type { DatabaseSync } from 'node:sqlite';
import { prepare, transaction } from '../db/openDatabase.ts';

/** What the database keeps of a multipart upload in progress, so that it can be taken up after any crash. */

/** A part that S3 acknowledged, and the CRC-32 of the bytes that were sent. */
export interface SentPart {
  readonly number: number;
  readonly etag: string;
  readonly crc32: number;
}

/** @param n asset.n of the upload job */
export function saveUpload(db: DatabaseSync, n: number, uploadId: string, partSize: number): void {
  transaction(db, () => {
    prepare(db, 'DELETE FROM upload_part WHERE asset = ?').run(n);
    prepare(db, 'UPDATE upload_job SET upload_id = ?, part_size = ? WHERE asset = ?').run(uploadId, partSize, n);
  });
}

export function forgetUpload(db: DatabaseSync, n: number): void {
  transaction(db, () => {
    prepare(db, 'DELETE FROM upload_part WHERE asset = ?').run(n);
    prepare(db, 'UPDATE upload_job SET upload_id = NULL, part_size = NULL WHERE asset = ?').run(n);
  });
}

export function savePart(db: DatabaseSync, n: number, { number, etag, crc32 }: SentPart): void {
  prepare(db, 'INSERT OR REPLACE INTO upload_part (asset, number, etag, crc32) VALUES (?, ?, ?, ?)').run(n, number, etag, crc32);
}

export function savedParts(db: DatabaseSync, n: number): SentPart[] {
  const rows = prepare(db, 'SELECT number, etag, crc32 FROM upload_part WHERE asset = ? ORDER BY number').all(n);
  return rows as unknown as SentPart[];
}
