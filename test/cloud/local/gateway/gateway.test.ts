import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DetectLabelsCommand, RekognitionClient } from '@aws-sdk/client-rekognition';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jsonService, operation } from '../../../../cloud/local/gateway/jsonService.ts';
import { type Service, ServiceError } from '../../../../cloud/local/gateway/service.ts';
import { type Gateway, startGateway } from '../../../../cloud/local/gateway/startGateway.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { InvalidInput, Transient } from '../../../../shared/errors.ts';
import { credentials, presign, type RawRequest, region, send, sendAsIs, sign } from './rawRequest.ts';

/** Answers with what it was given. */
const echo: Service = async (request, response) => {
  const body = await request.readBody(1000);
  response.end(JSON.stringify({ path: request.rawPath, query: [...request.query], body: body.toString() }));
};

const failing: Service = async () => {
  throw new Error('the wire is loose');
};

const sqs = jsonService({
  targetPrefix: 'AmazonSQS',
  version: '1.0',
  operations: {
    SendMessage: operation(v.object({ QueueUrl: v.string(), MessageBody: v.string() }), async ({ MessageBody }) => {
      if (MessageBody === 'busy') throw new Transient('The queue is busy.');
      if (MessageBody === 'gone') throw new ServiceError('QueueDoesNotExist', 'There is no such queue.', 404);
      return { MessageId: `id of ${MessageBody}` };
    }),
  },
});

const rekognition = jsonService({
  targetPrefix: 'RekognitionService',
  version: '1.1',
  operations: {
    DetectLabels: operation(v.object({ Image: v.object({ Bytes: v.string() }) }), async () => ({ Labels: [{ Name: 'Dog' }] })),
  },
});

let now = systemClock.now();
const log: string[] = [];
let gateway: Gateway;

beforeAll(async () => {
  const services = { s3: echo, sns: failing, lambda: echo, sqs, rekognition };
  gateway = await startGateway({ port: 0, credentials, region, services, clock: { now: () => now }, log: (line) => log.push(line) });
});
afterAll(() => gateway.close());
beforeEach(() => {
  now = systemClock.now();
  log.length = 0;
});

const at = (path: string, rest: Partial<RawRequest> = {}): RawRequest => ({ endpoint: gateway.endpoint, path, ...rest });

describe('a request with a good signature', () => {
  test.each([
    '/',
    '/bucket/',
    '/bucket/a%20b%2Bc%C3%BC/..//./%0A',
    '/bucket/key?list-type=2&prefix=a%2Fb%20c&empty=&flag',
    '/bucket?b=2&a-c=1&a=3',
  ])('reaches its service with its path as sent: %s', async (path) => {
    const answer = await send(at(path));
    expect(answer).toMatchObject({ status: 200 });
    expect(JSON.parse(answer.text).path).toBe(path.split('?')[0]);
    expect(answer.headers['x-amz-request-id']).toMatch(/^[0-9A-F]{16}$/);
  });

  test('may be signed in its query', async () => {
    const answer = await sendAsIs(at(presign(at('/b/k?x=1'), 60)), {});
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text).query).toContainEqual(['x', '1']);
  });

  test('of another service signs its path encoded twice', async () => {
    const path = '/2015-03-31/functions/arn%3Aaws%3Alambda/invocations';
    expect(await send(at(path, { service: 'lambda', method: 'POST', body: '{}' }))).toMatchObject({ status: 200 });
  });

  test('of another service needs no header with the hash of its body, which is checked all the same', async () => {
    const request = at('/', { service: 'lambda', method: 'POST', body: 'as signed', payloadHash: null });
    expect(await send(request)).toMatchObject({ status: 200 });
    expect(await sendAsIs({ ...request, body: 'forged!!!' }, sign(request).headers)).toMatchObject({ status: 403 });
  });
});

