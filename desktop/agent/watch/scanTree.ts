import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../shared/clock.ts';
import { fileTrouble, isAbsent, isFileError, isUnnameable, unnameable } from './fileTrouble.ts';
import { isTakenOff } from './folders.ts';
import { markUnreachable } from './knownFiles.ts';
import { isDriveTakenOff } from './mountPoints.ts';
import { type DirectoryScan, type ScannedFolder, scanDirectory } from './scanDirectory.ts';

export interface ScanOptions {
  readonly db: DatabaseSync;
  readonly clock: Clock;
  /** Whether a folder must not be entered. */
  isExcluded(path: string): boolean;
  /** Gets what each directory had to tell. */
  onScanned(scan: DirectoryScan): void;
  /** A directory went away while it was looked at. */
  onLost(directory: string): void;
}

/** What keeps a watched folder from being looked at: all of it, or a place inside. */
export interface ScanTrouble {
  readonly isWhole: boolean;
  readonly sentence: string;
}

/** Directories looked at together; more would only wait for the same four threads of Node's file system pool. */
const readAtOnce = 4;

/**
 * Looks at directories of a watched folder and, when `deep`, at all below them. What cannot be read is unreachable, not empty: what is
 * known of it stays.
 * @param directories absolute paths
 * @returns what could not be read; null when all is well
 * @throws SQLite's error when the database cannot be written
 */
export async function scanTree(
  options: ScanOptions,
  folder: ScannedFolder,
  directories: readonly string[],
  { deep }: { deep: boolean },
): Promise<ScanTrouble | null> {
  let trouble: ScanTrouble | null = null;
  for (let level = directories; level.length > 0; ) {
    const todo = [...level];
    const below: string[] = [];
    const worker = async () => {
      for (let directory = todo.pop(); directory !== undefined; directory = todo.pop()) {
        const outcome = await scanOne(options, folder, directory);
        trouble ??= outcome.trouble;
        below.push(...outcome.subfolders.filter((path) => !options.isExcluded(path)));
      }
    };
    await Promise.all(Array.from({ length: readAtOnce }, worker));
    level = deep ? below : [];
  }
  return trouble;
}

async function scanOne(options: ScanOptions, folder: ScannedFolder, directory: string): Promise<Outcome> {
  const { db, clock, onScanned, onLost } = options;
  const isWhole = directory === folder.path;
  const failed = (sentence: string): Outcome => ({ subfolders: [], trouble: { isWhole, sentence } });
  try {
    if (isWhole && (await isTakenOff(db, folder))) return failed(takenOff);
    if (!isWhole && (await isDriveTakenOff(db, folder, directory)))
      return { subfolders: [], trouble: await missDrives(options, folder, [directory]) };
    const scan = await scanDirectory(db, clock, folder, directory);
    onScanned(scan);
    return { subfolders: scan.subfolders, trouble: await missDrives(options, folder, scan.away) };
  } catch (thrown) {
    if (!isFileError(thrown)) throw thrown;
    if (isWhole) return failed(isAbsent(thrown) ? takenOff : `This folder cannot be read. ${fileTrouble(thrown)}`);
    if (!isAbsent(thrown)) return failed(`${directory} cannot be read. ${fileTrouble(thrown)}`);
    if (isUnnameable(directory)) return failed(`${directory} cannot be read. ${unnameable}`);
    onLost(directory);
    return { subfolders: [], trouble: null };
  }
}

interface Outcome {
  /** To be looked at too. */
  readonly subfolders: readonly string[];
  readonly trouble: ScanTrouble | null;
}

/** Notes that drives inside a watched folder are not there. */
async function missDrives({ db, clock }: ScanOptions, { id }: ScannedFolder, drives: readonly string[]): Promise<ScanTrouble | null> {
  let trouble: ScanTrouble | null = null;
  for (const directory of drives) {
    const reason = `The drive at ${directory} cannot be found. Connect it, or leave this place out. Nothing was taken out of the library.`;
    await markUnreachable(db, clock, { folder: id, directory, reason });
    trouble ??= { isWhole: false, sentence: reason };
  }
  return trouble;
}

const takenOff =
  'This folder cannot be found. If it is on a drive, connect it; if it was removed, stop watching it. Nothing was taken out of the library.';
