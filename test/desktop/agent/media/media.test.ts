import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { beforeEach, expect, test } from 'vitest';
import { startGateway } from '../../../../cloud/local/gateway/startGateway.ts';
import { createS3 } from '../../../../cloud/local/s3/createS3.ts';
import { type MediaCache, openMediaCache } from '../../../../desktop/agent/media/media.ts';
import { createS3Client } from '../../../../desktop/agent/upload/s3Client.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { Permanent, Transient } from '../../../../shared/errors.ts';
import { renditionKey } from '../../../../shared/keys.ts';
import type { AssetId, Rendition } from '../../../../shared/model/asset.ts';
import { idOf, library } from '../search/library.ts';

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'not-secret' };
const region = 'us-east-1';
const bucket = 'pixwatch-output';
const asset = idOf('a.jpg');

let dir: string;
let s3: S3Client;
let cache: MediaCache;
let requests: number;
let stop: () => Promise<void>;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-media-'));
  const store = await createS3({ dir: join(dir, 's3'), clock: systemClock, region, onEvent: async () => {}, log: console.error });
  await store.createBucket(bucket);
  const gateway = await startGateway({
    port: 0,
    credentials,
    region,
    services: { s3: store.service },
    clock: systemClock,
    log: console.error,
  });
  const names = { inputBucket: 'pixwatch-input', outputBucket: bucket, table: 'pixwatch', commandsFunction: 'pixwatch-commands' };
  s3 = createS3Client({ endpoint: gateway.endpoint, region, library, ...names }, async () => credentials);
  requests = 0;
  s3.middlewareStack.add(
    (next) => (args) => {
      requests++;
      return next(args);
    },
    { step: 'initialize' },
  );
  cache = openMediaCache(join(dir, 'thumbs'), { s3, bucket, library, clock: systemClock });
  let isOpen = true;
  stop = async () => {
    if (isOpen) await gateway.close();
    isOpen = false;
  };
  return async () => {
    s3.destroy();
    await stop();
    await store.close();
    await rm(dir, { recursive: true });
  };
});
const put = (text: string, rendition: Rendition = 'thumb') =>
  s3.send(new PutObjectCommand({ Bucket: bucket, Key: renditionKey(library, asset, rendition), Body: text }));

test('fetches a rendition once and keeps it, also when the cloud is gone', async () => {
  await put('picture');
  requests = 0;
  const answers = await Promise.all(Array.from({ length: 20 }, () => cache.get(asset, 'thumb', 1)));
  const path = join(dir, 'thumbs', asset.slice(0, 2), `${asset}-thumb.webp`);
  expect(answers).toEqual(answers.map(() => ({ path, type: 'image/webp', isLasting: true })));
  expect(await readFile(path, 'utf8')).toBe('picture');
  expect(await readdir(join(path, '..'))).toHaveLength(1);
  expect(requests).toBe(1);

  await stop();
  expect(await cache.get(asset, 'thumb', 1)).toEqual({ path, type: 'image/webp', isLasting: true });
});

test('says when there is none, and asks again the next time', async () => {
  await expect(cache.get(asset, 'pixelated', 1)).rejects.toThrow(Permanent);
  await expect(cache.get(asset, 'thumb', 1)).rejects.toThrow('The library has no such picture of this file.');
  await put('picture');
  await expect(cache.get(asset, 'thumb', 1)).resolves.toBeDefined();
});

test('says when the cloud cannot be reached, and leaves nothing behind', async () => {
  await stop();
  await expect(cache.get(asset, 'thumb', 1)).rejects.toThrow(Transient);
  expect(await readdir(dir)).toEqual(['s3']);
});

test('a picture that cannot be stored leaves nothing behind', async () => {
  await put('picture');
  await writeFile(join(dir, 'thumbs'), 'no folder');
  await expect(cache.get(asset, 'thumb', 1)).rejects.toThrow(Transient);
});

test('what was analysed anew is fetched anew', async () => {
  await put('picture');
  const { path } = await cache.get(asset, 'thumb', 1);
  await put('better picture');
  await cache.forget(asset);
  await cache.get(asset, 'thumb', 1);
  expect(await readFile(path, 'utf8')).toBe('better picture');
});

test('what is on its way while it is analysed anew is not kept', async () => {
  await put('picture');
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  s3.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      if (!('Body' in args.input)) await held;
      return answer;
    },
    { step: 'initialize' },
  );
  const getting = cache.get(asset, 'thumb', 1);
  await expect.poll(() => requests).toBe(2);
  const forgetting = cache.forget(asset);
  await put('better picture');
  goOn();
  await Promise.all([getting, forgetting]);
  const { path } = await cache.get(asset, 'thumb', 2);
  expect(await readFile(path, 'utf8')).toBe('better picture');
});

test('a copy with faces hidden is never one of another revision', async () => {
  const read = async (revision: number) => readFile((await cache.get(asset, 'pixelated', revision)).path, 'utf8');
  await put('a face shows', 'pixelated');
  expect(await read(1)).toBe('a face shows');
  await put('no face shows', 'pixelated');
  // A process that dies before it forgets.
  expect(await read(2)).toBe('no face shows');
  expect(await cache.get(asset, 'pixelated', 2)).toMatchObject({ isLasting: false });
  await cache.forget(asset);
  expect(await readdir(join(dir, 'thumbs', asset.slice(0, 2)))).toEqual([]);
});

test('keeps to its limit: what was not used for the longest time goes first, also after a restart', async () => {
  let now = systemClock.now();
  // 4 KB for each of the 256 folders; all assets here share one.
  const open = () => openMediaCache(join(dir, 'thumbs'), { s3, bucket, library, clock: { now: () => now }, limit: 256 * 4096 });
  const assets = Array.from({ length: 6 }, (_, n) => `00${String(n).repeat(62)}` as AssetId);
  const kept = async () => (await readdir(join(dir, 'thumbs', '00'))).map((name) => Number(name[2])).sort();
  for (const each of assets) {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: renditionKey(library, each, 'thumb'), Body: Buffer.alloc(1000) }));
  }
  for (const each of assets.slice(0, 4)) await open().get(each, 'thumb', 1);
  expect(await kept()).toEqual([0, 1, 2, 3]);
  now += 2 * 24 * 60 * 60 * 1000;
  for (const n of [0, 2, 3]) await open().get(assets[n] as AssetId, 'thumb', 1);
  await open().get(assets[4] as AssetId, 'thumb', 1);
  expect(await kept()).toEqual([0, 2, 3, 4]);
});

test('what is larger than the limit alone is served all the same', async () => {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: renditionKey(library, asset, 'analysis'), Body: Buffer.alloc(5000) }));
  const small = openMediaCache(join(dir, 'thumbs'), { s3, bucket, library, clock: systemClock, limit: 256 });
  expect((await readFile((await small.get(asset, 'analysis', 1)).path)).byteLength).toBe(5000);
});
