import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newClient, soon, startTestServer, type TestServer } from './testServer.ts';

const Bucket = 'box';
const partBytes = 5 << 20;
/** Three parts, the last one short. */
const whole = randomBytes(2 * partBytes + 12_345);
const parts = [whole.subarray(0, partBytes), whole.subarray(partBytes, 2 * partBytes), whole.subarray(2 * partBytes)];
const md5 = (data: Buffer) => createHash('md5').update(data).digest();
const wholeEtag = `"${md5(Buffer.concat(parts.map(md5))).toString('hex')}-3"`;

let server: TestServer;
/** Sends no checksums unless asked. */
let plain: S3Client;
beforeAll(async () => {
  server = await startTestServer();
  plain = newClient(server.endpoint, { requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' });
});
afterAll(async () => {
  plain.destroy();
  await server.remove();
});

async function create(Key: string, rest: Partial<CreateMultipartUploadCommandInput> = {}, client = plain) {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...rest }));
  return { Bucket, Key, UploadId };
}
type Started = Awaited<ReturnType<typeof create>>;

async function upload(started: Started, PartNumber: number, Body: Buffer, rest: object = {}, client = plain): Promise<CompletedPart> {
  const { $metadata: _, ...part } = await client.send(new UploadPartCommand({ ...started, PartNumber, Body, ...rest }));
  return { ...part, PartNumber };
}

const complete = (started: Started, Parts: CompletedPart[], rest: Partial<CompleteMultipartUploadCommandInput> = {}) =>
  plain.send(new CompleteMultipartUploadCommand({ ...started, MultipartUpload: { Parts }, ...rest }));

