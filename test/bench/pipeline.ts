import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DetectFacesCommand, DetectLabelsCommand, DetectModerationLabelsCommand, DetectTextCommand } from '@aws-sdk/client-rekognition';
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { type LocalCloud, startLocalCloud } from '../../cloud/local/startLocalCloud.ts';
import type { Backend } from '../../cloud/steps/backend.ts';
import { pixwatchModelsDir } from '../../desktop/host/dataDir.ts';
import { systemClock } from '../../shared/clock.ts';
import { inboxKey, renditionKey } from '../../shared/keys.ts';
import type { AssetId } from '../../shared/model/asset.ts';
import { backendOf } from '../cloud/cloudProcess.ts';

/**
 * Photos per minute through the local pipeline, against the models alone: the same questions about the same pictures, asked as many at a time. With one
 * worker and with two. Usage: node test/bench/pipeline.ts [photos]
 */
const count = Number(process.argv[2] ?? 24);
const scratch = await mkdtemp(join(tmpdir(), 'pixwatch-bench-'));
process.on('exit', () => execFileSync('rm', ['-rf', scratch]));

interface Photo {
  readonly asset: AssetId;
  readonly content: Buffer;
}

/** Real photos, each shifted in brightness by a little, so that every one is new. */
async function makePhotos(): Promise<Photo[]> {
  const samples = join(dirname(findPackageJSON('@vladmandic/face-api', import.meta.url) ?? ''), 'demo');
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const content = await sharp(join(samples, `sample${(i % 6) + 1}.jpg`))
        .linear(1 + i / 1000)
        .jpeg()
        .toBuffer();
      return { asset: createHash('sha256').update(content).digest('hex') as AssetId, content };
    }),
  );
}

async function walk({ connection }: LocalCloud, { s3, names }: Backend, photos: readonly Photo[]): Promise<void> {
  for (const { asset, content } of photos) {
    const Key = inboxKey({ library: connection.library, asset, ext: 'jpg' });
    await s3.send(new PutObjectCommand({ Bucket: names.inputBucket, Key, Body: content }));
  }
  const waiting = async () => (await s3.send(new ListObjectsV2Command({ Bucket: names.inputBucket, Prefix: 'inbox/' }))).KeyCount;
  while (await waiting()) await sleep(100);
}

/** @param lanes photos at a time: as many as the local cloud has under way */
async function askModels(
  { connection }: LocalCloud,
  { rekognition, names }: Backend,
  photos: readonly Photo[],
  lanes: number,
): Promise<void> {
  const ask = async ({ asset }: Photo) => {
    const Image = { S3Object: { Bucket: names.outputBucket, Name: renditionKey(connection.library, asset, 'analysis') } };
    await Promise.all([
      rekognition.send(new DetectLabelsCommand({ Image })),
      rekognition.send(new DetectTextCommand({ Image })),
      rekognition.send(new DetectModerationLabelsCommand({ Image })),
      rekognition.send(new DetectFacesCommand({ Image })),
    ]);
  };
  const waiting = [...photos];
  const lane = async () => {
    for (let photo = waiting.pop(); photo; photo = waiting.pop()) await ask(photo);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

const [warmUp, ...photos] = await makePhotos();
const perMinute: number[] = [];
for (const workers of [1, 2]) {
  const models = pixwatchModelsDir(process.env);
  const cloud = await startLocalCloud({ dir: join(scratch, `${workers}`), models, workers, clock: systemClock, log: console.warn });
  await cloud.ready;
  const backend = backendOf(cloud.connection, { ...cloud.credentials });
  // Loads the models and lets the compiler warm up.
  await walk(cloud, backend, warmUp ? [warmUp] : []);
  await askModels(cloud, backend, warmUp ? [warmUp, warmUp] : [], 2);
  const walked = await seconds(() => walk(cloud, backend, photos));
  const asked = await seconds(() => askModels(cloud, backend, photos, workers + 1));
  await cloud.close();
  perMinute.push((60 * photos.length) / walked);
  console.log(
    `${workers} worker(s): ${perMinute.at(-1)?.toFixed(1)} photos a minute; the models alone take ${((100 * asked) / walked).toFixed(0)} % of that time`,
  );
}
console.log(`two workers against one: ${((perMinute[1] ?? 0) / (perMinute[0] ?? 1)).toFixed(2)} ×`);
process.exit();
