import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DetectLabelsCommand } from '@aws-sdk/client-rekognition';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { PublishCommand } from '@aws-sdk/client-sns';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { type Backend, backendFromEnv, createBackend } from '../../../cloud/steps/backend.ts';
import { systemClock } from '../../../shared/clock.ts';
import { InvalidInput, Transient } from '../../../shared/errors.ts';

const names = {
  inputBucket: 'in',
  outputBucket: 'out',
  table: 'table',
  topicArn: 'arn:aws:sns:us-east-1:000000000000:topic',
  alarmsTopicArn: 'arn:aws:sns:us-east-1:000000000000:alarms',
  videoTopicArn: 'arn:aws:sns:us-east-1:000000000000:videos',
  videoRoleArn: 'arn:aws:iam::000000000000:role/videos',
  stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:pipeline',
  inboxQueueUrl: 'http://127.0.0.1/000000000000/inbox',
  deadLetterQueueUrl: 'http://127.0.0.1/000000000000/dead',
};
const env = { PIXWATCH_NAMES: JSON.stringify(names), PIXWATCH_SETTINGS: '{}' };

let server: Server | undefined;
afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())));

/** A backend whose every call is answered with this status and body; at an endpoint where nobody listens without them. */
async function backendAnswering(answer?: { status: number; headers?: Record<string, string>; body: string }): Promise<Backend> {
  server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(answer?.status ?? 500, answer?.headers).end(answer?.body));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (!answer) await new Promise((resolve) => server?.close(resolve));
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
  return createBackend({ endpoint, region: 'us-east-1', credentials }, backendFromEnv(env, systemClock));
}

const calls: [string, (backend: Backend) => Promise<unknown>][] = [
  ['S3', ({ s3 }) => s3.send(new GetObjectCommand({ Bucket: 'in', Key: 'key' }))],
  ['DynamoDB', ({ dynamodb }) => dynamodb.send(new GetCommand({ TableName: 'table', Key: { pk: 'a', sk: 'b' } }))],
  ['Rekognition', ({ rekognition }) => rekognition.send(new DetectLabelsCommand({ Image: { Bytes: new Uint8Array(1) } }))],
  ['SNS', ({ sns, names }) => sns.send(new PublishCommand({ TopicArn: names.topicArn, Message: 'x' }))],
  ['Step Functions', ({ sfn, names }) => sfn.send(new StartExecutionCommand({ stateMachineArn: names.stateMachineArn }))],
  ['SQS', ({ sqs, names }) => sqs.send(new SendMessageCommand({ QueueUrl: names.inboxQueueUrl, MessageBody: 'x' }))],
];

describe('errors of AWS', () => {
  it.each(calls)('of %s: 503 and nobody answering are Transient', async (_, call) => {
    await expect(call(await backendAnswering({ status: 503, body: '' }))).rejects.toThrow(Transient);
    await expect(call(await backendAnswering())).rejects.toThrow(Transient);
  });

  it('throttling is Transient', async () => {
    const body = JSON.stringify({
      __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
      message: 'slow down',
    });
    const backend = await backendAnswering({ status: 400, headers: { 'content-type': 'application/x-amz-json-1.0' }, body });
    await expect(calls[1]?.[1](backend)).rejects.toThrow(Transient);
  });

  it('a refused permission stays an unknown error: no asset is rejected for it, and it is not tried again', async () => {
    const body = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>';
    const backend = await backendAnswering({ status: 403, headers: { 'content-type': 'application/xml' }, body });
    await expect(calls[0]?.[1](backend)).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

describe('backendFromEnv', () => {
  it('takes names and settings from the environment; for a setting that is absent, its default', () => {
    const backend = backendFromEnv(env, systemClock);
    expect(backend.names).toEqual(names);
    expect(backend.settings).toMatchObject({ minConfidence: 55, maxLabels: 10, secondsBetweenExecutions: 60, secondsBetweenMessages: 300 });
    const chosen = JSON.stringify({ minConfidence: 70.5, maxLabels: 25 });
    expect(backendFromEnv({ ...env, PIXWATCH_SETTINGS: chosen }, systemClock).settings).toMatchObject({
      minConfidence: 70.5,
      maxLabels: 25,
    });
  });

  it.each([
    ['a variable that is missing', { PIXWATCH_NAMES: undefined }, /PIXWATCH_NAMES: .*received undefined/],
    ['what is not JSON', { PIXWATCH_SETTINGS: '{"maxLabels": }' }, /PIXWATCH_SETTINGS: .*JSON/],
    ['a name that is missing', { PIXWATCH_NAMES: JSON.stringify({ ...names, table: undefined }) }, /PIXWATCH_NAMES, table/],
    ['a setting of the wrong type', { PIXWATCH_SETTINGS: '{"maxLabels": "many"}' }, /PIXWATCH_SETTINGS, maxLabels/],
    ['a setting out of range', { PIXWATCH_SETTINGS: '{"minConfidence": 101}' }, /PIXWATCH_SETTINGS, minConfidence/],
  ])('names %s', (_, wrong, message) => {
    expect(() => backendFromEnv({ ...env, ...wrong }, systemClock)).toThrow(InvalidInput);
    expect(() => backendFromEnv({ ...env, ...wrong }, systemClock)).toThrow(message);
  });
});
