import { once } from 'node:events';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { type Clock, isoTime } from '../../../shared/clock.ts';
import { type commands, mostRedriven, type Redriven } from '../../../shared/commands.ts';
import { assertNever, Permanent, Transient } from '../../../shared/errors.ts';
import type { AssetId } from '../../../shared/model/asset.ts';
import type { Client } from '../../../shared/rpc.ts';
import { prepare, transaction } from '../db/openDatabase.ts';
import { sendAgain } from '../queue/jobs.ts';
import { repeat } from './repeat.ts';

export interface RedriveOptions {
  readonly db: DatabaseSync;
  readonly clock: Clock;
  readonly commands: Pick<Client<typeof commands>, 'redrive'>;
  /** Fulfils when what the cloud has answered meanwhile is known. */
  readonly ready: Promise<void>;
  /** Files changed their state, or wait to be sent again. */
  onChange(): void;
  /** Something else than the cloud failed. It is tried again. */
  onError(thrown: unknown): void;
}

/**
 * Asks the cloud to take up what came to no end there: by itself what it has not answered for a day, and by hand what it gave up. So nothing is lost by
 * what AWS loses: an event, a message, the news that an execution failed.
 */
export interface Redrives {
  /**
   * For a person: of one path, whatever has not come to an end; with null all that the cloud gave up or has not answered for a day.
   * @throws CloudUnavailable
   */
  byHand(path: string | null): Promise<void>;
  close(): Promise<void>;
}

interface Asked {
  readonly n: number;
  readonly asset: AssetId;
  readonly ext: string;
}

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;
/** A call for at most a hundred assets: nothing when all is answered. */
const lookEveryMs = hourMs;
/** While a call was not enough. Step Functions describes some ten executions a second. */
const soonMs = 30_000;
const retryMs = 10 * 60_000;
/** What waits for budget may rightly do so for months. */
const askAgainMs = { unanswered: dayMs, waiting: 7 * dayMs };
/** Rows changed in one go: bounds how long the event loop waits. */
const chunk = 500;

export function startRedrives({ db, clock, commands, ready, onChange, onError }: RedriveOptions): Redrives {
  /** Asks for these, and notes what became of them. */
  const ask = async (asked: readonly Asked[]) => {
    if (asked.length === 0) return;
    const originals = asked.map(({ asset, ext }) => ({ asset, ext }));
    const { assets } = await commands.redrive({ originals });
    await noteAnswers(db, clock, assets);
    onChange();
  };
  const lookOnce = async (signal: AbortSignal) => {
    await ready;
    if (signal.aborted) return 0;
    await schedule(db, clock.now());
    const due = dueAssets(db, clock.now());
    await ask(due);
    return due.length < mostRedriven ? lookEveryMs : soonMs;
  };
  const looking = repeat(async (signal) => {
    try {
      // A call that hangs must not hold up the end.
      const pause = await Promise.race([lookOnce(signal), once(signal, 'abort')]);
      return typeof pause === 'number' ? pause : 0;
    } catch (thrown) {
      if (signal.aborted) return 0;
      // That the cloud cannot be reached is told by `sync`.
      if (!(thrown instanceof Transient || thrown instanceof Permanent)) onError(thrown);
      return retryMs;
    }
  });

  return {
    async byHand(path) {
      if (path !== null) return ask(assetOf(db, path));
      for (let more = true; more; ) {
        const answer = await commands.redrive({ originals: null });
        await noteAnswers(db, clock, answer.assets);
        onChange();
        more = answer.more;
      }
      // Those of which no letter tells any more.
      for (let asked = failedAssets(db, -1); asked.length > 0; asked = failedAssets(db, asked.at(-1)?.n ?? 0)) await ask(asked);
      await askLateOnes(db);
      looking.wake();
    },
    close: looking.close,
  };
}

/** Also what was kept and is to be looked at again. The index `asset_unanswered` has the same condition. */
const isUnanswered =
  "uploaded = 1 AND (outcome IS NULL OR outcome = 'waiting' OR (outcome = 'kept' AND record ->> '$.pipelineVersion' = 0))";

/** Gives what was sent since the last look a day for its answer. */
async function schedule(db: DatabaseSync, now: number): Promise<void> {
  const statement = prepare(
    db,
    `UPDATE asset SET ask_at = ? WHERE n IN (SELECT n FROM asset WHERE ${isUnanswered} AND ask_at IS NULL LIMIT ${chunk})`,
  );
  while (Number(statement.run(now + dayMs).changes) === chunk) await setImmediate();
}

