import { existsSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type Clock, isoTime } from '../../../shared/clock.ts';
import { InvalidInput, messageOf, Permanent } from '../../../shared/errors.ts';
import { migrations } from './schema.ts';

/** Kept of the database in memory, in KiB. */
const cacheKib = 16 * 1024;
/** How long a statement waits for another process's write. */
const busyTimeoutMs = 5000;

/** The database in the folder of a backend's index. */
export const indexFile = (indexDir: string) => join(indexDir, 'agent.db');

export interface OpenOptions {
  readonly clock: Clock;
  /** The schema, one string a version. */
  readonly schema?: readonly string[];
}

/**
 * Opens the agent's database, making or migrating it. A large one takes seconds: `openApart` does the same without holding the event loop. Only the
 * process that holds the data folder's lock may call this. A damaged file is set aside, because all of it can be rebuilt from the watched folders and the cloud.
 * @returns the database, and the path a damaged one was moved to (null: it was sound)
 * @throws InvalidInput when the file was made by a newer Pixwatch
 */
export function openDatabase(file: string, { clock, schema = migrations }: OpenOptions): { db: DatabaseSync; setAside: string | null } {
  const setAside = isDamaged(file) ? moveAside(file, clock) : null;
  const db = connect(file);
  try {
    migrate(db, file, schema);
  } catch (thrown) {
    db.close();
    throw thrown;
  }
  return { db, setAside };
}

/** Opens a database that is known to be sound and up to date. */
export function connect(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  try {
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -${cacheKib}`);
  } catch (thrown) {
    db.close();
    throw thrown;
  }
  return db;
}

/**
 * Writes what is in the write-ahead log into the database itself, while another connection goes on reading and writing.
 * https://sqlite.org/pragma.html#pragma_wal_checkpoint
 * @throws SQLite's error, e.g. when the disk is full
 */
export function checkpoint(file: string): void {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  } finally {
    db.close();
  }
}

/**
 * Opens the database to look only, also while another process writes to it.
 * @throws InvalidInput when there is none yet, or it was made by another version of Pixwatch
 */
export function openDatabaseReadOnly(file: string): DatabaseSync {
  if (!existsSync(file)) throw new InvalidInput(`there is no library in ${file} yet: start Pixwatch with this data folder first`);
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs, readOnly: true });
  try {
    const version = versionOf(db);
    if (version > migrations.length) throw newerVersion(file);
    if (version < migrations.length)
      throw new InvalidInput(`${file} was made by an older Pixwatch: start the app once to bring it up to date`);
  } catch (thrown) {
    db.close();
    throw thrown;
  }
  return db;
}

/**
 * Runs `work` in one write transaction: all of it is stored, or nothing.
 * @throws what `work` throws, after undoing
 */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  prepare(db, 'BEGIN IMMEDIATE').run();
  try {
    const result = work();
    prepare(db, 'COMMIT').run();
    return result;
  } catch (thrown) {
    // SQLite has already undone it by itself after a full disk.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw thrown;
  }
}

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/**
 * The compiled form of a statement, made once. Compiling costs more than running, above all where triggers follow.
 * @param sql one of a limited number of texts, never one with values in it
 */
export function prepare(db: DatabaseSync, sql: string): StatementSync {
  const prepared = statements.get(db) ?? new Map<string, StatementSync>();
  statements.set(db, prepared);
  const statement = prepared.get(sql) ?? db.prepare(sql);
  prepared.set(sql, statement);
  return statement;
}

/** A damaged file often opens normally and fails much later, so its structure is checked. */
function isDamaged(file: string): boolean {
  if (!existsSync(file)) return false;
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs });
  try {
    return db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] !== 'ok';
  } catch (thrown) {
    if (isCorruption(thrown)) return true;
    throw new Permanent(`cannot read ${file}: ${messageOf(thrown)}`, { cause: thrown });
  } finally {
    db.close();
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB; https://sqlite.org/rescode.html */
function isCorruption(thrown: unknown): boolean {
  const code = thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : 0;
  return code === 11 || code === 26;
}

function moveAside(file: string, clock: Clock): string {
  const target = `${file}.damaged-${isoTime(clock).replaceAll(':', '-')}`;
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(file + suffix)) renameSync(file + suffix, target + suffix);
  return target;
}

function migrate(db: DatabaseSync, file: string, schema: readonly string[]): void {
  const version = versionOf(db);
  if (version > schema.length) throw newerVersion(file);
  if (version === schema.length) return;
  if (version > 0) backUp(db, `${file}.version-${version}`);
  transaction(db, () => {
    for (const step of schema.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${schema.length}`);
  });
}

/** Renamed into place when it is whole, so that an interrupted copy is never taken for a good one. */
function backUp(db: DatabaseSync, target: string): void {
  const unfinished = `${target}.unfinished`;
  rmSync(unfinished, { force: true });
  db.prepare('VACUUM INTO ?').run(unfinished);
  renameSync(unfinished, target);
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
}

function newerVersion(file: string): InvalidInput {
  return new InvalidInput(
    `${basename(file)} was made by a newer Pixwatch: update this one, or choose another data folder with --data (${file})`,
  );
}
