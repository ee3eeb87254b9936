import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { InvalidInput, messageOf, Permanent } from '../../../shared/errors.ts';
import { Damage } from '../damage.ts';
import { inspectDatabase, isCorruption, isSmall, versionOf } from '../inspectDatabase.ts';
import { shareRuns } from './sync.ts';

/** One string a schema version. Never edit a published one: add the next. Times are milliseconds since 1970, checksums and headers JSON. */
const migrations = [
  `
  CREATE TABLE bucket (name TEXT PRIMARY KEY, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE object (
    bucket TEXT NOT NULL REFERENCES bucket (name),
    key BLOB NOT NULL,                     -- UTF-8: bytes compare in the order in which S3 lists
    content TEXT NOT NULL,                 -- the parts that hold its bytes
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,                    -- without its quotes
    modified_at INTEGER NOT NULL,
    headers TEXT NOT NULL,                 -- to be sent with the object
    tags TEXT NOT NULL,
    checksum TEXT,
    PRIMARY KEY (bucket, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE upload (
    id TEXT PRIMARY KEY,                   -- becomes the content of the object
    bucket TEXT NOT NULL REFERENCES bucket (name),
    key BLOB NOT NULL,
    started_at INTEGER NOT NULL,
    headers TEXT NOT NULL,
    tags TEXT NOT NULL,
    checksum TEXT                          -- algorithm and type
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX upload_key ON upload (bucket, key, id);

  CREATE TABLE part (
    content TEXT NOT NULL,
    number INTEGER NOT NULL,
    blob TEXT NOT NULL,                    -- name of the file; one blob may serve several contents
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksum TEXT,
    modified_at INTEGER NOT NULL,
    PRIMARY KEY (content, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX part_blob ON part (blob);

  -- Events that have not been taken yet.
  CREATE TABLE event (
    n INTEGER PRIMARY KEY AUTOINCREMENT,   -- never given twice: it is the sequencer
    id TEXT NOT NULL,
    bucket TEXT NOT NULL,
    key BLOB NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    at INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    reason TEXT NOT NULL
  ) STRICT;
  `,
];

/** What the rest of the store sees of SQLite. `Row` is what the statement selects. */
export interface Database {
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[];
  /** Reads rows only as they are taken; take them within one turn of the event loop. */
  each<Row>(sql: string, ...values: SQLInputValue[]): Iterable<Row>;
  run(sql: string, ...values: SQLInputValue[]): void;
  /**
   * Runs `change` in a transaction, at once and as a whole: all it reads and writes is one state. Fulfils with its result when the
   * transaction is safe on the disk. What `change` throws undoes it.
   */
  commit<T>(change: () => T): Promise<T>;
  /** Null: it was read through and is sound. A large one is read in the background. */
  readonly inspected: Promise<Damage | null>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Whether it was there before, so that a missing one must not be made anew. Asked only when it is missing. */
  isKnown(): Promise<boolean>;
  log(line: string): void;
}

/** SQLite's own figure is 1,000 pages; a commit here writes 5 to 10. */
const commitsPerCheckpoint = 200;

/**
 * Opens `s3.db` in `dir`, made when missing.
 *
 * The event loop must not wait for the disk, so no fsync is left to SQLite on this thread: a commit appends to the write-ahead log without
 * one (`synchronous = NORMAL`), and `commit` then syncs the log in the thread pool, once for all that commit meanwhile. Checkpoints run in
 * a worker. See docs/adr/0003-own-s3-server.md.
 * @throws Damage when it is damaged, or missing although it was there before
 * @throws InvalidInput when a newer Pixwatch wrote it
 */
export async function openDatabase(dir: string, { isKnown, log }: OpenOptions): Promise<Database> {
  const path = join(dir, 's3.db');
  const version = existsSync(path) ? readVersion(path) : 0;
  if (version === 0 && (await isKnown())) throw new Damage(`${path} is missing or empty: ${contents}`);
  const inspected = inspectDatabase(path, migrations.length).then((found) => (found === null ? null : damaged(path, found)));
  // Whoever wants to know waits for it.
  inspected.catch(() => {});
  // An older one is copied before it is changed.
  const damage = isSmall(path) || version < migrations.length ? await inspected : null;
  if (damage) throw damage;
  const sqlite = new DatabaseSync(path, { timeout: 5000 });
  try {
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = ON');
    migrate(sqlite, path);
  } catch (thrown) {
    sqlite.close();
    throw thrown;
  }
  // Stays the same file until the last connection closes. The descriptor is closed before that.
  const walFile = await open(`${path}-wal`, 'r+');
  return wrap(sqlite, { walFile, inspected, checkpointer: createCheckpointer(path, log) });
}

