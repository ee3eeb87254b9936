import type { BigIntStats, Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, isoTime } from '../../../shared/clock.ts';
import { extensionOf, mediaKind } from '../../../shared/model/media.ts';
import { prepare, transaction } from '../db/openDatabase.ts';
import { fileTrouble, isAbsent, isUnnameable, unnameable } from './fileTrouble.ts';
import { type Folder, isInside } from './folders.ts';
import { type Ignores, ignoredReason } from './ignores.ts';
import { forgetFiles, type KnownFile, knownChildren, pathsBelow } from './knownFiles.ts';
import { lstatFiles } from './lstatFiles.ts';
import { mountPointsIn } from './mountPoints.ts';
import { lastChange, stampOf } from './stamp.ts';

/** A watched folder, and what is left out of it. */
export interface ScannedFolder extends Pick<Folder, 'id' | 'path'> {
  readonly ignores: Ignores;
}

/** A file that must be still for a while before it is taken up. */
export interface Unsettled {
  readonly path: string;
  readonly stamp: string;
  /** Milliseconds since 1970. */
  readonly changedAt: number;
}

export interface DirectoryScan {
  readonly subfolders: readonly string[];
  /** New or changed, and those that an earlier run left unsettled or unreadable. */
  readonly unsettled: readonly Unsettled[];
  /** Paths that were known and are not there any more, or are ignored now. Their assets stay. */
  readonly gone: readonly string[];
  /** Drives that were below and are not there any more; their rows stay. */
  readonly away: readonly string[];
  /** Whether any row was written or removed. */
  readonly changed: boolean;
}

/** How many files are looked at between two turns of the event loop: about a millisecond of work. */
const batchSize = 256;
/** What systems and storage boxes leave beside photos. Never reported: they are nobody's pictures. */
const systemNames = new Set([
  'thumbs.db',
  'desktop.ini',
  'ehthumbs.db',
  '@eadir',
  '$recycle.bin',
  'system volume information',
  '__macosx',
  '#recycle',
  '@recycle',
  'lost+found',
]);
/** What programs make of pictures, with many derivatives of each that nobody wants to pay for, and downloads that are not whole yet. */
const otherProgramsName = /\.(lrdata|imovielibrary|fcpbundle|theater|crdownload|download|opdownload|part|partial)$/i;
/** Libraries of Apple Photos, iPhoto and Aperture: their originals are a person's photos, and all else in them is made of those. */
const appleLibrary = /\.(photoslibrary|photolibrary|migratedphotolibrary|aplibrary)$/i;
const appleOriginals = new Set(['originals', 'masters']);

/** Whether a file or folder is hidden, or the system's or another program's own. One that a person watches by itself is looked at all the same. */
export function isLeftAlone(directory: string, name: string): boolean {
  if (name.startsWith('.') || systemNames.has(name.toLowerCase()) || otherProgramsName.test(name)) return true;
  return appleLibrary.test(directory) && !appleOriginals.has(name.toLowerCase());
}

/**
 * Compares one directory (not what is below it) with the database and brings the rows up to date. Symbolic links are not followed.
 * @param folder the watched folder that it belongs to
 * @throws the system's error when the directory cannot be listed; then nothing was written
 */
export async function scanDirectory(db: DatabaseSync, clock: Clock, folder: ScannedFolder, directory: string): Promise<DirectoryScan> {
  const entries = (await readdir(directory, { withFileTypes: true })).filter((entry) => !isLeftAlone(directory, entry.name));
  const known = await knownChildren(db, directory);
  const unsettled: Unsettled[] = [];
  const subfolders: string[] = [];
  const ignored: string[] = [];
  let changed = false;
  for (let at = 0; at < entries.length; at += batchSize) {
    const batch = entries.slice(at, at + batchSize);
    subfolders.push(...subfoldersIn(folder, directory, batch));
    const verdicts = await lookAt(folder, directory, batch, known.files);
    unsettled.push(...verdicts.filter((verdict) => verdict.unsettled));
    const news = verdicts.filter((verdict) => verdict.isNews);
    if (news.length > 0) store(db, clock, folder.id, news);
    ignored.push(...news.filter((verdict) => verdict.isDropped).map(({ path }) => path));
    changed ||= news.length > 0;
    await nextTurn();
  }
  // What was looked at was taken out of `known.files`.
  const found = new Set(subfolders);
  const lostFolders = known.subfolders.filter((path) => !found.has(path));
  const lost = [...known.files.keys()];
  const away = lostFolders.flatMap((path) => mountPointsIn(db, folder, path)).filter((path) => folder.ignores.globAbove(path) === null);
  for (const lostFolder of lostFolders) {
    const paths = await pathsBelow(db, lostFolder);
    lost.push(...paths.filter((path) => !away.some((drive) => isInside(path, drive))));
  }
  await forgetFiles(db, lost);
  return { subfolders, unsettled, gone: [...lost, ...ignored], away, changed: changed || lost.length > 0 };
}

