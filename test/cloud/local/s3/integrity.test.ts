import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { crc32 as crc32Of } from 'node:zlib';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { credentials, hmac, type RawRequest, send, sha256, sign, signingOf } from '../gateway/rawRequest.ts';
import { newClient, soon, startTestServer, type TestServer } from './testServer.ts';

const Bucket = 'box';
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.remove());

/** Whatever a refused upload was, nothing of it may stay. */
async function expectNothingStored(): Promise<void> {
  expect((await server.client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  expect(await readdir(join(server.dir, 'blobs'))).toEqual([]);
}

const body = Buffer.from('123456789');
/** Of "123456789": the check values of the CRC catalogue, https://reveng.sourceforge.io/crc-catalogue/ */
const checksums = {
  CRC32: Buffer.from('cbf43926', 'hex').toString('base64'),
  CRC32C: Buffer.from('e3069283', 'hex').toString('base64'),
  CRC64NVME: Buffer.from('ae8b14860a799888', 'hex').toString('base64'),
  SHA1: createHash('sha1').update(body).digest('base64'),
  SHA256: createHash('sha256').update(body).digest('base64'),
};
const put = (headers: Record<string, string>, rest: Partial<RawRequest> = {}) =>
  server.send('/box/checked', { method: 'PUT', body, headers, ...rest });

describe.each(Object.entries(checksums))('%s', (algorithm, value) => {
  const name = `x-amz-checksum-${algorithm.toLowerCase()}`;

  test('is checked, kept and given back', async () => {
    expect((await put({ [name]: value })).headers).toMatchObject({ [name]: value, 'x-amz-checksum-type': 'FULL_OBJECT' });
    const head = await server.client.send(new HeadObjectCommand({ Bucket, Key: 'checked', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ [`Checksum${algorithm}`]: value });
    await server.send('/box/checked', { method: 'DELETE' });
  });

  test('that is wrong is refused', async () => {
    const wrong = Buffer.from(value, 'base64');
    wrong.writeUInt8(wrong.readUInt8(0) ^ 1);
    expect(await put({ [name]: wrong.toString('base64') })).toMatchObject({ status: 400, text: expect.stringContaining('BadDigest') });
    expect(await put({ [name]: 'AAAA' })).toMatchObject({ status: 400, text: expect.stringContaining('InvalidRequest') });
    await expectNothingStored();
  });
});

describe('a body is refused', () => {
  afterEach(expectNothingStored);
  const refusal = (code: string) => ({ status: 400, text: expect.stringContaining(`<Code>${code}</Code>`) });

  test('that its Content-MD5 is not of', async () => {
    const md5 = createHash('md5').update('something else').digest('base64');
    expect(await put({ 'content-md5': md5 })).toMatchObject(refusal('BadDigest'));
    expect(await put({ 'content-md5': 'no MD5' })).toMatchObject(refusal('InvalidDigest'));
  });

  test('that its signature is not of', async () => {
    expect(await put({}, { payloadHash: sha256('something else') })).toMatchObject(refusal('XAmzContentSHA256Mismatch'));
  });

  test('with checksums that contradict each other or are not known', async () => {
    expect(await put({ 'x-amz-checksum-crc32': 'a', 'x-amz-checksum-sha1': 'b' })).toMatchObject(refusal('InvalidRequest'));
    expect(await put({ 'x-amz-checksum-md2': 'a' })).toMatchObject(refusal('InvalidRequest'));
    expect(await put({ 'x-amz-sdk-checksum-algorithm': 'CRC32' })).toMatchObject(refusal('InvalidRequest'));
  });

  test('that is too large to be put at once, before it is sent', async () => {
    const headers = { 'x-amz-decoded-content-length': `${6 * 2 ** 30}` };
    expect(await put(headers)).toMatchObject(refusal('EntityTooLarge'));
  });

  test('that ends early', async () => {
    const { headers } = sign({ endpoint: server.endpoint, path: '/box/torn', method: 'PUT', body: randomBytes(10_000_000) });
    const url = new URL(server.endpoint);
    const sending = request({
      ...{ hostname: url.hostname, port: url.port },
      method: 'PUT',
      path: '/box/torn',
      headers: { ...headers, 'content-length': 10_000_000 },
    });
    const gone = new Promise((resolve) => sending.on('error', resolve));
    sending.write(randomBytes(5_000_000), () => sending.destroy());
    await gone;
    await expect.poll(() => readdir(join(server.dir, 'blobs')), soon).toEqual([]);
    expect(server.log).toEqual([]);
  });
});

test('the connection of a body that was refused can be used again', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const client = newClient(server.endpoint, { requestHandler: { httpAgent: agent } });
  const refused = new PutObjectCommand({ Bucket, Key: 'k', Body: randomBytes(5_000_000), IfMatch: '"none"' });
  for (let n = 0; n < 3; n++) await expect(client.send(refused)).rejects.toMatchObject({ name: 'NoSuchKey' });
  expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
  client.destroy();
});

describe('an aws-chunked body', () => {
  const data = randomBytes(200_000);
  const crc32 = (bytes: Buffer) => {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(crc32Of(bytes));
    return value.toString('base64');
  };
  const lengths = { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': `${data.length}` };
  const chunks = [data.subarray(0, 65_536), data.subarray(65_536, 131_072), data.subarray(131_072), Buffer.alloc(0)];

  const unsigned = (framed: Buffer, headers: Record<string, string> = {}) =>
    server.send('/box/chunked', {
      method: 'PUT',
      body: framed,
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: { ...lengths, 'x-amz-trailer': 'x-amz-checksum-crc32', ...headers },
    });
  const frame = (pieces: Buffer[]) =>
    Buffer.concat(
      pieces.flatMap((piece) => [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from(piece.length > 0 ? '\r\n' : '')]),
    );
  const trailer = (value = crc32(data)) => Buffer.from(`x-amz-checksum-crc32:${value}\r\n\r\n`);

  /** Signs the chunks as S3 describes it; `forge` may change the signature of the chunk with that index, and "trailer" the trailer's. */
  function signed(pieces: Buffer[], withTrailer: boolean, forge: number | 'trailer' | null = null) {
    const raw: RawRequest = {
      endpoint: server.endpoint,
      path: '/box/chunked',
      method: 'PUT',
      payloadHash: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${withTrailer ? '-TRAILER' : ''}`,
      headers: { ...lengths, ...(withTrailer && { 'x-amz-trailer': 'x-amz-checksum-crc32' }) },
      signedAt: new Date().setMilliseconds(0),
    };
    const { key, scope, timestamp } = signingOf(raw);
    let previous = sign(raw).signature;
    const next = (algorithm: string, what: string) => {
      previous = hmac(key, [algorithm, timestamp, scope, previous, what].join('\n')).toString('hex');
      return previous;
    };
    const framed = pieces.map((piece, index) => {
      const signature = next('AWS4-HMAC-SHA256-PAYLOAD', `${sha256('')}\n${sha256(piece)}`);
      const shown = forge === index ? signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) : signature;
      const end = piece.length > 0 || !withTrailer ? '\r\n' : '';
      return Buffer.concat([Buffer.from(`${piece.length.toString(16)};chunk-signature=${shown}\r\n`), piece, Buffer.from(end)]);
    });
    const line = `x-amz-checksum-crc32:${crc32(data)}\n`;
    const trailerSignature = next('AWS4-HMAC-SHA256-TRAILER', sha256(line));
    const shown = forge === 'trailer' ? trailerSignature.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) : trailerSignature;
    const ending = withTrailer ? `${line.trim()}\r\nx-amz-trailer-signature:${shown}\r\n\r\n` : '';
    return send({ ...raw, body: Buffer.concat([...framed, Buffer.from(ending)]) });
  }

  const stored = async () => {
    const { Body, ContentEncoding } = await server.client.send(new GetObjectCommand({ Bucket, Key: 'chunked' }));
    expect(ContentEncoding).toBeUndefined();
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    await server.send('/box/chunked', { method: 'DELETE' });
    return bytes;
  };

  test('is taken apart, unsigned with a trailer', async () => {
    expect(await unsigned(Buffer.concat([frame(chunks), trailer()]))).toMatchObject({
      status: 200,
      headers: { 'x-amz-checksum-crc32': crc32(data) },
    });
    expect((await stored()).equals(data)).toBe(true);
  });

  test('is taken apart, signed', async () => {
    expect(await signed(chunks, false)).toMatchObject({ status: 200 });
    expect((await stored()).equals(data)).toBe(true);
  });

  test('is taken apart, signed with a trailer', async () => {
    expect(await signed(chunks, true)).toMatchObject({ status: 200 });
    expect((await stored()).equals(data)).toBe(true);
  });

  describe('is refused', () => {
    afterEach(expectNothingStored);

    test.each([0, 1, 3])('when the signature of chunk %d is forged', async (index) => {
      expect(await signed(chunks, false, index)).toMatchObject({ status: 403, text: expect.stringContaining('SignatureDoesNotMatch') });
    });

    test('when its chunks are in another order, or its trailer is forged', async () => {
      const [first, second, ...rest] = chunks;
      const swapped = [second, first, ...rest].filter((chunk) => chunk !== undefined);
      const forged = await unsigned(Buffer.concat([frame(swapped), trailer()]));
      expect(forged).toMatchObject({ status: 400, text: expect.stringContaining('BadDigest') });
      expect(await signed(chunks, true, 'trailer')).toMatchObject({ status: 403 });
    });

    test.each<[string, () => Buffer]>([
      ['ends within a chunk', () => frame(chunks).subarray(0, 100_000)],
      ['ends before its last chunk', () => frame(chunks.slice(0, 3))],
      ['has less than it says', () => Buffer.concat([frame([data.subarray(1), Buffer.alloc(0)]), trailer(crc32(data.subarray(1)))])],
      ['has more than it says', () => Buffer.concat([frame([data, data, Buffer.alloc(0)]), trailer()])],
      ['has no sizes', () => data],
      ['has a negative size', () => Buffer.from('-5\r\nhello\r\n0\r\n\r\n')],
      ['has a chunk longer than its size', () => Buffer.concat([Buffer.from('5\r\n'), data, Buffer.from('\r\n0\r\n\r\n')])],
      ['has an endless line', () => Buffer.alloc(100_000, 'a')],
    ])('when it %s', async (_, framed) => {
      expect(await unsigned(framed())).toMatchObject({ status: 400, text: expect.stringContaining('IncompleteBody') });
    });

    test('when its trailer is missing, wrong or not announced', async () => {
      const framed = frame(chunks);
      expect(await unsigned(Buffer.concat([framed, Buffer.from('\r\n')]))).toMatchObject({
        text: expect.stringContaining('MalformedTrailerError'),
      });
      expect(await unsigned(Buffer.concat([framed, trailer('AAAAAA==')]))).toMatchObject({ text: expect.stringContaining('BadDigest') });
      const other = Buffer.from('x-amz-checksum-sha1:x\r\n\r\n');
      expect(await unsigned(Buffer.concat([framed, other]))).toMatchObject({ text: expect.stringContaining('MalformedTrailerError') });
    });

    test('when its length is not told', async () => {
      const answer = await unsigned(frame(chunks), { 'x-amz-decoded-content-length': 'unknown' });
      expect(answer).toMatchObject({ status: 411 });
    });
  });
});

test('the SDK finds out when a checksum does not fit what it reads', async () => {
  const { ChecksumCRC32 } = await server.client.send(new PutObjectCommand({ Bucket, Key: 'read', Body: 'content' }));
  const { Body } = await server.client.send(new GetObjectCommand({ Bucket, Key: 'read' }));
  expect(ChecksumCRC32).toBeDefined();
  expect(await Body?.transformToString()).toBe('content');
});

test('credentials appear in no answer', async () => {
  const answer = await server.send('/box/nothing', { keys: { ...credentials, secretAccessKey: 'x' } });
  expect(answer.text).not.toContain(credentials.secretAccessKey);
});
