import { parentPort, Worker, workerData } from 'node:worker_threads';
import { messageOf, Permanent } from '../../../shared/errors.ts';
import type { Media } from '../../../shared/model/asset.ts';
import { fitInside, type Pixels } from '../pixels.ts';
import { tagsOf } from './tags.ts';
import { type FromThread, type RawFacts, serveVideo, type ToThread } from './videoThread.ts';

/** Where a video's bytes come from: `read` gives those from `start` until before `end`. */
export interface VideoSource {
  readonly size: number;
  read(start: number, end: number): Promise<Uint8Array>;
}

/** What a video says about itself. `takenAt` as ISO 8601, null when it does not say. */
export interface VideoFacts extends Pick<Media, 'camera' | 'place'> {
  /** `avc` is H.264. Null: none that is known. */
  readonly codec: string | null;
  /** In pixels, upright. */
  readonly width: number;
  readonly height: number;
  readonly durationMs: number;
  readonly takenAt: string | null;
}

/** A frame that stands by itself, upright. */
export interface Frame extends Pixels {
  readonly atMs: number;
}

export interface Video {
  readonly facts: VideoFacts;
  /**
   * The last key frame until then (the first one when there is none), at most `maxSide` pixels long.
   * @throws Permanent when it cannot be decoded, or the decoder is not installed; else what the source threw
   */
  frameAt(atMs: number, maxSide: number): Promise<Frame>;
  close(): Promise<void>;
}

/** What looking into a video may take. */
export interface VideoLimits {
  /** For one answer, without what the source takes. The slowest frame, of 8K, takes some seconds. */
  readonly answerMs: number;
  /** Of JavaScript, in MB: the lists of frames of the longest videos take some hundred. */
  readonly heapMb: number;
  /** A long video is known by a few MB; one that takes more is not worth its price. Each read counts as `smallestRead` at least. */
  readonly readBytes: number;
}
const usualLimits: VideoLimits = { answerMs: 60_000, heapMb: 1024, readBytes: 256 * 1024 * 1024 };
const smallestRead = 64 * 1024;

/**
 * Looks into a video, of which it reads no more than it needs. What is decoded comes from strangers, hence it is done on a thread of its own, whose
 * memory and time are limited.
 * @throws Permanent when it is damaged, or none that can be looked into; the message is the end of a sentence. Else what the source threw
 */
export async function openVideo(source: VideoSource, limits: VideoLimits = usualLimits): Promise<Video> {
  const thread = startThread(source, limits);
  try {
    const { facts } = await thread.ask({ kind: 'open', size: source.size }, 'opened');
    const { tags, createdAt, ...rest } = facts satisfies RawFacts;
    return {
      facts: { ...rest, ...tagsOf(tags, createdAt) },
      async frameAt(atMs, maxSide) {
        const size = fitInside(facts, maxSide);
        const { frame } = await thread.ask({ kind: 'frame', atMs, ...size }, 'frame');
        return { ...size, atMs: frame.atMs, data: Buffer.from(frame.data.buffer, frame.data.byteOffset, frame.data.byteLength) };
      },
      close: thread.end,
    };
  } catch (thrown) {
    await thread.end();
    throw thrown;
  }
}

type Answer<K> = Extract<FromThread, { kind: K }>;

/** One question at a time; after a failure that is not `unreadable` it is ended. */
interface Thread {
  ask<K extends 'opened' | 'frame'>(question: ToThread, kind: K): Promise<Answer<K>>;
  end(): Promise<void>;
}

function startThread({ read }: VideoSource, limits: VideoLimits): Thread {
  const resourceLimits = { maxOldGenerationSizeMb: limits.heapMb };
  const worker = new Worker(new URL(import.meta.url), { workerData: videoThread, resourceLimits });
  let asked = Promise.withResolvers<FromThread>();
  let bytesRead = 0;
  const fail = (thrown: unknown) => {
    asked.reject(thrown);
    void worker.terminate();
  };
  const time = createTimeLimit(() => fail(new Permanent('it takes too long to decode')));
  const answerRead = async (wanted: Answer<'read'>) => {
    const { start, end } = wanted;
    bytesRead += Math.max(end - start, smallestRead);
    if (bytesRead > limits.readBytes) throw new Permanent('too much of it would have to be read');
    const bytes = await read(start, end);
    if (bytes.length !== end - start) throw new Permanent('it is shorter than it was said to be');
    worker.postMessage({ kind: 'bytes', read: wanted.read, bytes } satisfies ToThread);
    time.goOn();
  };
  worker.on('message', (message: FromThread) => {
    if (message.kind !== 'read') return asked.resolve(message);
    time.pause();
    answerRead(message).catch(fail);
  });
  worker.on('error', (thrown) => fail(new Permanent(whyEnded(thrown), { cause: thrown })));
  worker.on('exit', () => asked.reject(new Permanent('it cannot be decoded')));
  return {
    async ask<K extends 'opened' | 'frame'>(question: ToThread, kind: K) {
      asked = Promise.withResolvers();
      time.start(limits.answerMs);
      worker.postMessage(question);
      const reply = await asked.promise.finally(time.end);
      if (reply.kind === 'unreadable') throw new Permanent(reply.reason, { cause: reply.detail });
      if (reply.kind !== kind) throw new Permanent('it cannot be decoded');
      return reply as Answer<K>;
    },
    async end() {
      time.end();
      await worker.terminate();
    },
  };
}

/** Tells when something has been at it for too long. Its pauses, of which several may overlap, do not count. */
function createTimeLimit(onOver: () => void) {
  let timer: NodeJS.Timeout | undefined;
  let [isRunning, pauses, msLeft, since] = [false, 0, 0, 0];
  const run = () => {
    since = performance.now();
    timer = setTimeout(onOver, msLeft);
  };
  return {
    start(ms: number) {
      isRunning = true;
      msLeft = ms;
      if (pauses === 0) run();
    },
    pause() {
      if (pauses++ > 0 || !isRunning) return;
      clearTimeout(timer);
      msLeft -= performance.now() - since;
    },
    goOn() {
      if (--pauses === 0 && isRunning) run();
    },
    end() {
      isRunning = false;
      clearTimeout(timer);
    },
  };
}

function whyEnded(thrown: unknown): string {
  const isMemory = thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_WORKER_OUT_OF_MEMORY';
  return isMemory ? 'it takes too much memory to decode' : `it cannot be decoded (${messageOf(thrown)})`;
}

/**
 * The thread runs this same file, which a function bundled into one file is, too: there it finds its own part.
 */
const videoThread = 'pixwatch-video';
if (workerData === videoThread && parentPort) serveVideo(parentPort);
