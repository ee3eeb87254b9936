import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidInput } from '../../shared/errors.ts';
import { countUnfinished } from '../../shared/model/localFile.ts';
import type { Idle } from '../agent/agent.ts';
import type { App } from '../host/startApp.ts';
import { filesText } from '../host/statusLine.ts';
import type { Command } from './arguments.ts';
import { aborted, type Context, readableFolder, startOwnApp, stopSignal } from './context.ts';
import { follow } from './follow.ts';

/** Watches folders without a page; with `untilIdle` ends when all is done in them: 0 when everything found there is searchable, else 1. */
export async function watch({ folders, ignored, untilIdle }: Extract<Command, { kind: 'watch' }>, context: Context): Promise<number> {
  const paths = await Promise.all(folders.map(readableFolder));
  const app = await startOwnApp(context);
  const { agent, close } = app;
  const stop = stopSignal();
  try {
    follow(agent, context);
    const ids: number[] = [];
    for (const path of paths) ids.push((await agent.handlers.addFolder({ path, ...(ignored && { ignored: [...ignored] }) })).id);
    if (untilIdle) return await watchUntilIdle(app, ids, stop, context);
    context.output.note('Ctrl+C ends it.');
    await aborted(stop);
    return 0;
  } finally {
    await close();
  }
}

async function watchUntilIdle(app: App, folders: readonly number[], stop: AbortSignal, context: Context): Promise<number> {
  try {
    const idle = await Promise.race([app.agent.untilIdle(stop, folders), blind(app, folders), held(app, folders)]);
    tellResult(idle, context);
    const { costs } = await app.handlers.status({});
    const isHeld = costs === 'unapproved' && (idle.files.queued ?? 0) > 0;
    const waiting = idle.files.waiting ?? 0;
    for (const sentence of idle.unread) context.output.note(sentence);
    if (waiting > 0) context.output.note(`${filesText(waiting)} stored, to be looked at when there is budget again. See: pixwatch costs`);
    if (isHeld) context.output.note('Nothing is sent before you approve what it costs. To see it: pixwatch costs');
    return idle.failed.length === 0 && idle.unread.length === 0 && waiting === 0 && !isHeld ? 0 : 1;
  } catch (thrown) {
    if (!stop.aborted) throw thrown;
    context.output.note('Stopped before all was done. The next start goes on from here.');
    return 1;
  }
}

const lookEveryMs = 500;

/**
 * Never fulfils. Rejects, with the reason, when the vision models cannot be had and nothing is left to do but to wait for them: a script must not
 * hang for lack of a network.
 * @param folders those that are waited for
 */
async function blind({ handlers, ready }: App, folders: readonly number[]): Promise<never> {
  const reason = await ready.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (reason === null) return new Promise(() => {});
  while (true) {
    const { files, scanning } = await handlers.status({ folders: [...folders] });
    if (!scanning && files.analysing && countUnfinished(files) === files.analysing) throw reason;
    await sleep(lookEveryMs, undefined, { ref: false });
  }
}

/** Never fulfils. Rejects, with the reason, when nothing goes on in these folders before a person does something. */
async function held({ handlers }: App, folders: readonly number[]): Promise<never> {
  while (true) {
    const { paused, scanning, files } = await handlers.status({ folders: [...folders] });
    if (paused && !scanning && files.queued) {
      throw new InvalidInput('Sending is paused, so this would never end. Resume it in the app or on the page of pixwatch --headless.');
    }
    const { inUse, aws } = await handlers.backend({});
    if (inUse === 'aws' && aws?.isSignedIn === false && !scanning && countUnfinished(files) > 0) {
      throw new InvalidInput('Nobody is signed in to the cloud, so this would never end. Sign in: pixwatch connect FILE --user NAME');
    }
    await sleep(lookEveryMs, undefined, { ref: false });
  }
}

function tellResult({ files, failed }: Idle, { output, json }: Context): void {
  const reasons = failed.map(({ path, state }) => ({ path, state: state.kind, reason: 'reason' in state ? state.reason : null }));
  if (json) {
    output.json({ files, failed: reasons });
    return;
  }
  const kept = files.kept ? ` ${filesText(files.kept)} kept, not analysed yet.` : '';
  output.say(`Done: ${filesText(files.searchable ?? 0)} searchable.${kept}`);
  for (const { path, state, reason } of reasons) output.say(`${path}: ${state}: ${reason}`);
}
