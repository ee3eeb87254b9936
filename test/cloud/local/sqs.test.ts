import { join } from 'node:path';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../cloud/local/database.ts';
import { createQueues, type Queues } from '../../../cloud/local/queues.ts';
import { createSqs } from '../../../cloud/local/sqs.ts';
import { type Clock, systemClock } from '../../../shared/clock.ts';
import { scratchDir, serve } from './serve.ts';

const settings = new Map([
  ['inbox', { visibilityTimeout: 30_000, deadLetters: { queue: 'dead', maxReceiveCount: 2 } }],
  ['dead', { visibilityTimeout: 30_000 }],
]);

async function openQueues(dir: string, clock: Clock = systemClock): Promise<Queues> {
  const database = await openDatabase(join(dir, 'local.db'));
  onTestFinished(database.close);
  return createQueues(database.sql, clock, settings);
}

async function openSqs(clock?: Clock) {
  const client = new SQSClient(await serve({ sqs: createSqs(await openQueues(await scratchDir(), clock)) }));
  onTestFinished(() => client.destroy());
  const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: 'inbox' }));
  const dead = await client.send(new GetQueueUrlCommand({ QueueName: 'dead' }));
  const receive = async (options: object = {}) => {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, AttributeNames: ['All'], MessageAttributeNames: ['All'], ...options }),
    );
    return Messages;
  };
  return { client, QueueUrl, deadUrl: dead.QueueUrl, receive };
}

/** A clock that the test moves. */
function handClock() {
  let now = systemClock.now();
  const pass = (ms: number) => {
    now += ms;
  };
  return { now: () => now, pass };
}

test('a message is handed out once, with its attributes, until it is deleted', async () => {
  const { client, QueueUrl, receive } = await openSqs();
  const MessageAttributes = { asset: { DataType: 'String', StringValue: 'a1' } };
  const { MessageId } = await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'grüße "quoted"\n', MessageAttributes }));

  const [message] = await receive();
  expect(message).toMatchObject({ MessageId, Body: 'grüße "quoted"\n', MessageAttributes });
  expect(message?.Attributes?.['ApproximateReceiveCount']).toBe('1');
  expect(await receive()).toEqual([]);

  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  expect(Attributes).toMatchObject({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' });
});

test('a message that is not deleted comes again; its old receipt deletes nothing', async () => {
  const { client, QueueUrl, receive } = await openSqs();
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'again' }));
  const [first] = await receive();
  await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: first?.ReceiptHandle, VisibilityTimeout: 0 }));
  const [second] = await receive();
  expect(second).toMatchObject({ MessageId: first?.MessageId, Attributes: { ApproximateReceiveCount: '2' } });

  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: first?.ReceiptHandle }));
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  expect(Attributes?.['ApproximateNumberOfMessagesNotVisible']).toBe('1');
});

test('visibility timeout and delay follow the clock', async () => {
  const clock = handClock();
  const queues = await openQueues(await scratchDir(), clock);
  const receive = () => queues.receive('dead', { max: 10, wait: 0 });
  queues.send('dead', 'late', {}, 5_000);
  expect(await receive()).toEqual([]);
  expect(queues.count('dead')).toEqual({ waiting: 0, delayed: 1, inFlight: 0 });
  clock.pass(5_000);
  expect(await receive()).toHaveLength(1);
  clock.pass(29_999);
  expect(await receive()).toEqual([]);
  clock.pass(1);
  expect(await receive()).toHaveLength(1);
});

test('a message received too often moves to the dead letters and says where from', async () => {
  const { client, QueueUrl, deadUrl, receive } = await openSqs();
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'poison' }));
  for (let tries = 0; tries < 2; tries++) expect(await receive({ VisibilityTimeout: 0 })).toHaveLength(1);
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'good' }));

  expect(await receive()).toMatchObject([{ Body: 'good' }]);
  const [letter] = await receive({ QueueUrl: deadUrl });
  expect(letter).toMatchObject({ Body: 'poison', Attributes: { ApproximateReceiveCount: '1' } });
  expect(letter?.Attributes?.['DeadLetterQueueSourceArn']).toBe('arn:aws:sqs:us-east-1:000000000000:inbox');
});

test('a long poll answers as soon as a message is there', async () => {
  const { client, QueueUrl, receive } = await openSqs();
  const polling = receive({ WaitTimeSeconds: 20 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  const sentAt = performance.now();
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'now' }));
  expect(await polling).toHaveLength(1);
  expect(performance.now() - sentAt).toBeLessThan(1_000);
});

test('a client that goes away in a long poll takes no message with it', async () => {
  const { client, QueueUrl, receive } = await openSqs();
  const gone = new AbortController();
  const polling = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: gone.signal });
  await new Promise((resolve) => setTimeout(resolve, 100));
  gone.abort();
  await expect(polling).rejects.toThrow();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'still here' }));
  expect(await receive()).toHaveLength(1);
});

test('wrong input is answered as SQS answers it', async () => {
  const { client, QueueUrl } = await openSqs();
  await expect(client.send(new GetQueueUrlCommand({ QueueName: 'nope' }))).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  await expect(client.send(new SendMessageCommand({ QueueUrl: `${QueueUrl}x`, MessageBody: 'x' }))).rejects.toMatchObject({
    name: 'QueueDoesNotExist',
  });
  await expect(client.send(new SendMessageCommand({ QueueUrl, MessageBody: '' }))).rejects.toThrow('MessageBody');
  await expect(client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(2 ** 20 + 1) }))).rejects.toThrow('MessageBody');
  await expect(
    client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: 'none', VisibilityTimeout: 1 })),
  ).rejects.toMatchObject({ name: 'MessageNotInflight' });
});

test('what waits and what is in flight is there after the database was closed and opened', async () => {
  const dir = await scratchDir();
  const first = await openDatabase(join(dir, 'local.db'));
  const before = createQueues(first.sql, systemClock, settings);
  before.send('inbox', 'in flight');
  await before.receive('inbox', { max: 1, wait: 0 });
  before.send('inbox', 'waiting');
  await first.flush();
  await first.close();

  const after = await (await openQueues(dir)).receive('inbox', { max: 10, wait: 0 });
  expect(after.map((message) => [message.body, message.receiveCount])).toEqual([
    ['in flight', 2],
    ['waiting', 1],
  ]);
});
