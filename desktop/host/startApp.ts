import { join } from 'node:path';
import { startLocalCloud } from '../../cloud/local/startLocalCloud.ts';
import { systemClock } from '../../shared/clock.ts';
import { InvalidInput, messageOf } from '../../shared/errors.ts';
import { type Agent, startAgent } from '../agent/agent.ts';
import { lockDataFolder } from '../agent/db/lockFolder.ts';
import { readInstance, removeInstance, writeInstance } from './instance.ts';
import { forkLocalCloud, nodeForLocalCloud } from './localCloudProcess.ts';

export interface AppOptions {
  /** See pixwatchDataDir. Made when missing. */
  readonly dataDir: string;
  /** See pixwatchModelsDir. */
  readonly modelsDir: string;
  /** Called while the vision models are fetched, which happens once; at first with nothing received. */
  onModelProgress(progress: { receivedBytes: number; totalBytes: number }): void;
  /** Gets one line about something odd that was survived. */
  log(line: string): void;
}

/** The agent with the local cloud it works with. */
export interface App {
  readonly agent: Agent;
  /** Fulfils when pictures are looked at; rejects when the vision models cannot be fetched, which is tried again. */
  readonly ready: Promise<void>;
  /** Tells a second start on this data folder where the page is. */
  publish(url: string): Promise<void>;
  close(): Promise<void>;
}

/** `running`: another Pixwatch has this data folder; `url` is its page, null when it serves none. */
export type Start = { readonly kind: 'started'; readonly app: App } | { readonly kind: 'running'; readonly url: string | null };

/**
 * Starts Pixwatch on a data folder, which only one process has at a time.
 * @throws InvalidInput when the folder cannot be used or a newer Pixwatch wrote it
 */
export async function startApp({ dataDir, modelsDir, onModelProgress, log }: AppOptions): Promise<Start> {
  const unlock = lock(dataDir);
  if (!unlock) return { kind: 'running', url: await readInstance(dataDir) };
  // What was started, the latest first: the agent uses the cloud, and both use the folder.
  const closers: (() => Promise<void>)[] = [async () => unlock()];
  const close = async () => {
    for (const closeOne of closers.splice(0)) await closeOne();
  };
  try {
    // Left behind by a process that was killed.
    await removeInstance(dataDir);
    closers.unshift(() => removeInstance(dataDir));
    const node = nodeForLocalCloud(process.env);
    const options = { dir: join(dataDir, 'cloud'), models: modelsDir, clock: systemClock, onModelProgress, log };
    const cloud = await (node ? forkLocalCloud(node, options) : startLocalCloud(options));
    closers.unshift(() => cloud.close());
    const agent = await startAgent({
      dataDir,
      connection: cloud.connection,
      credentials: async () => cloud.credentials,
      clock: systemClock,
      log,
    });
    closers.unshift(() => agent.close());
    return { kind: 'started', app: { agent, ready: cloud.ready, publish: (url) => writeInstance(dataDir, url), close } };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function lock(dataDir: string): (() => void) | null {
  try {
    return lockDataFolder(dataDir);
  } catch (cause) {
    throw new InvalidInput(`The data folder ${dataDir} cannot be used: ${messageOf(cause)}. Choose another with --data.`, { cause });
  }
}
