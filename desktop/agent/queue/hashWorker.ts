import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { stampOf } from '../watch/stamp.ts';
import type { Answer, FileRead, Question } from './hashFile.ts';

/**
 * Run as a worker thread: reads and hashes files. A thread that may wait for the disk takes a fraction of the processor time that asking
 * Node's thread pool for each single step does, and leaves the event loop alone.
 */
parentPort?.on('message', async (question: Question) => {
  const answer = await answerTo(question);
  const body = answer.kind === 'file' ? answer.file?.body : null;
  parentPort?.postMessage(answer, body ? [body.buffer] : []);
});

async function answerTo({ id, path, size }: Question): Promise<Answer> {
  try {
    return { id, kind: 'file', file: await readAndHash(path, size) };
  } catch (thrown) {
    const { message, code, syscall } = thrown as NodeJS.ErrnoException;
    return { id, kind: 'error', message, code, syscall };
  }
}

/** Read between two turns: a large file must not make small ones wait. */
const chunk = Buffer.allocUnsafeSlow(1024 * 1024);

async function readAndHash(path: string, wantedSize: number | null): Promise<FileRead | null> {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const before = fstatSync(file, { bigint: true });
    const size = Number(before.size);
    if (wantedSize !== null && size !== wantedSize) return null;
    const body = wantedSize === null ? null : new Uint8Array(size);
    const hash = createHash('sha256');
    for (let at = 0; at < size; ) {
      if (at > 0) await nextTurn();
      const target = body ? body.subarray(at) : chunk;
      const bytes = readSync(file, target);
      if (bytes === 0) return null;
      hash.update(target.subarray(0, bytes));
      at += bytes;
    }
    const stamp = stampOf(before);
    return stamp === stampOf(fstatSync(file, { bigint: true })) ? { sha256: hash.digest('hex'), size, stamp, body } : null;
  } finally {
    closeSync(file);
  }
}
