import { randomUUID } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Clock } from '../../shared/clock.ts';
import type { HistoryEvent } from './executionHistory.ts';
import { account, executionArn, region, stateMachineArn } from './names.ts';
import type { Ending } from './stateMachine.ts';

export interface Execution {
  /** Grows from execution to execution. */
  readonly n: number;
  readonly name: string;
  readonly status: 'RUNNING' | Ending['status'];
  /** JSON, as it was given. */
  readonly input: string;
  /** JSON. */
  readonly output: string | null;
  readonly error: string | null;
  readonly cause: string | null;
  readonly startedAt: number;
  readonly stoppedAt: number | null;
}

export type StoredEvent = HistoryEvent & { readonly id: number };

/** Every execution of the state machine and its history, kept in SQLite. What is old goes by itself: see `keptHistories`, `keptForMs`. */
export interface Executions {
  /** @returns null when the name is taken */
  add(name: string, input: string): Execution | null;
  find(name: string): Execution | null;
  /** Newest first, those before `before`; of all statuses when `status` is null. */
  list(status: string | null, before: number, limit: number): Execution[];
  /** The first that runs, or waits to run, after `after`. */
  nextRunning(after: number): Execution | null;
  /** Notes that it is run, which is told as ExecutionRedriven after the first time. @returns the id of the event that the run follows */
  begin(execution: Execution): number;
  /** Does nothing when it has ended already. */
  end(execution: Execution, ending: Ending): void;
  /** Those that ended badly and whose end nobody was told yet. */
  unreported(): Execution[];
  markReported(execution: Execution): void;
  /** @returns the event's id, counted from 1 in each execution */
  append(execution: Execution, event: HistoryEvent): number;
  /** Events oldest or newest first, leaving out the first `offset`. */
  history(execution: Execution, newestFirst: boolean, offset: number, limit: number): StoredEvent[];
}

/** As long as Step Functions keeps an execution, and its name taken. */
const keptForMs = 90 * 24 * 60 * 60 * 1000;
/** How many executions keep their history: some 50 KB each, hence at most a few hundred MB. */
const keptHistories = 5_000;

export function createExecutions(sql: DatabaseSync, clock: Clock): Executions {
  const statements = prepareStatements(sql);
  const one = (row: Record<string, SQLOutputValue> | undefined) => (row ? toExecution(row) : null);
  const append = (execution: Execution, event: HistoryEvent) =>
    Number(statements.append.get({ execution: execution.n, event: JSON.stringify(event) })?.['id']);
  const lastEvent = (execution: Execution) => Number(statements.lastEvent.get(execution.n)?.['id']);
  /** Appends an event that happens now, after all others. */
  const note = (execution: Execution, type: string, details: object) =>
    append(execution, { timestamp: clock.now() / 1000, type, previousEventId: lastEvent(execution), ...details });

  return {
    add(name, input) {
      const execution = one(statements.add.get({ name, input, now: clock.now() }));
      if (execution) note(execution, 'ExecutionStarted', { executionStartedEventDetails: { input } });
      return execution;
    },
    find: (name) => one(statements.find.get(name)),
    list: (status, before, limit) => statements.list.all({ status, before, limit }).map(toExecution),
    nextRunning: (after) => one(statements.nextRunning.get(after)),
    begin(execution) {
      const last = lastEvent(execution);
      return last > 1 ? note(execution, 'ExecutionRedriven', {}) : last;
    },
    end(execution, ending) {
      const { changes } = statements.end.run({ n: execution.n, now: clock.now(), output: null, error: null, cause: null, ...ending });
      if (changes === 0) return;
      const { status, ...details } = ending;
      const { type, field } = endEvents[status];
      note(execution, type, { [field]: details });
      statements.forgetHistory.run(execution.n - keptHistories);
      statements.forget.run(clock.now() - keptForMs);
    },
    unreported: () => statements.unreported.all().map(toExecution),
    markReported: (execution) => void statements.markReported.run(execution.n),
    append,
    history(execution, newestFirst, offset, limit) {
      const statement = newestFirst ? statements.eventsBackwards : statements.events;
      const rows = statement.all({ execution: execution.n, offset, limit });
      return rows.map((row) => ({ id: Number(row['id']), ...JSON.parse(String(row['event'])) }));
    },
  };
}

