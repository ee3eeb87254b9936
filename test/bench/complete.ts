import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { CompleteMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import { startGateway } from '../../cloud/local/gateway/startGateway.ts';
import { createS3 } from '../../cloud/local/s3/createS3.ts';
import { systemClock } from '../../shared/clock.ts';

/**
 * How long the local S3 takes to complete an upload of 10,000 parts, and how long its event loop waits for that. The limit is 50 ms. The store
 * runs in a thread of its own. Usage: node test/bench/complete.ts [parts]
 */
const parts = Number(process.argv[2] ?? 10_000);
const rounds = 5;
const region = 'us-east-1';
const credentials = { accessKeyId: 'AKIABENCH', secretAccessKey: 'not-secret' };
const upload = (round: number) => ({ Bucket: 'box', Key: `video-${round}.mp4`, UploadId: `upload-${round}` });
const checksum = Buffer.alloc(32, 7).toString('base64');
const etag = '0123456789abcdef'.repeat(2);

/** The rows are all there is of the parts: completing reads no byte of them. */
function beginUploads(file: string): void {
  const sqlite = new DatabaseSync(file, { timeout: 5000 });
  sqlite.exec('BEGIN');
  const begin = sqlite.prepare('INSERT INTO upload VALUES (?, ?, ?, 0, ?, ?, ?)');
  const part = sqlite.prepare('INSERT INTO part VALUES (?, ?, ?, 8388608, ?, ?, 0)');
  for (let round = 0; round < rounds; round++) {
    const { Bucket, Key, UploadId } = upload(round);
    begin.run(UploadId, Bucket, Buffer.from(Key), '{}', '[]', JSON.stringify({ algorithm: 'SHA256', type: 'COMPOSITE' }));
    const ofPart = JSON.stringify({ algorithm: 'SHA256', value: checksum, type: 'FULL_OBJECT' });
    for (let number = 1; number <= parts; number++) part.run(UploadId, number, `blob-${round}-${number}`, etag, ofPart);
  }
  sqlite.exec('COMMIT');
  sqlite.close();
}

/** Answers each message with the longest wait of the event loop since the one before, in milliseconds. */
async function serve(dir: string): Promise<void> {
  const log = (line: string) => console.error(line);
  const s3 = await createS3({ dir, clock: systemClock, region, onEvent: async () => {}, log });
  await s3.createBucket('box');
  beginUploads(join(dir, 's3.db'));
  const { endpoint } = await startGateway({ port: 0, credentials, region, services: { s3: s3.service }, clock: systemClock, log });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  parentPort?.on('message', () => {
    parentPort?.postMessage(delay.max / 1e6);
    delay.reset();
  });
  parentPort?.postMessage(endpoint);
}

async function measure(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-bench-'));
  process.on('exit', () => execFileSync('rm', ['-rf', dir]));
  const store = new Worker(import.meta.filename, { workerData: dir });
  const [endpoint] = await once(store, 'message');
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const Parts = Array.from({ length: parts }, (_, i) => ({ PartNumber: i + 1, ETag: `"${etag}"`, ChecksumSHA256: checksum }));
  const waits = async () => {
    store.postMessage('waits');
    return Number((await once(store, 'message'))[0]);
  };
  for (let round = 0; round < rounds; round++) {
    await waits();
    const began = process.hrtime.bigint();
    await client.send(new CompleteMultipartUploadCommand({ ...upload(round), MultipartUpload: { Parts } }));
    const ms = Number(process.hrtime.bigint() - began) / 1e6;
    console.log(`${parts} parts: ${ms.toFixed(0)} ms, the store's event loop waited at most ${(await waits()).toFixed(0)} ms`);
  }
  process.exit();
}

await (isMainThread ? measure() : serve(String(workerData)));
