import { stat } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { checkpointApart } from './apart.ts';

/** Looked for so often, and written back when there is more than that. SQLite's own limit is 4 MB, which one turn of the event loop would wait for. */
const lookEveryMs = 1000;
const shortBytes = 1024 ** 2;
/**
 * In pages of 4 KiB: 1 GB. Beyond it SQLite writes back by itself, a quarter of a second at a time, as when no thread can be had. While one thing is written
 * after the other the log only grows: by some 850 MB when 80,000 files are forgotten in a few seconds.
 */
const longestPages = 250_000;

/**
 * Keeps the write-ahead log of an open database short. Writing it back waits for the disk, up to a second where that is slow, so it is done in another
 * thread.
 * @param file of the database
 * @param onError gets what fails; it is tried again
 * @returns the function that ends it, and leaves little to do for closing the database
 */
export function keepLogShort(db: DatabaseSync, file: string, onError: (thrown: unknown) => void): () => Promise<void> {
  db.exec(`PRAGMA wal_autocheckpoint = ${longestPages}; PRAGMA journal_size_limit = ${shortBytes}`);
  /** When the log was last written to, of what is in the database. */
  let doneUpTo = 0;
  let running: Promise<void> | null = null;

  const writeBack = async () => {
    const { size, mtimeMs } = await stat(`${file}-wal`);
    if (size <= shortBytes || mtimeMs === doneUpTo) return;
    await checkpointApart(file);
    doneUpTo = mtimeMs;
  };
  const look = () => {
    running ??= writeBack()
      .catch(onError)
      .finally(() => {
        running = null;
      });
    return running;
  };
  const timer = setInterval(look, lookEveryMs);
  return async () => {
    clearInterval(timer);
    await running;
    await look();
  };
}
