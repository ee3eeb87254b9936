import type { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import type { LocalFile } from '../../../shared/contract.ts';
import { assertNever } from '../../../shared/errors.ts';
import type { AssetId } from '../../../shared/model/asset.ts';
import { type FileState, type FileStateKind, fileStateKinds } from '../../../shared/model/localFile.ts';
import { parsePageCursor, writePageCursor } from '../pageCursor.ts';
import { prepare } from './openDatabase.ts';

/** How many bytes of an asset that is being sent are in the cloud. @param n asset.n */
export type BytesOf = (n: number) => number;

/** How many local files are in each state. */
export function countFiles(db: DatabaseSync): Record<FileStateKind, number> {
  const counts = noFiles();
  for (const row of prepare(db, 'SELECT state, files FROM file_count').all()) counts[row['state'] as FileStateKind] = Number(row['files']);
  return counts;
}

/** How many local files of these watched folders are in each state. @param folders watched_folder.id */
export function countFilesIn(db: DatabaseSync, folders: readonly number[]): Record<FileStateKind, number> {
  const rows = db
    .prepare('SELECT state, count(*) AS files FROM local_file WHERE folder IN (SELECT value FROM json_each(?)) GROUP BY state')
    .all(JSON.stringify(folders));
  return { ...noFiles(), ...Object.fromEntries(rows.map(({ state, files }) => [state, Number(files)])) };
}

const noFiles = () => Object.fromEntries(fileStateKinds.map((kind) => [kind, 0])) as Record<FileStateKind, number>;

/** Local files in one of `kinds` (all when empty), latest change of state first. `cursor` is the `next` of the page before. */
export function listFiles(
  db: DatabaseSync,
  { kinds, cursor, limit }: { kinds: readonly FileStateKind[]; cursor: string | null; limit: number },
  bytesOf: BytesOf,
): { items: LocalFile[]; next: string | null } {
  const before = cursor === null ? afterAll : parsePageCursor(position, cursor);
  const select = prepare(db, `${selectFiles} WHERE state = ? AND (changed_at, path) < (?, ?) ORDER BY changed_at DESC, path DESC LIMIT ?`);
  // State by state, as an index gives each in order; a page of all of them is a merge.
  const wanted = kinds.length === 0 ? fileStateKinds : [...new Set(kinds)];
  const found = wanted.flatMap((kind) => select.all(kind, before.at, before.path, limit + 1) as unknown as FileRow[]);
  const page = found.sort((a, b) => compare(b.at, a.at) || compare(b.path, a.path)).slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map((row) => toLocalFile(row, bytesOf)),
    next: last && found.length > limit ? writePageCursor({ at: last.at, path: last.path }) : null,
  };
}

/** The local files that hold an asset, by path. @param n asset.n */
export function filesOf(db: DatabaseSync, n: number, bytesOf: BytesOf): LocalFile[] {
  const rows = prepare(db, `${selectFiles} WHERE asset = ? ORDER BY path`).all(n);
  return (rows as unknown as FileRow[]).map((row) => toLocalFile(row, bytesOf));
}

interface FileRow {
  readonly path: string;
  readonly bytes: number;
  readonly at: string;
  readonly state: FileStateKind;
  readonly n: number | null;
  readonly asset: AssetId | null;
  readonly reason: string | null;
  readonly job_reason: string | null;
  readonly asset_reason: string | null;
  readonly unfiled: string | null;
}

const selectFiles = `
  SELECT path, size AS bytes, changed_at AS at, state, asset AS n, reason,
    (SELECT id FROM asset WHERE n = local_file.asset) AS asset,
    (SELECT reason FROM asset WHERE n = local_file.asset) AS asset_reason,
    (SELECT unfiled FROM asset WHERE n = local_file.asset) AS unfiled,
    (SELECT reason FROM upload_job WHERE upload_job.asset = local_file.asset) AS job_reason
  FROM local_file`;

const position = v.object({ at: v.string(), path: v.string() });
/** Comes after every time. */
const afterAll = { at: '~', path: '' };

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function toLocalFile(row: FileRow, bytesOf: BytesOf): LocalFile {
  return { path: row.path, asset: row.asset, bytes: row.bytes, state: toState(row, bytesOf) };
}

function toState({ state, n, bytes, reason, job_reason, asset_reason, unfiled }: FileRow, bytesOf: BytesOf): FileState {
  switch (state) {
    case 'settling':
    case 'searchable':
      return { kind: state };
    case 'analysing':
      return { kind: state, reason: asset_reason };
    case 'queued':
      return { kind: state, reason: job_reason };
    case 'uploading':
      return { kind: state, sent: n === null ? 0 : bytesOf(n), total: bytes };
    case 'failed':
      return { kind: state, reason: job_reason ?? (unfiled ? unfiledSentence(unfiled) : (asset_reason ?? '')) };
    case 'kept':
    case 'waiting':
    case 'rejected':
      return { kind: state, reason: asset_reason ?? '' };
    case 'skipped':
    case 'unreachable':
      return { kind: state, reason: reason ?? '' };
    default:
      return assertNever(state);
  }
}

const unfiledSentence = (why: string) => `It can be searched, but the cloud could not finish with its original: ${why}`;
