import { type HeadObjectCommandOutput, RestoreObjectCommand } from '@aws-sdk/client-s3';
import type { StoredOriginal } from '../../shared/contract.ts';
import { filedKey, inboxKey } from '../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../shared/model/asset.ts';
import { destinationOf, loadAsset } from './assets.ts';
import type { Backend } from './backend.ts';
import { headOriginal } from './objects.ts';

/** Originals that their owner wants back. */

/** How long a restored original can be fetched before it is only in the archive again. Each day costs as much as in S3 Standard. */
const restoredDays = 7;

/** Where an asset's original is, and whether it can be fetched. */
export async function findOriginal(backend: Backend, library: LibraryId, asset: AssetId): Promise<StoredOriginal> {
  const record = await loadAsset(backend, library, asset);
  if (!record) return { kind: 'missing' };
  const original = { library, asset, ext: record.ext };
  const destination = destinationOf(record);
  // A record may say how it ended before the original is moved.
  const keys = destination === 'inbox' ? [inboxKey(original)] : [filedKey(original, destination), inboxKey(original)];
  for (const key of keys) {
    const head = await headOriginal(backend, key);
    if (head) return stateOf(key, head, backend.clock.now());
  }
  return { kind: 'missing' };
}

/**
 * Asks the archive for an original, unless it can be fetched already or was asked for. It takes 3 to 5 hours (the tier Standard of S3 Glacier
 * Flexible Retrieval, https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html).
 */
export async function restoreOriginal(backend: Backend, library: LibraryId, asset: AssetId): Promise<StoredOriginal> {
  const found = await findOriginal(backend, library, asset);
  if (found.kind !== 'archived') return found;
  const RestoreRequest = { Days: restoredDays, GlacierJobParameters: { Tier: 'Standard' as const } };
  const restore = new RestoreObjectCommand({ Bucket: backend.names.inputBucket, Key: found.key, RestoreRequest });
  await backend.s3.send(restore).catch((thrown: unknown) => {
    // Somebody else asked at the same moment.
    if (!(thrown instanceof Error && thrown.name === 'RestoreAlreadyInProgress')) throw thrown;
  });
  return findOriginal(backend, library, asset);
}

/** Reads S3's `x-amz-restore`: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export function stateOf(key: string, { StorageClass, Restore = '' }: HeadObjectCommandOutput, now: number): StoredOriginal {
  if (StorageClass !== 'GLACIER' && StorageClass !== 'DEEP_ARCHIVE') return { kind: 'stored', key };
  if (Restore.includes('ongoing-request="true"')) return { kind: 'restoring', key };
  const until = Date.parse(/expiry-date="([^"]+)"/.exec(Restore)?.[1] ?? '');
  return until > now ? { kind: 'stored', key } : { kind: 'archived', key };
}
