import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { AgentEvent, agentMethods, LocalFile, Status } from '../../shared/contract.ts';
import { countUnfinished, type FileStateKind } from '../../shared/model/localFile.ts';
import type { Handlers } from '../../shared/rpc.ts';
import { countFiles, countFilesIn, listFiles } from './db/fileStates.ts';
import { indexFile, openDatabaseReadOnly } from './db/openDatabase.ts';
import { actHandlers } from './handlers/actHandlers.ts';
import { type Live, type ReadHandlers, readHandlers } from './handlers/readHandlers.ts';
import { type AgentOptions, type Parts, startParts } from './parts.ts';
import { nothingToDo } from './queue/progress.ts';
import { pausedKey, readMeta } from './sync/meta.ts';
import { isAnalysing } from './sync/startSync.ts';
import { folderRows, isInside } from './watch/folders.ts';

/** Watches folders, sends what is new, and knows what the cloud found in it. All of shared/contract.ts, and nothing of who asks. */
export interface Agent {
  readonly handlers: Handlers<typeof agentMethods>;
  /** @returns the function that ends it */
  onEvent(listener: (event: AgentEvent) => void): () => void;
  /**
   * Fulfils when every file found is searchable or has come to another end.
   * @param folders answers for the files in these watched folders alone, by id; for all when absent
   * @returns how many files are in each state, those that failed, were rejected or cannot be read, and what of the folders cannot
   * @throws the signal's reason when it is aborted
   */
  untilIdle(signal?: AbortSignal, folders?: readonly number[]): Promise<Idle>;
  close(): Promise<void>;
}

export interface Idle {
  readonly files: Status['files'];
  readonly failed: LocalFile[];
  /** `FolderWatch.unread` */
  readonly unread: string[];
}

/**
 * Starts the agent on a data folder, whose lock the caller has.
 * @throws InvalidInput when a newer Pixwatch wrote the database
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const parts = await startParts(options);
  const { db, live, events, close } = parts;
  return {
    handlers: { ...readHandlers(db, live), ...actHandlers(parts) },
    onEvent: events.onEvent,
    async untilIdle(signal, folders) {
      while (!isIdle(parts, folders)) await sleep(idleCheckMs, undefined, { signal });
      const failed = await allFiles(db, ['failed', 'rejected', 'unreachable']);
      const unread = parts.watch.unread(folders);
      if (!folders) return { files: countFiles(db), failed, unread };
      const roots = folderRows(db).filter(({ id }) => folders.includes(id));
      const failedThere = failed.filter(({ path }) => roots.some((root) => isInside(path, root.path)));
      return { files: countFilesIn(db, folders), failed: failedThere, unread };
    },
    close,
  };
}

/** What can be asked while another process, which has the folder's lock, runs the agent. */
export interface AgentReader {
  readonly handlers: ReadHandlers;
  close(): void;
}

/**
 * Opens a backend's index to look only.
 * @throws InvalidInput when there is no library in it, or another version of Pixwatch wrote it
 */
export function openAgentReader(indexDir: string): AgentReader {
  const db = openDatabaseReadOnly(indexFile(indexDir));
  const live = () => ({ ...atRest, paused: readMeta(db, pausedKey) === 'yes' });
  return { handlers: readHandlers(db, live), close: () => db.close() };
}

/** What is not in the database is only known to the process that runs the agent. */
const atRest: Live = {
  offline: null,
  paused: false,
  problem: null,
  notice: null,
  costs: 'unknown',
  scanning: false,
  progress: nothingToDo,
  bytesOf: () => 0,
};

const idleCheckMs = 200;

function isIdle({ db, watch, queue, costs }: Parts, folders?: readonly number[]): boolean {
  if (watch.isScanning() || !watch.isIdle()) return false;
  // What waits to be approved waits for a person.
  const isHeld = costs.state() === 'unapproved';
  if (!folders) return (isHeld || queue.isIdle()) && !isAnalysing(db);
  const files = countFilesIn(db, folders);
  return countUnfinished(isHeld ? { ...files, queued: 0 } : files) === 0;
}

async function allFiles(db: DatabaseSync, kinds: readonly FileStateKind[]): Promise<LocalFile[]> {
  const files: LocalFile[] = [];
  let cursor: string | null = null;
  do {
    const page = listFiles(db, { kinds, cursor, limit: 500 }, () => 0);
    files.push(...page.items);
    cursor = page.next;
    await nextTurn();
  } while (cursor !== null);
  return files;
}
