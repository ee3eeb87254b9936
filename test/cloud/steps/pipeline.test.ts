import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { steps } from '../../../cloud/steps/steps.ts';

interface State {
  Type: string;
  Resource?: string;
  Parameters?: { FunctionName?: string };
  TimeoutSeconds?: number;
  Retry?: { ErrorEquals: string[]; MaxAttempts: number }[];
  Catch?: { ErrorEquals: string[] }[];
  Branches?: { States: Record<string, State> }[];
}

const { States } = JSON.parse(await readFile(new URL('../../../cloud/pipeline.asl.json', import.meta.url), 'utf8'));
const allStates = (states: Record<string, State>): [string, State][] =>
  Object.entries(states).flatMap(([name, state]) => [
    [name, state] as [string, State],
    ...(state.Branches ?? []).flatMap((branch) => allStates(branch.States)),
  ]);
const tasks = allStates(States).filter(([, { Type }]) => Type === 'Task');

describe('pipeline.asl.json', () => {
  it('has one task for each step, named as its placeholder', () => {
    const placeholders = tasks.map(([, { Resource, Parameters }]) => Parameters?.FunctionName ?? Resource);
    expect(placeholders.sort()).toEqual(
      Object.keys(steps)
        .map((name) => `\${${name}}`)
        .sort(),
    );
    for (const [name, { Resource }] of tasks) if (name !== 'VideoLabels') expect(Resource).toBe(`\${${name}}`);
  });

  it.each(tasks)('tries %s three times when that may help, and no unknown error', (_, { Retry, TimeoutSeconds }) => {
    expect(TimeoutSeconds).toBeGreaterThan(0);
    const others = Retry?.filter(
      ({ ErrorEquals }) => !ErrorEquals.some((name) => /^(Throttled|Lambda\.TooManyRequestsException)$/.test(name)),
    );
    expect(others?.map(({ MaxAttempts }) => MaxAttempts)).toEqual([2]);
    // What became of a function that was ended for its time or its memory, by whatever name Lambda says it.
    const ended = ['Lambda.Unknown', 'Lambda.ClientExecutionTimeoutException', 'Runtime.ExitError', 'Sandbox.Timedout'];
    expect(others?.[0]?.ErrorEquals).toEqual(expect.arrayContaining(['Transient', ...ended]));
    expect(others?.[0]?.ErrorEquals).not.toContain('States.ALL');
  });

  it.each(tasks.filter(([name]) => /^Detect|^VideoLabels$/.test(name)))('lets %s wait for its turn for hours', (_, { Retry }) => {
    // Throttled is a Transient by its class, but Step Functions only knows names.
    expect(Retry?.find(({ ErrorEquals }) => ErrorEquals.includes('Throttled'))).toMatchObject({
      MaxAttempts: expect.toSatisfy((attempts: number) => attempts >= 100),
      JitterStrategy: 'FULL',
    });
  });

  it('catches only what is wrong with the content, and that there is no budget: all else fails the execution and can be tried again', () => {
    const caught = allStates(States).flatMap(([, { Catch = [] }]) => Catch.flatMap(({ ErrorEquals }) => ErrorEquals));
    expect(new Set(caught)).toEqual(new Set(['Permanent', 'OverBudget']));
  });
});
