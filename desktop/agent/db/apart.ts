import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { errorNamed } from '../../../shared/errors.ts';
import type { ApartAnswer, ApartTask } from './apartWorker.ts';
import { cloudOf, followCloud } from './copyIndex.ts';
import { connect, type OpenOptions, openDatabase } from './openDatabase.ts';

/** What may take long with a large index, or waits for the disk, is done in a thread of its own, as the event loop must not wait for it. */

/**
 * `openDatabase`: reads all of it through for damage, and brings it up to date.
 * @throws what `openDatabase` throws
 */
export async function openApart(file: string, { clock }: Pick<OpenOptions, 'clock'>): Promise<ReturnType<typeof openDatabase>> {
  // A new one takes no time.
  if (!existsSync(file)) return openDatabase(file, { clock });
  const setAside = await run({ kind: 'open', file, now: clock.now() });
  return { db: connect(file), setAside };
}

/**
 * `copyIndex`
 * @throws what `copyIndex` throws
 */
export async function copyApart(from: string, to: string): Promise<void> {
  await run({ kind: 'copy', from, to });
}

/**
 * `followCloud`
 * @param file of the database
 * @returns whether the index was of another cloud
 * @throws SQLite's error, e.g. when the disk is full
 */
export async function followApart(db: DatabaseSync, file: string, cloud: string): Promise<boolean> {
  const former = cloudOf(db);
  if (former === cloud) return false;
  // There is nothing to forget.
  if (former === null) followCloud(db, cloud);
  else await run({ kind: 'follow', file, cloud });
  return former !== null;
}

/**
 * `checkpoint`
 * @throws what `checkpoint` throws
 */
export async function checkpointApart(file: string): Promise<void> {
  await run({ kind: 'checkpoint', file });
}

async function run(workerData: ApartTask): Promise<string | null> {
  const worker = new Worker(new URL('./apartWorker.ts', import.meta.url), { workerData });
  try {
    const [message] = (await once(worker, 'message')) as [ApartAnswer];
    if (message.kind === 'done') return message.setAside;
    throw Object.assign(errorNamed(message.name, message.text), { errcode: message.errcode });
  } finally {
    await worker.terminate();
  }
}
