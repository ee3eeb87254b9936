import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidInput, messageOf, Permanent } from '../../shared/errors.ts';
import { createRecorder } from './executionHistory.ts';
import type { Execution, Executions } from './executions.ts';
import { executionArn } from './names.ts';
import { type Repeated, repeat } from './repeat.ts';
import type { Run, StateMachine } from './stateMachine.ts';

export interface RunnerOptions {
  readonly executions: Executions;
  readonly stateMachine: StateMachine;
  /** How many run at a time; the others wait. Those that only wait for an answer, up to `maxParked`, do not count. */
  readonly concurrency: number;
  /** Gets each execution that ended in another way than SUCCEEDED, at least once; again when it throws other than that it never can. */
  onFailed(execution: Execution): Promise<void>;
  /** Gets one line when something of ours failed and will be tried again. */
  log(line: string): void;
}

export interface Runner {
  /** Begins to run: first what ran when the last process ended. */
  open(): void;
  /** To be called when there is a new execution. */
  wake(): void;
  /** Ends an execution as ABORTED, at once. The task under way ends by itself; nothing comes of it. */
  stop(execution: Execution, error: string, cause: string): void;
  /** Stops running. What ran is run again by the next process, from its beginning. */
  close(): Promise<void>;
}

const retryAfterMs = 10_000;
/** So many may wait for an answer, each with some 50 KB of its own. */
const maxParked = 100;

/** Makes what runs the executions, in their order. */
export function createRunner({ executions, stateMachine, concurrency, onFailed, log }: RunnerOptions): Runner {
  const closing = new AbortController();
  const active = new Map<number, { readonly run: Run; readonly done: Promise<void> }>();
  let latest = 0;
  /** Null until it is opened. */
  let reports: Repeated | null = null;

  const report = async () => {
    const failures: unknown[] = [];
    for (const execution of executions.unreported()) {
      if (closing.signal.aborted) return null;
      try {
        await onFailed(execution).catch((thrown: unknown) => giveUpOrRethrow(execution, thrown));
        executions.markReported(execution);
      } catch (thrown) {
        failures.push(thrown);
      }
    }
    // Those that failed are tried again after a pause, and have held up nobody.
    if (failures.length > 0) throw failures[0];
    return null;
  };

  const giveUpOrRethrow = (execution: Execution, thrown: unknown) => {
    if (!(thrown instanceof InvalidInput || thrown instanceof Permanent)) throw thrown;
    log(`The failed execution ${execution.name} cannot be passed on and stays failed: ${thrown.message}`);
  };

  const hasPlace = () => {
    const parked = [...active.values()].filter(({ run }) => run.isParked()).length;
    return active.size - Math.min(parked, maxParked) < concurrency;
  };

  const wake = () => {
    while (reports && !closing.signal.aborted && hasPlace()) {
      const execution = executions.nextRunning(latest);
      if (!execution) return;
      latest = execution.n;
      if (active.has(execution.n)) continue;
      const context = {
        Id: executionArn(execution.name),
        Input: JSON.parse(execution.input),
        Name: execution.name,
        StartTime: new Date(execution.startedAt).toISOString(),
      };
      const run = stateMachine.run(context, wake);
      active.set(execution.n, { run, done: follow(execution, run) });
    }
  };

  const follow = async (execution: Execution, run: Run) => {
    try {
      const record = createRecorder(stateMachine, (event) => executions.append(execution, event), executions.begin(execution));
      for await (const event of run.events) record(event);
      const ending = await run.ending;
      if (!closing.signal.aborted) executions.end(execution, ending);
    } catch (thrown) {
      log(`What happened to ${execution.name} could not be recorded; it will run again: ${messageOf(thrown)}`);
      run.abort();
      await sleep(retryAfterMs, undefined, { signal: closing.signal }).catch(() => {});
      latest = Math.min(latest, execution.n - 1);
    }
    active.delete(execution.n);
    reports?.wake();
    wake();
  };

  return {
    open() {
      if (closing.signal.aborted) return;
      reports = repeat(report, (thrown) => log(`A failed analysis could not be passed on and will be tried again: ${messageOf(thrown)}`));
      wake();
    },
    wake,
    stop(execution, error, cause) {
      executions.end(execution, { status: 'ABORTED', error, cause });
      active.get(execution.n)?.run.abort();
      reports?.wake();
    },
    async close() {
      closing.abort();
      for (const { run } of active.values()) run.abort();
      await Promise.all([...active.values()].map(({ done }) => done));
      await reports?.close();
    },
  };
}
