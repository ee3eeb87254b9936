import type { DatabaseSync } from 'node:sqlite';
import { type commands, mostRedriven } from '../../../shared/commands.ts';
import { videoMinutes } from '../../../shared/cost.ts';
import { emptyLibrary, guessedMinutes, type LibrarySize } from '../../../shared/forecast.ts';
import type { AssetId } from '../../../shared/model/asset.ts';
import { isOnlyKept } from '../../../shared/model/media.ts';
import type { Client } from '../../../shared/rpc.ts';

/** Kept videos in which another look may find more, and was not asked for yet. The index `asset_kept` has the same condition. */
const isOpen = "outcome = 'kept' AND kind = 'video' AND record ->> '$.outcome.final' IS NULL AND record ->> '$.pipelineVersion' > 0";

/** How many there are, and how long, by their records where those know. */
export function keptVideosSize(db: DatabaseSync): LibrarySize {
  const size = { ...emptyLibrary };
  for (const row of db
    .prepare(`SELECT ext, size AS bytes, record ->> '$.media.durationMs' AS durationMs FROM asset WHERE ${isOpen}`)
    .iterate()) {
    const { ext, bytes, durationMs } = row as { ext: string; bytes: number; durationMs: number | null };
    size.videos++;
    size.videoBytes += bytes;
    if (isOnlyKept(ext)) {
      size.keptVideos++;
      size.keptVideoBytes += bytes;
    } else size.videoMinutes += durationMs === null ? guessedMinutes(1, bytes) : videoMinutes(durationMs);
  }
  return size;
}

/** Asks for all of them. @returns how many will be looked at */
export async function lookAtKept(db: DatabaseSync, { lookAgain }: Pick<Client<typeof commands>, 'lookAgain'>): Promise<number> {
  const next = db.prepare(`SELECT n, id FROM asset WHERE ${isOpen} AND n > ? ORDER BY n LIMIT ${mostRedriven}`);
  let asked = 0;
  for (let rows = next.all(-1); rows.length > 0; rows = next.all(Number(rows.at(-1)?.['n']))) {
    asked += (await lookAgain({ assets: rows.map(({ id }) => id as AssetId) })).asked;
  }
  return asked;
}
