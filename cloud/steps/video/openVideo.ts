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

/** A thread that says nothing for so long is stuck. The slowest frame, of 8K, takes some seconds. */
const stuckMs = 60_000;
/** In MB: a hundred times what lists of frames take. */
const maxHeap = 1024;
/** In bytes. A long video is known by a few MB; one that takes more is not worth its price. */
const maxRead = 256 * 1024 * 1024;

/**
 * Looks into a video, of which it reads no more than it needs. What is decoded comes from strangers, hence it is done on a thread of its own, whose
 * memory and time are limited.
 * @throws Permanent when it is damaged, or none that can be looked into; the message is the end of a sentence. Else what the source threw
 */
export async function openVideo(source: VideoSource): Promise<Video> {
  const thread = startThread(source);
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

function startThread({ read }: VideoSource): Thread {
  const worker = new Worker(new URL(import.meta.url), { workerData: videoThread, resourceLimits: { maxOldGenerationSizeMb: maxHeap } });
  let asked = Promise.withResolvers<FromThread>();
  let stuck: NodeJS.Timeout | undefined;
  let bytesRead = 0;
  const fail = (thrown: unknown) => {
    asked.reject(thrown);
    void worker.terminate();
  };
  const watch = () => {
    clearTimeout(stuck);
    stuck = setTimeout(() => fail(new Permanent('it takes too long to decode')), stuckMs);
  };
  const answerRead = async (wanted: Answer<'read'>) => {
    const { start, end } = wanted;
    bytesRead += end - start;
    if (bytesRead > maxRead) throw new Permanent('too much of it would have to be read');
    const bytes = await read(start, end);
    if (bytes.length !== end - start) throw new Permanent('it is shorter than it was said to be');
    worker.postMessage({ kind: 'bytes', read: wanted.read, bytes } satisfies ToThread);
    watch();
  };
  worker.on('message', (message: FromThread) => {
    clearTimeout(stuck);
    if (message.kind === 'read') answerRead(message).catch(fail);
    else asked.resolve(message);
  });
  // As when it comes to its limit of memory.
  worker.on('error', (thrown) => fail(new Permanent(`it cannot be decoded (${messageOf(thrown)})`, { cause: thrown })));
  worker.on('exit', () => asked.reject(new Permanent('it cannot be decoded')));
  return {
    async ask<K extends 'opened' | 'frame'>(question: ToThread, kind: K) {
      asked = Promise.withResolvers();
      watch();
      worker.postMessage(question);
      const reply = await asked.promise.finally(() => clearTimeout(stuck));
      if (reply.kind === 'unreadable') throw new Permanent(reply.reason);
      if (reply.kind !== kind) throw new Permanent('it cannot be decoded');
      return reply as Answer<K>;
    },
    async end() {
      clearTimeout(stuck);
      await worker.terminate();
    },
  };
}

/**
 * The thread runs this same file, which a function bundled into one file is, too: there it finds its own part.
 */
const videoThread = 'pixwatch-video';
if (workerData === videoThread && parentPort) serveVideo(parentPort);