async function content(Key: string, rest: object = {}): Promise<Buffer> {
  const { Body } = await plain.send(new GetObjectCommand({ Bucket, Key, ...rest }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

describe('an upload in parts', () => {
  test('makes one object of parts sent in any order, some twice', async () => {
    const started = await create('film', { ContentType: 'video/mp4', Metadata: { a: '1' }, Tagging: 'k=v' });
    const [third, first] = await Promise.all([upload(started, 30, parts[2] as Buffer), upload(started, 1, parts[0] as Buffer)]);
    await upload(started, 20, randomBytes(partBytes));
    const second = await upload(started, 20, parts[1] as Buffer);
    await upload(started, 25, randomBytes(100));
    const blobs = await readdir(join(server.dir, 'blobs'));
    server.events.length = 0;
    const answer = await complete(
      started,
      [first, second, third].filter((part) => part !== undefined),
    );
    expect(answer).toMatchObject({ ETag: wholeEtag, Bucket, Key: 'film' });
    expect((await content('film')).equals(whole)).toBe(true);
    expect(await plain.send(new HeadObjectCommand({ Bucket, Key: 'film' }))).toMatchObject({
      ContentLength: whole.length,
      ETag: wholeEtag,
      ContentType: 'video/mp4',
      Metadata: { a: '1' },
      TagCount: 1,
    });
    await expect(upload(started, 40, Buffer.from('late'))).rejects.toMatchObject({ name: 'NoSuchUpload' });
    // The part that was not listed is gone, and nothing was copied.
    expect(await readdir(join(server.dir, 'blobs'))).toHaveLength(blobs.length - 1);
    await expect
      .poll(() => server.events, soon)
      .toMatchObject([{ detail: { reason: 'CompleteMultipartUpload', object: { size: whole.length } } }]);
  });

  test('can be read by ranges that cross parts, and by part', async () => {
    const range = async (first: number, last: number) => content('film', { Range: `bytes=${first}-${last}` });
    expect((await range(partBytes - 3, 2 * partBytes + 2)).equals(whole.subarray(partBytes - 3, 2 * partBytes + 3))).toBe(true);
    expect((await range(partBytes, partBytes)).equals(whole.subarray(partBytes, partBytes + 1))).toBe(true);
    expect((await content('film', { PartNumber: 2 })).equals(parts[1] as Buffer)).toBe(true);
    const head = await plain.send(new HeadObjectCommand({ Bucket, Key: 'film', PartNumber: 3 }));
    expect(head).toMatchObject({ PartsCount: 3, ContentLength: 12_345, $metadata: { httpStatusCode: 206 } });
    await expect(content('film', { PartNumber: 4 })).rejects.toMatchObject({ $metadata: { httpStatusCode: 416 } });
  });

  test('can be read to its end while it is deleted', async () => {
    const started = await create('doomed');
    const bodies = Array.from({ length: 6 }, (_, n) => Buffer.alloc(partBytes, n));
    await complete(started, await Promise.all(bodies.map((body, index) => upload(started, index + 1, body))));
    const blobs = await readdir(join(server.dir, 'blobs'));
    const { Body } = await plain.send(new GetObjectCommand({ Bucket, Key: 'doomed' }));
    const reader = (Body as Readable).iterator();
    const chunks = [(await reader.next()).value];
    await plain.send(new DeleteObjectCommand({ Bucket, Key: 'doomed' }));
    for await (const chunk of reader) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(Buffer.concat(bodies))).toBe(true);
    await expect.poll(() => readdir(join(server.dir, 'blobs')), soon).toHaveLength(blobs.length - 6);
  });

  test('lists its parts in pages', async () => {
    const started = await create('listed');
    for (let number = 1; number <= 5; number++) await upload(started, number * 2, Buffer.from(`part ${number}`));
    const page = await plain.send(new ListPartsCommand({ ...started, MaxParts: 3 }));
    expect(page).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '6' });
    expect(page.Parts).toMatchObject([2, 4, 6].map((PartNumber) => ({ PartNumber, Size: 6, LastModified: expect.any(Date) })));
    expect(page.Parts?.[0]?.ETag).toBe(`"${md5(Buffer.from('part 1')).toString('hex')}"`);
    const last = await plain.send(new ListPartsCommand({ ...started, PartNumberMarker: page.NextPartNumberMarker }));
    expect(last).toMatchObject({ IsTruncated: false });
    expect(last.Parts).toMatchObject([{ PartNumber: 8 }, { PartNumber: 10 }]);
  });

  test('leaves nothing behind when it is aborted', async () => {
    const before = await readdir(join(server.dir, 'blobs'));
    const started = await create('aborted');
    const part = await upload(started, 1, Buffer.from('x'));
    await plain.send(new AbortMultipartUploadCommand(started));
    expect(await readdir(join(server.dir, 'blobs'))).toHaveLength(before.length);
    for (const late of [
      () => upload(started, 2, Buffer.from('x')),
      () => complete(started, [part]),
      () => plain.send(new ListPartsCommand(started)),
      () => plain.send(new AbortMultipartUploadCommand(started)),
    ]) {
      await expect(late()).rejects.toMatchObject({ name: 'NoSuchUpload', $metadata: { httpStatusCode: 404 } });
    }
    expect(await readdir(join(server.dir, 'blobs'))).toHaveLength(before.length);
  });

  test('belongs to its key', async () => {
    const started = await create('mine');
    await expect(upload({ ...started, Key: 'yours' }, 1, Buffer.from('x'))).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  test('overwrites what the key held only when it is completed, and under its conditions', async () => {
    await plain.send(new PutObjectCommand({ Bucket, Key: 'slow', Body: 'old' }));
    const started = await create('slow');
    const part = await upload(started, 1, Buffer.from('new'));
    expect((await content('slow')).toString()).toBe('old');
    await expect(complete(started, [part], { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect((await content('slow')).toString()).toBe('old');
    await complete(started, [part], { IfMatch: `"${md5(Buffer.from('old')).toString('hex')}"` });
    expect((await content('slow')).toString()).toBe('new');
  });

  test('is not completed with a list that cannot be right', async () => {
    const started = await create('wrong');
    const first = await upload(started, 1, Buffer.from('too small'));
    const second = await upload(started, 2, Buffer.from('last'));
    const failure = async (list: CompletedPart[], rest = {}) =>
      (await complete(started, list, rest).catch((error: Error) => error)) as Error;
    expect((await failure([first, second])).name).toBe('EntityTooSmall');
    expect((await failure([second, first])).name).toBe('InvalidPartOrder');
    expect((await failure([first, first])).name).toBe('InvalidPartOrder');
    expect((await failure([{ ...first, ETag: second.ETag }])).name).toBe('InvalidPart');
    expect((await failure([{ ...first, PartNumber: 3 }])).name).toBe('InvalidPart');
    expect((await failure([])).name).toBe('MalformedXML');
    expect((await failure([second], { MpuObjectSize: 5 })).name).toBe('InvalidRequest');
    await complete(started, [second], { MpuObjectSize: 4 });
    await expect(upload(started, 10_001, Buffer.from('x'))).rejects.toMatchObject({ name: 'InvalidArgument' });
  });

  test.each([
    ['no XML', 'this is no XML'],
    ['another document', '<Delete><Object><Key>x</Key></Object></Delete>'],
    ['a document type', '<!DOCTYPE x [<!ENTITY e "e">]><CompleteMultipartUpload><Part>&e;</Part></CompleteMultipartUpload>'],
    ['a part without a number', '<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>'],
  ])('is not completed with %s', async (_, body) => {
    const { UploadId } = await create('k');
    const answer = await server.send(`/box/k?uploadId=${UploadId}`, { method: 'POST', body });
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('MalformedXML') });
  });
});

describe('the checksum of an upload in parts', () => {
  const crc = (data: Buffer) => {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(crc32(data));
    return value;
  };
  const uploadAll = async (started: Started, algorithm: 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256') =>
    Promise.all(parts.map((body, index) => upload(started, index + 1, body, { ChecksumAlgorithm: algorithm })));

  test('is made of those of the parts', async () => {
    const started = await create('composite', { ChecksumAlgorithm: 'CRC32' });
    const list = await uploadAll(started, 'CRC32');
    const ChecksumCRC32 = `${crc(Buffer.concat(parts.map(crc))).toString('base64')}-3`;
    expect(await complete(started, list)).toMatchObject({ ChecksumCRC32, ChecksumType: 'COMPOSITE' });
    const head = await plain.send(new HeadObjectCommand({ Bucket, Key: 'composite', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ChecksumCRC32, ChecksumType: 'COMPOSITE' });
  });

  test('can be that of the whole, without reading it again', async () => {
    const started = await create('full', { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });
    const list = await uploadAll(started, 'CRC32');
    const ChecksumCRC32 = crc(whole).toString('base64');
    await expect(complete(started, list, { ChecksumCRC32: 'AAAAAA==' })).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(complete(started, list, { ChecksumType: 'COMPOSITE' })).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(await complete(started, list, { ChecksumCRC32 })).toMatchObject({ ChecksumCRC32, ChecksumType: 'FULL_OBJECT' });
  });

  test.each(['CRC32C', 'CRC64NVME'] as const)('of the whole by %s is the one that a put at once has', async (ChecksumAlgorithm) => {
    const started = await create('by parts', { ChecksumAlgorithm, ChecksumType: 'FULL_OBJECT' });
    await complete(started, await uploadAll(started, ChecksumAlgorithm));
    await plain.send(new CopyObjectCommand({ Bucket, Key: 'at once', CopySource: 'box/by%20parts' }));
    const head = (Key: string) => plain.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    const [byParts, atOnce] = [await head('by parts'), await head('at once')];
    expect(byParts[`Checksum${ChecksumAlgorithm}`]).toBe(atOnce[`Checksum${ChecksumAlgorithm}`]);
    expect(atOnce.ETag).toBe(`"${md5(whole).toString('hex')}"`);
  });

  test('needs every part to have one, and the list to tell it', async () => {
    const started = await create('strict', { ChecksumAlgorithm: 'SHA256' });
    await expect(upload(started, 1, Buffer.from('x'))).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: /expected checksum Type: sha256/,
    });
    const part = await upload(started, 1, Buffer.from('x'), { ChecksumAlgorithm: 'SHA256' });
    const { ETag, PartNumber, ChecksumSHA256 } = part;
    await expect(complete(started, [{ ETag, PartNumber }])).rejects.toMatchObject({ message: /must include the checksum for each part/ });
    const other = `A${ChecksumSHA256?.slice(1)}`.replace(/^AA/, 'BA');
    await expect(complete(started, [{ ETag, PartNumber, ChecksumSHA256: other }])).rejects.toMatchObject({ name: 'InvalidPart' });
    await complete(started, [part]);
  });

  test.each([
    ['CRC64NVME', 'COMPOSITE'],
    ['SHA256', 'FULL_OBJECT'],
  ] as const)('by %s cannot be %s', async (ChecksumAlgorithm, ChecksumType) => {
    await expect(create('impossible', { ChecksumAlgorithm, ChecksumType })).rejects.toMatchObject({ name: 'InvalidRequest' });
  });
});

describe('a part can be copied', () => {
  beforeAll(() => plain.send(new PutObjectCommand({ Bucket, Key: 'source', Body: whole })));
  const copy = (started: Started, PartNumber: number, CopySourceRange?: string, rest: object = {}) =>
    plain.send(new UploadPartCopyCommand({ ...started, PartNumber, CopySource: 'box/source', CopySourceRange, ...rest }));

  test('from ranges of an object, which together make it again', async () => {
    const started = await create('assembled');
    const ranges = [`bytes=0-${partBytes - 1}`, `bytes=${partBytes}-${2 * partBytes - 1}`, `bytes=${2 * partBytes}-${whole.length - 1}`];
    const copied = await Promise.all(ranges.map((range, index) => copy(started, index + 1, range)));
    const list = copied.map(({ CopyPartResult }, index) => ({ ETag: CopyPartResult?.ETag, PartNumber: index + 1 }));
    expect((await complete(started, list)).ETag).toBe(wholeEtag);
    expect((await content('assembled')).equals(whole)).toBe(true);
  });

  test('but not from beyond it, or when a condition fails', async () => {
    const started = await create('refused');
    for (const range of [`bytes=0-${whole.length}`, 'bytes=5-4', 'bytes=5-', 'all']) {
      await expect(copy(started, 1, range)).rejects.toMatchObject({ name: 'InvalidArgument' });
    }
    await expect(copy(started, 1, undefined, { CopySourceIfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });
});

test("lib-storage's Upload works with streams of unknown length", async () => {
  const pieces = async function* () {
    for (let at = 0; at < whole.length; at += 999_999) yield whole.subarray(at, at + 999_999);
  };
  const done = await new Upload({ client: server.client, params: { Bucket, Key: 'piped', Body: Readable.from(pieces()) } }).done();
  expect(done.ETag).toBe(wholeEtag);
  const { Body } = await server.client.send(new GetObjectCommand({ Bucket, Key: 'piped' }));
  expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(whole)).toBe(true);
});
