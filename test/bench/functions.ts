import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import * as v from 'valibot';
import { openDynamodb } from '../../cloud/local/dynamodb.ts';
import { jsonService, operation } from '../../cloud/local/gateway/jsonService.ts';
import type { Service } from '../../cloud/local/gateway/service.ts';
import { startGateway } from '../../cloud/local/gateway/startGateway.ts';
import { backendNames, inputBucket, outputBucket, region, table } from '../../cloud/local/names.ts';
import { createS3 } from '../../cloud/local/s3/createS3.ts';
import { createBackend } from '../../cloud/steps/backend.ts';
import { tagOf } from '../../cloud/steps/videoJobs.ts';
import { questionOf } from '../../cloud/steps/videoLabels.ts';
import { systemClock } from '../../shared/clock.ts';
import { inboxKey, originalMetadata } from '../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../shared/model/asset.ts';
import { bundle, startFunction } from '../cloud/stack/runtime.ts';
import { fetchFilm, ffmpeg } from './clips.ts';

/**
 * How long the functions that work on pictures and videos take, and how much memory they come to, as bundles in processes of their own: what memory and
 * timeouts in cloud/stack/functions.ts come from. Usage: node test/bench/functions.ts [part of a picture's or film's name, or of `labels of a video`]
 */
const scratch = await mkdtemp(join(tmpdir(), 'pixwatch-bench-'));
process.on('exit', () => execFileSync('rm', ['-rf', scratch]));
const log = (line: string) => console.error(line);
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'for the measurement only' };

const s3 = await createS3({ dir: join(scratch, 's3'), clock: systemClock, region, onEvent: async () => {}, log });
for (const bucket of [inputBucket, outputBucket]) await s3.createBucket(bucket);
const dynamodb = await openDynamodb(join(scratch, 'dynamodb'));
await dynamodb.createTable(table);

let sent = 0;
/** S3, which counts what it sends: bytes, with headers. */
const countedS3: Service = async (request, response) => {
  const { socket } = request.message;
  const before = socket.bytesWritten;
  response.once('close', () => {
    sent += socket.bytesWritten - before;
  });
  await s3.service(request, response);
};

/** So many appearances are found in a video of six hours, the longest that Rekognition takes, a thousand a page: fourteen a second, far more than films have. */
const appearances = 300_000;
const perPage = 1000;
const labelsOfPage = (page: number) =>
  Array.from({ length: perPage }, (_, i) => {
    const n = page * perPage + i;
    const Label = {
      Name: `Label ${n % 100}`,
      Confidence: 60 + (n % 40),
      Instances: [],
      Aliases: [],
      Categories: [{ Name: 'Animals and Pets' }],
    };
    const StartTimestampMillis = n * 72;
    const times = { StartTimestampMillis, EndTimestampMillis: StartTimestampMillis + 4000, DurationMillis: 4000 };
    return { ...times, Label: { ...Label, Parents: [{ Name: 'Animal' }, { Name: 'Mammal' }] } };
  });
let isDone = false;
const rekognition = jsonService({
  targetPrefix: 'RekognitionService',
  version: '1.1',
  operations: {
    StartLabelDetection: operation(v.object({}), async () => ({ JobId: 'job' })),
    GetLabelDetection: operation(v.object({ NextToken: v.optional(v.string(), '0') }), async ({ NextToken }) => {
      if (!isDone) return { JobStatus: 'IN_PROGRESS' };
      const page = Number(NextToken);
      const more = (page + 1) * perPage < appearances && { NextToken: String(page + 1) };
      return {
        JobStatus: 'SUCCEEDED',
        LabelModelVersion: '3.0',
        VideoMetadata: { DurationMillis: 6 * 3_600_000 },
        Labels: labelsOfPage(page),
        ...more,
      };
    }),
  },
});
/** A state waits for the answer, and takes it. */
const states = jsonService({
  targetPrefix: 'AWSStepFunctions',
  version: '1.0',
  operations: { SendTaskSuccess: operation(v.object({ output: v.string() }), async () => ({})) },
});
const services = { s3: countedS3, dynamodb: dynamodb.service, rekognition, states };
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

