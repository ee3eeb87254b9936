import type { appMethods } from '../../shared/contract.ts';
import { fullAtStart, InvalidInput, isDiskFull, messageOf } from '../../shared/errors.ts';
import type { Handlers } from '../../shared/rpc.ts';
import type { Agent } from '../agent/agent.ts';
import { lockDataFolder } from '../agent/db/lockFolder.ts';
import { openBackends } from './backends.ts';
import { readInstance, removeInstance, writeInstance } from './instance.ts';
import { createSecrets, type Keychain, systemKeychain } from './keychain.ts';

export interface AppOptions {
  /** See pixwatchDataDir. Made when missing. */
  readonly dataDir: string;
  /** See pixwatchModelsDir. */
  readonly modelsDir: string;
  /** Where sign-ins are kept: the system's own when absent. */
  readonly keychain?: Keychain;
  /** Called while the vision models are fetched, which happens once; at first with nothing received. */
  onModelProgress(progress: { receivedBytes: number; totalBytes: number }): void;
  /** Gets one line about something odd that was survived. */
  log(line: string): void;
}

/** The agent with the backend it works with. */
export interface App {
  /** Stays the same when the backend changes. */
  readonly agent: Agent;
  /** All of the contract: the agent's calls and those about the backend. */
  readonly handlers: Handlers<typeof appMethods>;
  /** Fulfils when pictures are looked at; rejects when the vision models cannot be fetched, which is tried again. On AWS it is fulfilled. */
  readonly ready: Promise<void>;
  /** Tells a second start on this data folder where the page is. */
  publish(url: string): Promise<void>;
  close(): Promise<void>;
}

/** `running`: another Pixwatch has this data folder; `url` is its page, null when it serves none. */
export type Start = { readonly kind: 'started'; readonly app: App } | { readonly kind: 'running'; readonly url: string | null };

/**
 * Starts Pixwatch on a data folder, which only one process has at a time.
 * @throws InvalidInput when the folder cannot be used, its disk is full, or a newer Pixwatch wrote it
 */
export async function startApp({ dataDir, modelsDir, keychain = systemKeychain, onModelProgress, log }: AppOptions): Promise<Start> {
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
    const secrets = createSecrets(keychain, log);
    const { agent, handlers, ready, close: closeBackends } = await openBackends({ dataDir, modelsDir, secrets, onModelProgress, log });
    closers.unshift(closeBackends);
    const publish = (url: string) => writeInstance(dataDir, url);
    return { kind: 'started', app: { agent, handlers: { ...agent.handlers, ...handlers }, ready, publish, close } };
  } catch (thrown) {
    await close();
    throw isDiskFull(thrown) ? fullAtStart(dataDir, thrown) : thrown;
  }
}

function lock(dataDir: string): (() => void) | null {
  try {
    return lockDataFolder(dataDir);
  } catch (cause) {
    if (isDiskFull(cause)) throw fullAtStart(dataDir, cause);
    throw new InvalidInput(`The data folder ${dataDir} cannot be used: ${messageOf(cause)}. Choose another with --data.`, { cause });
  }
}