const endEvents = {
  SUCCEEDED: { type: 'ExecutionSucceeded', field: 'executionSucceededEventDetails' },
  FAILED: { type: 'ExecutionFailed', field: 'executionFailedEventDetails' },
  ABORTED: { type: 'ExecutionAborted', field: 'executionAbortedEventDetails' },
  TIMED_OUT: { type: 'ExecutionTimedOut', field: 'executionTimedOutEventDetails' },
} as const;

function prepareStatements(sql: DatabaseSync) {
  return {
    add: sql.prepare(`
      INSERT INTO execution (name, status, input, started_at) VALUES (:name, 'RUNNING', :input, :now)
      ON CONFLICT (name) DO NOTHING RETURNING *`),
    find: sql.prepare('SELECT * FROM execution WHERE name = ?'),
    list: sql.prepare('SELECT * FROM execution WHERE (:status IS NULL OR status = :status) AND n < :before ORDER BY n DESC LIMIT :limit'),
    nextRunning: sql.prepare("SELECT * FROM execution WHERE status = 'RUNNING' AND n > ? ORDER BY n LIMIT 1"),
    end: sql.prepare(`
      UPDATE execution SET status = :status, output = :output, error = :error, cause = :cause, stopped_at = :now,
        end_unreported = :status <> 'SUCCEEDED'
      WHERE n = :n AND status = 'RUNNING'`),
    unreported: sql.prepare('SELECT * FROM execution WHERE end_unreported ORDER BY n LIMIT 100'),
    markReported: sql.prepare('UPDATE execution SET end_unreported = 0 WHERE n = ?'),
    append: sql.prepare(`
      INSERT INTO history_event (execution, id, event)
      SELECT :execution, coalesce(max(id), 0) + 1, :event FROM history_event WHERE execution = :execution RETURNING id`),
    lastEvent: sql.prepare('SELECT coalesce(max(id), 0) AS id FROM history_event WHERE execution = ?'),
    events: sql.prepare('SELECT id, event FROM history_event WHERE execution = :execution ORDER BY id LIMIT :limit OFFSET :offset'),
    eventsBackwards: sql.prepare(
      'SELECT id, event FROM history_event WHERE execution = :execution ORDER BY id DESC LIMIT :limit OFFSET :offset',
    ),
    forgetHistory: sql.prepare(`
      DELETE FROM history_event WHERE execution = (SELECT n FROM execution WHERE n = ? AND status <> 'RUNNING')`),
    forget: sql.prepare(`
      DELETE FROM execution
      WHERE n IN (SELECT n FROM execution WHERE stopped_at < ? AND NOT end_unreported ORDER BY stopped_at LIMIT 10)`),
  };
}

function toExecution(row: Record<string, SQLOutputValue>): Execution {
  const text = (value: SQLOutputValue | undefined) => (typeof value === 'string' ? value : null);
  return {
    n: Number(row['n']),
    name: String(row['name']),
    status: String(row['status']) as Execution['status'],
    input: String(row['input']),
    output: text(row['output']),
    error: text(row['error']),
    cause: text(row['cause']),
    startedAt: Number(row['started_at']),
    stoppedAt: row['stopped_at'] === null ? null : Number(row['stopped_at']),
  };
}

/** EventBridge's "Step Functions Execution Status Change" of an execution that has ended. */
export function statusChangeEvent(execution: Execution): object {
  const { name, status, input, output, error, cause, startedAt, stoppedAt } = execution;
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    account,
    time: new Date(stoppedAt ?? startedAt).toISOString(),
    region,
    resources: [executionArn(name)],
    detail: {
      ...{ executionArn: executionArn(name), stateMachineArn, name, status, input, output, error, cause },
      startDate: startedAt,
      stopDate: stoppedAt,
      inputDetails: { included: true },
      outputDetails: output === null ? null : { included: true },
    },
  };
}
