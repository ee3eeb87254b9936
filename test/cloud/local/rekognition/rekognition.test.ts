import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import {
  DetectFacesCommand,
  DetectLabelsCommand,
  DetectModerationLabelsCommand,
  DetectTextCommand,
  type FaceDetail,
  type Label,
  RekognitionClient,
  type TextDetection,
} from '@aws-sdk/client-rekognition';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import sharp, { type OverlayOptions } from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../../cloud/local/database.ts';
import { startGateway } from '../../../../cloud/local/gateway/startGateway.ts';
import { region } from '../../../../cloud/local/names.ts';
import { createRekognition } from '../../../../cloud/local/rekognition/createRekognition.ts';
import { ensureModels } from '../../../../cloud/local/rekognition/models/ensureModels.ts';
import { overlap, type Size } from '../../../../cloud/local/rekognition/vision/boxes.ts';
import { createS3 } from '../../../../cloud/local/s3/createS3.ts';
import { pixwatchModelsDir } from '../../../../desktop/host/dataDir.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { drawnClock, drawnText, drawnTrafficLight, facesOf, sample, sampleWidth, smallSample } from './photos.ts';

let rekognition: RekognitionClient;
let s3: S3Client;
const opened: (() => unknown)[] = [];

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-'));
  opened.push(() => rm(dir, { recursive: true, force: true }));
  const models = await ensureModels({ dir: pixwatchModelsDir(process.env), onProgress: () => {} });
  const log = (line: string) => console.error(line);
  const store = await createS3({ dir, clock: systemClock, region, onEvent: async () => {}, log });
  await store.createBucket('photos');
  const database = await openDatabase(join(dir, 'local.db'));
  const looking = createRekognition({
    models,
    workers: 1,
    getObject: async (Bucket, Key, maxBytes) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, Range: `bytes=0-${maxBytes}` }));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    },
    videos: {
      ...{ database, clock: systemClock, log },
      openObject: async () => {
        throw new Error('no video is looked at here');
      },
      publish: () => {},
      onLookedAt: () => {},
    },
  });
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'for tests only' };
  const services = { s3: store.service, rekognition: looking.service };
  const gateway = await startGateway({ port: 0, credentials, region, services, clock: systemClock, log });
  rekognition = new RekognitionClient({ endpoint: gateway.endpoint, region, credentials, maxAttempts: 1 });
  s3 = new S3Client({ endpoint: gateway.endpoint, region, credentials });
  opened.push(database.close, store.close, looking.close, gateway.close);
});
afterAll(async () => {
  for (const close of opened.reverse()) await close();
});

async function labelsIn(Bytes: Uint8Array, limits: { MinConfidence?: number; MaxLabels?: number } = {}): Promise<Label[]> {
  const { Labels = [] } = await rekognition.send(new DetectLabelsCommand({ Image: { Bytes }, ...limits }));
  return Labels;
}
async function facesIn(Bytes: Uint8Array): Promise<FaceDetail[]> {
  const { FaceDetails = [] } = await rekognition.send(new DetectFacesCommand({ Image: { Bytes } }));
  return FaceDetails;
}
async function textIn(Bytes: Uint8Array, MinConfidence?: number): Promise<TextDetection[]> {
  const Filters = MinConfidence === undefined ? {} : { Filters: { WordFilter: { MinConfidence } } };
  const { TextDetections = [] } = await rekognition.send(new DetectTextCommand({ Image: { Bytes }, ...Filters }));
  return TextDetections;
}
async function flagsIn(Bytes: Uint8Array) {
  const { ModerationLabels = [] } = await rekognition.send(new DetectModerationLabelsCommand({ Image: { Bytes } }));
  return ModerationLabels;
}
const names = (labels: readonly Label[]) => labels.map(({ Name }) => Name);

const asked = new Map<number, Promise<Label[]>>();
/** What a sample shows, asked for once by all tests. */
function labelsOf(number: number): Promise<Label[]> {
  const labels = asked.get(number) ?? sample(number).then((photo) => labelsIn(photo));
  asked.set(number, labels);
  return labels;
}

/** How many of the known faces, as middle and width in pixels of a picture, were found. */
function foundOf(known: readonly (readonly [number, number, number])[], faces: readonly FaceDetail[], { width, height }: Size): number {
  return known.filter(([x, y, size]) =>
    faces.some(({ BoundingBox: { Left = 0, Top = 0, Width = 0, Height = 0 } = {} }) => {
      const off = Math.hypot((Left + Width / 2) * width - x, (Top + Height / 2) * height - y);
      return off < size / 3 && Width * width > size * 0.6 && Width * width < size * 1.6;
    }),
  ).length;
}