describe('a request is refused', () => {
  const code = (text: string) => /<Code>(.*)<\/Code>/.exec(text)?.[1] ?? JSON.parse(text).__type;
  const minutes = 60_000;

  test.each<[string, Partial<RawRequest>, number, string]>([
    ['with another secret', { keys: { ...credentials, secretAccessKey: 'guessed' } }, 403, 'SignatureDoesNotMatch'],
    ['with an unknown key', { keys: { ...credentials, accessKeyId: 'AKIASOMEBODY' } }, 403, 'InvalidAccessKeyId'],
    ['for another region', { region: 'eu-west-1' }, 400, 'AuthorizationHeaderMalformed'],
    ['from 16 minutes ago', { signedAt: now - 16 * minutes }, 403, 'RequestTimeTooSkewed'],
    ['from 16 minutes ahead', { signedAt: now + 16 * minutes }, 403, 'RequestTimeTooSkewed'],
    ['with an x-amz header that is not signed', { unsignedHeaders: { 'x-amz-copy-source': 'b/secret' } }, 403, 'AccessDenied'],
    ['with a payload hash that is none', { payloadHash: 'STREAMING-SOMETHING' }, 400, 'InvalidArgument'],
    ['without a payload hash', { payloadHash: null }, 400, 'InvalidRequest'],
    ['for a service that is not here', { service: 'ec2' }, 404, 'UnknownServiceException'],
    ['for a service that only objects have', { service: 'toString' }, 404, 'UnknownServiceException'],
  ])('%s', async (_, change, status, expected) => {
    const answer = await send(at('/bucket/key', change));
    expect([answer.status, code(answer.text)]).toEqual([status, expected]);
  });

  test('without a signature', async () => {
    const answer = await sendAsIs(at('/bucket/key'), {});
    expect([answer.status, code(answer.text)]).toEqual([403, 'AccessDenied']);
    const json = await sendAsIs(at('/'), { 'x-amz-target': 'AmazonSQS.SendMessage' });
    expect([json.status, code(json.text)]).toEqual([403, 'MissingAuthenticationTokenException']);
  });

  test.each([
    'Basic dXNlcjpwYXNz',
    'AWS4-HMAC-SHA256 nonsense',
    'AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00',
    'AWS AKIA:sig',
  ])('when its authorization is %s', async (authorization) => {
    expect(await sendAsIs(at('/bucket/key'), { ...sign(at('/bucket/key')).headers, authorization })).toMatchObject({ status: 400 });
  });

  test('when anything of it was changed after it was signed', async () => {
    const original = at('/bucket/key?a=1', { method: 'PUT', body: 'content', headers: { 'x-amz-meta-a': '1' } });
    const { headers } = sign(original);
    expect(await sendAsIs(original, headers)).toMatchObject({ status: 200 });
    const signature = headers['authorization']?.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')) ?? '';
    for (const [request, changed] of [
      [{ ...original, path: '/bucket/other?a=1' }, headers],
      [{ ...original, path: '/bucket/key?a=2' }, headers],
      [{ ...original, path: '/bucket/key?a=1&b' }, headers],
      [{ ...original, method: 'DELETE' }, headers],
      [original, { ...headers, 'x-amz-meta-a': '2' }],
      [original, { ...headers, authorization: signature }],
    ] as const) {
      expect(await sendAsIs(request, changed)).toMatchObject({ status: 403 });
    }
    const forged = await sendAsIs({ ...original, body: 'CONTENT' }, headers);
    expect([forged.status, code(forged.text)]).toEqual([400, 'XAmzContentSHA256Mismatch']);
  });

  test('when its presigned time is over, or longer than seven days', async () => {
    const path = presign(at('/b/k'), 60);
    now += 61_000;
    expect(await sendAsIs(at(path), {})).toMatchObject({ status: 403, text: expect.stringContaining('expired') });
    expect(await sendAsIs(at(presign(at('/b/k'), 700_000)), {})).toMatchObject({ status: 400 });
    expect(await sendAsIs(at(path.replace('Expires=60', 'Expires=600')), {})).toMatchObject({ status: 403 });
  });

  test('and its body is read to the end first, so that the client can read why', async () => {
    const body = Buffer.alloc(20 << 20);
    const answer = await send(at('/b/k', { method: 'PUT', body, keys: { ...credentials, secretAccessKey: 'guessed' } }));
    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining('SignatureDoesNotMatch') });
    const tooLong = await send(at('/b/k', { method: 'PUT', body }));
    expect(tooLong).toMatchObject({ status: 413 });
  });
});

