import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DetectLabelsCommand, RekognitionClient } from '@aws-sdk/client-rekognition';
import { HeadObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import sharp from 'sharp';
import { expect, onTestFinished, test, vi } from 'vitest';
import * as names from '../../../cloud/local/names.ts';
import { type LocalCloudOptions, startLocalCloud } from '../../../cloud/local/startLocalCloud.ts';
import { pixwatchModelsDir } from '../../../desktop/host/dataDir.ts';
import { systemClock } from '../../../shared/clock.ts';
import type { Credentials } from '../../../shared/connection.ts';
import { analyzedKey, assetItem, inboxKey, type OriginalRef } from '../../../shared/keys.ts';
import { type AssetRecord, assetId } from '../../../shared/model/asset.ts';
import { parse } from '../../../shared/parse.ts';
import { answering } from './rekognition/answering.ts';
import { eventually, scratchDir } from './serve.ts';
import { startMailServer } from './smtp.ts';

const models = pixwatchModelsDir(process.env);
const { library, inputBucket, table } = names;

/** Without options it sees nothing in pictures, which takes no time. */
async function start(dir: string, options: Partial<LocalCloudOptions> = { rekognition: answering() }) {
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const cloud = await startLocalCloud({ dir, models, clock: systemClock, log, ...options });
  onTestFinished(cloud.close);
  return { cloud, lines, ...clientsOf(cloud.endpoint, cloud.credentials) };
}

function clientsOf(endpoint: string, credentials: Credentials) {
  // The SDK writes into the credentials it is given.
  const config = { endpoint, credentials: { ...credentials }, region: names.region };
  const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  const s3 = new S3Client(config);
  const put = (ref: OriginalRef, Body: Buffer) => s3.send(new PutObjectCommand({ Bucket: inputBucket, Key: inboxKey(ref), Body }));
  const record = async ({ asset }: OriginalRef) => {
    const { Item } = await dynamodb.send(new GetCommand({ TableName: table, Key: assetItem(library, asset), ConsistentRead: true }));
    return Item as AssetRecord | undefined;
  };
  const finished = (ref: OriginalRef) =>
    eventually(async () => {
      const found = await record(ref);
      return found && found.outcome.kind !== 'pending' && found;
    }, 30_000);
  return {
    ...{ s3, put, record, finished },
    lambda: new LambdaClient(config),
    rekognition: new RekognitionClient(config),
    sfn: new SFNClient(config),
    sns: new SNSClient(config),
    sqs: new SQSClient(config),
  };
}

interface Original {
  readonly ref: OriginalRef;
  readonly bytes: Buffer;
}

function original(ext: string, bytes: Buffer): Original {
  return { ref: { library, asset: parse(assetId, createHash('sha256').update(bytes).digest('hex'), 'asset'), ext }, bytes };
}

/** A picture that is different for each `n`. */
async function picture(n: number): Promise<Original> {
  const background = { r: (n * 37) % 256, g: 90, b: 160 };
  return original(
    'jpg',
    await sharp({ create: { width: 320, height: 240, channels: 3, background } })
      .jpeg()
      .toBuffer(),
  );
}

/** What passes for a video, which is kept without a look at it. */
const video = (n: number) => original('mp4', Buffer.concat([Buffer.from([0, 0, 0, 16]), Buffer.from(`ftypisom\0\0\0\0 ${n}`)]));

/** A local cloud in a process of its own, once it answers. */
async function startProcess(dir: string): Promise<{ child: ChildProcess; answer: string }> {
  const script = fileURLToPath(new URL('localCloudProcess.ts', import.meta.url));
  const child = spawn(process.execPath, [script, dir, models], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [answer] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, answer };
}

async function kill(child: ChildProcess) {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

test('a photo put into the inbox is looked at, recorded and moved, and its history can be asked for', async () => {
  const { cloud, put, finished, s3, lambda, lines } = await start(await scratchDir(), { workers: 1 });
  expect(cloud.connection).toEqual({
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    library: 'local',
    inputBucket: 'pixwatch-input',
    outputBucket: 'pixwatch-output',
    table: 'pixwatch',
    commandsFunction: 'pixwatch-commands',
  });
  const { ref, bytes } = await picture(1);
  await put(ref, bytes);
  expect(await finished(ref)).toMatchObject({
    outcome: { kind: 'analysed', category: 'failure' },
    media: { type: 'image/jpeg', width: 320 },
  });
  const moved = new HeadObjectCommand({ Bucket: inputBucket, Key: analyzedKey(ref, 'failure') });
  await eventually(() => s3.send(moved).catch(() => null));

  const Payload = JSON.stringify({ command: 'history', input: { asset: ref.asset } });
  const answer = await lambda.send(new InvokeCommand({ FunctionName: cloud.connection.commandsFunction, Payload }));
  const history = JSON.parse(answer.Payload?.transformToString() ?? '') as { step: string; what: string }[];
  expect(history.filter((entry) => entry.what === 'succeeded').map((entry) => entry.step)).toEqual(
    expect.arrayContaining(['Admit', 'Render', 'DetectLabels', 'DetectFaces', 'Pixelate', 'Categorise', 'Record']),
  );
  expect(lines).toEqual([]);
});

test('killed with objects waiting, executions running and e-mails unsent, the next process takes all of it up', async () => {
  const dir = await scratchDir();
  const mail = await startMailServer();
  await mail.close();
  const { child, answer } = await startProcess(dir);
  await writeFile(join(dir, 'smtp.json'), JSON.stringify({ host: '127.0.0.1', port: mail.port, from: 'pixwatch@example.org' }));
  const credentials = JSON.parse(await readFile(join(dir, 'credentials.json'), 'utf8'));
  const before = clientsOf(answer, credentials);
  await before.sns.send(new SubscribeCommand({ TopicArn: names.alertsTopicArn, Protocol: 'email', Endpoint: 'a@example.org' }));
  await before.sns.send(new PublishCommand({ TopicArn: names.alertsTopicArn, Message: 'a dog' }));
  const originals = [await picture(1), video(1), await picture(2), video(2), video(3)];
  for (const { ref, bytes } of originals) await before.put(ref, bytes);
  const running = new ListExecutionsCommand({ stateMachineArn: names.stateMachineArn, statusFilter: 'RUNNING' });
  await eventually(async () => (await before.record((await picture(1)).ref)) !== undefined);
  expect((await before.sfn.send(running)).executions?.length).toBeGreaterThan(0);
  await kill(child);

  const again = await startMailServer(mail.port);
  const { finished, sfn } = await start(dir);
  for (const { ref } of originals) expect((await finished(ref)).outcome.kind).toBe(ref.ext === 'jpg' ? 'analysed' : 'kept');
  await eventually(() => again.inbox.some((message) => message.includes('a dog')));
  await eventually(async () => (await sfn.send(running)).executions?.length === 0);
});

test('what nothing can be done with goes to the dead letters with its reason, and its neighbours go on', async () => {
  const { sqs, s3, put, finished, cloud } = await start(await scratchDir());
  const url = (queue: string) => `${cloud.endpoint}/${names.account}/${queue}`;
  await sqs.send(new SendMessageCommand({ QueueUrl: url(names.inboxQueue), MessageBody: 'nonsense' }));
  await s3.send(new PutObjectCommand({ Bucket: inputBucket, Key: 'inbox/local/../x.jpg', Body: 'x' }));
  await s3.send(new PutObjectCommand({ Bucket: inputBucket, Key: 'elsewhere/x.jpg', Body: 'not for the inbox' }));
  const { ref, bytes } = video(1);
  await put(ref, bytes);

  const letters: string[] = [];
  const receive = new ReceiveMessageCommand({ QueueUrl: url(names.deadLetterQueue), MaxNumberOfMessages: 10, WaitTimeSeconds: 1 });
  await eventually(async () => {
    const { Messages = [] } = await sqs.send(receive);
    letters.push(...Messages.map(({ Body = '' }) => JSON.parse(Body).reason));
    return letters.length === 2;
  });
  expect(letters).toEqual(expect.arrayContaining([expect.stringContaining('not JSON'), expect.stringContaining('not an inbox key')]));
  expect((await finished(ref)).outcome.kind).toBe('kept');
});

test('its keys are random, for their owner only, and stay; requests with others are refused', async () => {
  const dir = await scratchDir();
  const first = await start(dir);
  await first.cloud.close();
  const second = await start(dir);
  expect(second.cloud.credentials).toEqual(first.cloud.credentials);
  expect((await stat(join(dir, 'credentials.json'))).mode & 0o777).toBe(0o600);
  expect((await stat(dir)).mode & 0o777).toBe(0o700);

  const other = await start(await scratchDir());
  expect(other.cloud.credentials).not.toEqual(second.cloud.credentials);
  const stranger = clientsOf(second.cloud.endpoint, other.cloud.credentials);
  await expect(stranger.s3.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
  const liar = { ...second.cloud.credentials, secretAccessKey: other.cloud.credentials.secretAccessKey };
  await expect(clientsOf(second.cloud.endpoint, liar).sqs.send(new ReceiveMessageCommand({ QueueUrl: 'x' }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 403 },
  });

  await writeFile(join(dir, 'credentials.json'), '{"accessKeyId": "secret-1"');
  await second.cloud.close();
  const damaged = await startLocalCloud({ dir, models, clock: systemClock, log: () => {} }).catch(String);
  expect(damaged).toMatch(/credentials\.json is damaged\. Delete it/);
  expect(damaged).not.toContain('secret-1');
});

test('one process has the folder; one that was killed has it no longer', async () => {
  const dir = await scratchDir();
  const { child, answer } = await startProcess(dir);
  expect(answer).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  await expect(start(dir)).rejects.toThrow(/is in use: Pixwatch is running on this data folder already/);
  const second = await startProcess(dir);
  expect(second.answer).toMatch(/^InvalidInput: .*is in use/);
  await kill(child);
  await start(dir);
});

test('a folder of a newer Pixwatch is refused and left as it is', async () => {
  const dir = await scratchDir();
  const { cloud } = await start(dir);
  await cloud.close();
  const database = new DatabaseSync(join(dir, 'local.db'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  await expect(start(dir)).rejects.toMatchObject({
    name: 'InvalidInput',
    message: expect.stringContaining('newer Pixwatch (data version 99'),
  });
  await expect(start(dir)).rejects.toThrow('newer Pixwatch');
});

test('minimum confidence, number of labels and detectors are set in a file beside its data; what is wrong there is said', async () => {
  const dir = await scratchDir();
  const path = join(dir, 'settings.json');
  for (const [text, sentence] of [
    ['{"maxLabels": "ten"}', `${path}, maxLabels: `],
    ['{"maxlabels": 10}', `${path}, maxlabels: `],
    ['{', `${path} is no JSON.`],
  ] as const) {
    await writeFile(path, text);
    await expect(start(dir)).rejects.toMatchObject({ name: 'InvalidInput', message: expect.stringContaining(sentence) });
  }
  await writeFile(path, '{"minConfidence": 80, "maxLabels": 3, "detectors": {"faces": false}}');
  const asked: unknown[] = [];
  const labels = (input: unknown) => {
    asked.push(input);
    return { Labels: [] };
  };
  const { put, finished } = await start(dir, { rekognition: answering({ labels }) });
  const { ref, bytes } = await picture(1);
  await put(ref, bytes);
  expect(await finished(ref)).toMatchObject({ outcome: { kind: 'analysed' }, faces: null, text: [] });
  expect(asked).toEqual([expect.objectContaining({ MinConfidence: 80, MaxLabels: 3 })]);
});

test('what is damaged or gone is said, with what to do, and nothing is removed', async () => {
  const dir = await scratchDir();
  const first = await start(dir);
  const { ref, bytes } = video(1);
  await first.put(ref, bytes);
  await first.finished(ref);
  await first.cloud.close();
  const blobs = await readdir(join(dir, 's3', 'blobs'));
  const broken = async (path: string, damage: (path: string) => Promise<void>) => {
    const kept = join(dir, 'kept');
    await cp(join(dir, path), kept, { recursive: true });
    await damage(join(dir, path));
    const said = await startLocalCloud({ dir, models, clock: systemClock, log: () => {}, rekognition: answering() }).catch(String);
    await rm(join(dir, path), { recursive: true, force: true });
    await rename(kept, join(dir, path));
    expect(await readdir(join(dir, 's3', 'blobs'))).toEqual(blobs);
    return said;
  };
  const garbage = (file: string) => writeFile(file, 'garbage '.repeat(1000));
  const gone = (file: string) => rm(file, { recursive: true });
  const move = `move ${dir} to another place, keep it, and start Pixwatch`;
  expect(await broken('local.db', garbage)).toMatch(
    /^InvalidInput: .*local\.db is damaged .*file is not a database.*No photo is in it.*move it/,
  );
  expect(await broken('s3/s3.db', garbage)).toMatch(/^InvalidInput: .*s3\.db is damaged/);
  expect(await broken('s3/s3.db', garbage)).toContain(move);
  expect(await broken('s3', gone)).toMatch(/s3\.db is missing/);
  expect(await broken('dynamodb', gone)).toMatch(/dynamodb is missing or empty/);
  expect(await broken('dynamodb/CURRENT', garbage)).toMatch(/dynamodb is damaged \(Corruption/);
  expect((await start(dir)).lines).toEqual([]);
});

test('a cloud that is found to be damaged while it runs answers nothing but that, with what to do', async () => {
  const dir = await scratchDir();
  await (await start(dir)).cloud.close();
  const path = join(dir, 's3', 's3.db');
  // More than is read through at the start.
  const database = new DatabaseSync(path);
  database.exec(`
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)
    INSERT INTO part SELECT hex(randomblob(80)), n, hex(randomblob(80)), 1, '', NULL, 0 FROM n`);
  database.close();
  await writeFile(join(dir, 's3', 'blobs', 'one'), 'x');
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(4096, 0xaa), 0, 4096, 500 * 4096);
  await file.close();

  const { lines, s3, record } = await start(dir);
  await eventually(() => lines.some((line) => /s3\.db is damaged/.test(line)));
  const answer = { name: 'CloudDamaged', message: expect.stringContaining(`move ${dir} to another place`) };
  await expect(s3.send(new ListBucketsCommand({}))).rejects.toMatchObject(answer);
  await expect(record(video(1).ref)).rejects.toMatchObject(answer);
});

test('a port that is taken is said, and the folder is free again', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const dir = await scratchDir();
  await expect(start(dir, { port })).rejects.toMatchObject({ name: 'InvalidInput', message: expect.stringContaining(`Port ${port}`) });
  await start(dir);
});

test('without the models and without network it stores and queues, says why, and looks at nothing yet', async () => {
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:1/');
  vi.stubEnv('npm_config_fetch_retries', '0');
  onTestFinished(() => void vi.unstubAllEnvs());
  const dir = await scratchDir();
  const { cloud, put, record, rekognition, sfn, lines } = await start(dir, { models: join(dir, 'models') });
  const { ref, bytes } = await picture(1);
  await put(ref, bytes);
  await expect(cloud.ready).rejects.toMatchObject({ name: 'Transient' });
  await eventually(() => lines.some((line) => line.startsWith('Pictures are not looked at yet:')));
  await expect(rekognition.send(new DetectLabelsCommand({ Image: { Bytes: bytes } }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 503 },
  });
  await eventually(async () => {
    const { executions } = await sfn.send(new ListExecutionsCommand({ stateMachineArn: names.stateMachineArn }));
    return executions?.[0]?.status === 'RUNNING';
  });
  expect(await record(ref)).toBeUndefined();
});
