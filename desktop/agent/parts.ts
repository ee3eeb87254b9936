import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../shared/clock.ts';
import type { commands } from '../../shared/commands.ts';
import type { Connection, CredentialsProvider } from '../../shared/connection.ts';
import type { Alert, Status } from '../../shared/contract.ts';
import type { Client } from '../../shared/rpc.ts';
import { markTold, untoldAlerts } from './alerts/alerts.ts';
import { type Clients, createClients } from './clients.ts';
import { connectCommands } from './commands.ts';
import { type Costs, createCosts } from './costs/costs.ts';
import { followApart, openApart } from './db/apart.ts';
import { keepLogShort } from './db/keepLogShort.ts';
import { indexFile } from './db/openDatabase.ts';
import { rescueSettings } from './db/rescueSettings.ts';
import { createEvents, type Events } from './events.ts';
import { type Live, readStatus } from './handlers/readHandlers.ts';
import { type MediaCache, openMediaCache } from './media/media.ts';
import { drainQueue, type UploadQueue } from './queue/drainQueue.ts';
import { enqueue } from './queue/enqueue.ts';
import { endIdleReaders } from './queue/hashFile.ts';
import { hasQueued } from './queue/jobs.ts';
import { refreshText } from './search/indexText.ts';
import type { Applied } from './sync/pullChanges.ts';
import { type Redrives, startRedrives } from './sync/redrives.ts';
import { type Repeated, repeat } from './sync/repeat.ts';
import { type Sync, startSync } from './sync/startSync.ts';
import { createTrouble } from './trouble.ts';
import { type FolderWatch, watchFolders } from './watch/watchFolders.ts';

export interface AgentOptions {
  /** All of this profile: no folder in it is watched. The caller has its lock. */
  readonly dataDir: string;
  /** Holds the backend's index and cached renditions: `dataDir` itself when absent. Made when missing. */
  readonly indexDir?: string;
  readonly connection: Connection;
  readonly credentials: CredentialsProvider;
  /** A name of the cloud, where it may be lost and a new one be in its place. */
  readonly cloudId?: string;
  readonly clock: Clock;
  /** Gets one line about something odd that was survived. */
  log(line: string): void;
  /** Calls `listener` at once and whenever it changes whether pictures can be looked at on this computer; absent where that is not done. */
  onSight?(listener: (sight: Sight) => void): void;
}

/** Why pictures are not looked at on this computer right now: `problem` when it does not go on, `notice` while it is being prepared. */
export type Sight = Pick<Status, 'problem' | 'notice'>;

/** The running parts of the agent. */
export interface Parts {
  readonly db: DatabaseSync;
  readonly clock: Clock;
  /** Without symbolic links on the way. */
  readonly dataDir: string;
  readonly watch: FolderWatch;
  readonly queue: UploadQueue;
  readonly sync: Sync;
  readonly redrives: Redrives;
  readonly costs: Costs;
  readonly media: MediaCache;
  readonly commands: Client<typeof commands>;
  readonly cloud: Connection & Pick<Clients, 's3' | 'dynamodb'>;
  readonly events: Events;
  live(): Live;
  close(): Promise<void>;
}

/**
 * Starts the parts and ties them together: a file that is complete is enqueued, what was sent makes `sync` look for the answer, and
 * whatever changes is told to `events`.
 * @throws InvalidInput when a newer Pixwatch wrote the database
 */
