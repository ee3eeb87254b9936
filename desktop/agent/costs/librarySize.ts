import type { DatabaseSync } from 'node:sqlite';
import type { LibrarySize } from '../../../shared/forecast.ts';
import { mediaKind } from '../../../shared/model/media.ts';

const queued = 'SELECT ext, count(*) AS files, sum(upload_job.size) AS bytes FROM upload_job JOIN asset ON n = asset GROUP BY ext';

/** What waits to be sent. */
export const queuedSize = (db: DatabaseSync): LibrarySize => sizeOf(db, queued);

/** What waits to be sent, and what was sent since somebody last approved what it costs. */
export const sizeSinceApproval = (db: DatabaseSync): LibrarySize => sizeOf(db, `${queued} UNION ALL SELECT ext, files, bytes FROM sent`);

/** All that the library holds, and what waits to be sent. */
export const wholeSize = (db: DatabaseSync): LibrarySize =>
  sizeOf(db, 'SELECT ext, count(*) AS files, sum(size) AS bytes FROM asset GROUP BY ext');

function sizeOf(db: DatabaseSync, select: string): LibrarySize {
  const size = { photos: 0, photoBytes: 0, videos: 0, videoBytes: 0 };
  for (const row of db.prepare(select).all()) {
    const { ext, files, bytes } = row as { ext: string; files: number; bytes: number };
    const kind = mediaKind(ext) === 'video' ? 'video' : 'photo';
    size[`${kind}s`] += files;
    size[`${kind}Bytes`] += bytes;
  }
  return size;
}
