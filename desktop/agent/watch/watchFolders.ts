import { basename, dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../shared/clock.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import { type Folder, folderRows, isInside, storeFolder, storeIgnored, storeProblem } from './folders.ts';
import { watchForHints } from './hints.ts';
import { compileIgnores, type Ignores } from './ignores.ts';
import { forgetFiles, markIgnored, markUnreachable, pathsBelow } from './knownFiles.ts';
import { isOnNetwork, polled } from './networkDrive.ts';
import { type DirectoryScan, isLeftAlone } from './scanDirectory.ts';
import { scanInRounds, type Wanted } from './scanRounds.ts';
import { type ScanTrouble, scanTree } from './scanTree.ts';
import { settle, type Taken } from './settle.ts';

export interface WatchOptions {
  readonly db: DatabaseSync;
  readonly clock: Clock;
  /** How long a file must be still before it is taken up, in milliseconds. */
  readonly settleMs?: number;
  /** Absolute paths of folders never entered, e.g. Pixwatch's own data. */
  readonly excluded?: readonly string[];
  /** Takes a file that is complete: `enqueue`. The signal is aborted by `close`. */
  take(path: string, signal: AbortSignal): Promise<Taken>;
  /** Files that were known are gone or ignored now, or their folder is no longer watched. Their rows say so already. */
  onGone(paths: readonly string[]): void;
  /** The rows of files or folders changed, or a scan began or ended. */
  onChange(): void;
  /** Something else than a file or folder failed, e.g. the database cannot be written. What was under way is tried again. */
  onError(thrown: unknown): void;
}

export interface FolderWatch {
  /**
   * Watches one more folder.
   * @param ignored globs of what is left out. When absent: nothing in a new folder, and in one that is watched already what was
   * @throws InvalidInput when it is no folder, cannot be read, or overlaps with a watched one
   */
  add(path: string, ignored?: readonly string[]): Promise<Folder>;
  /** Leaves out what fits these globs from now on, and nothing else. What is uploaded stays in the library. */
  ignore(id: number, ignored: readonly string[]): Promise<void>;
  /** Stops watching a folder and forgets its files. What they held stays in the library. */
  remove(id: number): Promise<void>;
  /** Looks again at a file that is not what the database says. */
  recheck(path: string): void;
  /** What of these folders, by id, or of all cannot be read: a sentence for each with its path. */
  unread(ids?: readonly number[]): string[];
  isScanning(): boolean;
  /** Whether all files there are were dealt with; those that cannot be read do not count. */
  isIdle(): boolean;
  close(): Promise<void>;
}

interface Watched extends Pick<Folder, 'id' | 'path'> {
  trouble: ScanTrouble | null;
  hintTrouble: string | null;
  ignores: Ignores;
  /** It is on a network drive. */
  isPolled: boolean;
  scannedAt: number;
  stopHints: (() => Promise<void>) | null;
}

const minuteMs = 60_000;
const lookEveryMs = 1000;

/** How long after its last scan a folder is scanned anyway. */
function rescanAfterMs({ trouble, hintTrouble, isPolled }: Watched): number {
  if (trouble?.isWhole) return minuteMs / 2;
  return trouble || hintTrouble || isPolled ? 5 * minuteMs : 60 * minuteMs;
}

/**
 * Keeps `local_file` true to what is in the watched folders, and hands on every file that is complete. The scan is the truth: at start, at
 * hints of the system, and at least hourly.
 */
export function watchFolders({ db, clock, settleMs = 2000, excluded = [], take, onGone, onChange, onError }: WatchOptions): FolderWatch {
  const folders = new Map<number, Watched>();
  const settler = settle({ clock, settleMs, take: takeUnlessIgnored, onLost: recheck, onError });
  const rounds = scanInRounds(scan, onError);
  const timer = setInterval(rescanDue, lookEveryMs);

  const scanOptions = {
    db,
    clock,
    isExcluded: (path: string) => excluded.includes(path),
    onLost: recheck,
    onScanned: ({ unsettled, gone, changed }: DirectoryScan) => {
      settler.add(unsettled);
      if (gone.length > 0) onGone(gone);
      if (changed) onChange();
    },
  };

  function watch({ id, path, ignored }: Folder): void {
    if (folders.has(id)) return;
    const ignores = compileIgnores(path, ignored);
    folders.set(id, { id, path, ignores, trouble: null, hintTrouble: null, isPolled: false, scannedAt: 0, stopHints: null });
    rounds.want(id, 'all');
    onChange();
  }

  async function scan(id: number, wanted: Wanted): Promise<void> {
    const folder = folders.get(id);
    if (!folder) return;
    const wasAway = folder.trouble?.isWhole === true;
    // A sign of life of a folder that was away says nothing about what changed meanwhile.
    const deep = wanted === 'all' || wasAway;
    if (deep) folder.scannedAt = clock.now();
    const directories = wanted === 'all' || deep ? [folder.path] : [...wanted].filter((path) => folder.ignores.globAbove(path) === null);
    const before = folder.trouble;
    const trouble = await scanTree(scanOptions, folder, directories, { deep });
    if (deep || trouble) folder.trouble = trouble;
    if (trouble?.isWhole) await markUnreachable(db, clock, { folder: id, directory: folder.path, reason: trouble.sentence });
    // When it went away this moment, the next scan says so.
    else if (deep) folder.isPolled = await isOnNetwork(folder.path).catch(() => folder.isPolled);
    // Only now, so that the first scan is not slowed down. Being ready, it asks for another scan: nothing falls between the two.
    if (!folder.trouble?.isWhole) await listenTo(folder, wasAway || (before !== null && folder.trouble === null));
    noteProblem(folder);
    onChange();
  }

  /** @param anew what was listened to was taken off, all or a place inside, and tells nothing any more */
  async function listenTo(folder: Watched, anew: boolean): Promise<void> {
    if (anew) {
      await folder.stopHints?.();
      folder.stopHints = null;
      folder.hintTrouble = null;
    }
    folder.stopHints ??= listen(folder);
  }

  function listen(folder: Watched): () => Promise<void> {
    return watchForHints(folder.path, {
      isIgnored: (path) => isLeftAlone(dirname(path), basename(path)) || excluded.includes(path) || folder.ignores.globOf(path) !== null,
      onHint: (directory) => rounds.want(folder.id, directory),
      onReady: () => rounds.want(folder.id, 'all'),
      onTrouble: (sentence) => {
        folder.hintTrouble = sentence;
        noteProblem(folder);
      },
    });
  }

  function noteProblem(folder: Watched): void {
    if (storeProblem(db, folder.id, folder.trouble?.sentence ?? folder.hintTrouble ?? (folder.isPolled ? polled : null))) onChange();
  }

  const folderOf = (path: string) => [...folders.values()].find((candidate) => isInside(path, candidate.path));

  function recheck(path: string): void {
    const folder = folderOf(path);
    if (folder) rounds.want(folder.id, dirname(path));
  }

  /** A file may have been ignored since it was found. */
  async function takeUnlessIgnored(path: string, signal: AbortSignal): Promise<Taken> {
    return folderOf(path)?.ignores.globAbove(path) ? 'taken' : take(path, signal);
  }

  function rescanDue(): void {
    for (const folder of folders.values()) {
      const ageMs = clock.now() - folder.scannedAt;
      // The clock may have been set back.
      if (ageMs < 0 || ageMs >= rescanAfterMs(folder)) rounds.want(folder.id, 'all');
    }
  }

  async function add(path: string, ignored?: readonly string[]): Promise<Folder> {
    const folder = await storeFolder(db, path, ignored ?? []);
    watch(folder);
    if (ignored) await ignore(folder.id, ignored);
    return folder;
  }

  async function ignore(id: number, ignored: readonly string[]): Promise<void> {
    const folder = folders.get(id);
    if (!folder) throw new InvalidInput('This folder is not watched any more.');
    storeIgnored(db, id, ignored);
    folder.ignores = compileIgnores(folder.path, ignored);
    // The scan that follows would do it too, but the next file may be on its way by then.
    const paths = await markIgnored(db, clock, folder.path, folder.ignores.globAbove);
    const { stopHints } = folder;
    folder.stopHints = null;
    await stopHints?.();
    rounds.want(id, 'all');
    onGone(paths);
    onChange();
  }

  async function remove(id: number): Promise<void> {
    const folder = folders.get(id);
    folders.delete(id);
    // A round may still begin to hint, so it ends first.
    await rounds.untilStill();
    await folder?.stopHints?.();
    const paths = folder ? await pathsBelow(db, folder.path) : [];
    await forgetFiles(db, paths);
    db.prepare('DELETE FROM watched_folder WHERE id = ?').run(id);
    onGone(paths);
    onChange();
  }

  let turn: Promise<unknown> = Promise.resolve();
  /** A folder that is being removed can be added again only when its row is gone. */
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = turn.then(change);
    // Who asked for it is told.
    turn = changed.catch(() => {});
    return changed;
  }

  for (const folder of folderRows(db)) watch(folder);
  return {
    add: (path, ignored) => inTurn(() => add(path, ignored)),
    ignore: (id, ignored) => inTurn(() => ignore(id, ignored)),
    remove: (id) => inTurn(() => remove(id)),
    recheck,
    unread: (ids) =>
      [...folders.values()].flatMap(({ id, path, trouble }) =>
        trouble && (ids?.includes(id) ?? true) ? [`${path}: ${trouble.sentence}`] : [],
      ),
    isScanning: rounds.isScanning,
    isIdle: () => rounds.isIdle() && settler.isIdle(),
    async close() {
      clearInterval(timer);
      // A round may still begin to hint, so it ends first.
      await rounds.close();
      await Promise.all([...folders.values()].map(({ stopHints }) => stopHints?.()));
      await settler.close();
    },
  };
}
