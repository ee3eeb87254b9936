import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../shared/clock.ts';
import { soon, startTestServer, type TestServer } from './testServer.ts';

const Bucket = 'box';
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.remove());

type GetOptions = Omit<GetObjectCommandInput, 'Bucket' | 'Key'>;

const put = (Key: string, Body: NonNullable<PutObjectCommandInput['Body']>, rest: Partial<PutObjectCommandInput> = {}) =>
  server.client.send(new PutObjectCommand({ Bucket, Key, Body, ...rest }));
const get = (Key: string, rest: GetOptions = {}) => server.client.send(new GetObjectCommand({ Bucket, Key, ...rest }));
const text = async (Key: string, rest?: GetOptions) => (await get(Key, rest)).Body?.transformToString();
const md5 = (data: Buffer | string) => createHash('md5').update(data).digest('hex');
const status = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } });

describe('buckets', () => {
  test('are made, found, listed and deleted when empty', async () => {
    const { client } = server;
    await client.send(new CreateBucketCommand({ Bucket: 'shed' }));
    await client.send(new CreateBucketCommand({ Bucket: 'shed' }));
    expect(await client.send(new HeadBucketCommand({ Bucket: 'shed' }))).toMatchObject({ BucketRegion: 'us-east-1' });
    expect((await client.send(new GetBucketLocationCommand({ Bucket: 'shed' }))).LocationConstraint).toBeUndefined();
    expect((await client.send(new GetBucketVersioningCommand({ Bucket: 'shed' }))).Status).toBeUndefined();
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['box', 'shed']);
    await client.send(new PutObjectCommand({ Bucket: 'shed', Key: 'spade', Body: 'iron' }));
    await expect(client.send(new DeleteBucketCommand({ Bucket: 'shed' }))).rejects.toMatchObject({ name: 'BucketNotEmpty' });
    await client.send(new DeleteObjectCommand({ Bucket: 'shed', Key: 'spade' }));
    await client.send(new DeleteBucketCommand({ Bucket: 'shed' }));
    await expect(client.send(new HeadBucketCommand({ Bucket: 'shed' }))).rejects.toMatchObject(status(404));
  });

  test.each(['ab', 'Upper', 'under_score', '192.168.0.1', 'a..b', '-a-', 'a'.repeat(64), '..'])('cannot be called %s', async (name) => {
    expect(await server.send(`/${name}`, { method: 'PUT' })).toMatchObject({
      status: 400,
      text: expect.stringContaining('InvalidBucketName'),
    });
  });

  test('that are not there are told as such', async () => {
    const missing = { Bucket: 'nowhere', Key: 'k' };
    await expect(server.client.send(new PutObjectCommand({ ...missing, Body: 'x' }))).rejects.toMatchObject({ name: 'NoSuchBucket' });
    await expect(server.client.send(new GetObjectCommand(missing))).rejects.toMatchObject({ name: 'NoSuchBucket' });
    await expect(server.client.send(new ListObjectsV2Command(missing))).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});

describe('an object', () => {
  test('comes back as it was put, with its type and metadata', async () => {
    const body = randomBytes(300_000);
    const Metadata = { name: '%C3%BC.jpg', modified: '2026-01-01' };
    const { ETag } = await put('photo', body, { ContentType: 'image/jpeg', CacheControl: 'no-cache', ContentEncoding: 'gzip', Metadata });
    expect(ETag).toBe(`"${md5(body)}"`);
    const found = await get('photo');
    expect(Buffer.from((await found.Body?.transformToByteArray()) ?? [])).toEqual(body);
    const described = {
      ETag,
      ContentLength: 300_000,
      ContentType: 'image/jpeg',
      CacheControl: 'no-cache',
      ContentEncoding: 'gzip',
      Metadata,
    };
    expect(found).toMatchObject(described);
    expect(found.LastModified?.getTime()).toBeLessThanOrEqual(systemClock.now());
    expect(await server.client.send(new HeadObjectCommand({ Bucket, Key: 'photo' }))).toMatchObject(described);
  });

  test('can be empty, and without a type is bytes', async () => {
    await put('empty', new Uint8Array());
    expect(await get('empty')).toMatchObject({ ContentLength: 0, ContentType: expect.stringMatching(/octet-stream$/) });
    expect(await text('empty')).toBe('');
  });

  test('can be put as a stream, which the SDK sends in chunks with a trailer', async () => {
    const body = randomBytes(700_001);
    const stream = Readable.from([body.subarray(0, 1), body.subarray(1, 400_000), body.subarray(400_000)]);
    const { ETag, ChecksumCRC32 } = await put('streamed', stream, { ContentLength: body.length });
    expect(ETag).toBe(`"${md5(body)}"`);
    expect(await server.client.send(new HeadObjectCommand({ Bucket, Key: 'streamed', ChecksumMode: 'ENABLED' }))).toMatchObject({
      ChecksumCRC32,
      ChecksumType: 'FULL_OBJECT',
      ContentLength: body.length,
    });
  });

  test('is not there', async () => {
    await expect(get('nothing')).rejects.toMatchObject({ name: 'NoSuchKey', ...status(404) });
    await expect(server.client.send(new HeadObjectCommand({ Bucket, Key: 'nothing' }))).rejects.toMatchObject({ name: 'NotFound' });
    await server.client.send(new DeleteObjectCommand({ Bucket, Key: 'nothing' }));
  });

  test('takes its blob along when it is overwritten or deleted', async () => {
    const blobs = () => readdir(join(server.dir, 'blobs'));
    const before = (await blobs()).length;
    await put('short-lived', 'one');
    await put('short-lived', 'two');
    expect(await blobs()).toHaveLength(before + 1);
    await server.client.send(new DeleteObjectCommand({ Bucket, Key: 'short-lived' }));
    expect(await blobs()).toHaveLength(before);
    await expect(get('short-lived')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('keeps no more than 2 KB of metadata', async () => {
    await expect(put('heavy', 'x', { Metadata: { a: 'x'.repeat(2048) } })).rejects.toMatchObject({ name: 'MetadataTooLarge' });
  });

  test('that is being read stays as it was while it is overwritten and deleted', async () => {
    const old = Buffer.alloc(30 << 20, 'old');
    await put('torn', old);
    const reading = await get('torn');
    const reader = (reading.Body as Readable).iterator();
    const chunks = [(await reader.next()).value];
    await put('torn', Buffer.alloc(30 << 20, 'new'));
    await server.client.send(new DeleteObjectCommand({ Bucket, Key: 'torn' }));
    for await (const chunk of reader) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(old)).toBe(true);
  });
});

test('a reader that goes away does not keep the blob', async () => {
  await put('abandoned', Buffer.alloc(30 << 20, 'x'));
  const before = (await readdir(join(server.dir, 'blobs'))).length;
  const reading = await get('abandoned');
  await (reading.Body as Readable).iterator({ destroyOnReturn: false }).next();
  await server.client.send(new DeleteObjectCommand({ Bucket, Key: 'abandoned' }));
  expect(await readdir(join(server.dir, 'blobs'))).toHaveLength(before);
  (reading.Body as Readable).destroy();
  await expect.poll(() => readdir(join(server.dir, 'blobs')), soon).toHaveLength(before - 1);
  expect(server.log).toEqual([]);
});

describe('keys', () => {
  const strange = [
    '../../etc/passwd',
    '..',
    '.',
    '/leading//double/',
    'line\nbreak\r\ttab',
    'nul\u0000byte',
    'ünï/日本語/😀',
    'a+b c%20d&e=f?g#h;i',
    'quotes\'"<xml>&amp;',
    'C:\\windows\\system32',
    'x'.repeat(1024),
    '__proto__',
    ' ',
  ];

  test.each(strange)('may be %j', async (key) => {
    await put(key, `content of ${key}`);
    expect(await text(key)).toBe(`content of ${key}`);
    const { Contents } = await server.client.send(new ListObjectsV2Command({ Bucket, Prefix: key, EncodingType: 'url' }));
    expect(Contents?.map(({ Key }) => decodeURIComponent(Key ?? ''))).toContain(key);
    await server.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: encodeURIComponent(`box/${key}`) }));
    expect(await text('copy')).toBe(`content of ${key}`);
  });

  test('never become paths', async () => {
    for (const key of strange) await put(key, 'x');
    expect((await readdir(server.dir)).sort()).toEqual(['blobs', 's3.db', 's3.db-shm', 's3.db-wal']);
    for (const name of await readdir(join(server.dir, 'blobs'))) expect(name).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('are told apart byte by byte', async () => {
    for (const key of ['caf\u00e9', 'cafe\u0301', 'Caf\u00e9', 'caf\u00e9/']) await put(key, key);
    for (const key of ['caf\u00e9', 'cafe\u0301', 'Caf\u00e9', 'caf\u00e9/']) expect(await text(key)).toBe(key);
  });

  test('are at most 1,024 bytes, and UTF-8', async () => {
    await expect(put('ü'.repeat(513), 'x')).rejects.toMatchObject({ name: 'KeyTooLongError' });
    expect(await server.send('/box/%FF', { method: 'PUT' })).toMatchObject({ status: 400, text: expect.stringContaining('InvalidURI') });
  });
});

describe('a part of an object', () => {
  beforeAll(() => put('ranged', '0123456789'));

  test.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=3-5', '345', 'bytes 3-5/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-100', '0123456789', 'bytes 0-9/10'],
    ['bytes=8-100', '89', 'bytes 8-9/10'],
  ])('is given for %s', async (Range, expected, ContentRange) => {
    const found = await get('ranged', { Range });
    expect(found).toMatchObject({ ContentRange, ContentLength: expected.length, ...status(206) });
    expect(await found.Body?.transformToString()).toBe(expected);
  });

  test.each(['bytes=5-3', 'bytes=a-b', 'lines=1-2', 'bytes=0-1,4-5', 'bytes=-'])('is the whole for %s', async (Range) => {
    expect(await get('ranged', { Range })).toMatchObject({ ContentLength: 10, ...status(200) });
  });

  test.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('cannot be had for %s', async (Range) => {
    await expect(get('ranged', { Range })).rejects.toMatchObject({ name: 'InvalidRange', ...status(416) });
  });

  test('has no checksum of the whole', async () => {
    expect((await get('ranged', { ChecksumMode: 'ENABLED' })).ChecksumCRC32).toBeDefined();
    const answer = await server.send('/box/ranged', { headers: { range: 'bytes=0-1', 'x-amz-checksum-mode': 'ENABLED' } });
    expect(answer.headers).not.toHaveProperty('x-amz-checksum-crc32');
  });
});

