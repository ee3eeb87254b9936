import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { stampOf } from '../watch/stamp.ts';
import type { UploadJob } from './uploadFile.ts';

/** Opens a file to read it; a symbolic link is refused. */
export function openFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
}

/** Whether the file is what it was when it was hashed. Its being renamed or removed counts too, as that changes its ctime. */
export async function isAsHashed(file: FileHandle, { stamp }: UploadJob): Promise<boolean> {
  return stampOf(await file.stat({ bigint: true })) === stamp;
}

/**
 * Reads a stretch of a file.
 * @returns null when the file ends before it does
 * @throws the system's error
 */
export async function readPart(file: FileHandle, start: number, length: number): Promise<Buffer<ArrayBuffer> | null> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, start + filled);
    if (bytesRead === 0) return null;
    filled += bytesRead;
  }
  return bytes;
}

/**
 * Gives the memory of a body back that was sent and has memory of its own. Left to the collector, hundreds of megabytes a second make it
 * run all the time.
 */
export function free(body: Uint8Array<ArrayBuffer>): void {
  body.buffer.transfer(0);
}
