import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { MessagePort } from 'node:worker_threads';
import {
  BufferTarget,
  CustomSource,
  type EncodedPacket,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  type InputVideoTrack,
  MATROSKA,
  MkvOutputFormat,
  MP4,
  MPEG_TS,
  Output,
  QTFF,
  WEBM,
} from 'mediabunny';
import { messageOf } from '../../../shared/errors.ts';
import { createdAtOf } from './createdAt.ts';

/**
 * The thread that looks into one video (see openVideo.ts, which starts it): a container is taken apart by mediabunny, which asks for the few bytes
 * that it needs, and a key frame is decoded by FFmpeg, compiled to WebAssembly. Nothing of either can reach files, the network or other memory.
 */

export type ToThread =
  | { readonly kind: 'open'; readonly size: number }
  /** The picture at that time, or shortly before it, in this size in pixels, upright. */
  | { readonly kind: 'frame'; readonly atMs: number; readonly width: number; readonly height: number }
  | { readonly kind: 'bytes'; readonly read: number; readonly bytes: Uint8Array };

export type FromThread =
  | { readonly kind: 'read'; readonly read: number; readonly start: number; readonly end: number }
  | { readonly kind: 'opened'; readonly facts: RawFacts }
  | { readonly kind: 'frame'; readonly frame: RawFrame }
  /** Why the video cannot be looked into: for people, and in the demuxer's words. */
  | { readonly kind: 'unreadable'; readonly reason: string; readonly detail: string };

export interface RawFacts {
  /** As mediabunny calls it; null when it knows it not. */
  readonly codec: string | null;
  /** Upright, in square pixels. */
  readonly width: number;
  readonly height: number;
  readonly durationMs: number;
  /** By the names that the file has for them. */
  readonly tags: Readonly<Record<string, string>>;
  /** ISO 8601; of the container itself. */
  readonly createdAt: string | null;
}

export interface RawFrame {
  /** When the frame is shown. */
  readonly atMs: number;
  /** 8-bit sRGB without alpha, row by row. */
  readonly data: Uint8Array;
}

/** Why the video cannot be looked into, for people. */
class Unreadable extends Error {}

const damaged = 'the file is damaged or incomplete';

/** Answers what is asked through `port`, one question at a time. */
export function serveVideo(port: MessagePort): void {
  const reads = new Map<number, (bytes: Uint8Array) => void>();
  let next = 0;
  const read = (start: number, end: number) =>
    new Promise<Uint8Array>((resolve) => {
      reads.set(next, resolve);
      port.postMessage({ kind: 'read', read: next++, start, end } satisfies FromThread);
    });

  let opened: Opened | null = null;
  const answer = async (question: Exclude<ToThread, { kind: 'bytes' }>): Promise<FromThread> => {
    if (question.kind === 'open') {
      opened = await open(question.size, read);
      return { kind: 'opened', facts: opened.facts };
    }
    if (!opened) throw new Unreadable('it was not opened');
    return { kind: 'frame', frame: await frameAt(opened.track, question) };
  };
  port.on('message', (message: ToThread) => {
    if (message.kind === 'bytes') {
      reads.get(message.read)?.(message.bytes);
      reads.delete(message.read);
      return;
    }
    answer(message).then(
      (reply) => port.postMessage(reply),
      (thrown: unknown) => {
        // Whatever the demuxer stumbles over is the file's fault: it gets nothing else from outside.
        const reason = thrown instanceof Unreadable ? thrown.message : damaged;
        port.postMessage({ kind: 'unreadable', reason, detail: messageOf(thrown) } satisfies FromThread);
      },
    );
  });
}

interface Opened {
  readonly track: InputVideoTrack;
  readonly facts: RawFacts;
}

/** Kept of what was read, in bytes; more would only be read again. */
const cacheBytes = 4 * 1024 * 1024;

async function open(size: number, read: (start: number, end: number) => Promise<Uint8Array>): Promise<Opened> {
  const source = new CustomSource({ getSize: () => size, read, maxCacheSize: cacheBytes, prefetchProfile: 'fileSystem' });
  const input = new Input({ formats: [MP4, QTFF, MATROSKA, WEBM, MPEG_TS], source });
  if (!(await input.canRead())) throw new Unreadable('it is no MP4, MOV, MKV, WebM or MPEG-TS file that can be read');
  const track = await input.getPrimaryVideoTrack();
  // A recording that was cut off has its list of tracks, which comes last, missing.
  if (!track) throw new Unreadable((await input.getTracks()).length > 0 ? 'there is no picture in it, only sound' : damaged);
  const [codec, width, height, tags] = await Promise.all([
    track.getCodec(),
    track.getDisplayWidth(),
    track.getDisplayHeight(),
    input.getMetadataTags(),
  ]);
  // Looking for the last frame would read all of some files.
  const seconds = (await input.getDurationFromMetadata([track])) ?? (await input.computeDuration([track]));
  const createdAt = await createdAtOf(size, read);
  const facts = { codec, width, height, durationMs: Math.max(0, Math.round(seconds * 1000)), tags: textsOf(tags.raw ?? {}), createdAt };
  return { track, facts };
}

const longestTag = 200;

/** The tags that are short texts. Those of QuickTime's user data are bytes: two of length, two of language, then the text. */
function textsOf(raw: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts = Object.entries(raw).map(([name, value]): [string, string] => {
    const text = value instanceof Uint8Array ? Buffer.from(value.subarray(4)).toString('latin1') : value;
    return [name, typeof text === 'string' ? text : ''];
  });
  return Object.fromEntries(texts.filter(([, text]) => text !== '' && text.length <= longestTag));
}

type Wanted = Extract<ToThread, { kind: 'frame' }>;

