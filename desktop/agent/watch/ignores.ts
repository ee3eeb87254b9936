import { dirname, sep } from 'node:path';
import { platform } from 'node:process';
import { isInside } from './folders.ts';

/** What a person wants left out of a watched folder. Paths are absolute, and somewhere in the folder. */
export interface Ignores {
  /** The glob that a file or folder fits by itself; null: none. */
  globOf(path: string): string | null;
  /** The glob that it, or a folder on the way to it, fits; null: none. */
  globAbove(path: string): string | null;
}

/**
 * Compiles globs (shared/model/ignored.ts). Node's path.matchesGlob does not do: it compiles its glob at every call, takes no name with a dot at its
 * beginning, and gives brackets and backslashes a meaning.
 * @param folder absolute path of the watched folder
 * @param isCaseless whether `RAW` is `raw`: as the system's own file systems have it
 */
export function compileIgnores(folder: string, globs: readonly string[], isCaseless = platform !== 'linux'): Ignores {
  // Some systems give names decomposed; a person types them composed.
  const fold = (text: string) => (isCaseless ? text.normalize('NFC').toLowerCase() : text.normalize('NFC'));
  const compiled = globs.map((glob) => ({ glob, fitsPlace: compile(fold(glob)) }));
  const start = folder.endsWith(sep) ? folder.length : folder.length + 1;
  const globOf = (path: string) => {
    if (compiled.length === 0) return null;
    const place = fold(path.slice(start)).split(sep);
    return compiled.find(({ fitsPlace }) => fitsPlace(place))?.glob ?? null;
  };
  const globAbove = (path: string): string | null => {
    if (!isInside(path, folder)) return null;
    return globOf(path) ?? globAbove(dirname(path));
  };
  return { globOf, globAbove };
}

export const ignoredReason = (glob: string) => `You left it out: it fits “${glob}”.`;

/** @returns whether a file or folder fits, by the names on the way to it from the watched folder */
function compile(glob: string): (place: readonly string[]) => boolean {
  const names = glob.replace(/\/$/, '').split('/');
  const [first = ''] = names;
  if (names.length === 1) return (place) => fitsName(first, place.at(-1) ?? '');
  if (first === '') names.shift();
  // At the end it means all that is inside, not the folder itself.
  if (names.at(-1) === '**') names.push('*');
  return (place) => fits(names, place, isAnyFolders, fitsName);
}

const isAnyFolders = (name: string) => name === '**';
const fitsName = (pattern: string, name: string) => fits(pattern, name, isAnyCharacters, fitsCharacter);
const isAnyCharacters = (sign: string) => sign === '*';
const fitsCharacter = (sign: string, character: string) => sign === '?' || sign === character;

/**
 * Whether `all` of something fits a pattern in which some signs stand for any run of it. Only the latest such sign is gone back to, so that no glob
 * takes for ever, as it may as a regular expression.
 */
function fits(
  pattern: ArrayLike<string>,
  all: ArrayLike<string>,
  isAny: (sign: string) => boolean,
  fitsOne: (sign: string, one: string) => boolean,
): boolean {
  let at = 0;
  let next = 0;
  let latestAny = -1;
  let tried = 0;
  while (next < all.length) {
    const sign = pattern[at];
    if (sign !== undefined && isAny(sign)) {
      latestAny = at++;
      tried = next;
    } else if (sign !== undefined && fitsOne(sign, all[next] ?? '')) {
      at += 1;
      next += 1;
    } else if (latestAny !== -1) {
      at = latestAny + 1;
      next = ++tried;
    } else return false;
  }
  while (at < pattern.length && isAny(pattern[at] ?? '')) at += 1;
  return at === pattern.length;
}