/** The size that a copy of a sample has in the pixels that its faces are known in. */
async function sampleSize(copy: Buffer): Promise<Size> {
  const { width = 0, height = 0 } = await sharp(copy).metadata();
  return { width: sampleWidth, height: (height * sampleWidth) / width };
}

describe('DetectLabels', () => {
  test.each([
    [1, 3],
    [2, 3],
    [4, 3],
    [5, 5],
    [6, 4],
  ])('photo %i shows at least %i people, with their boxes, and nothing absurd', async (number, people) => {
    const labels = await labelsOf(number);
    const person = labels.find(({ Name }) => Name === 'Person');
    expect(person?.Instances?.length).toBeGreaterThanOrEqual(people);
    for (const { BoundingBox, Confidence } of person?.Instances ?? []) {
      expect(BoundingBox?.Height).toBeGreaterThan(0.3);
      expect(Confidence).toBeGreaterThanOrEqual(50);
    }
    expect(person?.Categories).toEqual([{ Name: 'Person Description' }]);
    expect(['Person', 'Clothing', 'Couch', 'Furniture']).toEqual(expect.arrayContaining(names(labels)));
  });

  test('a thing has its box, its ancestors as parents and as labels of their own, and no more than that', async () => {
    const labels = await labelsIn(await drawnTrafficLight().jpeg().toBuffer());
    const light = labels.find(({ Name }) => Name === 'Traffic Light');
    expect(light).toMatchObject({ Aliases: [], Parents: [{ Name: 'Light' }], Confidence: expect.closeTo(98, -1) });
    expect(light?.Instances).toHaveLength(1);
    const { Left = 0, Top = 0, Width = 0, Height = 0 } = light?.Instances?.[0]?.BoundingBox ?? {};
    const drawn = [160, 80, 160, 380];
    for (const [i, edge] of [Left * 480, Top * 640, Width * 480, Height * 640].entries()) {
      expect(Math.abs(edge - (drawn[i] ?? 0))).toBeLessThan(32);
    }
    expect(names(labels).sort()).toEqual(['Light', 'Traffic Light']);
    expect(labels.find(({ Name }) => Name === 'Light')?.Instances).toEqual([]);
  });

  test('MinConfidence and MaxLabels leave out the unsure and the surplus', async () => {
    const photo = await sample(5);
    const all = await labelsOf(5);
    const confidences = all.map(({ Confidence = 0 }) => Confidence);
    expect(confidences.length).toBeGreaterThan(1);
    expect(Math.min(...confidences)).toBeGreaterThanOrEqual(55);
    expect(confidences).toEqual([...confidences].sort((a, b) => b - a));
    expect(await labelsIn(photo, { MaxLabels: 1 })).toEqual(all.slice(0, 1));
    expect(await labelsIn(photo, { MinConfidence: 80 })).toEqual(all.filter(({ Confidence = 0 }) => Confidence >= 80));
    expect(await labelsIn(photo, { MinConfidence: 100 })).toEqual([]);
  });

  test('a picture in S3 is the same as its bytes', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'photos', Key: 'two/ü.jpg', Body: await sample(2) }));
    const answer = await rekognition.send(new DetectLabelsCommand({ Image: { S3Object: { Bucket: 'photos', Name: 'two/ü.jpg' } } }));
    expect(answer.LabelModelVersion).toMatch(/^\d/);
    expect(answer.Labels).toEqual(await labelsOf(2));
  });

  test.each([
    ['the smallest picture', () => drawnClock().resize(80, 80).jpeg()],
    ['a picture that lies on its side, by its EXIF data', () => drawnClock().rotate(90).withMetadata({ orientation: 8 }).jpeg()],
  ])('%s is looked at', async (_, draw) => {
    expect(names(await labelsIn(await draw().toBuffer()))).toContain('Clock');
  });
});

