import { parentPort, workerData } from 'node:worker_threads';
import { assertNever, messageOf } from '../../../shared/errors.ts';
import { copyIndex, followCloud } from './copyIndex.ts';
import { checkpoint, connect, openDatabase } from './openDatabase.ts';

/** Run as a worker thread: does one task for `apart.ts`. */
export type ApartTask =
  /** `now`: ms since 1970. */
  | { readonly kind: 'open'; readonly file: string; readonly now: number }
  | { readonly kind: 'copy'; readonly from: string; readonly to: string }
  | { readonly kind: 'follow'; readonly file: string; readonly cloud: string }
  | { readonly kind: 'checkpoint'; readonly file: string };
export type ApartAnswer =
  /** `setAside`: see `openDatabase`. */
  | { readonly kind: 'done'; readonly setAside: string | null }
  /** `errcode`: SQLite's, which says for one that the disk is full. */
  | { readonly kind: 'error'; readonly name: string; readonly text: string; readonly errcode: unknown };

parentPort?.postMessage(answer(workerData as ApartTask));

function answer(task: ApartTask): ApartAnswer {
  try {
    return { kind: 'done', setAside: perform(task) };
  } catch (thrown) {
    const { name, errcode } = (thrown instanceof Error ? thrown : { name: 'Error' }) as { name: string; errcode?: unknown };
    return { kind: 'error', name, text: messageOf(thrown), errcode };
  }
}

function perform(task: ApartTask): string | null {
  switch (task.kind) {
    case 'open': {
      const { db, setAside } = openDatabase(task.file, { clock: { now: () => task.now } });
      db.close();
      return setAside;
    }
    case 'copy':
      copyIndex(task.from, task.to);
      return null;
    case 'follow': {
      const db = connect(task.file);
      try {
        followCloud(db, task.cloud);
      } finally {
        db.close();
      }
      return null;
    }
    case 'checkpoint':
      checkpoint(task.file);
      return null;
    default:
      return assertNever(task);
  }
}
