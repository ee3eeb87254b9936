import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdminCreateUserCommand, CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import * as dynamo from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DetectLabelsCommand, RekognitionClient } from '@aws-sdk/client-rekognition';
import * as s3 from '@aws-sdk/client-s3';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as names from '../../../../cloud/local/names.ts';
import { type LocalCloud, startLocalCloud } from '../../../../cloud/local/startLocalCloud.ts';
import { pixwatchModelsDir } from '../../../../desktop/host/dataDir.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { type Credentials, parseConnectionFile } from '../../../../shared/connection.ts';
import { assetItem, inboxKey, rejectedKey, renditionKey, ruleItem } from '../../../../shared/keys.ts';
import { type AssetRecord, assetId, type LibraryId } from '../../../../shared/model/asset.ts';
import type { RuleId } from '../../../../shared/model/rule.ts';
import { parse } from '../../../../shared/parse.ts';
import { type AccessRow, allowed, denied, me, other } from '../../access/desktopAccess.ts';
import { eventually } from '../serve.ts';
import { signingIn } from './signingIn.ts';

let dir: string;
let cloud: LocalCloud;
let people: ReturnType<typeof signingIn>;
let ann: Person;
let bob: Person;

/** Somebody who is signed in, and the clients with their keys. */
type Person = Clients & { readonly library: LibraryId };
type Clients = ReturnType<typeof clientsOf>;

function clientsOf(credentials: Credentials) {
  const config = { endpoint: cloud.endpoint, region: names.region, credentials: { ...credentials } };
  const clients = {
    s3: new s3.S3Client(config),
    dynamodb: new dynamo.DynamoDBClient(config),
    lambda: new LambdaClient(config),
    rekognition: new RekognitionClient(config),
    states: new SFNClient(config),
    sqs: new SQSClient(config),
    sns: new SNSClient(config),
    users: new CognitoIdentityProviderClient(config),
  };
  return { ...clients, document: DynamoDBDocumentClient.from(clients.dynamodb) };
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-access-'));
  cloud = await startLocalCloud({ dir, models: pixwatchModelsDir(process.env), clock: systemClock, log: () => {} });
  people = signingIn(cloud.endpoint, cloud.credentials);
  const enter = async (user: string): Promise<Person> => {
    const { library, keys } = await people.enter(user, `a password of ${user}`);
    return { library, ...clientsOf(keys) };
  };
  [ann, bob] = [await enter('ann'), await enter('bob')];
});
afterAll(async () => {
  people?.close();
  await cloud?.close();
  await rm(dir, { recursive: true, force: true });
});

test('the connection file says where to sign in, and reads as one', () => {
  expect(parseConnectionFile(JSON.stringify(cloud.connectionFile))).toEqual(cloud.connectionFile);
  expect(cloud.connectionFile).toMatchObject({ endpoint: cloud.endpoint, table: names.table, signIn: { userPool: names.userPool } });
});

/** A row of the table for the two people who are really there. */
const forReal = (row: AccessRow): AccessRow => JSON.parse(JSON.stringify(row).replaceAll(me, ann.library).replaceAll(other, bob.library));

type Send = (clients: Clients, target: Target) => Promise<unknown>;
interface Target extends AccessRow {
  readonly Bucket: string;
  readonly Key: string;
  readonly TableName: string;
  readonly IndexName: string | undefined;
  readonly partitions: readonly string[];
}

const Body = 'not what was there';
const asked = ({ context }: Target) => ({
  ...(context['s3:if-none-match'] && { IfNoneMatch: '*' }),
  ...(context['s3:if-match'] && { IfMatch: String(context['s3:if-match']) }),
});
const item = (pk = '') => ({ pk: { S: pk }, sk: { S: 'asset#0' } });
const query = ({ TableName, IndexName, partitions: [pk] }: Target) =>
  new dynamo.QueryCommand({
    ...{ TableName, ...(IndexName && { IndexName }) },
    ...(pk
      ? { KeyConditionExpression: '#p = :p', ExpressionAttributeNames: { '#p': 'pk' }, ExpressionAttributeValues: { ':p': { S: pk } } }
      : { KeyConditionExpression: 'sk = :s', ExpressionAttributeValues: { ':s': { S: 'x' } } }),
  });

