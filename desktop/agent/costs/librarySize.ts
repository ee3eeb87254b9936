import type { DatabaseSync } from 'node:sqlite';
import { guessedMinutes, type LibrarySize } from '../../../shared/forecast.ts';
import { mediaKind } from '../../../shared/model/media.ts';

const queued = 'SELECT ext, count(*) AS files, sum(upload_job.size) AS bytes FROM upload_job JOIN asset ON n = asset GROUP BY ext';

/** What waits to be sent. */
export const queuedSize = (db: DatabaseSync): LibrarySize => sizeOf(db, queued);

/** What waits to be sent, and what was sent since somebody last approved what it costs. */
export const sizeSinceApproval = (db: DatabaseSync): LibrarySize => sizeOf(db, `${queued} UNION ALL SELECT ext, files, bytes FROM sent`);

/** All that the library holds, and what waits to be sent. */
export const wholeSize = (db: DatabaseSync): LibrarySize =>
  sizeOf(db, 'SELECT ext, count(*) AS files, sum(size) AS bytes FROM asset GROUP BY ext');

/** Rekognition looks at H.264 in MP4 (3GP is one inside) and MOV; which codec a file has shows only in the cloud. */
export const lookedAt = new Set(['mp4', 'mov', 'm4v', '3gp']);

function sizeOf(db: DatabaseSync, select: string): LibrarySize {
  const size = { photos: 0, photoBytes: 0, videos: 0, videoBytes: 0, videoMinutes: 0 };
  for (const row of db.prepare(select).all()) {
    const { ext, files, bytes } = row as { ext: string; files: number; bytes: number };
    const kind = mediaKind(ext) === 'video' ? 'video' : 'photo';
    size[`${kind}s`] += files;
    size[`${kind}Bytes`] += bytes;
    if (lookedAt.has(ext)) size.videoMinutes += guessedMinutes(files, bytes);
  }
  return size;
}
