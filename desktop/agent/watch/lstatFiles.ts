import { type BigIntStats, lstat } from 'node:fs';

/**
 * The stats of many paths at once, or the error of each. Symbolic links are not followed.
 * Node's callback form takes a third of the promise form's time, and a scan is little else.
 */
export function lstatFiles(paths: readonly string[]): Promise<(BigIntStats | NodeJS.ErrnoException)[]> {
  return Promise.all(
    paths.map(
      (path) =>
        new Promise<BigIntStats | NodeJS.ErrnoException>((resolve) => {
          lstat(path, { bigint: true }, (error, stats) => resolve(error ?? stats));
        }),
    ),
  );
}
