import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { type AssetId, assetId } from '../../../shared/model/asset.ts';
import { openFile } from '../upload/readFile.ts';
import { stampOf } from '../watch/stamp.ts';

export interface HashedFile {
  readonly asset: AssetId;
  /** Bytes. */
  readonly size: number;
  readonly stamp: string;
}

/** A read of half a millisecond or so: the hash is computed on the event loop. */
const chunkBytes = 1024 * 1024;

/**
 * The content's SHA-256. A symbolic link is not followed.
 * @returns null when the file changed while it was read
 * @throws the system's error when it cannot be read
 */
export async function hashFile(path: string): Promise<HashedFile | null> {
  const file = await openFile(path);
  try {
    const before = await file.stat({ bigint: true });
    const stamp = stampOf(before);
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, Number(before.size) + 1));
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      if (bytesRead === 0) break;
      hash.update(chunk.subarray(0, bytesRead));
    }
    if (stampOf(await file.stat({ bigint: true })) !== stamp) return null;
    return { asset: v.parse(assetId, hash.digest('hex')), size: Number(before.size), stamp };
  } finally {
    await file.close();
  }
}
