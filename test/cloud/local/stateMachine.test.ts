import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { expect, describe as group, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../cloud/local/database.ts';
import { createExecutions, type Execution, statusChangeEvent } from '../../../cloud/local/executions.ts';
import { executionArn, functionArn, stateMachineArn } from '../../../cloud/local/names.ts';
import { createRunner } from '../../../cloud/local/runner.ts';
import { loadStateMachine, type Task } from '../../../cloud/local/stateMachine.ts';
import { createStates } from '../../../cloud/local/states.ts';
import { createTaskTokens } from '../../../cloud/local/taskTokens.ts';
import { historyOf } from '../../../cloud/steps/history.ts';
import { steps } from '../../../cloud/steps/steps.ts';
import { systemClock } from '../../../shared/clock.ts';
import { InvalidInput, Permanent, Transient } from '../../../shared/errors.ts';
import { eventually, scratchDir, serve } from './serve.ts';

const task = (name: string) => ({ Type: 'Task', Resource: functionArn(name) });

/** In the shape of the pipeline: a task, branches side by side, a catch, a tail. */
const definition = {
  StartAt: 'admit',
  States: {
    admit: {
      ...task('admit'),
      Parameters: { 'asset.$': '$.asset', 'execution.$': '$$.Execution.Name' },
      Retry: [{ ErrorEquals: ['Transient'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 }],
      Next: 'look',
    },
    look: {
      Type: 'Parallel',
      Branches: [
        { StartAt: 'labels', States: { labels: { ...task('labels'), ResultPath: '$.labels', End: true } } },
        {
          StartAt: 'context',
          States: { context: { Type: 'Pass', Parameters: { 'seen.$': '$$.Execution', 'machine.$': '$$.StateMachine.Name' }, End: true } },
        },
      ],
      ResultSelector: { 'labels.$': '$[0].labels', 'context.$': '$[1]' },
      ResultPath: '$.found',
      Catch: [{ ErrorEquals: ['Permanent'], ResultPath: '$.error', Next: 'reject' }],
      Next: 'done',
    },
    reject: { ...task('reject'), End: true },
    done: { Type: 'Succeed' },
  },
};

const echo: Task = async (input) => input;
const tasks = { admit: echo, labels: async () => ['Dog'], reject: async (input: unknown) => ({ rejected: input }) };

interface Setup {
  readonly dir?: string;
  readonly tasks?: Record<string, Task>;
  readonly states?: object;
  readonly concurrency?: number;
  readonly onFailed?: (execution: Execution) => Promise<void>;
}

async function open(setup: Setup = {}) {
  const database = await openDatabase(join(setup.dir ?? (await scratchDir()), 'local.db'));
  const executions = createExecutions(database.sql, systemClock);
  const tokens = createTaskTokens();
  const stateMachine = loadStateMachine(JSON.stringify(setup.states ?? definition), { ...tasks, ...setup.tasks }, tokens);
  const lines: string[] = [];
  const runner = createRunner({
    executions,
    stateMachine,
    concurrency: setup.concurrency ?? 2,
    onFailed: setup.onFailed ?? (async () => {}),
    log: (line) => lines.push(line),
  });
  runner.open();
  const client = new SFNClient(await serve({ states: createStates(executions, runner, tokens) }));
  const close = async () => {
    await runner.close();
    await database.close();
  };
  const start = (name: string, input: object = { asset: name }) =>
    client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
  const describe = (name: string) => client.send(new DescribeExecutionCommand({ executionArn: executionArn(name) }));
  const ended = (name: string) =>
    eventually(async () => {
      const execution = await describe(name);
      return execution.status !== 'RUNNING' && execution;
    });
  const history = async (name: string, options: object = {}) => {
    const { events = [], nextToken } = await client.send(
      new GetExecutionHistoryCommand({ executionArn: executionArn(name), maxResults: 1000, ...options }),
    );
    return { events, nextToken };
  };
  return { client, start, describe, ended, history, lines, close };
}

/** As `open`, closed when the test is over. */
async function opened(setup?: Setup) {
  const machine = await open(setup);
  onTestFinished(machine.close);
  return machine;
}

/** A task that a test lets go on. */
function gate() {
  const waiting: (() => void)[] = [];
  const gated: Task = (input) => new Promise((resolve) => waiting.push(() => resolve(input)));
  return { gated, waiting, openAll: () => waiting.splice(0).forEach((go) => void go()) };
}

const single = (fields: object) => ({ StartAt: 'only', States: { only: { ...task('only'), End: true, ...fields } } });

test('the pipeline can be run: every task has its step, nothing in it is beyond the local state machine', async () => {
  const text = await readFile(new URL('../../../cloud/pipeline.asl.json', import.meta.url), 'utf8');
  const bound = Object.fromEntries(Object.keys(steps).map((name) => [name, echo]));
  expect(loadStateMachine(text, bound).branchOf('Pixelate')).toBe('/Look.3');
  expect(() => loadStateMachine(text, {})).toThrow('state Admit has no task');
});

test('an execution hands on parameters, results and its own context, also inside branches', async () => {
  const { start, ended } = await opened();
  const { startDate } = await start('walk', { asset: 'a1' });
  const { status, output, input, stopDate } = await ended('walk');
  expect(status).toBe('SUCCEEDED');
  expect(input).toBe('{"asset":"a1"}');
  expect(stopDate?.getTime()).toBeGreaterThanOrEqual(Number(startDate));
  expect(JSON.parse(output ?? '')).toEqual({
    asset: 'a1',
    execution: 'walk',
    found: {
      labels: ['Dog'],
      context: {
        seen: { Id: executionArn('walk'), Input: { asset: 'a1' }, Name: 'walk', StartTime: startDate?.toISOString() },
        machine: 'pixwatch-pipeline',
      },
    },
  });
});

test('a transient failure is tried again, a permanent one is caught with what Lambda says of it', async () => {
  let tries = 0;
  const { start, ended, history } = await opened({
    tasks: {
      admit: async (input) => {
        if (tries++ === 0) throw new Transient('throttled');
        return input;
      },
      labels: async () => {
        throw new Permanent('The picture is damaged.');
      },
    },
  });
  await start('mixed');
  const { status, output } = await ended('mixed');
  expect(status).toBe('SUCCEEDED');
  const { error } = JSON.parse(output ?? '').rejected;
  expect(error.Error).toBe('Permanent');
  expect(JSON.parse(error.Cause)).toMatchObject({ errorType: 'Permanent', errorMessage: 'The picture is damaged.' });

  const { events } = await history('mixed');
  const [failed] = events.filter((event) => event.type === 'LambdaFunctionFailed');
  expect(failed?.lambdaFunctionFailedEventDetails).toMatchObject({ error: 'Transient', cause: expect.stringContaining('throttled') });
  expect(events.filter((event) => event.type === 'LambdaFunctionScheduled')).toHaveLength(4);
});

test('the history tells each state as AWS does, linked to the event before in its branch', async () => {
  const { start, ended, history } = await opened();
  await start('told');
  await ended('told');
  const { events } = await history('told');
  const names = new Map(events.map((event) => [event.id, event]));
  const stateOf = (id = 0): string => {
    const event = names.get(id);
    return event?.stateEnteredEventDetails?.name ?? event?.stateExitedEventDetails?.name ?? stateOf(event?.previousEventId);
  };
  const main = events.filter((event) => event.type !== 'ExecutionStarted' && !['labels', 'context'].includes(stateOf(event.id)));
  expect(main.map((event) => event.type)).toEqual([
    'TaskStateEntered',
    'LambdaFunctionScheduled',
    'LambdaFunctionStarted',
    'LambdaFunctionSucceeded',
    'TaskStateExited',
    'ParallelStateEntered',
    'ParallelStateStarted',
    'ParallelStateSucceeded',
    'ParallelStateExited',
    'SucceedStateEntered',
    'SucceedStateExited',
    'ExecutionSucceeded',
  ]);
  const labels = events.filter((event) => event.type?.startsWith('LambdaFunction') && stateOf(event.id) === 'labels');
  expect(labels).toHaveLength(3);
  expect(events[0]?.executionStartedEventDetails?.input).toBe('{"asset":"told"}');

  const first = await history('told', { maxResults: 5 });
  const rest = await history('told', { nextToken: first.nextToken });
  expect([...first.events, ...rest.events]).toEqual(events);
  expect((await history('told', { reverseOrder: true })).events).toEqual(events.toReversed());
  const bare = (await history('told', { includeExecutionData: false })).events;
  expect(JSON.stringify(bare)).not.toContain('"input"');
});

test('a name starts one execution: again while it runs is the same, else it is taken', async () => {
  const { gated, openAll } = gate();
  const { start, ended } = await opened({ tasks: { admit: gated } });
  const first = await start('once');
  expect((await start('once')).startDate).toEqual(first.startDate);
  await expect(start('once', { asset: 'other' })).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  openAll();
  await ended('once');
  await expect(start('once')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
});

test('no more run at once than allowed; the others wait as RUNNING, in their order', async () => {
  const { gated, waiting } = gate();
  const { start, describe, ended } = await opened({ states: single({}), tasks: { only: gated }, concurrency: 2 });
  for (const name of ['a', 'b', 'c', 'd']) await start(name);
  await eventually(() => waiting.length === 2);
  expect((await describe('d')).status).toBe('RUNNING');
  for (const name of ['a', 'b', 'c', 'd']) {
    expect(waiting.length).toBeLessThanOrEqual(2);
    (await eventually(() => waiting.shift()))();
    expect((await ended(name)).status).toBe('SUCCEEDED');
  }
});

test('an execution that fails is passed on until it was taken, with the event that EventBridge would send', async () => {
  const passedOn: object[] = [];
  const { start, ended, lines } = await opened({
    states: single({}),
    tasks: {
      only: async () => {
        throw new Error('no permission');
      },
    },
    onFailed: async (execution) => {
      passedOn.push(statusChangeEvent(execution));
      if (passedOn.length === 1) throw new Transient('the queue is away');
    },
  });
  await start('bad');
  expect(await ended('bad')).toMatchObject({ status: 'FAILED', error: 'Error', cause: expect.stringContaining('no permission') });
  await eventually(() => passedOn.length === 2);
  expect(passedOn[1]).toMatchObject({
    source: 'aws.states',
    detail: { executionArn: executionArn('bad'), status: 'FAILED', input: '{"asset":"bad"}', error: 'Error', output: null },
  });
  expect(lines).toEqual([expect.stringContaining('the queue is away')]);
});

test('a failed execution that can never be passed on is told of and holds up no other', async () => {
  const passedOn: string[] = [];
  const failing: Task = async () => {
    throw new Error('bad');
  };
  const { start, lines } = await opened({
    states: single({}),
    tasks: { only: failing },
    onFailed: async ({ name }) => {
      if (name === 'odd') throw new InvalidInput('its input is no photo');
      passedOn.push(name);
    },
  });
  await start('odd');
  await start('plain');
  await eventually(() => passedOn.length === 1);
  expect(passedOn).toEqual(['plain']);
  expect(lines).toEqual([expect.stringContaining('odd cannot be passed on and stays failed: its input is no photo')]);
});

test('an execution can be stopped, running or waiting', async () => {
  const { gated, waiting } = gate();
  const failed: string[] = [];
  const { client, start, ended, history } = await opened({
    states: single({}),
    tasks: { only: gated },
    concurrency: 1,
    onFailed: async ({ name }) => void failed.push(name),
  });
  await start('running');
  await start('waiting');
  await eventually(() => waiting.length === 1);
  for (const name of ['waiting', 'running']) {
    await client.send(new StopExecutionCommand({ executionArn: executionArn(name), error: 'Stopped', cause: 'by hand' }));
    expect(await ended(name)).toMatchObject({ status: 'ABORTED', error: 'Stopped', cause: 'by hand' });
    expect((await history(name)).events.at(-1)?.type).toBe('ExecutionAborted');
  }
  await eventually(() => failed.length === 2);
  expect(waiting).toHaveLength(1);
});

test('too much output and too long a task fail as on AWS', async () => {
  const { start, ended, history } = await opened({
    states: {
      StartAt: 'slow',
      States: {
        slow: {
          ...task('slow'),
          TimeoutSeconds: 1,
          Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'much' }],
          End: true,
        },
        much: { ...task('much'), End: true },
      },
    },
    tasks: { slow: () => new Promise(() => {}), much: async () => 'x'.repeat(262_144) },
  });
  await start('big');
  expect(await ended('big')).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  expect((await history('big')).events.map((event) => event.type)).toContain('LambdaFunctionTimedOut');
});

group('a state that waits by a token', () => {
  const waits = {
    StartAt: 'ask',
    States: {
      ask: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
        Parameters: { FunctionName: functionArn('Ask'), Payload: { 'asset.$': '$.asset', 'token.$': '$$.Task.Token' } },
        ResultPath: '$.answer',
        TimeoutSeconds: 1,
        Retry: [{ ErrorEquals: ['States.Timeout'], IntervalSeconds: 1, MaxAttempts: 1 }],
        Catch: [{ ErrorEquals: ['Permanent'], ResultPath: '$.error', Next: 'caught' }],
        End: true,
      },
      caught: { Type: 'Pass', End: true },
    },
  };
  const asked = () => {
    const payloads: { asset: string; token: string }[] = [];
    return { payloads, Ask: async (input: unknown) => ({ ignored: payloads.push(input as (typeof payloads)[number]) }) };
  };

  test('goes on with what is answered, once, and has left its place to others meanwhile', async () => {
    const { payloads, Ask } = asked();
    const { client, start, ended, history } = await opened({ states: waits, tasks: { Ask }, concurrency: 1 });
    await start('one');
    await start('two');
    await eventually(() => payloads.length === 2);
    const [one, two] = payloads.toSorted((a, b) => a.asset.localeCompare(b.asset));
    const success = { taskToken: one?.token, output: '{"labels":["Dog"]}' };
    await client.send(new SendTaskHeartbeatCommand({ taskToken: one?.token }));
    await client.send(new SendTaskSuccessCommand(success));
    expect(JSON.parse((await ended('one')).output ?? '')).toEqual({ asset: 'one', answer: { labels: ['Dog'] } });
    await client.send(new SendTaskFailureCommand({ taskToken: two?.token, error: 'Permanent', cause: 'too dark' }));
    expect(JSON.parse((await ended('two')).output ?? '')).toEqual({ asset: 'two', error: { Error: 'Permanent', Cause: 'too dark' } });

    // As AWS tells of an integration; of one that is called by its ARN it tells LambdaFunction… events.
    const toldOf = async (name: string) => (await history(name)).events.filter(({ type }) => type?.startsWith('Task'));
    const lambda = { resourceType: 'lambda', resource: 'invoke.waitForTaskToken' };
    expect(await toldOf('one')).toMatchObject([
      { type: 'TaskStateEntered' },
      { type: 'TaskScheduled', taskScheduledEventDetails: { ...lambda, parameters: '{"asset":"one"}' } },
      { type: 'TaskStarted', taskStartedEventDetails: lambda },
      { type: 'TaskSucceeded', taskSucceededEventDetails: { ...lambda, output: expect.stringContaining('Dog') } },
      { type: 'TaskStateExited' },
    ]);
    expect(historyOf((await history('two')).events)).toMatchObject([
      { step: 'ask', what: 'entered' },
      { step: 'ask', what: 'failed', detail: 'too dark' },
      { step: 'caught', what: 'entered' },
      { step: 'caught', what: 'succeeded' },
    ]);

    const late = { name: 'TaskTimedOut' };
    await expect(client.send(new SendTaskSuccessCommand(success))).rejects.toMatchObject(late);
    await expect(client.send(new SendTaskHeartbeatCommand({ taskToken: 'unknown' }))).rejects.toMatchObject(late);
    await expect(client.send(new SendTaskSuccessCommand({ ...success, output: '{' }))).rejects.toMatchObject({ name: 'InvalidOutput' });
  });

  test('that runs out of time is tried again under another token', async () => {
    const { payloads, Ask } = asked();
    const { client, start, ended } = await opened({ states: waits, tasks: { Ask } });
    await start('slow');
    await eventually(() => payloads.length === 2);
    const [first, second] = payloads.map(({ token }) => token);
    const answer = (taskToken: string | undefined) => client.send(new SendTaskSuccessCommand({ taskToken, output: '"seen"' }));
    await expect(answer(first)).rejects.toMatchObject({ name: 'TaskTimedOut' });
    await answer(second);
    expect(JSON.parse((await ended('slow')).output ?? '')).toEqual({ asset: 'slow', answer: 'seen' });
  });

  test('fails as its function does', async () => {
    const Ask = async () => {
      throw new Permanent('no such format');
    };
    const { start, ended } = await opened({ states: waits, tasks: { Ask } });
    await start('bad');
    expect((await ended('bad')).output).toContain('no such format');
  });
});

