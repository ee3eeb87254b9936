import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { expect, onTestFinished, test } from 'vitest';
import { createClients } from '../../../desktop/agent/clients.ts';
import { systemClock } from '../../../shared/clock.ts';
import type { CredentialsProvider } from '../../../shared/connection.ts';
import { mebibyte, photo, startSending, until } from './queue/sending.ts';
import type { Fault } from './upload/faultyLine.ts';
import { openStore, type Store } from './upload/store.ts';

const hourMs = 3_600_000;
const putWhole = /^PUT .*x-id=PutObject/;
const table = /^POST \/ HTTP/;
const s3Refusal = (code: string): Fault => ({
  kind: 'answer',
  status: '400 Bad Request',
  body: `<Error><Code>${code}</Code><Message>The provided token has expired.</Message></Error>`,
});
const jsonRefusal = (type: string): Fault => ({
  kind: 'answer',
  status: '400 Bad Request',
  body: JSON.stringify({ __type: `com.amazon.coral.service#${type}`, message: 'The security token included in the request is expired' }),
});

/** The agent's clients with a provider that notes how it is called; its keys are good for another hour, as it says. */
function clientsOf({ connection, credentials }: Store) {
  const calls: ('first' | 'forced')[] = [];
  const provider: CredentialsProvider = async ({ forceRefresh = false } = {}) => {
    calls.push(forceRefresh ? 'forced' : 'first');
    return { ...credentials, sessionToken: `token ${calls.length}`, expiration: new Date(systemClock.now() + hourMs) };
  };
  const clients = createClients(connection, provider);
  onTestFinished(() => clients.destroy());
  return { calls, clients, target: { ...clients, ...connection } };
}

test.each<[string, RegExp, Fault]>([
  ['S3: ExpiredToken', putWhole, s3Refusal('ExpiredToken')],
  ['S3: InvalidToken', putWhole, s3Refusal('InvalidToken')],
  ['S3: a HEAD, whose answer has no body to say why', /^HEAD /, { kind: 'answer', status: '400 Bad Request', body: '' }],
  ['DynamoDB: ExpiredTokenException', table, jsonRefusal('ExpiredTokenException')],
  ['DynamoDB: UnrecognizedClientException', table, jsonRefusal('UnrecognizedClientException')],
])('%s before the local expiry: new credentials are fetched and the queue goes on at once', async (_, firstLine, fault) => {
  const store = await openStore();
  const { calls, target } = clientsOf(store);
  const sending = await startSending({ store, target, backoff: { firstMs: hourMs, longestMs: hourMs } });
  store.line.inject(firstLine, fault);
  // Of a size that S3 is asked about before.
  const key = await sending.put('a.jpg', photo(firstLine.test('HEAD /') ? 9 * mebibyte : 1000));
  await sending.untilIdle();
  expect([...(await store.objects()).keys()]).toEqual([key]);
  expect(calls).toEqual(['first', 'forced']);
});

test('requests that are refused together: credentials are fetched once', async () => {
  const store = await openStore();
  const { calls, target } = clientsOf(store);
  const sending = await startSending({ store, target, backoff: { firstMs: hourMs, longestMs: hourMs } });
  sending.queue.pause();
  const keys = await Promise.all(['a', 'b', 'c', 'd'].map((name) => sending.put(`${name}.jpg`, photo())));
  await until(() => expect(Object.values(sending.states()).map(({ kind }) => kind)).toEqual(keys.map(() => 'queued')));
  for (const _ of keys) store.line.inject(putWhole, s3Refusal('ExpiredToken'));
  sending.queue.resume();
  await sending.untilIdle();
  expect([...(await store.objects()).keys()].toSorted()).toEqual(keys.toSorted());
  expect(calls).toEqual(['first', 'forced']);
});

test('new credentials that are refused too: it says to sign in again, and does not ask for more', async () => {
  const store = await openStore();
  const { calls, clients, target } = clientsOf(store);
  for (let i = 0; i < 2; i++) store.line.inject(table, jsonRefusal('ExpiredTokenException'));
  const get = new GetCommand({ TableName: target.table, Key: { pk: 'local', sk: 'asset#none' } });
  await expect(clients.dynamodb.send(get)).rejects.toThrow(/expired/);
  expect(calls).toEqual(['first', 'forced']);
});