/** How a row's action is asked for; what no request of the SDK's clients here asks for is missing. */
const senders: Record<string, Send> = {
  's3:PutObject': ({ s3: client }, target) =>
    target.context['s3:ObjectCreationOperation'] === 'false'
      ? client.send(new s3.CreateMultipartUploadCommand(target))
      : client.send(new s3.PutObjectCommand({ Bucket: target.Bucket, Key: target.Key, Body, ...asked(target) })),
  's3:PutObjectTagging': ({ s3: client }, { Bucket, Key }) =>
    client.send(new s3.PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } })),
  's3:PutObjectAcl': ({ s3: client }, { Bucket, Key }) =>
    client.send(new s3.PutObjectCommand({ Bucket, Key: `${Key}-new`, Body, IfNoneMatch: '*', ACL: 'public-read' })),
  's3:RestoreObject': ({ s3: client }, { Bucket, Key }) =>
    client.send(new s3.RestoreObjectCommand({ Bucket, Key, RestoreRequest: { Days: 1 } })),
  's3:GetObject': ({ s3: client }, { Bucket, Key }) => client.send(new s3.GetObjectCommand({ Bucket, Key })),
  's3:DeleteObject': ({ s3: client }, { Bucket, Key }) => client.send(new s3.DeleteObjectCommand({ Bucket, Key })),
  's3:AbortMultipartUpload': ({ s3: client }, { Bucket, Key }) =>
    client.send(new s3.AbortMultipartUploadCommand({ Bucket, Key, UploadId: 'none' })),
  's3:ListMultipartUploadParts': ({ s3: client }, { Bucket, Key }) =>
    client.send(new s3.ListPartsCommand({ Bucket, Key, UploadId: 'none' })),
  's3:ListBucket': ({ s3: client }, { Bucket, context }) => {
    const Prefix = context['s3:prefix'];
    return client.send(new s3.ListObjectsV2Command({ Bucket, ...(Prefix !== undefined && { Prefix: String(Prefix) }) }));
  },
  's3:ListBucketMultipartUploads': ({ s3: client }, { Bucket, context }) =>
    client.send(new s3.ListMultipartUploadsCommand({ Bucket, Prefix: String(context['s3:prefix']) })),
  's3:ListAllMyBuckets': ({ s3: client }) => client.send(new s3.ListBucketsCommand({})),
  's3:DeleteBucket': ({ s3: client }, { Bucket }) => client.send(new s3.DeleteBucketCommand({ Bucket })),
  'dynamodb:GetItem': ({ dynamodb }, { TableName, partitions: [pk] }) =>
    dynamodb.send(new dynamo.GetItemCommand({ TableName, Key: item(pk) })),
  'dynamodb:BatchGetItem': ({ dynamodb }, { TableName, partitions }) => {
    const Keys = partitions.map((pk, n) => ({ ...item(pk), sk: { S: `asset#${n}` } }));
    return dynamodb.send(new dynamo.BatchGetItemCommand({ RequestItems: { [TableName]: { Keys } } }));
  },
  'dynamodb:Query': ({ dynamodb }, target) => dynamodb.send(query(target)),
  'dynamodb:Scan': ({ dynamodb }, { TableName, IndexName }) =>
    dynamodb.send(new dynamo.ScanCommand({ TableName, ...(IndexName && { IndexName }) })),
  'dynamodb:PutItem': ({ dynamodb }, { TableName, partitions: [pk] }) =>
    dynamodb.send(new dynamo.PutItemCommand({ TableName, Item: item(pk) })),
  'dynamodb:UpdateItem': ({ dynamodb }, { TableName, partitions: [pk] }) =>
    dynamodb.send(new dynamo.UpdateItemCommand({ TableName, Key: item(pk) })),
  'dynamodb:DeleteItem': ({ dynamodb }, { TableName, partitions: [pk] }) =>
    dynamodb.send(new dynamo.DeleteItemCommand({ TableName, Key: item(pk) })),
  'dynamodb:BatchWriteItem': ({ dynamodb }, { TableName, partitions: [pk] }) =>
    dynamodb.send(new dynamo.BatchWriteItemCommand({ RequestItems: { [TableName]: [{ PutRequest: { Item: item(pk) } }] } })),
  'dynamodb:DescribeTable': ({ dynamodb }, { TableName }) => dynamodb.send(new dynamo.DescribeTableCommand({ TableName })),
  'dynamodb:DeleteTable': ({ dynamodb }, { TableName }) => dynamodb.send(new dynamo.DeleteTableCommand({ TableName })),
  'lambda:InvokeFunction': ({ lambda }, { resource }) => {
    const [, FunctionName = '', Qualifier] = /function:([^:]+)(?::(.+))?$/.exec(resource) ?? [];
    return lambda.send(
      new InvokeCommand({ FunctionName, ...(Qualifier && { Qualifier }), Payload: '{"command":"subscriptions","input":{}}' }),
    );
  },
  'rekognition:DetectLabels': ({ rekognition }) => rekognition.send(new DetectLabelsCommand({ Image: { Bytes: Buffer.from('x') } })),
  'states:StartExecution': ({ states }, { resource }) => states.send(new StartExecutionCommand({ stateMachineArn: resource, input: '{}' })),
  'sqs:SendMessage': ({ sqs }) =>
    sqs.send(new SendMessageCommand({ QueueUrl: names.backendNames(cloud.endpoint).inboxQueueUrl, MessageBody: 'x' })),
  'sns:Publish': ({ sns }, { resource }) => sns.send(new PublishCommand({ TopicArn: resource, Message: 'x' })),
  'cognito-idp:AdminCreateUser': ({ users }) =>
    users.send(new AdminCreateUserCommand({ UserPoolId: names.userPool, Username: 'x', TemporaryPassword: 'temporary' })),
};
const sendable = (rows: Record<string, AccessRow>) => Object.entries(rows).filter(([, { action }]) => action in senders);