test('what runs or waits when the process ends is run again from its beginning by the next', async () => {
  const dir = await scratchDir();
  const { gated, waiting } = gate();
  const before = await open({ dir, tasks: { labels: gated }, concurrency: 1 });
  await before.start('half-done');
  await before.start('waiting');
  await eventually(() => waiting.length === 1);
  await before.close();

  const admitted: unknown[] = [];
  const after = await opened({ dir, tasks: { admit: async (input) => ({ n: admitted.push(input) }) } });
  expect((await after.ended('half-done')).status).toBe('SUCCEEDED');
  expect((await after.ended('waiting')).status).toBe('SUCCEEDED');
  expect(admitted).toHaveLength(2);
  const types = (await after.history('half-done')).events.map((event) => event.type);
  expect(types.filter((type) => type === 'ExecutionRedriven')).toHaveLength(1);
  expect(types.at(-1)).toBe('ExecutionSucceeded');
  expect((await after.history('waiting')).events.map((event) => event.type)).not.toContain('ExecutionRedriven');
});

test('executions are listed newest first, by status, in pages', async () => {
  const { client, start, ended } = await opened({
    states: single({}),
    tasks: {
      only: async (input) => {
        if ((input as { fail?: boolean }).fail) throw new Error('bad');
        return {};
      },
    },
  });
  for (const name of ['a', 'b', 'c']) {
    await start(name, { fail: name === 'b' });
    await ended(name);
  }
  const list = async (options: object) => {
    const { executions = [], nextToken } = await client.send(new ListExecutionsCommand({ stateMachineArn, ...options }));
    return { names: executions.map((execution) => execution.name), nextToken };
  };
  expect((await list({})).names).toEqual(['c', 'b', 'a']);
  expect((await list({ statusFilter: 'FAILED' })).names).toEqual(['b']);
  const first = await list({ maxResults: 2 });
  expect(first.names).toEqual(['c', 'b']);
  expect((await list({ maxResults: 2, nextToken: first.nextToken })).names).toEqual(['a']);
});

