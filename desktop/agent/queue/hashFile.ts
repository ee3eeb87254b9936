import { Worker } from 'node:worker_threads';
import { Transient } from '../../../shared/errors.ts';
import type { AssetId } from '../../../shared/model/asset.ts';

/** A file's content as it was at one moment. */
export interface HashedFile {
  /** The content's SHA-256. */
  readonly asset: AssetId;
  /** Bytes. */
  readonly size: number;
  readonly stamp: string;
}

/**
 * The content's SHA-256. A symbolic link is not followed.
 * @returns null when the file changed while it was read
 * @throws the system's error when it cannot be read; the signal's reason when it is aborted
 */
export async function hashFile(path: string, signal?: AbortSignal): Promise<HashedFile | null> {
  const file = await ask(path, null, signal);
  return file && { asset: file.sha256 as AssetId, size: file.size, stamp: file.stamp };
}

/**
 * As `hashFile`, with the very bytes that were hashed.
 * @param size in bytes; it bounds the memory
 * @returns null also when the file has another size
 */
export async function readFile(path: string, size: number): Promise<(HashedFile & { readonly body: Uint8Array<ArrayBuffer> }) | null> {
  const file = await ask(path, size);
  return file?.body ? { asset: file.sha256 as AssetId, size: file.size, stamp: file.stamp, body: file.body } : null;
}

/** What a worker is asked; it answers each. */
export interface Question {
  readonly id: number;
  readonly path: string;
  /** Of a file whose bytes are wanted too; null when they are not. */
  readonly size: number | null;
}
export type Answer =
  | { id: number; kind: 'file'; file: FileRead | null }
  | { id: number; kind: 'error'; message: string; code: string | undefined; syscall: string | undefined };
export interface FileRead {
  readonly sha256: string;
  readonly size: number;
  readonly stamp: string;
  readonly body: Uint8Array<ArrayBuffer> | null;
}

interface Reader {
  readonly worker: Worker;
  readonly waiting: Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>;
}

/** Two keep a disk busy. They end with the agent. */
const threads = 2;
const readers: Reader[] = [];
let lastId = 0;

async function ask(path: string, size: number | null, signal?: AbortSignal): Promise<FileRead | null> {
  signal?.throwIfAborted();
  while (readers.length < threads) readers.push(startReader());
  const { worker, waiting } = readers.reduce((a, b) => (b.waiting.size < a.waiting.size ? b : a));
  const id = ++lastId;
  worker.ref();
  worker.postMessage({ id, path, size } satisfies Question);
  const answered = Promise.withResolvers<Answer>();
  waiting.set(id, answered);
  // The thread reads on for nobody: `endIdleReaders` ends it.
  const giveUp = () => {
    waiting.delete(id);
    answered.reject(signal?.reason);
  };
  signal?.addEventListener('abort', giveUp, { once: true });
  const answer = await answered.promise.finally(() => signal?.removeEventListener('abort', giveUp));
  if (answer.kind === 'file') return answer.file;
  throw Object.assign(new Error(answer.message), { code: answer.code, syscall: answer.syscall });
}

function forget(reader: Reader): void {
  const at = readers.indexOf(reader);
  if (at >= 0) readers.splice(at, 1);
}

/**
 * Ends the threads that nobody waits for; one that is needed later is started anew. That they are unreferenced is not enough: now and then
 * Node 24 stays alive for one all the same.
 */
export async function endIdleReaders(): Promise<void> {
  const idle = readers.filter(({ waiting }) => waiting.size === 0);
  idle.forEach(forget);
  await Promise.all(idle.map(({ worker }) => worker.terminate()));
}

function startReader(): Reader {
  const worker = new Worker(new URL('./hashWorker.ts', import.meta.url));
  const reader: Reader = { worker, waiting: new Map() };
  // An idle thread keeps no process alive.
  worker.unref();
  worker.on('message', (answer: Answer) => {
    reader.waiting.get(answer.id)?.resolve(answer);
    reader.waiting.delete(answer.id);
    if (reader.waiting.size === 0) worker.unref();
  });
  let cause: unknown;
  worker.on('error', (thrown) => {
    cause = thrown;
  });
  // For lack of memory, perhaps. It is replaced when one is next needed.
  worker.on('exit', () => {
    forget(reader);
    const error = new Transient('Reading files broke off. It is tried again.', { cause });
    for (const { reject } of reader.waiting.values()) reject(error);
  });
  return reader;
}