/** The name of the error that a request is answered with; null when it went through. */
async function answerTo(person: Person, row: AccessRow): Promise<string | null> {
  const real = forReal(row);
  const [, Bucket = '', Key = ''] = /^arn:aws:s3:::([^/]+)(?:\/(.*))?$/.exec(real.resource) ?? [];
  const [, TableName = '', IndexName] = /:table\/([^/]+)(?:\/index\/(.*))?$/.exec(real.resource) ?? [];
  const partitions = [real.context['dynamodb:LeadingKeys'] ?? []].flat();
  const target = { ...real, Bucket, Key, TableName, IndexName, partitions };
  return (senders[real.action] as Send)(person, target).then(
    () => null,
    (thrown: Error) => thrown.name,
  );
}

describe('a signed-in desktop, by requests to the gateway', () => {
  test.each(sendable(allowed))('may have %s', async (_, row) => {
    expect([null, 'NoSuchKey', 'NoSuchUpload']).toContain(await answerTo(ann, row));
  });

  test.each(sendable(denied))('may not have %s', async (_, row) => {
    expect(['AccessDenied', 'AccessDeniedException']).toContain(await answerTo(ann, row));
  });

  test('all of the table can be sent but for two actions that the local cloud does not have', () => {
    const left = [...Object.values(allowed), ...Object.values(denied)].filter(({ action }) => !(action in senders));
    expect(left.map(({ action }) => action)).toEqual(['s3:DeleteObjectVersion', 'sts:AssumeRole']);
  });

  test.each([
    ['(pk) = :other AND changedAt > :own', 'with brackets around the key'],
    [':other = pk AND changedAt > :own', 'the other way round'],
    ['pk = :own AND pk = :other', 'with two partitions'],
    ['x.pk = :own AND (pk) = :other', 'with a path that ends like the key'],
  ])('a key condition that hides its partition is refused: %s', async (KeyConditionExpression) => {
    const ExpressionAttributeValues = { ':own': ann.library, ':other': bob.library };
    const asking = new QueryCommand({ TableName: names.table, IndexName: 'changes', KeyConditionExpression, ExpressionAttributeValues });
    await expect(ann.document.send(asking)).rejects.toThrow(/AccessDenied|not authorized/);
  });

  test('a copy into the own inbox needs the right to read its source', async () => {
    const asset = parse(assetId, 'cd'.repeat(32), 'asset');
    const theirs = inboxKey({ library: bob.library, asset, ext: 'bin' });
    await bob.s3.send(new s3.PutObjectCommand({ Bucket: names.inputBucket, Key: theirs, Body: 'bob’s own', IfNoneMatch: '*' }));
    const copy = new s3.CopyObjectCommand({
      ...{ Bucket: names.inputBucket, Key: inboxKey({ library: ann.library, asset, ext: 'bin' }) },
      ...{ CopySource: `${names.inputBucket}/${theirs}`, IfNoneMatch: '*' },
    });
    await expect(ann.s3.send(copy)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('an original is sent in parts, completed once, and never replaced', async () => {
    const asset = parse(assetId, 'ef'.repeat(32), 'asset');
    const at = { Bucket: names.inputBucket, Key: inboxKey({ library: ann.library, asset, ext: 'bin' }) };
    const send = async (condition: object) => {
      const { UploadId } = await ann.s3.send(new s3.CreateMultipartUploadCommand(at));
      const { ETag } = await ann.s3.send(new s3.UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: 'a part' }));
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      return ann.s3.send(new s3.CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload, ...condition }));
    };
    await expect(send({})).rejects.toMatchObject({ name: 'AccessDenied' });
    await send({ IfNoneMatch: '*' });
  });
});