test('an error is answered after the body has come, or a client that is still sending would not read it', async () => {
  const url = new URL(gateway.endpoint);
  const socket = connect(Number(url.port), url.hostname);
  let received = '';
  socket.on('data', (data) => {
    received += data;
  });
  socket.write(`PUT /b/k HTTP/1.1\r\nhost: ${url.host}\r\ncontent-length: 10\r\nconnection: close\r\n\r\nhalf.`);
  await sleep(100);
  expect(received).toBe('');
  socket.write('other');
  await once(socket, 'close');
  expect(received).toMatch(/^HTTP\/1.1 403 [\s\S]*<Code>AccessDenied<\/Code>/);
});

describe('a failure of a service', () => {
  const options = () => ({ endpoint: gateway.endpoint, region, credentials, maxAttempts: 1, md5: false as const });
  let queue: SQSClient;
  beforeEach(() => {
    queue = new SQSClient(options());
  });
  afterEach(() => queue.destroy());
  const message = (MessageBody: string) => new SendMessageCommand({ QueueUrl: `${gateway.endpoint}/q`, MessageBody });

  test('of the protocol reaches the SDK with its code', async () => {
    expect(await queue.send(message('hello'))).toMatchObject({ MessageId: 'id of hello' });
    await expect(queue.send(message('gone'))).rejects.toMatchObject({ name: 'QueueDoesNotExist', message: 'There is no such queue.' });
  });

  test('that may pass is one that SDKs try again', async () => {
    await expect(queue.send(message('busy'))).rejects.toMatchObject({ message: 'The queue is busy.', $metadata: { httpStatusCode: 503 } });
  });

  test('of ours is logged, and not told to the client', async () => {
    const answer = await send(at('/', { service: 'sns', method: 'POST' }));
    expect(answer.status).toBe(500);
    expect(answer.text).toContain('<ErrorResponse><Error><Type>Receiver</Type><Code>InternalFailure</Code>');
    expect(answer.text).not.toContain('wire');
    expect(log).toEqual([expect.stringContaining('the wire is loose')]);
  });

  test('is an input that does not fit, JSON that is none, or an operation that is not there', async () => {
    const call = (target: string, body: string) =>
      send(at('/', { service: 'rekognition', method: 'POST', headers: { 'x-amz-target': target }, body }));
    const wrong = await call('RekognitionService.DetectLabels', '{"Image":{"Bytes":7}}');
    expect(JSON.parse(wrong.text)).toMatchObject({ __type: 'ValidationException', message: expect.stringContaining('Image.Bytes') });
    expect(JSON.parse((await call('RekognitionService.DetectLabels', '{')).text)).toMatchObject({ __type: 'SerializationException' });
    for (const target of ['RekognitionService.toString', 'AmazonSQS.DetectLabels', '']) {
      expect(JSON.parse((await call(target, '{}')).text)).toMatchObject({ __type: 'UnknownOperationException' });
    }
  });
});

test('the SDK corrects a clock that is one hour off by what the gateway answers', async () => {
  now += 3600_000;
  const client = new RekognitionClient({ endpoint: gateway.endpoint, region, credentials });
  const labels = await client.send(new DetectLabelsCommand({ Image: { Bytes: new Uint8Array(10) } }));
  expect(labels.Labels).toEqual([{ Name: 'Dog' }]);
  client.destroy();
});

test('a port that is taken is told in a sentence', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  const starting = startGateway({ port, credentials, region, services: {}, clock: { now: () => now }, log: () => undefined });
  await expect(starting).rejects.toThrow(InvalidInput);
  await expect(starting).rejects.toThrow(`Port ${port} is in use by another program. Choose another port`);
  other.close();
});

test('only this computer can connect', () => {
  expect(gateway.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});