const contents = 'the list of the photos that this computer stores, which lie beside it in the folder blobs.';
const damaged = (path: string, found: string) => new Damage(`${path} is damaged (${found}): ${contents}`);

/** @throws Damage when it is no database */
function readVersion(path: string): number {
  const sqlite = new DatabaseSync(path, { timeout: 5000 });
  try {
    return versionOf(sqlite);
  } catch (thrown) {
    throw isCorruption(thrown) ? damaged(path, messageOf(thrown)) : thrown;
  } finally {
    sqlite.close();
  }
}

function migrate(sqlite: DatabaseSync, path: string): void {
  const version = versionOf(sqlite);
  if (version > migrations.length) {
    throw new InvalidInput(
      `${path} was written by a newer Pixwatch. Install the newer Pixwatch, or choose another data folder with --data.`,
    );
  }
  sqlite.exec('BEGIN IMMEDIATE');
  for (const sql of migrations.slice(version)) sqlite.exec(sql);
  sqlite.exec(`PRAGMA user_version = ${migrations.length}; COMMIT`);
}

interface Behind {
  readonly walFile: FileHandle;
  readonly inspected: Database['inspected'];
  readonly checkpointer: Checkpointer;
}

function wrap(sqlite: DatabaseSync, { walFile, inspected, checkpointer }: Behind): Database {
  const statements = new Map<string, StatementSync>();
  const statement = (sql: string) => {
    const prepared = statements.get(sql) ?? sqlite.prepare(sql);
    statements.set(sql, prepared);
    return prepared;
  };
  const sync = shareRuns(syncOrFailForGood(walFile));
  let commits = 0;
  return {
    get: <Row>(sql: string, ...values: SQLInputValue[]) => statement(sql).get(...values) as Row | undefined,
    all: <Row>(sql: string, ...values: SQLInputValue[]) => statement(sql).all(...values) as Row[],
    each: <Row>(sql: string, ...values: SQLInputValue[]) => statement(sql).iterate(...values) as Iterable<unknown> as Iterable<Row>,
    run: (sql, ...values) => void statement(sql).run(...values),
    async commit(change) {
      const result = transact(sqlite, change);
      if (++commits % commitsPerCheckpoint === 0) checkpointer.run();
      await sync();
      return result;
    },
    inspected,
    async close() {
      await inspected.catch(() => null);
      await checkpointer.stop();
      await walFile.close();
      sqlite.close();
    },
  };
}

function transact<T>(sqlite: DatabaseSync, change: () => T): T {
  sqlite.exec('BEGIN IMMEDIATE');
  try {
    const result = change();
    sqlite.exec('COMMIT');
    return result;
  } catch (thrown) {
    // SQLite has rolled back by itself when the disk is full.
    if (sqlite.isTransaction) sqlite.exec('ROLLBACK');
    throw thrown;
  }
}

/** After one failed sync the system may have dropped what it could not write, and a later sync would succeed without it. */
function syncOrFailForGood(file: FileHandle): () => Promise<void> {
  let failure: unknown = null;
  return async () => {
    if (failure !== null) throw failure;
    try {
      await file.datasync();
    } catch (thrown) {
      failure = new Permanent(`The disk failed to keep what was written to it (${messageOf(thrown)}). Start Pixwatch again.`, {
        cause: thrown,
      });
      throw failure;
    }
  };
}

interface Checkpointer {
  run(): void;
  stop(): Promise<void>;
}

/** The worker is started when it is first needed: it takes a third of a second, and many who open the database write little. */
function createCheckpointer(path: string, log: (line: string) => void): Checkpointer {
  let worker: Worker | null = null;
  const start = () => {
    const started = new Worker(new URL('./checkpointWorker.ts', import.meta.url), { workerData: path });
    started.unref();
    started.on('message', (failure: string) => log(`The S3 metadata was not moved out of its log, which is tried again: ${failure}`));
    return started;
  };
  return {
    run() {
      worker ??= start();
      worker.postMessage('run');
    },
    async stop() {
      if (!worker) return;
      const ended = once(worker, 'exit');
      worker.ref();
      worker.postMessage('stop');
      await ended;
    },
  };
}
