import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidInput, messageOf } from '../../shared/errors.ts';
import { countUnfinished } from '../../shared/model/localFile.ts';
import { type AgentReader, openAgentReader } from '../agent/agent.ts';
import { indexDir, readChoice } from '../host/backendFile.ts';
import { addTryOut } from '../host/tryOut.ts';
import type { Command } from './arguments.ts';
import { askRunning } from './askRunning.ts';
import { aborted, type Context, projectDir, readableFolder, startHere, stopSignal, uiDir } from './context.ts';
import { type Electron, findElectron } from './electron.ts';
import { follow, mostLabels, sayLabels, tellLabels } from './follow.ts';
import { servePage } from './serve.ts';

type Open = Extract<Command, { kind: 'open' }>;

/** Opens the app: in its window where that is possible, else as a page for the browser. */
export async function open({ folder: named, headless, port }: Open, context: Context): Promise<number> {
  const folder = named === null ? null : await readableFolder(named);
  const electron = headless ? null : findWindow();
  if (electron && 'binary' in electron) return openWindow(electron.binary, folder, context);
  if (electron) context.output.note(`${electron.missing} So Pixwatch opens in the browser.`);
  return openPage(folder, port, context);
}

function findWindow(): Electron {
  const electron = findElectron(process.env);
  // Chromium's sandbox needs an ordinary user, and without it the window would be the weakest part.
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
  return 'binary' in electron && isRoot ? { missing: 'The window does not open for root.' } : electron;
}

async function openPage(folder: string | null, port: number, context: Context): Promise<number> {
  const { output, dataDir } = context;
  const start = await startHere(context);
  if (start.kind === 'running') return handOver(start.url, folder, context);
  const { agent, handlers, publish, close } = start.app;
  const stop = stopSignal();
  try {
    const page = await servePage({ handlers, onEvent: agent.onEvent, port, uiDir });
    try {
      await publish(page.url);
      if (folder === null) await addTryOut(start.app, dataDir);
      else await handlers.addFolder({ path: folder });
      sayLink(page.url, context);
      follow(agent, context);
      await tellLabels(agent, stop, context);
      if (!stop.aborted) output.note(`${page.url}  Ctrl+C ends it.`);
      await aborted(stop);
    } finally {
      await page.close();
    }
  } finally {
    await close();
  }
  return 0;
}

function sayLink(url: string, { output, json }: Context): void {
  if (json) output.json({ url });
  else output.say(`Pixwatch is open in the browser at ${url}`);
}

/** A second start hands its folder to the first and ends. One that serves no page can only be used through its window. */
async function handOver(url: string | null, folder: string | null, context: Context): Promise<number> {
  const { output, dataDir } = context;
  output.note(`Pixwatch already runs with the data folder ${dataDir}.`);
  if (url === null) {
    output.note(`Look for its window, or its sign in the tray.${folder === null ? '' : ` There you can add the folder ${folder}.`}`);
    return 1;
  }
  if (folder !== null) {
    await askRunning(url, (agent) => agent.addFolder({ path: folder }));
    output.note(`It watches ${folder} now.`);
  }
  sayLink(url, context);
  return 0;
}

/** Starts Electron on its own sources, tells the labels once they are there, and ends with it. */
async function openWindow(binary: string, folder: string | null, context: Context): Promise<number> {
  const stop = stopSignal();
  const app = spawn(binary, [projectDir, `--data=${context.dataDir}`, folder === null ? '--try-out' : `--folder=${folder}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PIXWATCH_NODE: process.execPath },
  });
  stop.addEventListener('abort', () => app.kill('SIGTERM'));
  context.output.note('Pixwatch opens in its window. "Quit" in the tray, or Ctrl+C here, ends it.');
  const ended = new AbortController();
  // The window goes on although its labels cannot be told here.
  const labelsTold = tellLabelsOfWindow(AbortSignal.any([stop, ended.signal]), context).catch((thrown) =>
    context.output.note(messageOf(thrown)),
  );
  try {
    const [code] = await once(app, 'exit');
    return code ?? (stop.aborted ? 0 : 1);
  } finally {
    ended.abort();
    await labelsTold;
  }
}

const lookEveryMs = 1_000;

/** The window's agent lives in another process: its index is looked at until all is done. */
async function tellLabelsOfWindow(stop: AbortSignal, context: Context): Promise<void> {
  while (!stop.aborted) {
    await sleep(lookEveryMs);
    const reader = await openReaderWhenThere(context.dataDir);
    if (!reader) continue;
    try {
      const { files } = await reader.handlers.status({});
      if (!files.searchable || countUnfinished(files) > 0) continue;
      sayLabels(await reader.handlers.complete({ prefix: '', limit: mostLabels }), context);
      return;
    } finally {
      reader.close();
    }
  }
}

/** Null as long as the window's agent has not made its index. */
async function openReaderWhenThere(dataDir: string): Promise<AgentReader | null> {
  try {
    return openAgentReader(indexDir(dataDir, await readChoice(dataDir)));
  } catch (thrown) {
    if (thrown instanceof InvalidInput) return null;
    throw thrown;
  }
}