test('wrong input is answered as Step Functions answers it', async () => {
  const { client, start, describe } = await opened();
  await expect(describe('none')).rejects.toMatchObject({ name: 'ExecutionDoesNotExist' });
  await expect(start('a/b')).rejects.toThrow('name');
  await expect(client.send(new StartExecutionCommand({ stateMachineArn, input: '{' }))).rejects.toMatchObject({
    name: 'InvalidExecutionInput',
  });
  await expect(client.send(new StartExecutionCommand({ stateMachineArn: `${stateMachineArn}x` }))).rejects.toMatchObject({
    name: 'StateMachineDoesNotExist',
  });
});

test('ResultPath "$" puts the result in the place of the input', async () => {
  const { start, ended } = await opened({ states: single({ ResultPath: '$' }), tasks: { only: async () => ({ found: 1 }) } });
  await start('replaced');
  expect((await ended('replaced')).output).toBe('{"found":1}');
});

test('a definition that would run differently here is refused', () => {
  const load = (states: object) => () => loadStateMachine(JSON.stringify(states), { only: echo });
  expect(load(single({ Parameters: { 'token.$': '$$.Task.Token' } }))).toThrow('$$.Task.');
  expect(load(single({ HeartbeatSeconds: 5 }))).toThrow('HeartbeatSeconds');
  expect(load({ ...single({}), QueryLanguage: 'JSONata' })).toThrow('JSONata');
  expect(load(single({ Next: 'Nowhere', End: undefined }))).toThrow('Nowhere');
});
