import { createHash } from 'node:crypto';
import { DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Backend } from './backend.ts';
import type { ExecutionInput } from './state.ts';

/** So many executions are tried for an object before it goes to the dead letters, and again as many after each redrive. */
export const executionsPerTry = 3;

/** Whether an object goes to the dead letters when this attempt fails. */
export const isLastAttempt = ({ attempt }: ExecutionInput) => attempt % executionsPerTry === 0;

/** The first attempt after this one that has all its executions before it, as after a redrive. */
export const firstOfNextTry = (attempt: number) => (Math.floor((attempt - 1) / executionsPerTry) + 1) * executionsPerTry + 1;

/** The same for the same object and attempt, so that starting it twice is impossible. */
export function executionName({ library, asset, version, attempt }: ExecutionInput): string {
  return createHash('sha256').update(`${library}|${asset}|${version}|${attempt}`).digest('hex').slice(0, 60);
}

export function executionArn({ names }: Backend, name: string): string {
  return `${names.stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
}

/**
 * Makes sure that an execution for this object runs or has succeeded: starts the given attempt, or the first after it that has not failed
 * yet. When the last of a try has failed it is in the dead letters, and only a redrive goes on.
 */
export async function startExecution(backend: Backend, input: ExecutionInput): Promise<void> {
  for (let attempt = input; ; attempt = { ...attempt, attempt: attempt.attempt + 1 }) {
    if (await startOrFindGood(backend, attempt)) return;
    if (isLastAttempt(attempt)) return;
  }
}

/**
 * The first attempt from this one on that was not made yet.
 * @returns null when one of them is under way
 */
export async function firstNotMade(backend: Backend, input: ExecutionInput): Promise<ExecutionInput | null> {
  for (let attempt = input; ; attempt = { ...attempt, attempt: attempt.attempt + 1 }) {
    const status = await statusOf(backend, attempt);
    if (status === null) return attempt;
    if (status === 'RUNNING' || status === 'PENDING_REDRIVE') return null;
  }
}

/** @returns null when there is no such execution, or it is forgotten */
async function statusOf(backend: Backend, input: ExecutionInput): Promise<string | null> {
  const describe = new DescribeExecutionCommand({ executionArn: executionArn(backend, executionName(input)) });
  try {
    return (await backend.sfn.send(describe)).status ?? null;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'ExecutionDoesNotExist') return null;
    throw thrown;
  }
}

/** @returns false when this attempt ran before and failed */
async function startOrFindGood(backend: Backend, input: ExecutionInput): Promise<boolean> {
  const { sfn, names } = backend;
  const name = executionName(input);
  try {
    await sfn.send(new StartExecutionCommand({ stateMachineArn: names.stateMachineArn, name, input: JSON.stringify(input) }));
    return true;
  } catch (thrown) {
    if (!(thrown instanceof Error && thrown.name === 'ExecutionAlreadyExists')) throw thrown;
  }
  const status = await statusOf(backend, input);
  return status === 'RUNNING' || status === 'SUCCEEDED' || status === 'PENDING_REDRIVE';
}
