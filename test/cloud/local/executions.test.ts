import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../cloud/local/database.ts';
import { createExecutions } from '../../../cloud/local/executions.ts';
import { systemClock } from '../../../shared/clock.ts';
import { scratchDir } from './serve.ts';

const day = 24 * 60 * 60 * 1000;

async function open() {
  const database = await openDatabase(join(await scratchDir(), 'local.db'));
  onTestFinished(database.close);
  let now = systemClock.now();
  const executions = createExecutions(database.sql, { now: () => now });
  const pass = (ms: number) => {
    now += ms;
  };
  const run = (name: string) => {
    const execution = executions.add(name, '{}');
    if (execution) executions.end(execution, { status: 'SUCCEEDED', output: '{}' });
    return execution;
  };
  return { executions, pass, run };
}

test('an execution and its name are kept for 90 days after its end', async () => {
  const { executions, pass, run } = await open();
  run('old');
  executions.add('long', '{}');
  pass(90 * day);
  run('tick');
  expect(run('old')).toBeNull();
  pass(1);
  run('tock');
  expect(executions.find('old')).toBeNull();
  expect(executions.find('long')?.status).toBe('RUNNING');
  expect(run('old')).not.toBeNull();
});

test('the newest 5,000 executions have their history, and those that run', async () => {
  const { executions, run } = await open();
  const first = run('first');
  const running = executions.add('running', '{}');
  const third = run('third');
  for (let i = 0; i < 4_999; i++) run(`more ${i}`);
  const eventsOf = (execution: ReturnType<typeof run>) => (execution ? executions.history(execution, false, 0, 10) : null);
  expect(eventsOf(first)).toEqual([]);
  expect(executions.find('first')?.status).toBe('SUCCEEDED');
  expect(eventsOf(running)).toMatchObject([{ id: 1, type: 'ExecutionStarted' }]);
  expect(eventsOf(third)).toMatchObject([
    { id: 1, type: 'ExecutionStarted' },
    { id: 2, type: 'ExecutionSucceeded', previousEventId: 1 },
  ]);
});