describe('conditions', () => {
  const yesterday = new Date(systemClock.now() - 86_400_000);
  const tomorrow = new Date(systemClock.now() + 86_400_000);

  test('on a read', async () => {
    const { ETag } = await put('condition', 'now');
    for (const met of [
      { IfMatch: ETag },
      { IfMatch: ETag?.replaceAll('"', '') },
      { IfMatch: '*' },
      { IfNoneMatch: '"other"' },
      { IfModifiedSince: yesterday },
      { IfUnmodifiedSince: tomorrow },
      { IfMatch: ETag, IfUnmodifiedSince: yesterday },
      { IfNoneMatch: '"other"', IfModifiedSince: tomorrow },
    ]) {
      expect(await text('condition', met)).toBe('now');
    }
    for (const failed of [{ IfMatch: '"other"' }, { IfUnmodifiedSince: yesterday }]) {
      await expect(get('condition', failed)).rejects.toMatchObject({ name: 'PreconditionFailed', ...status(412) });
    }
    for (const known of [{ IfNoneMatch: ETag }, { IfNoneMatch: `"x", ${ETag}` }, { IfModifiedSince: tomorrow }]) {
      await expect(get('condition', known)).rejects.toMatchObject(status(304));
    }
  });

  test('on a write', async () => {
    const { ETag } = await put('once', 'first', { IfNoneMatch: '*' });
    await expect(put('once', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed', ...status(412) });
    await expect(put('once', 'second', { IfMatch: '"other"' })).rejects.toMatchObject(status(412));
    await expect(put('never', 'second', { IfMatch: ETag })).rejects.toMatchObject({ name: 'NoSuchKey', ...status(404) });
    await expect(put('once', 'second', { IfNoneMatch: ETag })).rejects.toMatchObject({ name: 'NotImplemented' });
    expect(await text('once')).toBe('first');
    await put('once', 'second', { IfMatch: ETag });
    expect(await text('once')).toBe('second');
  });

  test('hold for exactly one of many writers', async () => {
    const writes = Array.from({ length: 20 }, (_, n) => put('race', `writer ${n}`, { IfNoneMatch: '*' }));
    const results = await Promise.allSettled(writes);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    const winner = results.findIndex((result) => result.status === 'fulfilled');
    expect(await text('race')).toBe(`writer ${winner}`);
  });

  test('on a copy and a delete', async () => {
    const { ETag } = await put('source', 'x');
    const copy = (conditions: object) =>
      server.client.send(new CopyObjectCommand({ Bucket, Key: 'target', CopySource: 'box/source', ...conditions }));
    await expect(copy({ CopySourceIfMatch: '"other"' })).rejects.toMatchObject(status(412));
    await expect(copy({ CopySourceIfNoneMatch: ETag })).rejects.toMatchObject(status(412));
    await copy({ CopySourceIfMatch: ETag, IfNoneMatch: '*' });
    await expect(copy({ IfNoneMatch: '*' })).rejects.toMatchObject(status(412));
    const remove = (IfMatch: string | undefined) => server.client.send(new DeleteObjectCommand({ Bucket, Key: 'target', IfMatch }));
    await expect(remove('"other"')).rejects.toMatchObject(status(412));
    await remove(ETag);
    await expect(get('target')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
});

describe('a copy', () => {
  const copy = (Key: string, source: string, rest: object = {}) =>
    server.client.send(new CopyObjectCommand({ Bucket, Key, CopySource: `box/${source}`, ...rest }));

  test('has the content and the attributes of its source, and outlives it', async () => {
    const { ETag, ChecksumCRC32 } = await put('original', 'bytes', { Metadata: { a: '1' }, ContentType: 'image/png', Tagging: 'k=v' });
    expect((await copy('duplicate', 'original')).CopyObjectResult).toMatchObject({ ETag, ChecksumCRC32 });
    await server.client.send(new DeleteObjectCommand({ Bucket, Key: 'original' }));
    const found = await get('duplicate');
    expect(found).toMatchObject({ ETag, Metadata: { a: '1' }, ContentType: 'image/png', TagCount: 1 });
    expect(await found.Body?.transformToString()).toBe('bytes');
  });

  test('can have attributes and a checksum of its own', async () => {
    await put('plain', 'bytes', { Metadata: { a: '1' }, Tagging: 'k=v' });
    const changes = { MetadataDirective: 'REPLACE', Metadata: { b: '2' }, TaggingDirective: 'REPLACE', Tagging: 'x=y&z=' };
    await copy('changed', 'plain', { ...changes, ChecksumAlgorithm: 'SHA256', StorageClass: 'STANDARD_IA' });
    expect(await get('changed', { ChecksumMode: 'ENABLED' })).toMatchObject({
      Metadata: { b: '2' },
      TagCount: 2,
      StorageClass: 'STANDARD_IA',
      ChecksumSHA256: createHash('sha256').update('bytes').digest('base64'),
    });
  });

  test('onto itself must change something', async () => {
    await put('self', 'bytes');
    await expect(copy('self', 'self')).rejects.toMatchObject({ name: 'InvalidRequest' });
    await copy('self', 'self', { MetadataDirective: 'REPLACE', Metadata: { a: '1' } });
    expect(await get('self')).toMatchObject({ Metadata: { a: '1' } });
    expect(await text('self')).toBe('bytes');
  });

  test('needs a source', async () => {
    await expect(copy('x', 'nothing')).rejects.toMatchObject({ name: 'NoSuchKey' });
    for (const source of ['box', '%', 'box/k?versionId=3']) {
      const answer = await server.send('/box/x', { method: 'PUT', headers: { 'x-amz-copy-source': source } });
      expect(answer.status).toBeGreaterThanOrEqual(400);
    }
  });
});

test('tags are put, read and deleted', async () => {
  await put('tagged', 'x', { Tagging: 'colour=red%20%26%20blue' });
  const tags = async () => (await server.client.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }))).TagSet;
  const putTags = (TagSet: { Key: string; Value: string }[]) =>
    server.client.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging: { TagSet } }));
  expect(await tags()).toEqual([{ Key: 'colour', Value: 'red & blue' }]);
  await putTags([{ Key: 'a<b', Value: ' ' }]);
  expect(await tags()).toEqual([{ Key: 'a<b', Value: ' ' }]);
  const eleven = Array.from({ length: 11 }, (_, n) => ({ Key: `${n}`, Value: '' }));
  await expect(putTags(eleven)).rejects.toMatchObject({ name: 'InvalidTag' });
  await expect(putTags([eleven[0], eleven[0]].filter((tag) => tag !== undefined))).rejects.toMatchObject({ name: 'InvalidTag' });
  await putTags([]);
  expect(await tags()).toEqual([]);
  await server.client.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'tagged' }));
});

