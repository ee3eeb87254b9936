import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { expect, onTestFinished, test } from 'vitest';
import { openDynamodb } from '../../../cloud/local/dynamodb.ts';
import type { SignedRequest } from '../../../cloud/local/gateway/service.ts';
import { changesIndex } from '../../../shared/keys.ts';
import { scratchDir, serve } from './serve.ts';

const TableName = 'pixwatch';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function open(dir: string) {
  const dynamodb = await openDynamodb(join(dir, 'dynamodb'));
  await dynamodb.createTable(TableName);
  return dynamodb;
}

async function openClient() {
  const dynamodb = await open(await scratchDir());
  onTestFinished(dynamodb.close);
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(await serve({ dynamodb: dynamodb.service })));
  onTestFinished(() => client.destroy());
  const changes = (since: string) => ({
    TableName,
    IndexName: changesIndex,
    KeyConditionExpression: 'pk = :pk AND changedAt >= :since',
    ExpressionAttributeValues: { ':pk': 'local', ':since': since },
  });
  return { client, changes };
}

test('items are put by condition, and the changes index holds those with changedAt in its order', async () => {
  const { client, changes } = await openClient();
  await client.send(new PutCommand({ TableName, Item: { pk: 'local', sk: 'asset#pending' } }));
  await client.send(new PutCommand({ TableName, Item: { pk: 'local', sk: 'asset#b', changedAt: '2026-01-02', revision: 1 } }));
  await client.send(new PutCommand({ TableName, Item: { pk: 'local', sk: 'asset#a', changedAt: '2026-01-03', revision: 1 } }));
  await client.send(
    new UpdateCommand({
      TableName,
      Key: { pk: 'local', sk: 'asset#b' },
      UpdateExpression: 'SET revision = :two, changedAt = :at',
      ConditionExpression: 'revision = :one',
      ExpressionAttributeValues: { ':one': 1, ':two': 2, ':at': '2026-01-04' },
    }),
  );
  const put = new PutCommand({ TableName, Item: { pk: 'local', sk: 'asset#a' }, ConditionExpression: 'attribute_not_exists(pk)' });
  await expect(client.send(put)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException', $metadata: { httpStatusCode: 400 } });

  const first = await client.send(new QueryCommand({ ...changes('2026-01-01'), Limit: 1 }));
  const second = await client.send(new QueryCommand({ ...changes('2026-01-01'), ExclusiveStartKey: first.LastEvaluatedKey }));
  expect([...(first.Items ?? []), ...(second.Items ?? [])].map((item) => [item['sk'], item['revision']])).toEqual([
    ['asset#a', 1],
    ['asset#b', 2],
  ]);
});

test('errors have the names that DynamoDB gives them', async () => {
  const { client } = await openClient();
  await expect(client.send(new GetCommand({ TableName: 'other', Key: { pk: 'a', sk: 'b' } }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
  await expect(client.send(new GetCommand({ TableName, Key: { pk: 'a' } }))).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(client.send(new TransactGetCommand({ TransactItems: [] }))).rejects.toMatchObject({ name: 'UnknownOperationException' });
  await expect(client.send(new PutCommand({ TableName, Item: { pk: 1, sk: 'b' } }))).rejects.toThrow('Type mismatch for key pk');
});

test('items and table are there after it was closed and opened', async () => {
  const dir = await scratchDir();
  const before = await open(dir);
  const access = await serve({ dynamodb: before.service });
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(access));
  await client.send(new PutCommand({ TableName, Item: { pk: 'local', sk: 'asset#a', changedAt: '2026-01-01' } }));
  await before.close();

  const after = await open(dir);
  onTestFinished(after.close);
  const again = DynamoDBDocumentClient.from(new DynamoDBClient(await serve({ dynamodb: after.service })));
  const { Items } = await again.send(new ScanCommand({ TableName }));
  expect(Items).toEqual([{ pk: 'local', sk: 'asset#a', changedAt: '2026-01-01' }]);
});

test('queries leave nothing behind in memory', async () => {
  const dynamodb = await open(await scratchDir());
  onTestFinished(dynamodb.close);
  // Without HTTP, whose own garbage would hide what is looked for.
  const call = (operation: string, input: object) => {
    const headers = { 'x-amz-target': `DynamoDB_20120810.${operation}` };
    const request = { headers, readBody: async () => Buffer.from(JSON.stringify({ TableName, ...input })) } as unknown as SignedRequest;
    return dynamodb.service(request, { setHeader: () => {}, end: () => {} } as unknown as ServerResponse);
  };
  const queries = async (count: number) => {
    const query = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'local' } }, Limit: 10 };
    for (let i = 0; i < count; i++) await call('Query', query);
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  for (let i = 0; i < 100; i++) {
    await call('PutItem', { Item: { pk: { S: 'local' }, sk: { S: `asset#${i}` }, record: { S: 'x'.repeat(2_000) } } });
  }
  const before = await queries(500);
  // Iterators that stay open would keep more than 5 MB, and five times as much outside of the heap.
  expect((await queries(1_000)) - before).toBeLessThan(2e6);
});
