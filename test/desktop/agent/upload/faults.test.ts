import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { mebibyte, photo, type Sending, startSending, until } from '../queue/sending.ts';
import type { Fault } from './faultyLine.ts';
import { openStore } from './store.ts';

const Bucket = 'pixwatch-input';
const putPart = /^PUT .*partNumber=/;
const putWhole = /^PUT \/pixwatch-input\/inbox\/[^?]*\?x-id=PutObject/;
const complete = /^POST .*\?uploadId=/;
const error = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
const slowDown: Fault = { kind: 'answer', status: '503 Slow Down', body: error('SlowDown') };

async function expectStored(sending: Sending, ...keys: string[]): Promise<void> {
  await sending.untilIdle();
  expect([...(await sending.store.objects()).keys()].toSorted()).toEqual(keys.toSorted());
  expect(await sending.store.openUploads()).toBe(0);
  expect(sending.errors).toEqual([]);
}

describe('a small file', () => {
  test.each<[string, Fault]>([
    ['the connection is reset in the middle', { kind: 'reset', afterBytes: 100_000 }],
    ['the answer is lost', { kind: 'loseAnswer' }],
    ['the connection stands still', { kind: 'stall', afterBytes: 100_000 }],
    ['503 SlowDown', slowDown],
    ['500', { kind: 'answer', status: '500 Internal Server Error', body: error('InternalError') }],
    ['403, as with rights that were not there yet', { kind: 'answer', status: '403 Forbidden', body: error('AccessDenied') }],
    ['409, as another device sends it', { kind: 'answer', status: '409 Conflict', body: error('ConditionalRequestConflict') }],
  ])('%s', async (_, fault) => {
    const sending = await startSending({ store: await openStore(400) });
    sending.store.line.inject(putWhole, fault);
    await expectStored(sending, await sending.put('a.jpg', photo(500_000)));
    expect(sending.store.line.requests(putWhole)).toBe(2);
  });
});

