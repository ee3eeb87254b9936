import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { openDynamodb } from '../../cloud/local/dynamodb.ts';
import { startGateway } from '../../cloud/local/gateway/startGateway.ts';
import { backendNames, inputBucket, outputBucket, region, table } from '../../cloud/local/names.ts';
import { createS3 } from '../../cloud/local/s3/createS3.ts';
import { createBackend } from '../../cloud/steps/backend.ts';
import { systemClock } from '../../shared/clock.ts';
import { inboxKey, originalMetadata } from '../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../shared/model/asset.ts';
import { bundle, startFunction } from '../cloud/stack/runtime.ts';

/**
 * How long the functions that work on pictures take, and how much memory they come to, as bundles in processes of their own: what memory and
 * timeouts in cloud/stack/functions.ts come from. Usage: node test/bench/functions.ts [part of a picture's name]
 */
const scratch = await mkdtemp(join(tmpdir(), 'pixwatch-bench-'));
process.on('exit', () => execFileSync('rm', ['-rf', scratch]));
const log = (line: string) => console.error(line);
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'for the measurement only' };

const s3 = await createS3({ dir: join(scratch, 's3'), clock: systemClock, region, onEvent: async () => {}, log });
for (const bucket of [inputBucket, outputBucket]) await s3.createBucket(bucket);
const dynamodb = await openDynamodb(join(scratch, 'dynamodb'));
await dynamodb.createTable(table);
const services = { s3: s3.service, dynamodb: dynamodb.service };
const gateway = await startGateway({ port: 0, credentials, region, services, clock: systemClock, log });
const access = { endpoint: gateway.endpoint, region, credentials };
const names = backendNames(gateway.endpoint);
const settings = { minConfidence: 55, maxLabels: 10 };
const backend = createBackend(access, { names, settings: settings as never, clock: systemClock, warn: log });

const sample = await readFile(join(dirname(findPackageJSON('@vladmandic/face-api', import.meta.url) ?? ''), 'demo', 'sample1.jpg'));
/** A real photo enlarged, with noise as of a sensor, so that it compresses no better than one. */
const enlarged = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma: 30 } } }).composite([
    { input: sample, tile: true, blend: 'soft-light' },
  ]);
const largest = () => enlarged(11_500, 8_690);
const pictures: [string, string, () => Promise<Buffer>][] = [
  ['24 MP JPEG', 'jpg', () => enlarged(6000, 4000).jpeg({ quality: 92 }).toBuffer()],
  ['100 MP JPEG', 'jpg', () => largest().jpeg({ quality: 92 }).toBuffer()],
  ['100 MP progressive JPEG', 'jpg', () => largest().jpeg({ quality: 92, progressive: true }).toBuffer()],
  ['100 MP PNG', 'png', () => largest().png({ compressionLevel: 1 }).toBuffer()],
  // As large as the file of a photo may be, most of it behind the picture.
  ['200 MB JPEG', 'jpg', async () => Buffer.concat([await enlarged(6000, 4000).jpeg().toBuffer()], 199 * 1024 * 1024)],
];
const only = process.argv[2] ?? '';
const steps = ['admit', 'render', 'pixelate'] as const;
const sizes = await bundle(steps, join(scratch, 'bundles'));
for (const [name, bytes] of sizes) console.log(`${name}: ${(bytes / 1e6).toFixed(2)} MB bundled`);

const face = { box: { left: 0.1, top: 0.1, width: 0.3, height: 0.3 }, confidence: 99 };
for (const [what, ext, make] of pictures) {
  if (!what.includes(only)) continue;
  const content = await make();
  const asset = createHash('sha256').update(content).digest('hex') as AssetId;
  const who = { library: 'local' as LibraryId, asset, ext, version: 'v1', attempt: 1, execution: 'measured' };
  const Metadata = originalMetadata.write('photo', '2020-01-02T03:04:05.000Z');
  await backend.s3.send(new PutObjectCommand({ Bucket: inputBucket, Key: inboxKey(who), Body: content, Metadata }));
  const facesKey = `local/${asset}/raw/faces.json`;
  await backend.s3.send(
    new PutObjectCommand({ Bucket: outputBucket, Key: facesKey, Body: JSON.stringify({ faces: Array(20).fill(face) }) }),
  );
  let rendered: unknown;
  for (const step of steps) {
    const running = await startFunction(join(scratch, 'bundles', `${step}.mjs`), access, names, settings);
    const { result, error, ms, peak } = await running.invoke({ ...who, rendered, faces: { known: true, key: facesKey, summary: '' } });
    running.stop();
    if (step === 'render') rendered = result;
    const outcome = error ? error.errorMessage : `${(ms / 1000).toFixed(1)} s, at most ${Math.round(peak)} MB`;
    console.log(`${step}, ${what} of ${(content.length / 1e6).toFixed(1)} MB: loaded in ${Math.round(running.loadMs)} ms, ${outcome}`);
  }
}
await Promise.all([gateway.close(), s3.close(), dynamodb.close()]);
