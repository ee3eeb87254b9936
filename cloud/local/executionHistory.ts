import { region } from './names.ts';
import type { StateEvent, StateMachine } from './stateMachine.ts';

/** An event of Step Functions' GetExecutionHistory, without its id. Times are seconds since 1970. */
export interface HistoryEvent {
  readonly timestamp: number;
  readonly type: string;
  readonly previousEventId: number;
  readonly [details: `${string}EventDetails`]: object;
}

/** Longer inputs and outputs of states are cut, so that the history of many executions stays small; characters. */
const longestData = 2_048;

const cut = (value: unknown) => JSON.stringify(value ?? null).slice(0, longestData);

const data = (field: 'input' | 'output', value: unknown) => {
  const json = JSON.stringify(value ?? null);
  return { [field]: json.slice(0, longestData), [`${field}Details`]: { truncated: json.length > longestData } };
};

/** Of a state whose function is not called by its ARN, but by Step Functions' integration, which waits for a token to be answered. */
const integration = { resourceType: 'lambda', resource: 'invoke.waitForTaskToken' };

/**
 * Translates what the interpreter tells into the events that AWS keeps of a run whose tasks are Lambda functions.
 * @param append keeps an event and answers its id
 * @param first id of the event that the run follows
 * @returns takes the interpreter's events one by one
 */
export function createRecorder(
  { branchOf, isWaiting }: Pick<StateMachine, 'branchOf' | 'isWaiting'>,
  append: (event: HistoryEvent) => number,
  first: number,
): (event: StateEvent) => void {
  /** Latest event by branch; a branch begins after the latest of the one around it. */
  const latest = new Map<string, number>([['', first]]);
  /** States whose latest try failed. */
  const failed = new Set<string>();

  const latestOf = (branch: string): number => latest.get(branch) ?? latestOf(branch.slice(0, branch.lastIndexOf('/')));

  return (event) => {
    if (!('state' in event)) return;
    const { name, type, input, output } = event.state;
    const branch = branchOf(name);
    const add = (kind: string, details: Record<`${string}EventDetails`, object> = {}) => {
      latest.set(branch, append({ timestamp: event.timestamp / 1000, type: kind, previousEventId: latestOf(branch), ...details }));
    };
    const addOfTask = (what: 'Scheduled' | 'Succeeded' | 'Failed' | 'TimedOut', details: object) => {
      if (isWaiting(name)) add(`Task${what}`, { [`task${what}EventDetails`]: { ...integration, ...details } });
      else add(`LambdaFunction${what}`, { [`lambdaFunction${what}EventDetails`]: details });
    };
    const begin = () => {
      failed.delete(name);
      if (type === 'Parallel' || type === 'Map') add(`${type}StateStarted`);
      if (type !== 'Task') return;
      addOfTask('Scheduled', isWaiting(name) ? { region, parameters: cut(input) } : { resource: name, ...data('input', input) });
      if (isWaiting(name)) add('TaskStarted', { taskStartedEventDetails: integration });
      else add('LambdaFunctionStarted');
    };

    switch (event.type) {
      case 'StateEntered':
        add(`${type}StateEntered`, { stateEnteredEventDetails: { name, ...data('input', input) } });
        return begin();
      case 'StateRetried':
        return begin();
      case 'StateFailed': {
        failed.add(name);
        const error = { error: event.Error, cause: String(event.Cause) };
        if (type === 'Parallel' || type === 'Map') return add(`${type}StateFailed`);
        if (type !== 'Task') return;
        return addOfTask(event.Error === 'States.Timeout' ? 'TimedOut' : 'Failed', error);
      }
      case 'StateExited':
        if (!failed.has(name) && (type === 'Parallel' || type === 'Map')) add(`${type}StateSucceeded`);
        if (!failed.has(name) && type === 'Task') addOfTask('Succeeded', data('output', output));
        return add(`${type}StateExited`, { stateExitedEventDetails: { name, ...data('output', output) } });
    }
  };
}
