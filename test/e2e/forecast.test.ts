import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../cloud/local/database.ts';
import { jsonService, operation } from '../../cloud/local/gateway/jsonService.ts';
import { account, videoQueue } from '../../cloud/local/names.ts';
import { createVideos, type VideosOptions } from '../../cloud/local/rekognition/video/createVideos.ts';
import { startLocalCloud } from '../../cloud/local/startLocalCloud.ts';
import { defaultQuotas, withQuotas } from '../../cloud/stack/quotas.ts';
import { loadSettings } from '../../cloud/stack/settings.ts';
import { startAgent } from '../../desktop/agent/agent.ts';
import { systemClock } from '../../shared/clock.ts';
import { type Counts, moneyOf, totalOf } from '../../shared/cost.ts';
import { onceCounts } from '../../shared/forecast.ts';
import { clip, wrapped } from '../cloud/steps/video/videos.ts';

/** Those that come with Pixwatch, as they are deployed. */
const settings = withQuotas(loadSettings(), defaultQuotas('us-east-1'));

const packages = new URL('../../node_modules/', import.meta.url);
const real = (path: string) => readFile(new URL(path, packages));
const photos = ['01', '02', '04', '05', '08', '13'].map((n) => `apeman-asset-images/dist/dummy/${n}.jpg`);
const people = ['3', '6'].map((n) => `@vladmandic/face-api/demo/sample${n}.jpg`);

/** Answers at once, with the labels of an ordinary photo; it reads the picture, as Rekognition does. Its jobs on videos are the local cloud's own. */
function quickRekognition(s3: () => S3Client, videos: VideosOptions) {
  const read = async ({ Image }: v.InferOutput<typeof asked>) => {
    const { Body } = await s3().send(new GetObjectCommand({ Bucket: Image.S3Object.Bucket, Key: Image.S3Object.Name }));
    await Body?.transformToByteArray();
  };
  const answering = (answer: object) =>
    operation(asked, async (input) => {
      await read(input);
      return answer;
    });
  const BoundingBox = { Left: 0.1234, Top: 0.2345, Width: 0.3456, Height: 0.4567 };
  const box = { BoundingBox, Confidence: 98.7654 };
  const Parents = [{ Name: 'Animal' }, { Name: 'Mammal' }, { Name: 'Canine' }];
  const Labels = Array.from({ length: 10 }, (_, n) => {
    return {
      Name: `Label number ${n}`,
      Confidence: 90 - n,
      Parents,
      Categories: [{ Name: 'Animals and Pets' }],
      Instances: n % 2 ? [] : [box, box],
    };
  });
  const seen = Labels.map(({ Name: name, Confidence: confidence, Parents }) => ({
    ...{ name, confidence, parents: Parents.map((parent) => parent.Name), category: 'Animals and Pets', instances: [] },
  }));
  const jobs = createVideos(videos, async () => seen);
  const operations = {
    ...jobs.operations,
    DetectLabels: answering({ Labels }),
    DetectFaces: answering({ FaceDetails: [box, box, box] }),
    DetectText: answering({ TextDetections: [] }),
    DetectModerationLabels: answering({ ModerationLabels: [] }),
  };
  return { service: jsonService({ targetPrefix: 'RekognitionService', version: '1.1', operations }), close: jobs.close };
}
const asked = v.object({ Image: v.object({ S3Object: v.object({ Bucket: v.string(), Name: v.string() }) }) });