/** Only key frames can be decoded by themselves. */
async function frameAt(track: InputVideoTrack, { atMs, width, height }: Wanted): Promise<RawFrame> {
  const sink = new EncodedPacketSink(track);
  const options = { verifyKeyPackets: true };
  const packet = (await sink.getKeyPacket(atMs / 1000, options)) ?? (await sink.getFirstKeyPacket(options));
  if (!packet) throw new Unreadable('there is no frame in it that stands by itself');
  const data = await decode(await fileOfOne(track, packet), await filtersOf(track, width, height));
  if (data.length !== width * height * 3) throw new Unreadable('its picture cannot be decoded');
  return { atMs: Math.max(0, Math.round(packet.timestamp * 1000)), data };
}

/** A small Matroska file, which takes every codec, with one frame in it. */
async function fileOfOne(track: InputVideoTrack, packet: EncodedPacket): Promise<Uint8Array> {
  const [codec, decoderConfig] = await Promise.all([track.getCodec(), track.getDecoderConfig()]);
  if (!codec || !decoderConfig) throw new Unreadable('its codec is not known');
  if (codec === 'av1') throw new Unreadable('its codec is AV1, which the decoder does not know');
  const target = new BufferTarget();
  const output = new Output({ format: new MkvOutputFormat(), target });
  const source = new EncodedVideoPacketSource(codec);
  output.addVideoTrack(source);
  await output.start();
  await source.add(packet.clone({ timestamp: 0 }), { decoderConfig });
  await output.finalize();
  return new Uint8Array(target.buffer ?? new ArrayBuffer());
}

/** FFmpeg's filters that make a frame as large as it is wanted, upright, and as bright as other pictures. */
async function filtersOf(track: InputVideoTrack, width: number, height: number): Promise<string> {
  const [rotation, isFlipped, { transfer }] = await Promise.all([track.getRotation(), track.getFlip(), track.getColorSpace()]);
  const [w, h] = rotation % 180 === 0 ? [width, height] : [height, width];
  const turns = { 0: [], 90: ['transpose=clock'], 180: ['hflip', 'vflip'], 270: ['transpose=cclock'] } as const;
  return [`scale=${w}:${h}:flags=area`, ...toSdr(transfer), ...turns[rotation], ...(isFlipped ? ['hflip'] : []), 'format=rgb24'].join();
}

/** FFmpeg's names of the two ways in which phones and cameras write high dynamic range. */
const hdrTransfers: Readonly<Record<string, string>> = { hlg: 'arib-std-b67', pq: 'smpte2084' };
/** In nits: a white sheet of paper, and the brightest of a nominal display (ITU-R BT.2408-7, 2.2 and 5.1). */
const [white, brightest] = [203, 1000];

/** Without these a picture of high dynamic range comes out grey. What is up to half as bright as paper stays as it is, what is brighter is drawn together. */
function toSdr(transfer: string | null | undefined): string[] {
  const from = hdrTransfers[transfer ?? ''];
  if (!from) return [];
  return [
    // Not subsampled, as zscale takes even sizes only else.
    'format=yuv444p10le',
    `zscale=tin=${from}:min=bt2020nc:pin=bt2020:t=linear:npl=${white}`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    `tonemap=mobius:param=0.5:desat=0:peak=${brightest / white}`,
    'zscale=t=iec61966-2-1',
    'format=gbrp',
  ];
}

/** Of JavaScript itself, but TypeScript has it among the types of browsers. */
declare const WebAssembly: {
  compile(program: Uint8Array): Promise<Program>;
  instantiate(program: Program, imports: object): Promise<object>;
};
interface Program {
  readonly brand: 'WebAssembly.Module';
}

/** The part of FFmpeg's module that is used. */
interface Ffmpeg {
  readonly FS: { writeFile(path: string, data: Uint8Array): void; readFile(path: string): Uint8Array };
  setLogger(log: (line: { readonly message: string }) => void): void;
  /** Runs the command line once; afterwards the module is used up. */
  exec(...args: readonly string[]): number;
}
type CreateFfmpeg = (options: { instantiateWasm(imports: object, done: (instance: object) => void): object }) => Promise<Ffmpeg>;

/** 8K, and some more; a larger frame would take gigabytes. */
const maxPixels = 50_000_000;

async function decode(file: Uint8Array, filters: string): Promise<Uint8Array> {
  compiled ??= compile();
  const { create, program } = await compiled;
  const ffmpeg = await create({
    instantiateWasm(imports, done) {
      void WebAssembly.instantiate(program, imports).then(done);
      return {};
    },
  });
  const said: string[] = [];
  ffmpeg.setLogger(({ message }) => said.push(message));
  ffmpeg.FS.writeFile('in.mkv', file);
  const input = ['-max_pixels', String(maxPixels), '-noautorotate', '-threads', '1', '-i', 'in.mkv'];
  const code = ffmpeg.exec('-hide_banner', '-loglevel', 'error', ...input, '-frames:v', '1', '-vf', filters, '-f', 'rawvideo', 'out');
  if (code !== 0) throw new Unreadable(`its picture cannot be decoded (${said[0] ?? `code ${code}`})`);
  return ffmpeg.FS.readFile('out');
}

let compiled: Promise<{ create: CreateFfmpeg; program: Program }> | null = null;

async function compile() {
  const require = createRequire(import.meta.url);
  let path: string;
  try {
    path = require.resolve('@ffmpeg/core/wasm');
  } catch (thrown) {
    throw new Unreadable('the decoder is not installed (the npm package @ffmpeg/core)', { cause: thrown });
  }
  // It is made for browsers and asks where it was loaded from, to fetch what it is given here.
  Object.assign(globalThis, { self: { location: { href: '' } } });
  return { create: require('@ffmpeg/core') as CreateFfmpeg, program: await WebAssembly.compile(await readFile(path)) };
}
