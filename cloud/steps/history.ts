import { type GetExecutionHistoryCommandOutput, type HistoryEvent, paginateGetExecutionHistory } from '@aws-sdk/client-sfn';
import type { HistoryEntry } from '../../shared/contract.ts';
import type { Backend } from './backend.ts';
import { executionArn } from './executions.ts';
import { reasonOf } from './state.ts';

/** What happened in an execution, oldest first; empty when Step Functions does not know it (any more: it forgets after 90 days). */
export async function loadHistory(backend: Backend, execution: string): Promise<HistoryEntry[]> {
  const events: HistoryEvent[] = [];
  const pages = paginateGetExecutionHistory({ client: backend.sfn, pageSize: 1000 }, { executionArn: executionArn(backend, execution) });
  try {
    for await (const page of pages) events.push(...(page.events ?? []));
  } catch (thrown) {
    if (!(thrown instanceof Error && thrown.name === 'ExecutionDoesNotExist')) throw thrown;
  }
  return historyOf(events);
}

/** Step Functions' events, oldest first, as what a person wants to know: which step began, ended, failed, was tried again. */
export function historyOf(events: NonNullable<GetExecutionHistoryCommandOutput['events']>): HistoryEntry[] {
  const steps = new Map<number | undefined, string>();
  const failing = new Set<string>();
  return events.flatMap((event) => {
    const { id, previousEventId, timestamp, type = '' } = event;
    // Only the first and the last event of a state name it; those between follow on each other.
    const named = event.stateEnteredEventDetails?.name ?? event.stateExitedEventDetails?.name;
    const step = named ?? (type.startsWith('Execution') ? 'Execution' : (steps.get(previousEventId) ?? ''));
    steps.set(id, step);
    const what = whatHappened(type, failing.has(step));
    if (!what) return [];
    if (what === 'failed') failing.add(step);
    else failing.delete(step);
    return [{ at: (timestamp ?? new Date(0)).toISOString(), step, what, detail: what === 'failed' ? detailOf(event) : null }];
  });
}

function whatHappened(type: string, failing: boolean): HistoryEntry['what'] | null {
  if (type.endsWith('StateEntered')) return 'entered';
  // A state whose error is caught is left, too.
  if (type.endsWith('StateExited')) return failing ? null : 'succeeded';
  if (/^(LambdaFunction|Task|Activity)(Failed|TimedOut)$/.test(type)) return 'failed';
  if (/^(LambdaFunction|Task)Scheduled$/.test(type)) return failing ? 'retried' : null;
  return /^Execution(Failed|TimedOut|Aborted)$/.test(type) ? 'failed' : null;
}

function detailOf(event: HistoryEvent): string {
  const { error, cause } =
    event.lambdaFunctionFailedEventDetails ??
    event.lambdaFunctionTimedOutEventDetails ??
    event.taskFailedEventDetails ??
    event.taskTimedOutEventDetails ??
    event.executionFailedEventDetails ??
    event.executionTimedOutEventDetails ??
    event.executionAbortedEventDetails ??
    {};
  return reasonOf({ Error: error ?? 'unknown', Cause: cause ?? '' });
}