it('a library costs what was forecast, within 5 % of what the meters counted, and what is damaged costs less', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-forecast-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const [folder, more, dataDir] = ['photos', 'more', 'data'].map((name) => join(dir, name)) as [string, string, string];
  for (const made of [folder, more, dataDir]) await mkdir(made);
  const contents = await Promise.all([...photos, ...people].map(real));
  const video = await clip('h264');
  for (const [n, content] of contents.entries()) await writeFile(join(folder, `${n}.jpg`), content);
  await writeFile(join(folder, 'clip.mp4'), video);
  // What is only kept: the beginning of a HEIC is all that is looked at, and Rekognition takes no MKV.
  const heic = Buffer.concat([Buffer.from('\0\0\0\x14ftypheic\0\0\0\0mif1'), Buffer.alloc(200_000, 1)]);
  const film = await wrapped({ into: 'mkv' });
  await writeFile(join(folder, 'kept.heic'), heic);
  await writeFile(join(folder, 'kept.mkv'), film);
  const torn = (await real(people[0] as string)).subarray(0, 40_000);
  await writeFile(join(more, 'torn.jpg'), torn);

  const database = await openDatabase(join(dir, 'jobs.db'));
  onTestFinished(database.close);
  /** Of videos, which the jobs of this test count, and not the cloud's own. */
  let minutes = 0;
  const rekognition = quickRekognition(() => s3, {
    database,
    clock: systemClock,
    openObject: async () => ({ size: video.length, read: async (start, end) => video.subarray(start, end) }),
    publish: (_, MessageBody) => void sqs.send(new SendMessageCommand({ QueueUrl: `${endpoint}/${account}/${videoQueue}`, MessageBody })),
    onLookedAt(looked) {
      minutes += looked;
    },
    log: (line) => expect.fail(line),
  });
  onTestFinished(rekognition.close);
  const models = { models: '', rekognition: rekognition.service };
  const cloud = await startLocalCloud({ dir: join(dir, 'cloud'), settings, ...models, clock: systemClock, log: () => {} });
  onTestFinished(() => cloud.close());
  const { connection, credentials, endpoint } = cloud;
  const sqs = new SQSClient({ endpoint, region: connection.region, credentials: { ...credentials } });
  const s3 = new S3Client({ endpoint, region: connection.region, credentials: { ...credentials } });
  const agent = await startAgent({ dataDir, connection, credentials: async () => credentials, clock: systemClock, log: () => {} });
  onTestFinished(() => agent.close());
  await agent.handlers.addFolder({ path: folder });
  await agent.untilIdle();
  expect((await agent.handlers.status({})).files).toMatchObject({ searchable: contents.length + 1, kept: 2 });

  const bytes = contents.reduce((sum, { length }) => sum + length, 0);
  const size = {
    ...{ photos: contents.length + 1, photoBytes: bytes + heic.length, keptPhotos: 1, keptPhotoBytes: heic.length },
    ...{ videos: 2, videoBytes: video.length + film.length, keptVideos: 1, keptVideoBytes: film.length, videoMinutes: 1 },
  };
  const expected = onceCounts(size, settings);
  const metered: Counts = { ...cloud.meter.read().counts, StartLabelDetection: minutes };
  // Photos come one by one or in batches, how often the desktop looks depends on how long it takes, and what a token takes on who was before: forecast at their worst.
  const atWorst = ['lambdaRequests', 'sqsRequests', 'readUnits', 'writeUnits'];
  const items = Object.keys(metered) as (keyof Counts)[];
  const apart = Object.fromEntries(items.map((item) => [item, Number(((expected[item] ?? 0) / (metered[item] ?? 0) - 1).toFixed(3))]));
  for (const [item, share] of Object.entries(apart)) {
    if (atWorst.includes(item)) expect(share, item).toBeGreaterThan(-0.05);
    else expect(Math.abs(share), item).toBeLessThan(0.05);
  }
  const money = (counts: Counts) => totalOf(moneyOf(counts, settings.region));
  const ofThose = Object.fromEntries(items.map((item) => [item, expected[item] ?? 0]));
  expect(Math.abs(money(ofThose) / money(metered) - 1)).toBeLessThan(0.05);

  // Nobody can know before that a file is damaged: it is forecast as if it were not.
  await agent.handlers.addFolder({ path: more });
  await agent.untilIdle();
  expect((await agent.handlers.status({})).files).toMatchObject({ rejected: 1 });
  const withIt = onceCounts({ ...size, photos: size.photos + 1, photoBytes: size.photoBytes + torn.length }, settings);
  expect(money({ ...cloud.meter.read().counts, StartLabelDetection: minutes })).toBeLessThan(money(withIt));
}, 120_000);
