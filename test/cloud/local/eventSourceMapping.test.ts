import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../cloud/local/database.ts';
import { type BatchResponse, type SqsRecord, startEventSourceMapping } from '../../../cloud/local/eventSourceMapping.ts';
import { createQueues } from '../../../cloud/local/queues.ts';
import { systemClock } from '../../../shared/clock.ts';
import { Transient } from '../../../shared/errors.ts';
import { eventually, scratchDir } from './serve.ts';

async function open(invoke: (event: { Records: SqsRecord[] }) => Promise<BatchResponse>) {
  const database = await openDatabase(join(await scratchDir(), 'local.db'));
  const queues = createQueues(
    database.sql,
    systemClock,
    new Map([
      ['inbox', { visibilityTimeout: 30_000, deadLetters: { queue: 'dead', maxReceiveCount: 2 } }],
      ['dead', { visibilityTimeout: 30_000 }],
    ]),
  );
  const lines: string[] = [];
  const inbox = startEventSourceMapping({ queues, queue: 'inbox', invoke, log: (line) => lines.push(line) });
  onTestFinished(async () => {
    await inbox.close();
    await database.close();
  });
  return { queues, lines };
}

test('messages are handed over in batches of at most ten, as SQS records, and then deleted', async () => {
  const batches: SqsRecord[][] = [];
  const { queues } = await open(async ({ Records }) => {
    batches.push(Records);
    return { batchItemFailures: [] };
  });
  for (let i = 0; i < 25; i++) queues.send('inbox', `message ${i}`);
  await eventually(() => batches.flat().length === 25);
  expect(batches.every((batch) => batch.length <= 10)).toBe(true);
  expect(new Set(batches.flat().map((record) => record.body)).size).toBe(25);
  expect(batches.flat()[0]).toMatchObject({
    messageId: expect.any(String),
    body: 'message 0',
    attributes: { ApproximateReceiveCount: '1' },
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:inbox',
    awsRegion: 'us-east-1',
  });
  await eventually(() => queues.count('inbox').inFlight === 0);
});

test('only what failed comes again, after a pause; what goes on failing goes to the dead letters', async () => {
  const handed: { body: string; at: number }[] = [];
  const { queues } = await open(async ({ Records }) => {
    handed.push(...Records.map(({ body }) => ({ body, at: performance.now() })));
    return { batchItemFailures: Records.filter(({ body }) => body === 'poison').map(({ messageId }) => ({ itemIdentifier: messageId })) };
  });
  queues.send('inbox', 'poison');
  queues.send('inbox', 'good');
  await eventually(() => queues.count('dead').waiting === 1);
  const times = (body: string) => handed.filter((record) => record.body === body).map((record) => record.at);
  expect(times('good')).toHaveLength(1);
  const [first = 0, second = 0, ...more] = times('poison');
  expect(second - first).toBeGreaterThan(900);
  expect(more).toEqual([]);
});

test('when the dispatcher itself fails, the whole batch comes again and the reason is told', async () => {
  let calls = 0;
  const { queues, lines } = await open(async () => {
    if (calls++ === 0) throw new Transient('Step Functions is away');
    return { batchItemFailures: [] };
  });
  queues.send('inbox', 'one');
  await eventually(() => calls === 2);
  await eventually(() => queues.count('inbox').inFlight === 0);
  expect(lines).toEqual([expect.stringContaining('Step Functions is away')]);
});
