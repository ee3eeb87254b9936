import { mkdtemp, open as openFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createS3 } from '../../../../cloud/local/s3/createS3.ts';
import { openDatabase } from '../../../../cloud/local/s3/database.ts';
import { putObject, putPart } from '../../../../cloud/local/s3/metadata.ts';
import { shareRuns } from '../../../../cloud/local/s3/sync.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { InvalidInput } from '../../../../shared/errors.ts';
import { soon, startTestServer } from './testServer.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-s3-store-'));
});
afterEach(() => rm(dir, { recursive: true }));

const open = (onDamage?: (damage: Error) => void) =>
  createS3({
    dir,
    clock: systemClock,
    region: 'us-east-1',
    onEvent: async () => undefined,
    log: () => undefined,
    ...(onDamage && { onDamage }),
  });

test('a store of a newer Pixwatch is refused with a sentence', async () => {
  await (await open()).close();
  const database = new DatabaseSync(join(dir, 's3.db'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  await expect(open()).rejects.toThrow(InvalidInput);
  await expect(open()).rejects.toThrow(/s3\.db was written by a newer Pixwatch/);
});

test('files that no object refers to are swept out at the start', async () => {
  const server = await startTestServer({ dir });
  await writeFile(join(dir, 'blobs', 'left-behind'), 'x');
  await server.stop();
  const again = await startTestServer({ dir });
  await expect.poll(() => readdir(join(dir, 'blobs')), soon).toEqual([]);
  await again.stop();
});

/** Of what was put into the bucket `box`, a store that was closed. */
async function storeOf(...contents: string[]): Promise<string[]> {
  const server = await startTestServer({ dir });
  for (const Body of contents) await server.client.send(new PutObjectCommand({ Bucket: 'box', Key: Body, Body }));
  await server.stop();
  return readdir(join(dir, 'blobs'));
}

test('a list of objects that is missing or damaged is no reason to remove their bytes', async () => {
  const blobs = await storeOf('one', 'two');
  const database = join(dir, 's3.db');
  const good = await readFile(database);
  // SQLite's pages have 4,096 bytes; the second is that of a table's root.
  const damaged = Buffer.from(good).fill(0xaa, 4096, 2 * 4096);
  for (const [bytes, sentence] of [
    [null, /s3\.db is missing or empty: the list of the photos/],
    [Buffer.alloc(0), /s3\.db is missing or empty: the list of the photos/],
    [Buffer.concat([Buffer.alloc(100, 'x'), good.subarray(100)]), /s3\.db is damaged \(file is not a database\)/],
    [damaged, /s3\.db is damaged \(.*\)/],
  ] as const) {
    await (bytes === null ? rm(database) : writeFile(database, bytes));
    await expect(open()).rejects.toThrow(sentence);
    await expect(open()).rejects.toThrow(InvalidInput);
    expect(await readdir(join(dir, 'blobs'))).toEqual(blobs);
  }
  await writeFile(database, good);
  await (await open()).close();
});

test('bytes that are gone are told of', async () => {
  await storeOf('one');
  await rm(join(dir, 'blobs'), { recursive: true });
  await expect(open()).rejects.toThrow(/blobs is missing or empty/);
  await expect(open()).rejects.toThrow(InvalidInput);
});

test('100,000 objects cost no time at the start, and are listed by pages', async () => {
  await (await startTestServer({ dir })).stop();
  const database = await openDatabase(dir, { isKnown: async () => false, log: () => undefined });
  const attributes = { headers: { 'content-type': 'image/jpeg' }, tags: [], checksum: null, etag: 'e'.repeat(32), size: 1, modifiedAt: 0 };
  await database.commit(() => {
    for (let n = 0; n < 100_000; n++) {
      putPart(database, `content ${n}`, { ...attributes, number: 1, blob: `blob ${n}` });
      putObject(database, { ...attributes, bucket: 'box', key: `inbox/${n % 100}/${n}`, content: `content ${n}` });
    }
  });
  await database.close();
  await writeFile(join(dir, 'blobs', 'blob 0'), 'x');

  const before = performance.now();
  const server = await startTestServer({ dir });
  expect(performance.now() - before).toBeLessThan(1000);
  const folders = await server.client.send(new ListObjectsV2Command({ Bucket: 'box', Prefix: 'inbox/', Delimiter: '/' }));
  expect(folders.CommonPrefixes).toHaveLength(100);
  const page = await server.client.send(new ListObjectsV2Command({ Bucket: 'box', StartAfter: 'inbox/50/' }));
  expect(page.Contents).toHaveLength(1000);
  await server.stop();

  // So large a list is read through after the start. By what is damaged, anything might seem to be of no use.
  const file = await openFile(join(dir, 's3.db'), 'r+');
  await file.write(Buffer.alloc(4096, 0xaa), 0, 4096, 5000 * 4096);
  await file.close();
  await writeFile(join(dir, 'blobs', 'left-behind'), 'x');
  const { promise, resolve } = Promise.withResolvers<Error>();
  const store = await open(resolve);
  expect((await promise).message).toMatch(/s3\.db is damaged \(.+\)/);
  await store.close();
  expect(await readdir(join(dir, 'blobs'))).toEqual(expect.arrayContaining(['left-behind']));
});

test('callers that come together share a run that begins after them', async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const sync = shareRuns(() => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  });
  const first = sync();
  await expect.poll(() => runs, soon).toHaveLength(1);
  const later = Promise.all([sync(), sync(), sync()]);
  expect(runs).toHaveLength(1);
  runs[0]?.resolve();
  await first;
  await expect.poll(() => runs, soon).toHaveLength(2);
  runs[1]?.resolve();
  await later;
  expect(runs).toHaveLength(2);
});

test('a run that fails fails its callers, and not those of the next', async () => {
  const outcomes = [Promise.reject(new Error('disk')), Promise.resolve()];
  const sync = shareRuns(() => outcomes.shift() ?? Promise.resolve());
  await expect(sync()).rejects.toThrow('disk');
  await sync();
});
