import { expect, it, onTestFinished } from 'vitest';
import { fromPixels } from '../../../../cloud/steps/pixels.ts';
import { type Frame, openVideo, type Video, type VideoSource } from '../../../../cloud/steps/video/openVideo.ts';
import { Permanent, Transient } from '../../../../shared/errors.ts';
import { clip, noFrames, still, wrapped } from './videos.ts';

/** Counts what is read of it. */
function sourceOf(file: Buffer) {
  const counted = { bytes: 0, reads: 0 };
  const source: VideoSource = {
    size: file.length,
    async read(start, end) {
      counted.bytes += end - start;
      counted.reads++;
      return file.subarray(start, end);
    },
  };
  return { source, counted };
}

async function opened(source: VideoSource): Promise<Video> {
  const video = await openVideo(source);
  onTestFinished(video.close);
  return video;
}

/** The mean colour of a part of the picture, as [red, green, blue]. */
async function colour(frame: Frame, left: number, top: number): Promise<number[]> {
  const { width, height } = frame;
  const part = {
    left: Math.floor(left * width),
    top: Math.floor(top * height),
    width: Math.floor(width / 4),
    height: Math.floor(height / 4),
  };
  const pixel = await fromPixels(frame).extract(part).resize(1, 1, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
  return [...pixel];
}

/** What is behind the dog is brown, behind the frog green. */
async function animalIn(frame: Frame): Promise<'dog' | 'frog'> {
  const [red = 0, green = 0] = await colour(frame, 0, 0);
  return red > green ? 'dog' : 'frog';
}

it.each(['h264', 'hevc', 'vp9'] as const)('knows what %s says of itself, and shows its key frames', async (codec) => {
  const { source } = sourceOf(await clip(codec));
  const video = await opened(source);
  const length = video.facts.durationMs;
  expect(video.facts).toMatchObject({ width: 480, height: 320, codec: { h264: 'avc', hevc: 'hevc', vp9: 'vp9' }[codec] });
  expect(length).toBeGreaterThanOrEqual(8000);
  expect(length).toBeLessThan(8050);
  const first = await video.frameAt(1500, 240);
  expect(first).toMatchObject({ width: 240, height: 160 });
  expect(first.atMs).toBeLessThan(50);
  expect(await animalIn(first)).toBe('dog');
  const later = await video.frameAt(7000, 1600);
  expect(later).toMatchObject({ width: 480, height: 320 });
  expect(later.atMs).toBeGreaterThanOrEqual(6000);
  expect(later.atMs).toBeLessThan(6050);
  expect(await animalIn(later)).toBe('frog');
});

it.each([
  ['ProRes', () => still('prores.mov'), { codec: 'prores', width: 120, height: 80 }],
  ['VP8', () => still('vp8.webm'), { codec: 'vp8', width: 120, height: 80 }],
  ['fragments', () => wrapped({ into: 'fragments' }), { codec: 'avc', width: 480, height: 320 }],
  ['a transport stream', () => wrapped({ into: 'ts' }), { codec: 'avc', width: 480, height: 320 }],
  ['a recording whose end was lost', async () => (await wrapped({ into: 'mp4' })).subarray(0, 60_000), { codec: 'avc', durationMs: 8000 }],
])('shows %s', async (_, file, facts) => {
  const video = await opened(sourceOf(await file()).source);
  expect(video.facts).toMatchObject(facts);
  expect(await animalIn(await video.frameAt(0, 480))).toBe('dog');
});

it('shows what was taken in high dynamic range as bright as other pictures', async () => {
  const hdr = await (await opened(sourceOf(await still('hlg.mov')).source)).frameAt(0, 480);
  const plain = await (await opened(sourceOf(await clip('h264')).source)).frameAt(0, 480);
  for (const [left, top] of [
    [0, 0],
    [0.5, 0.5],
    [0.75, 0.25],
  ] as const) {
    const [expected, seen] = [await colour(plain, left, top), await colour(hdr, left, top)];
    for (const [i, value] of expected.entries()) expect(Math.abs(value - (seen[i] ?? 0))).toBeLessThan(25);
  }
});

it('takes date, camera and place from the file', async () => {
  const dated = await opened(sourceOf(await clip('h264')).source);
  expect(dated.facts).toMatchObject({ takenAt: '2024-05-17T09:30:00.000Z', camera: null, place: null });
  const tags = {
    'com.apple.quicktime.creationdate': '2023-08-01T12:00:00+0200',
    'com.apple.quicktime.make': 'Apple',
    'com.apple.quicktime.model': 'iPhone 15',
    'com.apple.quicktime.location.ISO6709': '+48.8577+002.2950+035.000/',
  };
  const phones = await opened(sourceOf(await wrapped({ into: 'mov', tags })).source);
  expect(phones.facts).toMatchObject({
    takenAt: '2023-08-01T10:00:00.000Z',
    camera: 'Apple iPhone 15',
    place: { latitude: 48.8577, longitude: 2.295 },
  });
});

it.each([90, 180, 270] as const)('turns a picture upright that was taken at %i degrees', async (rotation) => {
  const straight = await opened(sourceOf(await clip('h264')).source);
  const turned = await opened(sourceOf(await wrapped({ into: 'mp4', rotation })).source);
  expect(turned.facts).toMatchObject(rotation === 180 ? { width: 480, height: 320 } : { width: 320, height: 480 });
  // What is at the left above before goes where the turn takes it.
  const before = await colour(await straight.frameAt(7000, 480), 0, 0);
  const places = { 90: [0.75, 0], 180: [0.75, 0.75], 270: [0, 0.75] } as const;
  const [left, top] = places[rotation];
  const after = await colour(await turned.frameAt(7000, 480), left, top);
  for (const [i, value] of before.entries()) expect(Math.abs(value - (after[i] ?? 0))).toBeLessThan(10);
});

it('reads a little of a large file, wherever its list of frames is', async () => {
  const file = await clip('h264');
  const moov = file.lastIndexOf('moov') - 4;
  const [film, list] = [file.subarray(0, moov), file.subarray(moov)];
  const gap = 1024 ** 3;
  const counted = { bytes: 0, largest: 0 };
  const header = Buffer.alloc(8);
  header.writeUInt32BE(gap);
  header.write('free', 4);
  const parts = [
    { at: 0, bytes: film },
    { at: film.length, bytes: header },
    { at: film.length + gap, bytes: list },
  ];
  const video = await opened({
    size: film.length + gap + list.length,
    async read(start, end) {
      counted.bytes += end - start;
      counted.largest = Math.max(counted.largest, end - start);
      const answer = Buffer.alloc(end - start);
      for (const { at, bytes } of parts) {
        const from = Math.max(start, at);
        const until = Math.min(end, at + bytes.length);
        if (from < until) bytes.copy(answer, from - start, from - at, until - at);
      }
      return answer;
    },
  });
  expect(video.facts.durationMs).toBe(8000);
  expect(await animalIn(await video.frameAt(7000, 480))).toBe('frog');
  expect(counted.bytes).toBeLessThan(1024 ** 2);
});

it.each([
  ['whose end is missing', async () => (await clip('h264')).subarray(0, 50_000), /damaged or incomplete/],
  ['that is noise behind its first bytes', async () => Buffer.concat([(await clip('h264')).subarray(0, 32), noise(5000)]), /damaged/],
  ['of sound alone', () => wrapped({ into: 'mp4', tracks: ['audio'] }), /only sound/],
  ['that is none', async () => noise(5000), /no MP4, MOV, MKV/],
  ['that it does not know', () => still('mpeg4.avi'), /no MP4, MOV, MKV/],
  [
    'that says it has 2^40 bytes',
    async () => patched(await clip('h264'), 'moov', -4, [1, 0x6d_6f_6f_76, 256, 0]),
    /damaged or incomplete$/,
  ],
])('says why it cannot look into a file %s', async (_, file, reason) => {
  const failed = openVideo(sourceOf(await file()).source);
  await expect(failed).rejects.toThrow(Permanent);
  await expect(failed).rejects.toThrow(reason);
});

it.each([
  ['in AV1', () => still('av1.mp4'), /AV1/],
  ['in a codec that it does not know', () => still('mpeg4.mp4'), /codec is not known/],
  ['that has no frames', noFrames, /no frame in it/],
])('knows what a film says of itself %s, and why it cannot show it', async (_, file, reason) => {
  const video = await opened(sourceOf(await file()).source);
  expect(video.facts.width).toBeGreaterThan(0);
  await expect(video.frameAt(0, 480)).rejects.toThrow(reason);
});

// Lists of frames that are made to be endless, in a few bytes. The usual limits are a minute and a gigabyte.
it.each([
  ['memory', 'stts', 12, [0xff_ff_ff_ff], { heapMb: 64 }, /too much memory/],
  ['time', 'stsc', 16, [0xff_ff_ff_ff], { answerMs: 700 }, /too long/],
  ['bytes', 'moov', 0, [0x6d_6f_6f_76], { readBytes: 1 }, /too much of it/],
] as const)('gives a film no more %s than its limit', async (_, box, offset, words, limit, reason) => {
  const { source } = sourceOf(patched(await clip('h264'), box, offset, words));
  const limits = { answerMs: 60_000, heapMb: 1024, readBytes: 1024 ** 2, ...limit };
  const shown = openVideo(source, limits).then((video) => video.frameAt(0, 480).finally(video.close));
  await expect(shown).rejects.toThrow(Permanent);
  await expect(shown).rejects.toThrow(reason);
});

it('survives frames that are noise', async () => {
  const file = Buffer.from(await clip('h264'));
  const mdat = file.indexOf('mdat');
  noise(file.lastIndexOf('moov') - mdat - 100).copy(file, mdat + 50);
  const video = await opened(sourceOf(file).source);
  await expect(video.frameAt(0, 480).then(({ width }) => width)).rejects.toThrow(Permanent);
});

it('passes on that the file cannot be read at the moment', async () => {
  const { source } = sourceOf(await clip('h264'));
  const read = async () => {
    throw new Transient('the network is down');
  };
  await expect(openVideo({ ...source, read })).rejects.toThrow(Transient);
});

/** Writes words of 32 bits into the first box of that name, from so many bytes behind the beginning of its name. */
function patched(file: Buffer, box: string, offset: number, words: readonly number[]): Buffer {
  const copy = Buffer.from(file);
  // Behind the frames, which may hold these letters too.
  const at = copy.indexOf(box, copy.lastIndexOf('moov')) + offset;
  for (const [i, word] of words.entries()) copy.writeUInt32BE(word, at + 4 * i);
  return copy;
}

function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7f_ff_ff_ff;
    bytes[i] = state >> 16;
  }
  return bytes;
}
