import { type FileHandle, open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { InvalidInput } from '../../shared/errors.ts';
import { inspectDatabase, versionOf } from './inspectDatabase.ts';

/**
 * The local cloud's own database, one string a schema version; `openDatabase` applies those it lacks. Never edit a published one: add
 * the next. Times are milliseconds since 1970.
 */
const migrations = [
  `
  -- What SQS holds.
  CREATE TABLE message (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    queue TEXT NOT NULL,
    body TEXT NOT NULL,
    attributes TEXT NOT NULL,              -- MessageAttributes as JSON
    sent_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    receive_count INTEGER NOT NULL DEFAULT 0,
    first_received_at INTEGER,
    receipt TEXT UNIQUE,                   -- of the latest receive
    source TEXT                            -- queue it was moved from by the redrive policy
  );
  CREATE INDEX message_due ON message (queue, visible_at, n);

  -- What Step Functions holds.
  CREATE TABLE execution (
    n INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('RUNNING', 'SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT')),
    input TEXT NOT NULL,
    output TEXT,
    error TEXT,
    cause TEXT,
    started_at INTEGER NOT NULL,
    stopped_at INTEGER,
    end_unreported INTEGER NOT NULL DEFAULT 0 -- 1: it ended badly and the backend has not been told yet
  );
  CREATE INDEX execution_status ON execution (status, n);
  CREATE INDEX execution_stopped ON execution (stopped_at);
  CREATE INDEX execution_end_unreported ON execution (n) WHERE end_unreported;
  CREATE TABLE history_event (
    execution INTEGER NOT NULL REFERENCES execution (n) ON DELETE CASCADE,
    id INTEGER NOT NULL,
    event TEXT NOT NULL,                   -- HistoryEvent as JSON
    PRIMARY KEY (execution, id)
  ) WITHOUT ROWID;

  -- What SNS holds.
  CREATE TABLE topic (arn TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE subscription (
    n INTEGER PRIMARY KEY,
    arn TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL REFERENCES topic (arn) ON DELETE CASCADE,
    protocol TEXT NOT NULL CHECK (protocol IN ('email', 'sms')),
    endpoint TEXT NOT NULL,
    filter_policy TEXT,                    -- JSON
    UNIQUE (topic, protocol, endpoint)
  );
  -- E-mails that wait to be handed to the mail server.
  CREATE TABLE email (
    n INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_try_at INTEGER NOT NULL
  );
  CREATE INDEX email_due ON email (next_try_at);
  `,
  `
  -- What Cognito holds: who may sign in, what is good for signing in again, and whose library is whose.
  CREATE TABLE user (
    name TEXT PRIMARY KEY,                 -- in lower case
    sub TEXT NOT NULL UNIQUE,
    salt TEXT NOT NULL,                    -- hexadecimal, as the verifier: of SRP, which keeps no password
    verifier TEXT NOT NULL,
    must_change_password INTEGER NOT NULL CHECK (must_change_password IN (0, 1)),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE refresh_token (
    hash TEXT PRIMARY KEY,                 -- SHA-256 of the token
    user TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX refresh_token_user ON refresh_token (user);
  -- Outlives its user, so that no later user gets the library.
  CREATE TABLE identity (sub TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE) WITHOUT ROWID;
  `,
  `
  -- What Rekognition holds of videos.
  CREATE TABLE video_job (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    request_token TEXT UNIQUE,             -- ClientRequestToken: the same request twice is one job
    request TEXT NOT NULL,                 -- JSON
    status TEXT NOT NULL CHECK (status IN ('IN_PROGRESS', 'SUCCEEDED', 'FAILED')),
    message TEXT,
    answer TEXT,                           -- what was found, as JSON
    ended_at INTEGER
  );
  CREATE INDEX video_job_status ON video_job (status, n);
  CREATE INDEX video_job_ended ON video_job (ended_at);
  `,
  `
  -- Who a password is of, to SRP: before, the name it was made for; since, the sub.
  ALTER TABLE user ADD COLUMN srp_user TEXT NOT NULL DEFAULT '';
  UPDATE user SET srp_user = name;
  `,
];

const SQLITE_BUSY = 5;

export interface Database {
  readonly sql: DatabaseSync;
  /**
   * Fulfils when everything committed before would survive a power cut too. The death of the process alone loses no commit, flushed or not.
   */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the database at `path`, made when missing and brought to this version's schema. It is locked for this process alone until it is
 * closed; the system drops the lock of a process that dies.
 * @throws InvalidInput when another process has it open, it is damaged, or a newer Pixwatch wrote it
 */
export async function openDatabase(path: string): Promise<Database> {
  try {
    const damage = await inspectDatabase(path, migrations.length);
    if (damage !== null) throw damaged(path, damage);
    return await openSound(path);
  } catch (thrown) {
    throw thrown instanceof Error && 'errcode' in thrown && thrown.errcode === SQLITE_BUSY ? inUse(path, thrown) : thrown;
  }
}

async function openSound(path: string): Promise<Database> {
  const sql = new DatabaseSync(path, { timeout: 0 });
  let log: FileHandle;
  try {
    // NORMAL leaves the fsync of each commit to `flush`, which does it off the event loop. Small checkpoints hold the loop for short.
    sql.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 250');
    sql.exec('PRAGMA foreign_keys = ON');
    sql.exec('BEGIN EXCLUSIVE');
    migrate(sql, path);
    sql.exec('COMMIT');
    log = await open(`${path}-wal`, 'r+');
  } catch (thrown) {
    sql.close();
    throw thrown;
  }
  return {
    sql,
    flush: () => log.datasync(),
    async close() {
      await log.close();
      sql.close();
    },
  };
}

const inUse = (path: string, cause: Error) =>
  new InvalidInput(
    `${path} is in use: Pixwatch is running on this data folder already. Close that one, or choose another folder with --data.`,
    {
      cause,
    },
  );

/** What waited is asked about by the agent: desktop/agent/sync/redrives.ts. */
const damaged = (path: string, found: string) =>
  new InvalidInput(
    `${path} is damaged (${found}). No photo is in it, but what waits to be looked at, who may sign in and who gets e-mails. If there is a backup of it, ` +
      'close Pixwatch and put that back. If not, move it to another place and start Pixwatch: it makes a new one. Photos that waited are taken up ' +
      'again within a day; whoever signed in or got e-mails must be set up again.',
  );

function migrate(database: DatabaseSync, path: string): void {
  const version = versionOf(database);
  if (version > migrations.length) {
    throw new InvalidInput(
      `${path} was written by a newer Pixwatch (data version ${version}; this one knows up to ${migrations.length}). ` +
        'Install the newer Pixwatch, or choose another folder with --data.',
    );
  }
  for (const sql of migrations.slice(version)) database.exec(sql);
  database.exec(`PRAGMA user_version = ${migrations.length}`);
}
