import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, vi } from 'vitest';
import { listFiles } from '../../../../desktop/agent/db/fileStates.ts';
import { type DrainOptions, drainQueue, type UploadQueue } from '../../../../desktop/agent/queue/drainQueue.ts';
import { enqueue } from '../../../../desktop/agent/queue/enqueue.ts';
import { type FolderWatch, watchFolders } from '../../../../desktop/agent/watch/watchFolders.ts';
import { systemClock } from '../../../../shared/clock.ts';
import type { FileState } from '../../../../shared/model/localFile.ts';
import { scratchDatabase, scratchDir } from '../db/scratch.ts';
import { openStore, type Store } from '../upload/store.ts';

/** A watched folder, its queue and the store it is sent to: the agent's whole way up. */
export interface Sending {
  readonly db: DatabaseSync;
  readonly folder: string;
  readonly store: Store;
  readonly watch: FolderWatch;
  readonly queue: UploadQueue;
  readonly errors: unknown[];
  /** Writes a file into the folder. @returns the key under which it belongs into the inbox */
  put(name: string, content: Buffer): Promise<string>;
  /** The states of the files by name. */
  states(): Record<string, FileState>;
  /** Waits until every file of the folder is known and nothing is left to do. */
  untilIdle(): Promise<void>;
}

export interface SendingOptions extends Partial<DrainOptions> {
  store?: Store;
  folder?: string;
  settleMs?: number;
}

export const mebibyte = 1024 ** 2;
/** Content that nothing else has. */
export const photo = (bytes = 1000) => randomBytes(bytes);
export const keyOf = (content: Buffer, ext = 'jpg') => `inbox/local/${createHash('sha256').update(content).digest('hex')}.${ext}`;
export const until = (check: () => void | Promise<void>, timeout = 15_000) => vi.waitFor(check, { timeout, interval: 20 });

export async function startSending(options: SendingOptions = {}): Promise<Sending> {
  const store = options.store ?? (await openStore());
  const db = options.db ?? (await scratchDatabase());
  const folder = options.folder ?? join(await realpath(await scratchDir()), 'photos');
  await mkdir(folder, { recursive: true });
  const errors: unknown[] = [];
  const onError = (thrown: unknown) => void errors.push(thrown);
  const queue = drainQueue({
    db,
    clock: systemClock,
    target: store.target,
    backoff: { firstMs: 50, longestMs: 400 },
    onStale: (path) => watch.recheck(path),
    onStored: () => {},
    onChange: () => {},
    onError,
    ...options,
  });
  const watch = watchFolders({
    db,
    clock: systemClock,
    settleMs: options.settleMs ?? 100,
    async take(path, signal) {
      const taken = await enqueue(db, systemClock, path, signal);
      queue.wake();
      return taken;
    },
    onGone: () => queue.filesGone(),
    onChange: () => {},
    onError,
  });
  onTestFinished(async () => {
    await watch.close();
    await queue.close();
  });
  await watch.add(folder);
  const states = () => {
    const { items } = listFiles(db, { kinds: [], cursor: null, limit: 10_000 }, queue.bytesOf.bind(queue));
    return Object.fromEntries(items.map(({ path, state }) => [path.slice(folder.length + 1), state]));
  };
  return {
    db,
    folder,
    store,
    watch,
    queue,
    errors,
    async put(name, content) {
      await writeFile(join(folder, name), content);
      return keyOf(content, name.split('.').at(-1)?.toLowerCase());
    },
    states,
    untilIdle: () =>
      until(async () => {
        const files = (await readdir(folder, { recursive: true })).filter((name) => name.includes('.'));
        expect(Object.keys(states()).toSorted()).toEqual(files.toSorted());
        expect([watch.isIdle(), queue.isIdle()]).toEqual([true, true]);
      }),
  };
}