test('many objects are deleted at once', async () => {
  const keys = ['one', 'two &\nthree', ' padded '];
  for (const key of keys) await put(key, 'x');
  const Objects = [...keys, 'not there'].map((Key) => ({ Key }));
  const { Deleted } = await server.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  expect(Deleted?.map(({ Key }) => Key)).toEqual([...keys, 'not there']);
  for (const key of keys) await expect(get(key)).rejects.toMatchObject({ name: 'NoSuchKey' });
  const quiet = await server.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
  expect(quiet.Deleted).toBeUndefined();
});

test('every object is told of by an event, in order', async () => {
  server.events.length = 0;
  const { ETag } = await put('inbox/ü+ \n&.jpg', 'four');
  await server.client.send(new CopyObjectCommand({ Bucket, Key: 'filed', CopySource: encodeURIComponent('box/inbox/ü+ \n&.jpg') }));
  await server.client.send(new DeleteObjectCommand({ Bucket, Key: 'filed' }));
  await expect.poll(() => server.events.length, soon).toBe(2);
  expect(server.events).toMatchObject([
    {
      version: '0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'detail-type': 'Object Created',
      source: 'aws.s3',
      account: '000000000000',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      region: 'us-east-1',
      resources: ['arn:aws:s3:::box'],
      detail: {
        version: '0',
        bucket: { name: 'box' },
        object: { key: 'inbox/ü+ \n&.jpg', size: 4, etag: ETag?.replaceAll('"', ''), sequencer: expect.stringMatching(/^[0-9A-F]{16}$/) },
        'request-id': expect.stringMatching(/^[0-9A-F]{16}$/),
        requester: '000000000000',
        'source-ip-address': '127.0.0.1',
        reason: 'PutObject',
      },
    },
    { detail: { object: { key: 'filed' }, reason: 'CopyObject' } },
  ]);
  const [first, second] = server.events.map(({ detail }) => detail.object.sequencer);
  expect(first && second && first < second).toBe(true);
});

test('what is not implemented says so', async () => {
  for (const [method, path] of [
    ['GET', '/box?acl'],
    ['PUT', '/box?policy'],
    ['POST', '/box'],
    ['GET', '/box/k?torrent'],
    ['PATCH', '/box/k'],
  ] as const) {
    expect(await server.send(path, { method })).toMatchObject({ status: 501, text: expect.stringContaining('NotImplemented') });
  }
  await put('k', 'x');
  expect(await server.send('/box/k?versionId=7')).toMatchObject({ status: 404, text: expect.stringContaining('NoSuchVersion') });
  const headers = { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' };
  expect(await server.send('/box/k', { method: 'PUT', headers })).toMatchObject({ status: 501 });
});
