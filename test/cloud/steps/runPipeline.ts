import { readFile } from 'node:fs/promises';
import { type Ending, loadStateMachine } from '../../../cloud/local/stateMachine.ts';
import type { Backend } from '../../../cloud/steps/backend.ts';
import type { Claimant, Task } from '../../../cloud/steps/state.ts';
import { steps } from '../../../cloud/steps/steps.ts';

const definition = await readFile(new URL('../../../cloud/pipeline.asl.json', import.meta.url), 'utf8');

/** Runs the pipeline once for an asset. @param others in place of steps of the same name */
export function runPipeline(
  backend: Backend,
  { execution: Name, ...Input }: Claimant,
  others: Readonly<Record<string, Task>> = {},
): Promise<Ending> {
  const tasks = Object.entries<Task>({ ...steps, ...others }).map(([name, step]) => [name, (input: unknown) => step(input, backend)]);
  const execution = { Id: Name, Input, Name, StartTime: '2024-01-01T00:00:00.000Z' };
  return loadStateMachine(definition, Object.fromEntries(tasks)).run(execution).ending;
}
