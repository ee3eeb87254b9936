import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand, RestoreObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../../shared/clock.ts';
import { startTestServer, type TestServer } from './testServer.ts';

const Bucket = 'box';
const dayMs = 24 * 60 * 60 * 1000;
let passed = 0;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ clock: { now: () => systemClock.now() + passed } });
});
afterAll(() => server.remove());

const Key = 'old.jpg';
const get = () => server.client.send(new GetObjectCommand({ Bucket, Key }));
const head = () => server.client.send(new HeadObjectCommand({ Bucket, Key }));
const restore = (Days: number, key = Key) =>
  server.client.send(new RestoreObjectCommand({ Bucket, Key: key, RestoreRequest: { Days, GlacierJobParameters: { Tier: 'Standard' } } }));

test('an archived object can be looked at, but not read or copied, before it is restored, and only for so long', async () => {
  await server.client.send(new PutObjectCommand({ Bucket, Key, Body: 'old', StorageClass: 'GLACIER' }));
  const copy = () => server.client.send(new CopyObjectCommand({ Bucket, Key: 'copy.jpg', CopySource: `${Bucket}/${Key}` }));
  const refused = { name: 'InvalidObjectState', $metadata: { httpStatusCode: 403 } };
  const { Restore, ...archived } = await head();
  expect(archived).toMatchObject({ StorageClass: 'GLACIER', ContentLength: 3 });
  expect(Restore).toBeUndefined();
  await expect(get()).rejects.toMatchObject(refused);
  await expect(copy()).rejects.toMatchObject(refused);

  expect((await restore(2)).$metadata.httpStatusCode).toBe(202);
  expect((await head()).Restore).toMatch(/^ongoing-request="false", expiry-date="\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"$/);
  expect(await (await get()).Body?.transformToString()).toBe('old');
  await copy();
  const copied = await server.client.send(new HeadObjectCommand({ Bucket, Key: 'copy.jpg' }));
  expect([copied.StorageClass, copied.Restore]).toEqual([undefined, undefined]);
  expect((await restore(5)).$metadata.httpStatusCode).toBe(200);

  passed = 6 * dayMs;
  server.client.config.systemClockOffset = passed;
  await expect(get()).rejects.toMatchObject(refused);
  passed = 0;
  server.client.config.systemClockOffset = 0;
});

test('what is not archived cannot be restored', async () => {
  await server.client.send(new PutObjectCommand({ Bucket, Key: 'new.jpg', Body: 'new' }));
  await expect(restore(1, 'new.jpg')).rejects.toMatchObject({ name: 'InvalidObjectState' });
  await expect(restore(1, 'none.jpg')).rejects.toMatchObject({ name: 'NoSuchKey' });
});
