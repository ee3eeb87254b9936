import { dirname } from 'node:path';
import { watch } from 'chokidar';
import { codeOf } from './fileTrouble.ts';

export interface HintOptions {
  /** Not watched below this path. */
  isIgnored(path: string): boolean;
  /** Something in this directory may have changed. */
  onHint(directory: string): void;
  /** Changes from before now may have been missed. */
  onReady(): void;
  /** Why changes are not noticed at once; the scans still find them. */
  onTrouble(sentence: string): void;
}

/**
 * Asks the system to tell of changes below a folder. Events get lost, come twice, early or in another spelling of the name,
 * so they only say which directory to scan.
 * @returns the function that ends it
 */
export function watchForHints(folder: string, { isIgnored, onHint, onReady, onTrouble }: HintOptions): () => Promise<void> {
  const watcher = watch(folder, {
    followSymlinks: false,
    ignoreInitial: true,
    ignorePermissionErrors: true,
    ignored: (path) => path !== folder && isIgnored(path),
  });
  watcher.on('all', (event, path) => {
    if (event === 'addDir') onHint(path);
    if (path !== folder) onHint(dirname(path));
  });
  watcher.on('ready', onReady);
  watcher.on('error', (error) => onTrouble(hintTrouble(error)));
  return () => watcher.close();
}

/** ENOSPC and EMFILE: inotify's limits of watches and of instances (Linux). */
function hintTrouble(error: unknown): string {
  const limit =
    codeOf(error) === 'ENOSPC' ? 'fs.inotify.max_user_watches' : codeOf(error) === 'EMFILE' ? 'fs.inotify.max_user_instances' : null;
  return limit
    ? `This computer's limit of watched folders is reached, so new files are found every few minutes only. To raise it: sudo sysctl ${limit}=524288`
    : 'The system does not tell of changes here, so new files are found every few minutes only.';
}
