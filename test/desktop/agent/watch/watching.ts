import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, vi } from 'vitest';
import type { Taken } from '../../../../desktop/agent/watch/settle.ts';
import { type FolderWatch, type WatchOptions, watchFolders } from '../../../../desktop/agent/watch/watchFolders.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { scratchDatabase, scratchDir } from '../db/scratch.ts';

export interface Watching {
  readonly db: DatabaseSync;
  /** The watched folder. */
  readonly folder: string;
  readonly watch: FolderWatch;
  /** Names, relative to the folder, of the files that were handed on, in order. */
  readonly taken: string[];
  readonly gone: string[];
  readonly errors: unknown[];
  /** What the database knows: names relative to the folder with kind and reason. */
  rows(): Record<string, string>;
}

/** How long files must be still in these tests. */
export const settleMs = 150;

/** Watches a real folder with a real watcher and database. Files handed on are noted and marked as known, as `enqueue` does it. */
export async function startWatching(
  options: Partial<WatchOptions> & { folder?: string; ignored?: string[]; fill?(folder: string): Promise<void> } = {},
): Promise<Watching> {
  const db = options.db ?? (await scratchDatabase());
  const folder = options.folder ?? join(await realpath(await scratchDir()), 'photos');
  await mkdir(folder, { recursive: true });
  await options.fill?.(folder);
  const taken: string[] = [];
  const gone: string[] = [];
  const errors: unknown[] = [];
  const nameOf = (path: string) => path.slice(folder.length + 1);
  const watch = watchFolders({
    db,
    clock: systemClock,
    settleMs,
    async take(path): Promise<Taken> {
      taken.push(nameOf(path));
      db.prepare(`UPDATE local_file SET kind = 'known' WHERE path = ?`).run(path);
      return 'taken';
    },
    onGone: (paths) => void gone.push(...paths.map(nameOf)),
    onChange: () => {},
    onError: (thrown) => void errors.push(thrown),
    ...options,
  });
  onTestFinished(() => watch.close());
  await watch.add(folder, options.ignored);
  const rows = () => {
    const all = db.prepare('SELECT path, kind, reason FROM local_file ORDER BY path').all();
    return Object.fromEntries(all.map((row) => [nameOf(String(row['path'])), [row['kind'], row['reason']].filter(Boolean).join(': ')]));
  };
  return { db, folder, watch, taken, gone, errors, rows };
}

export const photo = (n = 1) => Buffer.alloc(1000, n);
export const until = (check: () => void) => vi.waitFor(check, { timeout: 8000, interval: 20 });
export const untilTaken = ({ taken }: Watching, ...names: string[]) => until(() => expect(taken.toSorted()).toEqual(names.toSorted()));
/** Long enough for a hint, a scan and the settle time. */
export const aWhile = () => sleep(settleMs * 2 + 500);
