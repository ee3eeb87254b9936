import type { BigIntStats, Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, isoTime } from '../../../shared/clock.ts';
import { extensionOf, mediaKind } from '../../../shared/model/media.ts';
import { prepare, transaction } from '../db/openDatabase.ts';
import { fileTrouble, isAbsent, isUnnameable, unnameable } from './fileTrouble.ts';
import { forgetFiles, type KnownFile, knownChildren, pathsBelow } from './knownFiles.ts';
import { lstatFiles } from './lstatFiles.ts';
import { lastChange, stampOf } from './stamp.ts';

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
  /** Paths that were known and are not there any more. Their rows are removed; their assets stay. */
  readonly gone: readonly string[];
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
 * @param folder the row of the watched folder that it belongs to
 * @throws the system's error when the directory cannot be listed; then nothing was written
 */
export async function scanDirectory(db: DatabaseSync, clock: Clock, folder: number, directory: string): Promise<DirectoryScan> {
  const entries = (await readdir(directory, { withFileTypes: true })).filter((entry) => !isLeftAlone(directory, entry.name));
  const known = await knownChildren(db, directory);
  const unsettled: Unsettled[] = [];
  let changed = false;
  for (let at = 0; at < entries.length; at += batchSize) {
    const verdicts = await lookAt(directory, entries.slice(at, at + batchSize), known.files);
    unsettled.push(...verdicts.filter((verdict) => verdict.unsettled));
    const news = verdicts.filter((verdict) => verdict.isNews);
    if (news.length > 0) store(db, clock, folder, news);
    changed ||= news.length > 0;
  }
  // What was looked at was taken out of `known.files`.
  const subfolders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
  const lostFolders = known.subfolders.filter((path) => !subfolders.includes(path));
  const gone = [...known.files.keys(), ...lostFolders.flatMap((path) => pathsBelow(db, path))];
  await forgetFiles(db, gone);
  return { subfolders, unsettled, gone, changed: changed || gone.length > 0 };
}

interface Verdict extends Unsettled {
  readonly size: number;
  readonly kind: 'settling' | 'skipped' | 'unreachable';
  readonly reason: string | null;
  readonly unsettled: boolean;
  /** The row differs from what the database holds. */
  readonly isNews: boolean;
}

/** Judges files and takes them out of `known`; those that vanish meanwhile stay in it. */
async function lookAt(directory: string, entries: readonly Dirent[], known: Map<string, KnownFile>): Promise<Verdict[]> {
  const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  const found = await lstatFiles(names.map((name) => join(directory, name)));
  return found.flatMap((stats, i) => {
    const name = names[i] ?? '';
    const path = join(directory, name);
    if (stats instanceof Error && isAbsent(stats) && !isUnnameable(name)) return [];
    const before = known.get(path);
    known.delete(path);
    return judge(path, stats, before);
  });
}

function judge(path: string, stats: BigIntStats | Error, before: KnownFile | undefined): Verdict {
  if (stats instanceof Error) {
    const isNameless = isAbsent(stats);
    const kind = isNameless ? 'skipped' : 'unreachable';
    const reason = isNameless ? unnameable : fileTrouble(stats);
    return { path, size: 0, stamp: '', changedAt: 0, kind, reason, unsettled: false, isNews: before?.kind !== kind };
  }
  const file = { path, size: Number(stats.size), stamp: stampOf(stats), changedAt: lastChange(stats) };
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
       changed_at = excluded.changed_at, folder = excluded.folder`,
  );
  const now = isoTime(clock);
  transaction(db, () => {
    for (const { path, size, stamp, kind, reason } of rows) upsert.run(path, folder, size, stamp, kind, reason, now);
  });
}
