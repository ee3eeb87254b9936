import type { DatabaseSync } from 'node:sqlite';
import { emptyLibrary, guessedMinutes, type LibrarySize } from '../../../shared/forecast.ts';
import { isOnlyKept, mediaKind } from '../../../shared/model/media.ts';

/** So many files of an extension, and what became of them in the cloud; null: nothing yet. */
interface Files {
  readonly ext: string;
  readonly outcome: string | null;
  readonly files: number;
  readonly bytes: number;
}

const queued = 'SELECT ext, NULL AS outcome, files, bytes FROM queued_size WHERE files > 0';

const keptByName = ({ ext }: Files) => isOnlyKept(ext);

/** What waits to be sent. Of videos, only those are counted as kept that Rekognition takes for certain not: they cost the least. */
export const queuedSize = (db: DatabaseSync): LibrarySize => sizeOf(db, queued, keptByName);

/** What waits to be sent, and what was sent since somebody last approved what it costs. */
export const sizeSinceApproval = (db: DatabaseSync): LibrarySize =>
  sizeOf(db, `${queued} UNION ALL SELECT ext, NULL, files, bytes FROM sent`, keptByName);

/**
 * All that the library holds, and what waits to be sent. Videos count as kept until it is known that they were looked at, as most phones' (H.265) are not: kept
 * ones are never archived, which costs the most.
 */
export const wholeSize = (db: DatabaseSync): LibrarySize =>
  sizeOf(db, 'SELECT ext, outcome, count(*) AS files, sum(size) AS bytes FROM asset GROUP BY ext, outcome', (row) => {
    if (row.outcome === 'analysed') return false;
    return row.outcome === 'kept' || row.outcome === 'rejected' || mediaKind(row.ext) === 'video' || keptByName(row);
  });

function sizeOf(db: DatabaseSync, select: string, isKept: (row: Files) => boolean): LibrarySize {
  const size = { ...emptyLibrary };
  for (const found of db.prepare(select).all()) {
    const row = found as unknown as Files;
    const { ext, files, bytes } = row;
    const [kind, keptKind] = mediaKind(ext) === 'video' ? (['video', 'keptVideo'] as const) : (['photo', 'keptPhoto'] as const);
    size[`${kind}s`] += files;
    size[`${kind}Bytes`] += bytes;
    if (isKept(row)) {
      size[`${keptKind}s`] += files;
      size[`${keptKind}Bytes`] += bytes;
    }
    if (kind === 'video' && !isOnlyKept(ext)) size.videoMinutes += guessedMinutes(files, bytes);
  }
  return size;
}