function subfoldersIn({ ignores }: ScannedFolder, directory: string, entries: readonly Dirent[]): string[] {
  const paths = entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
  return paths.filter((path) => ignores.globOf(path) === null);
}

interface Verdict extends Unsettled {
  readonly size: number;
  readonly kind: 'settling' | 'skipped' | 'unreachable';
  readonly reason: string | null;
  readonly unsettled: boolean;
  /** It was known, and a person wants it left out now. */
  readonly isDropped: boolean;
  /** The row differs from what the database holds. */
  readonly isNews: boolean;
}

/** Judges files and takes them out of `known`; those that vanish meanwhile stay in it. */
async function lookAt(
  { ignores }: ScannedFolder,
  directory: string,
  entries: readonly Dirent[],
  known: Map<string, KnownFile>,
): Promise<Verdict[]> {
  // What `join` would give, in a tenth of its time.
  const prefix = directory.endsWith(sep) ? directory : directory + sep;
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ name }) => ({ name, path: prefix + name, glob: ignores.globOf(prefix + name) }));
  const wanted = files.filter(({ glob }) => glob === null);
  const found = await lstatFiles(wanted.map(({ path }) => path));
  const before = (path: string) => {
    const file = known.get(path);
    known.delete(path);
    return file;
  };
  const looked = found.flatMap((stats, i) => {
    const { name, path } = wanted[i] ?? { name: '', path: '' };
    return stats instanceof Error && isAbsent(stats) && !isUnnameable(name) ? [] : judge(path, stats, before(path));
  });
  return [...looked, ...files.flatMap(({ path, glob }) => (glob === null ? [] : judgeIgnored(path, glob, before(path))))];
}

/** It is not looked at, and has no stamp, so that it is new again once it is no longer ignored. */
function judgeIgnored(path: string, glob: string, before: KnownFile | undefined): Verdict {
  const reason = ignoredReason(glob);
  return { ...unread(path), kind: 'skipped', reason, isDropped: before !== undefined, isNews: before?.reason !== reason };
}

const unread = (path: string) => ({ path, size: 0, stamp: '', changedAt: 0, unsettled: false });

function judge(path: string, stats: BigIntStats | Error, before: KnownFile | undefined): Verdict {
  if (stats instanceof Error) {
    const isNameless = isAbsent(stats);
    const kind = isNameless ? 'skipped' : 'unreachable';
    const reason = isNameless ? unnameable : fileTrouble(stats);
    return { ...unread(path), kind, reason, isDropped: false, isNews: before?.reason !== reason };
  }
  const file = { path, size: Number(stats.size), stamp: stampOf(stats), changedAt: lastChange(stats), isDropped: false };
  if (before?.stamp === file.stamp) {
    const unsettled = before.kind === 'settling' || before.kind === 'unreachable';
    return { ...file, kind: 'settling', reason: null, unsettled, isNews: false };
  }
  const ext = extensionOf(path);
  if (mediaKind(ext)) return { ...file, kind: 'settling', reason: null, unsettled: true, isNews: true };
  const reason = `Not a photo or video Pixwatch knows${ext ? ` (.${ext})` : ''}.`;
  return { ...file, kind: 'skipped', reason, unsettled: false, isNews: true };
}

function store(db: DatabaseSync, clock: Clock, folder: number, rows: readonly Verdict[]): void {
  const upsert = prepare(
    db,
    `INSERT INTO local_file (path, folder, size, stamp, kind, reason, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (path) DO UPDATE SET size = excluded.size, stamp = excluded.stamp, kind = excluded.kind, reason = excluded.reason,
       changed_at = excluded.changed_at, folder = excluded.folder, asset = iif(excluded.kind = 'skipped', NULL, asset)`,
  );
  const now = isoTime(clock);
  transaction(db, () => {
    for (const { path, size, stamp, kind, reason } of rows) upsert.run(path, folder, size, stamp, kind, reason, now);
  });
}
