import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { owner } from '../../shared/commands.ts';
import { type ConnectionFile, parseConnectionFile } from '../../shared/connection.ts';
import type { BackendStatus, backendMethods } from '../../shared/contract.ts';
import { InvalidInput } from '../../shared/errors.ts';
import type { Handlers } from '../../shared/rpc.ts';
import type { SignedIn, SignInWords } from '../agent/access/cognito.ts';
import type { Agent } from '../agent/agent.ts';
import { copyApart } from '../agent/db/apart.ts';
import { indexFile } from '../agent/db/openDatabase.ts';
import { sharePictures } from '../agent/media/media.ts';
import { type AwsBackend, type BackendChoice, backendId, indexDir, knownAws, readChoice, writeChoice } from './backendFile.ts';
import { type Relay, relayTo } from './relay.ts';
import { accountOf, type BackendOptions, endSession, profileKeys, type RunningBackend, startBackend } from './startBackend.ts';

/** The agent on the backend in use, and the calls that change which that is. */
export interface Backends {
  /** Stays the same when the backend changes. */
  readonly agent: Agent;
  readonly handlers: Handlers<typeof backendMethods>;
  /** That of the backend in use at the start: see RunningBackend. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

const untouched: BackendChoice = { version: 1, inUse: 'thisComputer', aws: null };

/**
 * Starts the agent on the backend that was chosen for the data folder, whose lock the caller has.
 * @throws InvalidInput when what was chosen cannot be read, or the local cloud cannot open
 */
export async function openBackends(options: Omit<BackendOptions, 'onSessionEnded'>): Promise<Backends> {
  const stored = await readChoice(options.dataDir);
  const switcher = new Switcher(options, stored);
  const { ready } = await switcher.start();
  return { agent: switcher.relay.agent, handlers: handlersOf(switcher), ready, close: () => switcher.close() };
}

const done = {};

const handlersOf = (switcher: Switcher): Handlers<typeof backendMethods> => ({
  backend: async () => switcher.status(),
  chooseThisComputer: () => switcher.inTurn(() => switcher.chooseThisComputer()),
  chooseAws: () => switcher.inTurn(() => switcher.chooseAws()),
  connect: ({ text, words }) => switcher.inTurn(() => switcher.signIn(parseConnectionFile(text), words)),
  connectByProfile: ({ text, profile }) => switcher.inTurn(() => switcher.useProfile(parseConnectionFile(text), profile)),
  signIn: (words) => switcher.inTurn(() => switcher.signInAgain(words)),
  signOut: () => switcher.inTurn(() => switcher.signOut()),
});

/** Holds which backend is in use, and changes it. */
class Switcher {
  readonly #options: BackendOptions;
  #choice: BackendChoice;
  #isChosen: boolean;
  #isSignedIn = true;
  #running: RunningBackend | null = null;
  #relay: Relay | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: Omit<BackendOptions, 'onSessionEnded'>, stored: BackendChoice | null) {
    this.#options = { ...options, onSessionEnded: () => this.#setSignedIn(false) };
    this.#choice = stored ?? untouched;
    this.#isChosen = stored !== null;
  }