/** Those that were asked about without an answer since are due now. */
async function askLateOnes(db: DatabaseSync): Promise<void> {
  const statement = prepare(
    db,
    `UPDATE asset SET ask_at = 0
     WHERE n IN (SELECT n FROM asset WHERE ${isUnanswered} AND outcome IS NULL AND reason IS NOT NULL AND ask_at > 0 LIMIT ${chunk})`,
  );
  while (Number(statement.run().changes) === chunk) await setImmediate();
}

const columns = 'n, id AS asset, ext';

function dueAssets(db: DatabaseSync, now: number): Asked[] {
  const due = prepare(db, `SELECT ${columns} FROM asset WHERE ${isUnanswered} AND ask_at <= ? ORDER BY ask_at LIMIT ${mostRedriven}`);
  return due.all(now) as unknown as Asked[];
}

const hasFailed = "(outcome = 'failed' OR unfiled IS NOT NULL)";

/** What the cloud gave up, in order, after asset.n. */
function failedAssets(db: DatabaseSync, after: number): Asked[] {
  const failed = prepare(db, `SELECT ${columns} FROM asset WHERE ${hasFailed} AND n > ? ORDER BY n LIMIT ${mostRedriven}`);
  return failed.all(after) as unknown as Asked[];
}

/** What a path holds, unless it has come to an end, or is still to be sent. */
function assetOf(db: DatabaseSync, path: string): Asked[] {
  const held = prepare(
    db,
    `SELECT ${columns} FROM asset WHERE n = (SELECT asset FROM local_file WHERE path = ?) AND (${hasFailed} OR (${isUnanswered}))`,
  );
  return held.all(path) as unknown as Asked[];
}

async function noteAnswers(db: DatabaseSync, clock: Clock, answers: readonly Redriven[]): Promise<void> {
  for (const { asset, kind } of answers) {
    const n = prepare(db, 'SELECT n FROM asset WHERE id = ?').get(asset)?.['n'];
    // What another device sent, and nobody has heard of yet.
    if (n === undefined) continue;
    noteAnswer(db, clock, Number(n), kind);
    await setImmediate();
  }
}

function noteAnswer(db: DatabaseSync, clock: Clock, n: number, kind: Redriven['kind']): void {
  switch (kind) {
    case 'redriven':
      noteTaken(db, n, clock.now());
      break;
    case 'running':
      noteUnderWay(db, n, clock.now(), late);
      break;
    case 'none':
      // Its record is on its way here.
      noteUnderWay(db, n, clock.now(), null);
      break;
    case 'gone':
      // Without a file at hand it stays as it is.
      if (!sendAgain(db, n, isoTime(clock))) noteUnderWay(db, n, clock.now(), null);
      break;
    default:
      assertNever(kind);
  }
}

/** Its next record will say more; until then it is being analysed, or is as searchable as before. */
function noteTaken(db: DatabaseSync, n: number, now: number): void {
  transaction(db, () => {
    prepare(
      db,
      `UPDATE asset SET reason = iif(outcome IS NULL, :reason, NULL), outcome = NULL, ask_at = :askAt
       WHERE n = :n AND (outcome IS NULL OR outcome IN ('failed', 'waiting'))`,
    ).run({ n, askAt: now + askAgainMs.unanswered, reason: late });
    prepare(db, 'UPDATE asset SET unfiled = NULL WHERE n = ? AND unfiled IS NOT NULL').run(n);
    // What is known of a kept video stays.
    prepare(db, `UPDATE asset SET ask_at = ? WHERE n = ? AND outcome = 'kept' AND ${isUnanswered}`).run(now + askAgainMs.unanswered, n);
  });
}

function noteUnderWay(db: DatabaseSync, n: number, now: number, reason: string | null): void {
  prepare(
    db,
    `UPDATE asset SET reason = iif(outcome IS NULL, :reason, reason), ask_at = iif(outcome IS NULL, :soon, :later) WHERE n = :n AND ${isUnanswered}`,
  ).run({ n, reason, soon: now + askAgainMs.unanswered, later: now + askAgainMs.waiting });
}

const late = 'Stored safely. The cloud takes longer than usual and was asked what has become of it.';
