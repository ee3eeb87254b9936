import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../shared/clock.ts';

/** Noted no more often than this: once a day is exact enough to tell what is used from what is not. */
const noteEveryMs = 24 * 60 * 60 * 1000;

/**
 * Notes that a file is used, in its modification time.
 * @throws the system's error, ENOENT when there is no such file
 */
export async function noteUse(path: string, clock: Clock): Promise<void> {
  const { mtimeMs } = await stat(path);
  const now = clock.now();
  if (now - mtimeMs > noteEveryMs) await utimes(path, now / 1000, now / 1000);
}

/** Removes the files of a folder that were not used for the longest time, until the rest has at most so many bytes; never the one used last. */
export async function trimFolder(dir: string, maxBytes: number): Promise<void> {
  const names = await readdir(dir);
  const files = await Promise.all(names.map((name) => sizeAndUse(join(dir, name))));
  const [newest, ...others] = files.filter((file) => file !== null).toSorted((a, b) => b.usedAt - a.usedAt);
  let kept = newest?.bytes ?? 0;
  for (const { path, bytes } of others) {
    kept += bytes;
    // Where the system does not remove an open file, it goes next time.
    if (kept > maxBytes) await rm(path, { force: true }).catch(() => {});
  }
}

async function sizeAndUse(path: string): Promise<{ path: string; bytes: number; usedAt: number } | null> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { path, bytes: size, usedAt: mtimeMs };
  } catch {
    // Removed meanwhile.
    return null;
  }
}
