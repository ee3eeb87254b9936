import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { systemClock } from '../../../../shared/clock.ts';
import { scratchDir } from '../serve.ts';
import { soon, startTestServer, type TestServer } from './testServer.ts';

const Bucket = 'box';
const dayMs = 24 * 60 * 60 * 1000;

/** Begins an upload and sends its one part. @returns what completes it */
async function begin({ client }: TestServer, Key: string): Promise<() => Promise<unknown>> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: `part of ${Key}` }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  return () => client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
}

test('an upload that nobody completes goes with its parts after seven days; a younger one and what was completed stay', async () => {
  const dir = await scratchDir();
  let passed = 0;
  const open = async () => {
    const server = await startTestServer({ dir, clock: { now: () => systemClock.now() + passed } });
    server.client.config.systemClockOffset = passed;
    return server;
  };
  const uploads = async ({ client }: TestServer) =>
    ((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).map(({ Key }) => Key);
  const blobs = () => readdir(join(dir, 'blobs'));

  const first = await open();
  await begin(first, 'abandoned');
  await (await begin(first, 'completed'))();
  await first.stop();
  passed = 3 * dayMs;
  const second = await open();
  await begin(second, 'younger');
  expect(await uploads(second)).toEqual(['abandoned', 'younger']);
  expect(await blobs()).toHaveLength(3);
  await second.stop();

  passed = 7 * dayMs + 60_000;
  const third = await open();
  await expect.poll(() => uploads(third), soon).toEqual(['younger']);
  await expect.poll(blobs, soon).toHaveLength(2);

  const completed = await third.client.send(new GetObjectCommand({ Bucket, Key: 'completed' }));
  expect(await completed.Body?.transformToString()).toBe('part of completed');
  expect(third.log).toEqual([]);
  await third.stop();
});