  async start(): Promise<RunningBackend> {
    const running = await startBackend(this.#choice, this.#options);
    this.#running = running;
    this.#relay = relayTo(running.agent);
    return running;
  }

  get relay(): Relay {
    if (!this.#relay) throw new Error('asked before the start');
    return this.#relay;
  }

  /** One change at a time. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  status(): BackendStatus {
    const { inUse, aws } = this.#choice;
    const isChosen = this.#isChosen;
    if (!aws) return { inUse, isChosen, aws };
    const { file, as } = aws;
    const { dataDir, secrets } = this.#options;
    const isKept = as.kind === 'profile' || secrets.isKept(accountOf(dataDir, aws));
    return { inUse, isChosen, aws: { name: file.name, region: file.region, as, isSignedIn: this.#isSignedIn, isKept } };
  }

  async chooseThisComputer(): Promise<typeof done> {
    if (this.#choice.inUse === 'aws') await this.#change({ ...this.#choice, inUse: 'thisComputer' });
    else await this.#store(this.#choice);
    this.relay.tell({ kind: 'backendChanged' });
    return done;
  }

  async chooseAws(): Promise<typeof done> {
    knownAws(this.#choice);
    await this.#change({ ...this.#choice, inUse: 'aws' });
    return done;
  }

  async signIn(file: ConnectionFile, words: SignInWords): Promise<{ kind: SignedIn['kind'] }> {
    const { dataDir, secrets } = this.#options;
    // Loaded only when somebody signs in.
    const { libraryOf } = await import('../agent/access/cognito.ts');
    const { signInApart } = await import('../agent/access/signInApart.ts');
    const signedIn = await signInApart(file, words);
    if (signedIn.kind === 'newPasswordNeeded') return signedIn;
    const library = await libraryOf(file, signedIn.tokens.id);
    const aws: AwsBackend = { file, as: { kind: 'user', user: words.user }, library };
    await secrets.keep(accountOf(dataDir, aws), signedIn.tokens.refresh);
    await this.#changeToAws(aws);
    return { kind: 'signedIn' };
  }

  async signInAgain(words: SignInWords): Promise<{ kind: SignedIn['kind'] }> {
    return this.signIn(knownAws(this.#choice).file, words);
  }

  async useProfile(file: ConnectionFile, profile: string): Promise<typeof done> {
    const keys = await profileKeys(profile, file);
    // Whether it gives any is said now, and not only when something is sent.
    await keys();
    await this.#changeToAws({ file, as: { kind: 'profile', profile }, library: owner });
    return done;
  }

  async signOut(): Promise<typeof done> {
    const aws = knownAws(this.#choice);
    if (aws.as.kind === 'profile') throw new InvalidInput('An AWS profile has nothing to sign out of. Use this computer instead.');
    await endSession(aws, this.#options);
    // The agent still has keys that are good for a while.
    if (this.#choice.inUse === 'aws') await this.#change(this.#choice);
    this.#setSignedIn(false);
    return done;
  }

  async close(): Promise<void> {
    await this.inTurn(async () => this.#running?.close());
  }

  async #changeToAws(aws: AwsBackend): Promise<void> {
    const former = this.#choice.aws;
    await this.#change({ ...this.#choice, inUse: 'aws', aws });
    const { dataDir, secrets } = this.#options;
    if (former && backendId(former) !== backendId(aws)) await secrets.forget(accountOf(dataDir, former));
  }

  /** @throws what went wrong, after going back to the backend that was in use */
  async #change(next: BackendChoice): Promise<void> {
    const failed: unknown[] = [];
    await this.relay.exchange(async () => {
      await this.#running?.close();
      this.#running = null;
      this.#isSignedIn = true;
      try {
        this.#running = await this.#startOn(next);
      } catch (thrown) {
        failed.push(thrown);
        this.#running = await startBackend(this.#choice, this.#options);
      }
      return this.#running.agent;
    });
    await this.#tellAll();
    if (failed.length > 0) throw failed[0];
  }

  async #startOn(next: BackendChoice): Promise<RunningBackend> {
    const { dataDir } = this.#options;
    const [from, to] = [indexDir(dataDir, this.#choice), indexDir(dataDir, next)];
    if (!existsSync(indexFile(to))) {
      await sharePictures(join(from, 'thumbs'), join(to, 'thumbs'));
      await copyApart(from, to);
    }
    const running = await startBackend(next, this.#options);
    try {
      await this.#store(next);
    } catch (thrown) {
      await running.close();
      throw thrown;
    }
    return running;
  }

  async #store(next: BackendChoice): Promise<void> {
    await writeChoice(this.#options.dataDir, next);
    this.#choice = next;
    this.#isChosen = true;
  }

  #setSignedIn(isSignedIn: boolean): void {
    if (isSignedIn === this.#isSignedIn) return;
    this.#isSignedIn = isSignedIn;
    this.#relay?.tell({ kind: 'backendChanged' });
  }

  /** Whatever was read from the old index may be out of date. */
  async #tellAll(): Promise<void> {
    const { agent, tell } = this.relay;
    tell({ kind: 'statusChanged', status: await agent.handlers.status({}) });
    for (const kind of ['libraryChanged', 'foldersChanged', 'rulesChanged', 'backendChanged'] as const) tell({ kind });
  }
}
