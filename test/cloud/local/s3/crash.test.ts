import { type ChildProcess, fork } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newClient, soon, startTestServer, type TestServer } from './testServer.ts';

const Bucket = 'box';
let dir: string;
let eventFile: string;
let child: ChildProcess | undefined;
let server: TestServer | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-s3-crash-'));
  eventFile = join(dir, 'events.txt');
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await server?.stop();
  server = undefined;
  await rm(dir, { recursive: true });
});

/** Starts the server in a process of its own. */
async function startChild(...args: string[]): Promise<S3Client> {
  child = fork(join(import.meta.dirname, 'serveForEver.ts'), [join(dir, 's3'), ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [{ endpoint }] = (await once(child, 'message')) as [{ endpoint: string }];
  return newClient(endpoint);
}

/** Ends it as a power switch would end the program. */
async function killChild(): Promise<void> {
  const ended = child && once(child, 'exit');
  child?.kill('SIGKILL');
  await ended;
}

const md5 = (data: Buffer) => createHash('md5').update(data).digest('hex');
const content = async (client: S3Client, Key: string) => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};

/** Content of which a mixture of two versions can be told. */
const version = (n: number) => Buffer.alloc(200_000, `version ${n};`);

test('no acknowledged object is lost, none is torn and no event is forgotten, however often it is killed', async () => {
  const acknowledged = new Map<string, number>();
  let next = 0;
  let writes = 0;
  /** No two writers share a key, so that what is acknowledged last is also what was written last. */
  const writeUntilKilled = async (client: S3Client, writer: number) => {
    for (;;) {
      const n = next++;
      const Key = `writer ${writer}/${n % 10}`;
      try {
        await client.send(new PutObjectCommand({ Bucket, Key, Body: version(n) }));
      } catch {
        // The process was killed: nothing is known of this write.
        return;
      }
      acknowledged.set(Key, n);
      writes++;
    }
  };
  for (const life of [60, 15, 90]) {
    const client = await startChild(eventFile);
    const end = writes + life;
    const writers = [1, 2, 3, 4].map((writer) => writeUntilKilled(client, writer));
    await expect.poll(() => writes, { ...soon, interval: 1 }).toBeGreaterThanOrEqual(end);
    await killChild();
    await Promise.all(writers);
    client.destroy();
  }

  server = await startTestServer({ dir: join(dir, 's3') });
  const { Contents = [] } = await server.client.send(new ListObjectsV2Command({ Bucket }));
  for (const [key, n] of acknowledged) {
    const found = await content(server.client, key);
    const foundVersion = Number(/^version (\d+);/.exec(found.toString('latin1', 0, 20))?.[1]);
    expect(found.equals(version(foundVersion))).toBe(true);
    // The last write may have been committed without being acknowledged.
    expect(foundVersion).toBeGreaterThanOrEqual(n);
  }
  await expect.poll(() => readdir(join(dir, 's3', 'blobs')), soon).toHaveLength(Contents.length);
  const taken = (await readFile(eventFile, 'utf8')).split('\n');
  await expect
    .poll(() => new Set([...taken, ...(server?.events ?? []).map(({ detail }) => detail.object.key)]), soon)
    .toEqual(new Set(['', ...Contents.map(({ Key }) => Key)]));
});

test('an event that was not taken before the process died is given after it, once for each object', async () => {
  const client = await startChild();
  for (const Key of ['first', 'second']) await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  client.destroy();
  await killChild();
  server = await startTestServer({ dir: join(dir, 's3') });
  await expect.poll(() => server?.events.map(({ detail }) => detail.object.key), soon).toEqual(['first', 'second']);
});

test('an event that was refused is given again', async () => {
  let refusals = 2;
  const onEvent = async () => {
    if (refusals-- > 0) throw new Error('the queue is full');
  };
  server = await startTestServer({ dir: join(dir, 's3'), onEvent });
  await server.client.send(new PutObjectCommand({ Bucket, Key: 'stubborn', Body: 'x' }));
  await expect.poll(() => server?.events.length, soon).toBe(1);
  expect(server.log).toEqual(Array(2).fill(expect.stringContaining('the queue is full')));
});

test('an upload in parts goes on where it was when the process was killed', async () => {
  const partBytes = 5 << 20;
  const parts = Array.from({ length: 6 }, () => randomBytes(partBytes));
  let client = await startChild(eventFile);
  const started = {
    Bucket,
    Key: 'film',
    UploadId: (await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'film' }))).UploadId,
  };
  const part = (number: number) => parts[number - 1] as Buffer;
  const send = (PartNumber: number) => client.send(new UploadPartCommand({ ...started, PartNumber, Body: part(PartNumber) }));
  await Promise.all([send(1), send(2)]);
  const lost = Promise.allSettled([send(3), send(4), send(5)]);
  await sleep(10);
  await killChild();
  const results = await lost;
  client.destroy();

  client = await startChild(eventFile);
  const { Parts = [] } = await client.send(new ListPartsCommand(started));
  const kept = Parts.map(({ PartNumber }) => PartNumber ?? 0);
  const acknowledged = [1, 2, ...results.flatMap((result, index) => (result.status === 'fulfilled' ? [index + 3] : []))];
  expect(kept).toEqual(expect.arrayContaining(acknowledged));
  for (const number of [1, 2, 3, 4, 5, 6]) if (!kept.includes(number)) await send(number);
  const all = await client.send(new ListPartsCommand(started));
  expect(all.Parts?.map(({ ETag }) => ETag)).toEqual(parts.map((part) => `"${md5(part)}"`));
  const list = all.Parts?.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) ?? [];
  await client.send(new CompleteMultipartUploadCommand({ ...started, MultipartUpload: { Parts: list } }));
  await killChild();
  client.destroy();

  client = await startChild(eventFile);
  expect((await content(client, 'film')).equals(Buffer.concat(parts))).toBe(true);
  await expect.poll(() => readdir(join(dir, 's3', 'blobs')), soon).toHaveLength(6);
  client.destroy();
});

test('memory stays flat while large objects are put, read and copied', async () => {
  const megabytes = 256;
  const client = await startChild(eventFile);
  const maxRss = async () => {
    child?.send('memory');
    const [{ maxRss: bytes }] = (await once(child as ChildProcess, 'message')) as [{ maxRss: number }];
    return bytes / 2 ** 20;
  };
  await client.send(new PutObjectCommand({ Bucket, Key: 'warm', Body: randomBytes(1 << 20) }));
  const before = await maxRss();
  const piece = randomBytes(1 << 20);
  const Body = Readable.from(Array(megabytes).fill(piece));
  await client.send(new PutObjectCommand({ Bucket, Key: 'large', Body, ContentLength: megabytes << 20 }));
  await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: 'box/large', ChecksumAlgorithm: 'SHA256' }));
  const reading = await client.send(new GetObjectCommand({ Bucket, Key: 'copy' }));
  let read = 0;
  for await (const chunk of reading.Body as Readable) read += (chunk as Buffer).length;
  expect(read).toBe(megabytes << 20);
  expect((await maxRss()) - before).toBeLessThan(120);
  client.destroy();
});
