import { videoMinutes } from '../../shared/cost.ts';
import { guessedMinutes } from '../../shared/forecast.ts';
import { inboxKey } from '../../shared/keys.ts';
import type { AssetId, LibraryId, Media } from '../../shared/model/asset.ts';
import { type Change, changeAsset, loadAsset, reopened, type StoredAsset } from './assets.ts';
import type { Backend } from './backend.ts';
import { headOriginal } from './objects.ts';
import { noteWaiting, resumeWaiting } from './waiting.ts';

/**
 * Lets kept videos be looked at by this version of the pipeline: those that were stored before it knew how, or while that was switched off. They wait for
 * budget, as what the cap held back does, so that nobody pays more than the cap. Asked for twice, each is looked at once.
 * @returns how many are
 */
export async function lookAgain(backend: Backend, library: LibraryId, assets: readonly AssetId[]): Promise<number> {
  let asked = 0;
  for (const asset of assets) if (await askFor(backend, library, asset)) asked++;
  if (asked > 0) await resumeWaiting(backend, library);
  return asked;
}

async function askFor(backend: Backend, library: LibraryId, asset: AssetId): Promise<boolean> {
  const record = await loadAsset(backend, library, asset);
  if (!record || !isKeptVideo(record) || !(await headOriginal(backend, inboxKey(record)))) return false;
  // First, as who looks at it finds it finished else.
  const open = await changeAsset(backend, library, asset, reopen);
  if (!open || !isKeptVideo(open)) return false;
  const { ext, claim, media } = open;
  await noteWaiting(backend, { library, asset, ext, version: claim.version, attempt: claim.attempt }, minutesOf(media));
  return true;
}

type KeptVideo = StoredAsset & { readonly media: Media };

const isKeptVideo = (record: StoredAsset): record is KeptVideo => record.outcome.kind === 'kept' && record.media?.kind === 'video';

/** What is known of it stays until then. */
const reopen: Change = (current) => {
  if (!current || !isKeptVideo(current) || current.pipelineVersion === reopened) return null;
  return {
    ...current,
    pipelineVersion: reopened,
    outcome: { kind: 'kept', reason: 'Kept safely; it is looked at again as soon as there is budget for it.' },
  };
};

const minutesOf = ({ durationMs, bytes }: Media) => (durationMs === null ? guessedMinutes(1, bytes) : videoMinutes(durationMs));