export async function startParts(options: AgentOptions): Promise<Parts> {
  const { clock, log, connection } = options;
  const dataDir = await realpath(options.dataDir);
  const { indexDir = dataDir } = options;
  await mkdir(indexDir, { recursive: true, mode: 0o700 });
  const { db, setAside } = await openApart(indexFile(indexDir), { clock });
  const notices = [
    setAside !== null && damageNotice(setAside, rescueSettings(setAside, db)),
    options.cloudId !== undefined && (await followApart(db, indexFile(indexDir), options.cloudId)) && lossNotice,
  ].filter((text) => text !== false);
  for (const text of notices) log(text);
  const notice = notices.length > 0 ? notices.join(' ') : null;
  const { s3, dynamodb, lambda, destroy } = createClients(connection, options.credentials);
  const cloud = { ...connection, s3, dynamodb };
  const media = openMediaCache(join(indexDir, 'thumbs'), { s3, bucket: connection.outputBucket, library: connection.library, clock });
  const commands = connectCommands(lambda, connection);

  let sight: Sight = { problem: null, notice: null };
  const live = (): Live => ({
    offline: offline(),
    paused: queue.isPaused(),
    problem: trouble.current() ?? sight.problem ?? costsTrouble(),
    notice: notice ?? sight.notice,
    costs: costs.state(),
    scanning: watch.isScanning(),
    progress: queue.progress(),
    bytesOf: (n) => queue.bytesOf(n),
  });
  const offline = () => sync.offline() ?? queue.offline();
  /** Told when something waits for it, and not beside the reason why nothing at all can be asked. */
  const costsTrouble = () => {
    const why = costs.trouble();
    const isInTheWay = why !== null && offline() === null && hasQueued(db);
    return isInTheWay ? `Nothing is sent before it is known what this cloud costs, and it does not say: ${why}` : null;
  };
  const alerts = { untold: () => untoldAlerts(db), markTold: (alert: Alert) => markTold(db, alert) };
  const events = createEvents(() => readStatus(db, live()), alerts);
  const onChange = () => events.changed('status');
  options.onSight?.((next) => {
    sight = next;
    onChange();
  });
  const onFolderChange = () => events.changed('status', 'folders');
  const trouble = createTrouble(log, onChange);
  const onError = trouble.note;
  const closeLog = keepLogShort(db, indexFile(indexDir), onError);

  const text = keepTextFresh(db, events, onError);
  const onApplied = (applied: readonly Applied[]) => {
    for (const { asset, replaced } of applied) if (replaced) media.forget(asset).catch(onError);
    events.alertsRaised();
    events.changed('status', 'library');
  };
  const onRulesChanged = () => events.changed('rules');
  const sync = startSync({ db, cloud, clock, onApplied, onRulesChanged, onOffline: onChange, onError, log });
  const onMaySend = () => {
    queue.wake();
    onChange();
  };
  const costs = createCosts({ db, commands, onChange: onMaySend, onError });
  const maySend = () => costs.state() === 'free' || costs.state() === 'approved';
  const redrives = startRedrives({ db, clock, commands, ready: sync.ready, onChange: onMaySend, onError });
  const onStale = (path: string) => watch.recheck(path);
  const queue = drainQueue({ db, clock, target: cloud, maySend, onStale, onStored: sync.lookSoon, onChange, onError });
  const take = async (path: string, signal: AbortSignal) => {
    // By then it is known here what the library holds already; that is neither queued nor sent.
    await sync.ready;
    const taken = await enqueue(db, clock, path, signal);
    costs.lookSoon();
    queue.wake();
    text.wake();
    return taken;
  };
  const onGone = () => {
    queue.filesGone();
    text.wake();
  };
  const watch = watchFolders({ db, clock, excluded: [dataDir], take, onGone, onChange: onFolderChange, onError });

  const close = async () => {
    // `sync` first: files wait for its first answer.
    for (const part of [sync, redrives, watch, queue, costs, text, trouble, events]) await part.close();
    await endIdleReaders();
    destroy();
    await closeLog();
    db.close();
  };
  return { db, clock, dataDir, watch, queue, sync, redrives, costs, media, commands, cloud, events, live, close };
}

const damageNotice = (setAside: string, isRescued: boolean) =>
  `The local index was damaged and is built anew; no photo is sent again. ${
    isRescued
      ? 'Watched folders and rules were kept.'
      : 'Watched folders, and rules that the cloud did not have yet, could not all be read: look whether one is missing.'
  } The damaged one was put aside as ${setAside}.`;

const lossNotice =
  "This computer's cloud is a new one: the former is not in its place any more. Every photo is sent again from the watched folders. " +
  'One that is in none of them any more can still be found, but not be saved again.';

/** For what was overlooked; it is woken when there is something to do. */
const refreshEveryMs = 60 * 60_000;
const retryMs = 10_000;

function keepTextFresh(db: DatabaseSync, events: Events, onError: (thrown: unknown) => void): Repeated {
  return repeat(async (signal) => {
    try {
      if (await refreshText(db, signal)) events.changed('library');
      return refreshEveryMs;
    } catch (thrown) {
      onError(thrown);
      return retryMs;
    }
  });
}
