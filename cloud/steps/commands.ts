import { commandRequest, commands } from '../../shared/commands.ts';
import type { LibraryId } from '../../shared/model/asset.ts';
import { parse } from '../../shared/parse.ts';
import type { Handlers } from '../../shared/rpc.ts';
import { loadAsset } from './assets.ts';
import type { Backend } from './backend.ts';
import { loadHistory } from './history.ts';
import { lookAgain } from './lookAgain.ts';
import { findOriginal, restoreOriginal } from './originals.ts';
import { redrive } from './redrive.ts';
import { listSubscriptions, subscribe, unsubscribe } from './subscriptions.ts';
import { costsOf } from './usage.ts';
import { resumeWaiting } from './waiting.ts';

/**
 * Runs one of shared/commands.ts for a library.
 * @param request `{command, input}`
 * @param library of the caller, as its identity says
 * @throws InvalidInput when there is no such command or its input is wrong
 */
export async function runCommand(request: unknown, library: LibraryId, backend: Backend): Promise<unknown> {
  const { command, input } = parse(commandRequest, request, 'request');
  const run: (input: never) => Promise<unknown> = handlers(library, backend)[command];
  return run(parse(commands[command].input, input, command) as never);
}

const handlers = (library: LibraryId, backend: Backend): Handlers<typeof commands> => ({
  async history({ asset }) {
    const record = await loadAsset(backend, library, asset);
    return record ? loadHistory(backend, record.claim.execution) : [];
  },
  redrive: ({ originals }) => redrive(backend, library, originals),
  lookAgain: async ({ assets }) => ({ asked: await lookAgain(backend, library, assets) }),
  costs: () => costsOf(backend),
  resume: async () => ({ resumed: await resumeWaiting(backend, library) }),
  original: ({ asset }) => findOriginal(backend, library, asset),
  restoreOriginal: ({ asset }) => restoreOriginal(backend, library, asset),
  subscriptions: () => listSubscriptions(backend, library),
  async subscribe(draft) {
    await subscribe(backend, library, draft);
    return {};
  },
  async unsubscribe({ arn }) {
    await unsubscribe(backend, library, arn);
    return {};
  },
});