describe('DetectFaces', () => {
  test.each([1, 2, 3, 4, 5, 6])('every face of photo %i, and no other', async (number) => {
    const photo = await smallSample(number, 960);
    const faces = await facesIn(photo);
    expect(faces).toHaveLength(facesOf[number]?.length ?? 0);
    expect(foundOf(facesOf[number] ?? [], faces, await sampleSize(photo))).toBe(faces.length);
  });

  test('a face has its landmarks and its lean', async () => {
    const leaning = await sharp(await smallSample(6))
      .rotate(20, { background: '#888' })
      .jpeg()
      .toBuffer();
    const faces = await facesIn(leaning);
    expect(faces).toHaveLength(4);
    for (const { BoundingBox: { Left = 0, Top = 0, Width = 0, Height = 0 } = {}, Landmarks = [], Pose, Confidence } of faces) {
      expect(Confidence).toBeGreaterThan(60);
      expect(Pose?.Roll).toBeGreaterThan(5);
      expect(Pose?.Roll).toBeLessThan(35);
      const [left, right] = Landmarks.map(({ X = 0 }) => X);
      expect(left).toBeLessThan(right ?? 0);
      for (const { X = 0, Y = 0 } of Landmarks) {
        expect((X - Left) / Width).toBeCloseTo(0.5, 0);
        expect((Y - Top) / Height).toBeCloseTo(0.5, 0);
      }
    }
  });

  test('bystanders: heads of 24 to 40 pixels anywhere in a picture of 1920 pixels', async () => {
    const shrink = 0.16;
    const places = { 1: [60, 40], 2: [840, 90], 3: [1560, 30], 4: [300, 960], 5: [1010, 1010], 6: [1600, 620] } as const;
    const crowd = sharp({ create: { width: 1920, height: 1280, channels: 3, background: '#7a8b6f' } });
    const known: [number, number, number][] = [];
    const layers: OverlayOptions[] = [];
    for (const [number, [left, top]] of Object.entries(places)) {
      layers.push({
        input: await sharp(await sample(Number(number)))
          .resize(Math.round(sampleWidth * shrink))
          .toBuffer(),
        left,
        top,
      });
      known.push(
        ...(facesOf[Number(number)] ?? []).map(([x, y, w]): [number, number, number] => [left + x * shrink, top + y * shrink, w * shrink]),
      );
    }
    const faces = await facesIn(await crowd.composite(layers).jpeg({ quality: 92 }).toBuffer());
    expect(foundOf(known, faces, { width: 1920, height: 1280 })).toBe(known.length);
    expect(faces.length).toBeLessThanOrEqual(known.length + 3);
  });

  test('faces of a photo that lies on its side, by its EXIF data, are told as they are seen', async () => {
    const photo = await smallSample(2);
    const lying = await sharp(photo).rotate(90).withMetadata({ orientation: 8 }).jpeg().toBuffer();
    expect(foundOf(facesOf[2] ?? [], await facesIn(lying), await sampleSize(photo))).toBe(3);
  });

  test('a picture without people has none', async () => {
    expect(await facesIn(await drawnTrafficLight().png().toBuffer())).toEqual([]);
  });
});

describe('DetectText', () => {
  const read = (found: readonly TextDetection[], type: string) =>
    found.filter(({ Type }) => Type === type).map(({ DetectedText }) => DetectedText);

  test('lines and their words, where they are', async () => {
    const found = await textIn(await drawnText('INVOICE 2024').jpeg().toBuffer());
    expect(read(found, 'LINE').join(' ')).toBe('INVOICE 2024');
    expect(read(found, 'WORD')).toEqual(['INVOICE', '2024']);
    expect(found.map(({ Id }) => Id)).toEqual(found.map((_, i) => i));
    for (const { Type, ParentId, Confidence } of found) {
      expect(Confidence).toBeGreaterThan(90);
      expect(ParentId === undefined ? 'LINE' : found[ParentId]?.Type).toBe('LINE');
      expect(Type === 'WORD').toBe(ParentId !== undefined);
    }
    const word = found.find(({ Type, DetectedText }) => Type === 'WORD' && DetectedText === '2024');
    const { Left = 0, Top = 0, Width = 0, Height = 0 } = word?.Geometry?.BoundingBox ?? {};
    const told = { left: Left * 1024, top: Top * 400, width: Width * 1024, height: Height * 400 };
    expect(overlap(told, { left: 662, top: 150, width: 280, height: 100 })).toBeGreaterThan(0.5);
    expect(word?.Geometry?.Polygon).toHaveLength(4);
  });

  test('text that leans', async () => {
    const leaning = await drawnText('NOTICE').rotate(-12, { background: '#f4f1ea' }).jpeg().toBuffer();
    expect(read(await textIn(leaning), 'LINE')).toEqual(['NOTICE']);
  });

  test('text of a photo that lies on its side, by its EXIF data', async () => {
    const lying = await drawnText('NOTICE').rotate(90).withMetadata({ orientation: 8 }).jpeg().toBuffer();
    expect(read(await textIn(lying), 'LINE')).toEqual(['NOTICE']);
  });

  test('a picture without text has none', async () => {
    expect(await textIn(await sample(3))).toEqual([]);
    expect(await textIn(await drawnTrafficLight().jpeg().toBuffer())).toEqual([]);
  });

  test('words below the wanted confidence are left out, and with them lines that have no other', async () => {
    expect(await textIn(await drawnText('NOTICE').jpeg().toBuffer(), 100)).toEqual([]);
  });
});