let fetched: string | undefined;
/** A second and a half of the film, made by this command line. */
async function film(ext: string, ...args: string[]): Promise<Buffer> {
  fetched ??= fetchFilm(scratch);
  const path = join(scratch, `film.${ext}`);
  ffmpeg('-ss', '3', '-t', '1.5', '-i', fetched, '-map', '0:v', ...args, path);
  return readFile(path);
}
const sized = (width: number, height: number, ...more: string[]) => ['-vf', [`scale=${width}:${height}`, ...more].join()];
/** As phones take it: 10 bits, HLG. */
const hlg = 'format=yuv420p10le,zscale=tin=bt709:min=bt709:pin=bt709:t=arib-std-b67:m=bt2020nc:p=bt2020';
const inHlg = ['-color_primaries', 'bt2020', '-color_trc', 'arib-std-b67', '-colorspace', 'bt2020nc'];
const hevc = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'];
const films: [string, string, () => Promise<Buffer>][] = [
  ['4K H.264 film', 'mp4', () => film('mp4', ...sized(3840, 2160), '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '18')],
  ['4K HEVC film in HLG', 'mov', () => film('mov', ...sized(3840, 2160, hlg), ...hevc, '-frames:v', '5', ...inHlg)],
  ['8K H.264 film', 'mp4', () => film('mp4', ...sized(7680, 4320), '-c:v', 'libx264', '-preset', 'ultrafast', '-frames:v', '5')],
  ['8K HEVC film of 10 bits', 'mp4', () => film('mp4', ...sized(7680, 4320, 'format=yuv420p10le'), ...hevc, '-frames:v', '2')],
  [
    '8K ProRes 4444 film',
    'mov',
    () => film('mov', ...sized(7680, 4320), '-c:v', 'prores_ks', '-profile:v', '4', '-pix_fmt', 'yuva444p10le', '-frames:v', '2'),
  ],
  ['1 GB film', 'mp4', largeFilm],
];
async function largeFilm(): Promise<Buffer> {
  fetched ??= fetchFilm(scratch);
  const path = join(scratch, 'large.mp4');
  ffmpeg('-stream_loop', '44', '-i', fetched, '-map', '0', '-c', 'copy', path);
  return readFile(path);
}
const only = process.argv[2] ?? '';
const stepsOf = { photo: ['admit', 'render', 'pixelate'], film: ['admit', 'poster'] } as const;
const bundled = new Set([...stepsOf.photo, ...stepsOf.film, 'startVideoLabels', 'videoLabelsDone'] as const);
const sizes = await bundle([...bundled], join(scratch, 'bundles'));
for (const [name, bytes] of sizes) console.log(`${name}: ${(bytes / 1e6).toFixed(2)} MB bundled`);

const face = { box: { left: 0.1, top: 0.1, width: 0.3, height: 0.3 }, confidence: 99 };
for (const [what, ext, make] of [...pictures, ...films]) {
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
  let admitted: object = {};
  let rendered: unknown;
  for (const step of stepsOf[ext === 'mp4' || ext === 'mov' ? 'film' : 'photo']) {
    const running = await startFunction(join(scratch, 'bundles', `${step}.mjs`), access, names, settings);
    sent = 0;
    const { result, error, ms, peak } = await running.invoke({
      ...who,
      ...admitted,
      rendered,
      faces: { known: true, key: facesKey, summary: '' },
    });
    running.stop();
    if (step === 'admit') admitted = (result ?? {}) as object;
    if (step === 'render') rendered = result;
    const outcome = error
      ? error.errorMessage
      : `${(ms / 1000).toFixed(1)} s, at most ${Math.round(peak)} MB, ${(sent / 1e6).toFixed(1)} MB read`;
    console.log(`${step}, ${what} of ${(content.length / 1e6).toFixed(1)} MB: loaded in ${Math.round(running.loadMs)} ms, ${outcome}`);
  }
}

/** What Rekognition found in a long video. */
async function measureVideoLabels(): Promise<void> {
  const asset = createHash('sha256').update('a long film').digest('hex') as AssetId;
  const who = { library: 'local' as LibraryId, asset, ext: 'mp4', version: 'v1', attempt: 1, execution: 'measured' };
  const unknown = { width: null, height: null, animated: false, camera: null, place: null, takenAt: '2020-01-02T03:04:05.000Z' };
  const media = { kind: 'video', type: 'video/mp4', bytes: 1e9, durationMs: null, ...unknown };
  const rendered = { width: 1920, height: 1080, animated: false, durationMs: 6 * 3_600_000, renditions: ['thumb', 'preview'] };
  const waiting = { ...who, media, rendered, token: 'token' };
  const tag = tagOf(who, questionOf(backend));
  const done = { Records: [{ messageId: 'm', body: JSON.stringify({ JobId: 'job', JobTag: tag, API: 'StartLabelDetection' }) }] };
  for (const [step, what, event] of [
    ['startVideoLabels', 'which starts the job', waiting],
    ['videoLabelsDone', 'which takes its answer', done],
    ['startVideoLabels', 'which finds the answer', waiting],
  ] as const) {
    const running = await startFunction(join(scratch, 'bundles', `${step}.mjs`), access, names, settings);
    const { error, ms, peak } = await running.invoke(event);
    running.stop();
    isDone = true;
    const outcome = error ? error.errorMessage : `${(ms / 1000).toFixed(1)} s, at most ${Math.round(peak)} MB`;
    console.log(`${step}, ${what} of ${appearances} appearances: ${outcome}`);
  }
}
if ('labels of a video'.includes(only)) await measureVideoLabels();
await Promise.all([gateway.close(), s3.close(), dynamodb.close()]);
