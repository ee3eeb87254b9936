import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../shared/clock.ts';
import { fileTrouble, isAbsent, isFileError, isUnnameable, unnameable } from './fileTrouble.ts';
import { isTakenOff } from './folders.ts';
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
        if ('sentence' in outcome) trouble ??= outcome;
        else below.push(...outcome.subfolders.filter((path) => !options.isExcluded(path)));
      }
    };
    await Promise.all(Array.from({ length: readAtOnce }, worker));
    level = deep ? below : [];
  }
  return trouble;
}

async function scanOne(
  { db, clock, onScanned, onLost }: ScanOptions,
  folder: ScannedFolder,
  directory: string,
): Promise<ScanTrouble | Pick<DirectoryScan, 'subfolders'>> {
  const isWhole = directory === folder.path;
  try {
    if (isWhole && (await isTakenOff(db, folder))) return { isWhole, sentence: takenOff };
    const scan = await scanDirectory(db, clock, folder, directory);
    onScanned(scan);
    return scan;
  } catch (thrown) {
    if (!isFileError(thrown)) throw thrown;
    if (isWhole) return { isWhole, sentence: isAbsent(thrown) ? takenOff : `This folder cannot be read. ${fileTrouble(thrown)}` };
    if (!isAbsent(thrown)) return { isWhole, sentence: `${directory} cannot be read. ${fileTrouble(thrown)}` };
    if (isUnnameable(directory)) return { isWhole, sentence: `${directory} cannot be read. ${unnameable}` };
    onLost(directory);
    return { subfolders: [] };
  }
}

const takenOff =
  'This folder cannot be found. If it is on a drive, connect it; if it was removed, stop watching it. Nothing was taken out of the library.';
