import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { type ConnectionFile, type CredentialsProvider, connectionTo } from '../../shared/connection.ts';
import { messageOf } from '../../shared/errors.ts';
import { type Agent, startAgent } from '../agent/agent.ts';
import type { Sight } from '../agent/parts.ts';
import { type AwsBackend, type BackendChoice, backendId, indexDir, knownAws } from './backendFile.ts';
import type { Secrets } from './keychain.ts';
import { openLocalCloud } from './localCloudProcess.ts';
import { fetchingLine } from './statusLine.ts';

export interface BackendOptions {
  readonly dataDir: string;
  readonly modelsDir: string;
  readonly secrets: Secrets;
  /** A sign-in is over: it expired or was revoked, or there is none. */
  onSessionEnded(): void;
  onModelProgress(progress: { receivedBytes: number; totalBytes: number }): void;
  log(line: string): void;
}

/** The agent on one backend, with all that belongs to it. */
export interface RunningBackend {
  readonly agent: Agent;
  /** Fulfils when pictures are looked at; rejects when the vision models cannot be fetched, which is tried again. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the agent on a backend: with the local cloud, or on AWS without one.
 * @throws InvalidInput when the local cloud cannot open, or a newer Pixwatch wrote the index
 */
export async function startBackend(choice: BackendChoice, options: BackendOptions): Promise<RunningBackend> {
  const { dataDir, log } = options;
  const common = { dataDir, indexDir: indexDir(dataDir, choice), clock: systemClock, log };
  if (choice.inUse === 'aws') {
    const { file, as, library } = knownAws(choice);
    const credentials = as.kind === 'profile' ? await profileKeys(as.profile, file) : await sessionKeys(knownAws(choice), options);
    const agent = await startAgent({ ...common, connection: connectionTo(file, library), credentials });
    return { agent, ready: Promise.resolve(), close: () => agent.close() };
  }
  let sight: Sight = { problem: null, notice: null };
  let listener = (_: Sight) => {};
  const see = (next: Sight) => {
    sight = next;
    listener(next);
  };
  const cloud = await openLocalCloud({
    dir: join(dataDir, 'cloud'),
    models: options.modelsDir,
    onModelProgress(progress) {
      options.onModelProgress(progress);
      const isWhole = progress.receivedBytes === progress.totalBytes;
      see({ problem: null, notice: isWhole ? null : `${fetchingLine(progress)}. Photos are stored meanwhile, and looked at after it.` });
    },
    onBlind: (reason) => see({ problem: reason, notice: null }),
    log,
  });
  try {
    const onSight = (of: typeof listener) => {
      listener = of;
      of(sight);
    };
    const { connection, credentials } = cloud;
    // Its keys are made with it, so they tell it from others.
    const agent = await startAgent({
      ...common,
      connection,
      credentials: async () => credentials,
      cloudId: credentials.accessKeyId,
      onSight,
    });
    const close = async () => {
      // The agent uses the cloud.
      await agent.close();
      await cloud.close();
    };
    return { agent, ready: cloud.ready, close };
  } catch (thrown) {
    await cloud.close();
    throw thrown;
  }
}

/** The name that the keychain knows a sign-in by. */
export const accountOf = (dataDir: string, aws: Pick<AwsBackend, 'file' | 'library'>) => `${dataDir} ${backendId(aws)}`;

// What only a backend on AWS needs is loaded when there is one.

export async function profileKeys(profile: string, { region }: ConnectionFile): Promise<CredentialsProvider> {
  const { profileCredentials } = await import('../agent/access/profile.ts');
  return profileCredentials(profile, region);
}

async function sessionKeys(aws: AwsBackend, { dataDir, secrets, onSessionEnded }: BackendOptions): Promise<CredentialsProvider> {
  const { sessionCredentials } = await import('../agent/access/session.ts');
  const readToken = () => secrets.read(accountOf(dataDir, aws));
  return sessionCredentials({ place: aws.file, library: aws.library, clock: systemClock, readToken, onEnded: onSessionEnded });
}

/** Forgets a sign-in here, and has the cloud forget it. */
export async function endSession(aws: AwsBackend, { dataDir, secrets, log }: BackendOptions): Promise<void> {
  const account = accountOf(dataDir, aws);
  const token = await secrets.read(account);
  await secrets.forget(account);
  if (token === null) return;
  const { revoke } = await import('../agent/access/cognito.ts');
  await revoke(aws.file, token).catch((thrown) => log(`Signed out here, but the cloud could not be told: ${messageOf(thrown)}`));
}