test("a full disk under this computer's cloud is told as what it is", async () => {
  const sending = await startSending({ backoff: { firstMs: 1000, longestMs: 1000 } });
  sending.store.line.inject(putWhole, { kind: 'answer', status: '507 Insufficient Storage', body: error('InsufficientStorage') });
  const key = await sending.put('a.jpg', photo());
  await until(() => expect(sending.queue.offline()).toMatch(/^The disk that holds this computer's cloud is full/));
  await expectStored(sending, key);
});

describe('a file in parts', () => {
  const size = 20 * mebibyte;
  const parts = 3;
  /** Longer than a busy computer takes to store a part. */
  const idleMs = 2500;

  test.each<[string, RegExp, Fault]>([
    ['a part: the connection is reset in the middle', putPart, { kind: 'reset', afterBytes: 3 * mebibyte }],
    ['a part: the connection stands still', putPart, { kind: 'stall', afterBytes: 3 * mebibyte }],
    ['a part: the answer is lost', putPart, { kind: 'loseAnswer' }],
    ['a part: 503 SlowDown', putPart, slowDown],
  ])('%s: the others are not sent again', async (_, firstLine, fault) => {
    const sending = await startSending({ store: await openStore(idleMs) });
    sending.store.line.inject(firstLine, fault, 2);
    await expectStored(sending, await sending.put('a.mp4', photo(size)));
    expect(sending.store.line.requests(putPart)).toBe(parts + 1);
    expect(sending.store.line.bytesUp()).toBeLessThan(size + 8 * mebibyte + 100_000);
  });

  test.each<[string, Fault]>([
    ['the answer is lost, so that the next try finds no such upload', { kind: 'loseAnswer' }],
    ['the answer never comes', { kind: 'stall', afterBytes: 1e9 }],
    ['200 with an error in it', { kind: 'answer', status: '200 OK', body: error('InternalError') }],
    ['503 SlowDown', slowDown],
    ['the connection is reset', { kind: 'reset', afterBytes: 1 }],
  ])('completing it: %s', async (_, fault) => {
    const sending = await startSending({ store: await openStore(idleMs) });
    sending.store.line.inject(complete, fault);
    await expectStored(sending, await sending.put('a.mp4', photo(size)));
    expect(sending.store.line.requests(putPart)).toBe(parts);
  });

  test('400 to a HEAD, which cannot say why: everything waits, and no file is given up', async () => {
    const sending = await startSending({ backoff: { firstMs: 1000, longestMs: 1000 } });
    for (let i = 0; i < 2; i++) sending.store.line.inject(/^HEAD /, { kind: 'answer', status: '400 Bad Request', body: '' });
    const key = await sending.put('a.mp4', photo(size));
    await until(() => expect(sending.queue.offline()).toMatch(/^The cloud refuses this device/));
    expect(sending.states()).toMatchObject({ 'a.mp4': { kind: 'queued' } });
    await expectStored(sending, key);
  });

  test('a part: 503 SlowDown: once the next part is acknowledged, photos do not wait for its end', async () => {
    const sending = await startSending();
    sending.store.line.inject(putPart, slowDown, 2);
    sending.store.line.inject(complete, { kind: 'stall', afterBytes: 1e9 });
    await sending.put('a.mp4', photo(size));
    await until(() => expect(sending.store.line.requests(complete)).toBe(1));
    await sending.put('a.jpg', photo());
    await until(() => expect(sending.states()).toMatchObject({ 'a.jpg': { kind: 'analysing' }, 'a.mp4': { kind: 'uploading' } }));
    expect(sending.queue.offline()).toBeNull();
  });

  test.each<[string, Fault[]]>([
    ['404', []],
    ['403, as to one who may not list the bucket', [{ kind: 'answer', status: '403 Forbidden', body: '' }]],
  ])('completed, the answer lost, and taken out of the inbox meanwhile (%s): the record says that it is stored', async (_, faults) => {
    const sending = await startSending({ backoff: { firstMs: 1000, longestMs: 1000 } });
    sending.store.line.inject(complete, { kind: 'loseAnswer' });
    for (const fault of faults) sending.store.line.inject(/^HEAD /, fault);
    const Key = await sending.put('a.mp4', photo(size));
    await until(() => expect(sending.queue.offline()).not.toBeNull());
    await sending.store.recordAnalysed(Key.slice('inbox/local/'.length, -'.mp4'.length) as never);
    await sending.store.direct.send(new DeleteObjectCommand({ Bucket, Key }));
    await expectStored(sending);
    expect(sending.states()).toEqual({ 'a.mp4': { kind: 'analysing', reason: null } });
    expect(sending.store.line.requests(putPart)).toBe(parts);
  });

  test('an upload that was begun and not noted before a crash does no harm', async () => {
    const sending = await startSending();
    sending.queue.pause();
    const Key = await sending.put('a.mp4', photo(size));
    await sending.store.direct.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    sending.queue.resume();
    await sending.untilIdle();
    expect([...(await sending.store.objects()).keys()]).toEqual([Key]);
  });

  test('an upload that the cloud has given up is begun again', async () => {
    const sending = await startSending();
    sending.store.line.hold(mebibyte);
    const Key = await sending.put('a.mp4', photo(2 * size));
    await until(() => expect(sending.store.line.bytesUp()).toBeGreaterThan(mebibyte));
    sending.queue.pause();
    sending.store.line.release();
    const { Uploads = [] } = await sending.store.direct.send(new ListMultipartUploadsCommand({ Bucket }));
    await sleep(200);
    await sending.store.direct.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: Uploads[0]?.UploadId }));
    sending.queue.resume();
    await expectStored(sending, Key);
  });
});

test('the table does not answer: nothing is sent, and everything goes on after', async () => {
  const sending = await startSending({ store: await openStore(400) });
  for (let i = 0; i < 3; i++) sending.store.line.inject(/^POST \/ HTTP/, { kind: 'stall', afterBytes: 0 });
  const key = await sending.put('a.jpg', photo());
  await until(() => expect(sending.queue.offline()).toMatch(/does not answer/));
  expect(sending.states()).toEqual({ 'a.jpg': { kind: 'queued', reason: null } });
  await expectStored(sending, key);
});

test('a clock that is an hour off is allowed for', async () => {
  // The SDK learns the difference from the first refusal.
  const sending = await startSending();
  const body = error('RequestTimeTooSkewed');
  sending.store.line.inject(putWhole, { kind: 'answer', status: '403 Forbidden', body });
  await expectStored(sending, await sending.put('a.jpg', photo()));
});