describe('DetectModerationLabels', () => {
  test.each([1, 2, 3, 4, 5, 6])('nothing is said of the people in photo %i', async (number) => {
    expect(await flagsIn(await sample(number))).toEqual([]);
  });

  test('its version is told', async () => {
    const asked = new DetectModerationLabelsCommand({ Image: { Bytes: await drawnClock().jpeg().toBuffer() } });
    expect(await rekognition.send(asked)).toMatchObject({ ModerationLabels: [], ModerationModelVersion: '7.0' });
  });
});

describe('what Rekognition refuses', () => {
  const plain = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: 'red' } });
  /** A small PNG whose header tells another size. */
  const claiming = (side: number) => ({
    toBuffer: async () => {
      const png = await plain(200, 200).png().toBuffer();
      png.writeUInt32BE(side, 16);
      png.writeUInt32BE(side, 20);
      png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
      return png;
    },
  });
  /** Noise does not compress. */
  const heavy = (side: number) =>
    sharp({ create: { width: side, height: side, channels: 3, background: 'red', noise: { type: 'gaussian', mean: 128, sigma: 60 } } }).png(
      { compressionLevel: 0 },
    );

  test.each([
    ['lower than 80 pixels', () => plain(200, 79).png(), 'InvalidParameterException'],
    ['wider than 10,000 pixels', () => plain(10_001, 80).png(), 'ImageTooLargeException'],
    ['claiming 20,000 × 20,000 pixels', () => claiming(20_000), 'ImageTooLargeException'],
    ['a GIF', () => plain(200, 200).gif(), 'InvalidImageFormatException'],
    ['a WebP', () => plain(200, 200).webp(), 'InvalidImageFormatException'],
    ['of more than 5 MB', () => heavy(1500), 'ImageTooLargeException'],
  ])('a picture %s', async (_, draw, name) => {
    const bytes = await draw().toBuffer();
    await expect(labelsIn(bytes)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
    for (const look of [facesIn, textIn, flagsIn]) await expect(look(bytes)).rejects.toMatchObject({ name });
  });

  test.each([
    ['text', Buffer.from('no picture at all')],
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200"><rect width="99" height="99"/></svg>')],
  ])('%s', async (_, bytes) => {
    await expect(labelsIn(bytes)).rejects.toMatchObject({ name: 'InvalidImageFormatException' });
  });

  test('a photo whose end is missing, and goes on with the next', async () => {
    const photo = await sample(1);
    const cut = photo.subarray(0, photo.length / 2);
    await expect(labelsIn(cut)).rejects.toMatchObject({ name: 'InvalidImageFormatException' });
    await expect(facesIn(cut)).rejects.toMatchObject({ name: 'InvalidImageFormatException' });
    expect(names(await labelsIn(photo))).toContain('Person');
  });

  test('an object of more than 15 MB; one between 5 and 15 MB it takes', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'photos', Key: 'heavy.png', Body: await heavy(2400).toBuffer() }));
    await s3.send(new PutObjectCommand({ Bucket: 'photos', Key: 'large.png', Body: await heavy(1500).toBuffer() }));
    const look = (Name: string) => rekognition.send(new DetectModerationLabelsCommand({ Image: { S3Object: { Bucket: 'photos', Name } } }));
    await expect(look('heavy.png')).rejects.toMatchObject({ name: 'ImageTooLargeException' });
    expect((await look('large.png')).ModerationLabels).toEqual([]);
  });

  test.each([
    ['photos', 'nothing.jpg'],
    ['nobody', 'sample.jpg'],
  ])('an object that is not there: %s/%s', async (Bucket, Name) => {
    const asked = rekognition.send(new DetectFacesCommand({ Image: { S3Object: { Bucket, Name } } }));
    await expect(asked).rejects.toMatchObject({ name: 'InvalidS3ObjectException' });
  });

  test('requests that make no sense', async () => {
    const Bytes = await sample(1);
    const ask = (input: object) => rekognition.send(new DetectLabelsCommand({ Image: { Bytes }, ...input }));
    for (const input of [
      { Image: {} },
      { Image: undefined },
      { MinConfidence: 101 },
      { MaxLabels: -1 },
      { Features: ['IMAGE_PROPERTIES'] },
    ]) {
      await expect(ask(input)).rejects.toMatchObject({ name: 'ValidationException' });
    }
  });
});