async function upload({ s3: client, library }: Person, bytes: Buffer, ext: string) {
  const asset = parse(assetId, createHash('sha256').update(bytes).digest('hex'), 'asset');
  const ref = { library, asset, ext };
  await client.send(new s3.PutObjectCommand({ Bucket: names.inputBucket, Key: inboxKey(ref), Body: bytes, IfNoneMatch: '*' }));
  return ref;
}

async function command({ lambda }: Pick<Person, 'lambda'>, name: string, input: object) {
  const invoke = new InvokeCommand({ FunctionName: names.commandsFunction, Payload: JSON.stringify({ command: name, input }) });
  const { Payload, FunctionError } = await lambda.send(invoke);
  expect(FunctionError).toBeUndefined();
  return JSON.parse(Payload?.transformToString() ?? '');
}

describe('what somebody uploads goes through the pipeline into their own library', () => {
  const changesOf = async ({ document, library }: Person) => {
    const KeyConditionExpression = 'pk = :library AND changedAt >= :from';
    const ExpressionAttributeValues = { ':library': library, ':from': '0' };
    const { Items = [] } = await document.send(
      new QueryCommand({ TableName: names.table, IndexName: 'changes', KeyConditionExpression, ExpressionAttributeValues }),
    );
    return Items as AssetRecord[];
  };

  test('a photo, and nobody else sees it', async () => {
    await cloud.ready;
    const photo = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#369' } })
      .jpeg()
      .toBuffer();
    const ref = await upload(ann, photo, 'jpg');
    const record = await eventually(async () => (await changesOf(ann)).find(({ asset }) => asset === ref.asset), 60_000);
    expect(record).toMatchObject({ library: ann.library, outcome: { kind: 'analysed' } });

    const Key = renditionKey(ann.library, ref.asset, 'thumb');
    const { Body: thumb } = await ann.s3.send(new s3.GetObjectCommand({ Bucket: names.outputBucket, Key }));
    expect((await thumb?.transformToByteArray())?.length).toBeGreaterThan(50);
    const theirs = bob.s3.send(new s3.GetObjectCommand({ Bucket: names.outputBucket, Key }));
    await expect(theirs).rejects.toMatchObject({ name: 'AccessDenied' });
    expect((await changesOf(bob)).map(({ asset }) => asset)).not.toContain(ref.asset);

    expect((await command(ann, 'history', { asset: ref.asset })).length).toBeGreaterThan(3);
    expect(await command(bob, 'history', { asset: ref.asset })).toEqual([]);
    expect(await command(clientsOf(cloud.credentials), 'history', { asset: ref.asset })).toEqual([]);
  });

  test('what is no picture is rejected', async () => {
    const ref = await upload(bob, Buffer.from('no picture at all'), 'jpg');
    await eventually(async () => (await changesOf(bob)).find(({ asset }) => asset === ref.asset), 60_000);
    const head = () => bob.s3.send(new s3.HeadObjectCommand({ Bucket: names.inputBucket, Key: rejectedKey(ref) })).catch(() => null);
    expect(await eventually(head, 30_000)).toMatchObject({ ContentLength: 17 });
    // What is not there is not there, not forbidden: the sender relies on it.
    const gone = () =>
      bob.s3.send(new s3.HeadObjectCommand({ Bucket: names.inputBucket, Key: inboxKey(ref) })).then(
        () => null,
        (thrown: Error) => thrown.name,
      );
    expect(await eventually(gone, 30_000)).toBe('NotFound');
    expect(
      (
        await bob.document.send(
          new QueryCommand({
            TableName: names.table,
            KeyConditionExpression: 'pk = :pk AND sk = :sk',
            ExpressionAttributeValues: { ':pk': bob.library, ':sk': assetItem(bob.library, ref.asset).sk },
          }),
        )
      ).Count,
    ).toBe(1);
  });

  test('rules and subscriptions are each one’s own', async () => {
    const Item = { ...ruleItem(ann.library, 'r1' as RuleId), name: 'of ann' };
    await ann.dynamodb.send(
      new dynamo.PutItemCommand({ TableName: names.table, Item: { pk: { S: Item.pk }, sk: { S: Item.sk }, name: { S: Item.name } } }),
    );
    await command(ann, 'subscribe', { protocol: 'email', endpoint: 'ann@example.org' });
    expect(await command(ann, 'subscriptions', {})).toMatchObject([{ endpoint: 'ann@example.org' }]);
    expect(await command(bob, 'subscriptions', {})).toEqual([]);
    expect(await command(clientsOf(cloud.credentials), 'subscriptions', {})).toEqual([]);
  });
});
