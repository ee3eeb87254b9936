import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../shared/errors.ts';
import { shareRuns } from './sync.ts';

/** A stretch of one blob; `end` is exclusive. */
export interface Extent {
  readonly blob: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Files of bytes with names of our own, written once and never changed. A blob is alive as long as the metadata refers to it; one that is
 * not is removed when it is collected, or by the sweep of the next start.
 */
export interface Blobs {
  /**
   * Writes a blob and gives it to `use` when it is safe on the disk. When the source or `use` fails, or the metadata does not refer to the
   * blob afterwards, it is removed.
   * @param onChunk sees every chunk before it is written
   */
  write<T>(source: AsyncIterable<Buffer>, onChunk: (chunk: Buffer) => void, use: (blob: string, size: number) => Promise<T>): Promise<T>;
  /** Gives the bytes of the extents, one after the other, to `use`. Until it is over they stay, even when they are collected meanwhile. */
  read<T>(extents: readonly Extent[], use: (bytes: AsyncIterable<Buffer>) => Promise<T>): Promise<T>;
  /** Removes those of the blobs that are not alive. */
  collect(blobs: Iterable<string>): Promise<void>;
  close(): Promise<void>;
}

/** Memory for each upload and download under way. */
const bufferBytes = 512 << 10;

export interface BlobsOptions {
  /** Whether the metadata refers to a blob. */
  isAlive(blob: string): boolean;
  /** Whether `isAlive` can be relied on. Until it is known that it can, nothing is removed. */
  readonly sound: Promise<boolean>;
  /** Gets a line when a file cannot be removed. */
  log(line: string): void;
}

/** Opens the blobs in `dir` and begins to sweep out, in the background, what a crash left behind. */
export async function openBlobs(dir: string, { isAlive, sound, log }: BlobsOptions): Promise<Blobs> {
  await mkdir(dir, { recursive: true });
  const path = (blob: string) => join(dir, blob);
  const names = await openNames(dir);
  const held = createHolds();
  let isSound = false;
  const collect = async (blobs: Iterable<string> | AsyncIterable<string>) => {
    // The sweep, which comes after it is known, finds these too.
    if (!isSound) return;
    for await (const blob of blobs) {
      if (isAlive(blob) || held.keeps(blob)) continue;
      // What cannot be removed now (on Windows a virus scanner may have it open) is left to the sweep of the next start.
      await rm(path(blob), { force: true }).catch((error) => log(`A file of the object store was not removed: ${messageOf(error)}`));
    }
  };
  const closing = new AbortController();
  const sweep = async () => {
    isSound = await sound;
    await collect(namesIn(dir, closing.signal));
  };
  const swept = sweep().catch((error) => log(`The object store was not cleaned up: ${messageOf(error)}`));

  return {
    async write(source, onChunk, use) {
      const blob = randomUUID();
      const release = held.hold([blob]);
      try {
        const size = await writeFile(path(blob), source, onChunk);
        await names.sync();
        return await use(blob, size);
      } finally {
        release();
        await collect([blob]);
      }
    },
    async read(extents, use) {
      const release = held.hold(extents.map((extent) => extent.blob));
      try {
        return await use(bytesOf(extents, path));
      } finally {
        await collect(release());
      }
    },
    collect,
    async close() {
      closing.abort();
      await swept;
      await names.close();
    },
  };
}

interface Holds {
  /** @returns what ends the hold, and tells which blobs would have been removed but for it */
  hold(blobs: readonly string[]): () => string[];
  /** Whether a blob that is to be removed must stay for now. */
  keeps(blob: string): boolean;
}

/** Counts who needs a blob, whatever the metadata says. */
function createHolds(): Holds {
  const counts = new Map<string, number>();
  const postponed = new Set<string>();
  return {
    hold(blobs) {
      for (const blob of blobs) counts.set(blob, (counts.get(blob) ?? 0) + 1);
      return () => {
        const freed: string[] = [];
        for (const blob of blobs) {
          const left = (counts.get(blob) ?? 0) - 1;
          if (left > 0) counts.set(blob, left);
          else counts.delete(blob);
          if (left === 0 && postponed.delete(blob)) freed.push(blob);
        }
        return freed;
      };
    },
    keeps(blob) {
      const isHeld = counts.has(blob);
      if (isHeld) postponed.add(blob);
      return isHeld;
    },
  };
}

/** @returns the file's length */
async function writeFile(path: string, source: AsyncIterable<Buffer>, onChunk: (chunk: Buffer) => void): Promise<number> {
  const file = await open(path, 'wx', 0o600);
  try {
    let size = 0;
    let waiting: Buffer[] = [];
    let waitingBytes = 0;
    for await (const chunk of source) {
      onChunk(chunk);
      size += chunk.length;
      waiting.push(chunk);
      waitingBytes += chunk.length;
      // Sockets give 64 KB at a time: so a small object takes one trip to the thread pool, and a large one few.
      if (waitingBytes < bufferBytes) continue;
      await writeAll(file, waiting);
      waiting = [];
      waitingBytes = 0;
    }
    await writeAll(file, waiting);
    await file.datasync();
    return size;
  } finally {
    await file.close();
  }
}

/** The system may write less than it was given, for example just before the disk is full. */
async function writeAll(file: FileHandle, buffers: readonly Buffer[]): Promise<void> {
  for (let left = buffers; left.length > 0; ) left = skipBytes(left, (await file.writev(left)).bytesWritten);
}

function skipBytes(buffers: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  return buffers.flatMap((buffer) => {
    const left = buffer.subarray(skip);
    skip -= Math.min(skip, buffer.length);
    return left.length > 0 ? [left] : [];
  });
}

async function* bytesOf(extents: readonly Extent[], path: (blob: string) => string): AsyncGenerator<Buffer> {
  for (const { blob, start, end } of extents) {
    if (end > start) yield* createReadStream(path(blob), { start, end: end - 1, highWaterMark: bufferBytes });
  }
}

/** Makes the names of new files durable, as POSIX wants it. Windows cannot sync a folder; NTFS keeps names in its journal. */
async function openNames(dir: string): Promise<{ sync(): Promise<void>; close(): Promise<void> }> {
  const handle: FileHandle | null = process.platform === 'win32' ? null : await open(dir);
  return { sync: shareRuns(async () => handle?.sync()), close: async () => handle?.close() };
}

async function* namesIn(dir: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const { name } of await opendir(dir)) {
    if (signal.aborted) return;
    yield name;
  }
}
