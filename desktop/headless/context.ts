import { once } from 'node:events';
import { opendir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { agentMethods } from '../../shared/contract.ts';
import { InvalidInput, messageOf } from '../../shared/errors.ts';
import type { Handlers } from '../../shared/rpc.ts';
import { typedIn } from '../host/dataDir.ts';
import { type App, startApp } from '../host/startApp.ts';
import { fetchingLine } from '../host/statusLine.ts';
import { askRunning } from './askRunning.ts';
import type { Output } from './output.ts';

/** What every command needs. */
export interface Context {
  readonly dataDir: string;
  readonly modelsDir: string;
  readonly json: boolean;
  readonly output: Output;
}

export const projectDir = fileURLToPath(new URL('../../', import.meta.url));
export const uiDir = fileURLToPath(new URL('../../dist/ui/', import.meta.url));

/**
 * Starts the app for a command that needs it alone.
 * @throws InvalidInput when another Pixwatch has the data folder
 */
export async function startOwnApp(context: Context): Promise<App> {
  const start = await startHere(context);
  if (start.kind === 'started') return start.app;
  throw alreadyRuns(start.url, context);
}

/**
 * Asks the Pixwatch that runs with the data folder, or else one that is started for this alone.
 * @throws InvalidInput when one runs that serves no page, and can only be used through its window; what `ask` throws
 */
export async function askAgent<T>(context: Context, ask: (agent: Handlers<typeof agentMethods>) => Promise<T>): Promise<T> {
  const start = await startHere(context);
  if (start.kind === 'running') {
    if (start.url === null) throw alreadyRuns(start.url, context);
    return askRunning(start.url, ask);
  }
  try {
    return await ask(start.app.agent.handlers);
  } finally {
    await start.app.close();
  }
}

function alreadyRuns(url: string | null, { dataDir }: Context): InvalidInput {
  const where = url ? `Use its page, ${url}` : 'Use its window';
  return new InvalidInput(`Pixwatch already runs with the data folder ${dataDir}. ${where}, or choose another folder with --data.`);
}

/** Starts the app, showing how far the one-time fetching of the models is. */
export function startHere({ dataDir, modelsDir, output }: Context): ReturnType<typeof startApp> {
  return startApp({
    dataDir,
    modelsDir,
    onModelProgress: (progress) => output.progress(fetchingLine(progress)),
    log: output.note,
  });
}

/**
 * The absolute path of a folder that a person named.
 * @throws InvalidInput when it cannot be read
 */
export async function readableFolder(path: string): Promise<string> {
  const absolute = resolve(typedIn(process.env), path);
  try {
    await (await opendir(absolute)).close();
  } catch (cause) {
    throw new InvalidInput(`The folder ${absolute} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
  return absolute;
}

function reasonOf(thrown: unknown): string {
  switch (thrown instanceof Error && 'code' in thrown && thrown.code) {
    case 'ENOENT':
      return 'it does not exist';
    case 'ENOTDIR':
      return 'it is no folder';
    case 'EACCES':
    case 'EPERM':
      return 'you have no permission to read it';
    default:
      return messageOf(thrown);
  }
}

/** Aborted when the process is asked to end: by Ctrl+C, or politely by the system. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}

export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
