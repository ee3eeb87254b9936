import { fileURLToPath } from 'node:url';
import { MessageChannelMain, type MessagePortMain, type UtilityProcess, utilityProcess } from 'electron';
import * as v from 'valibot';
import { type AgentEvent, agentEvent, appMethods } from '../../shared/contract.ts';
import { messageOf, Permanent } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import { type Client, connect } from '../../shared/rpc.ts';
import { portOf } from './port.ts';

/** What the utility process tells main. `failed`: it cannot start, and why; it ends after that. */
export const agentProcessMessage = v.variant('kind', [
  v.object({ kind: v.literal('started') }),
  v.object({ kind: v.literal('failed'), reason: v.string() }),
]);

/** The agent, running in a process of its own so that neither a slow disk nor a crash reaches the window. */
export interface AgentProcess {
  /** Main's own client; replaced when the process was restarted. */
  client(): Client<typeof appMethods>;
  /** Gives another port to the agent, e.g. the page's. */
  attach(port: MessagePortMain): void;
  onRestart(listener: () => void): void;
  /** Ends it in good order; kills it after `closeMs`. */
  close(): Promise<void>;
}

const script = fileURLToPath(new URL('./agentMain.ts', import.meta.url));
const restartMs = 1_000;
const closeMs = 10_000;

/**
 * Starts the agent's process and starts it again when it dies.
 * @param args handed to agentMain.ts
 * @param firstArgs handed to the first start only: what they ask for is done then, and a person may have undone it since
 * @throws Permanent when it cannot start, with the reason
 */
export async function startAgentProcess(
  args: readonly string[],
  firstArgs: readonly string[],
  onEvent: (event: AgentEvent) => void,
): Promise<AgentProcess> {
  const restartListeners: (() => void)[] = [];
  let closing = false;
  let alive = false;
  let timer: NodeJS.Timeout | undefined;
  let process_: UtilityProcess;
  let client: Client<typeof appMethods>;

  const start = async (more: readonly string[] = []) => {
    const forked = utilityProcess.fork(script, [...args, ...more], { serviceName: 'Pixwatch agent', stdio: 'inherit' });
    process_ = forked;
    alive = true;
    forked.once('exit', () => {
      alive = false;
    });
    await started(forked);
    forked.once('exit', restartSoon);
    const { port1, port2 } = new MessageChannelMain();
    forked.postMessage({ kind: 'attach' }, [port2]);
    client = connect(portOf(port1), appMethods, agentEvent, onEvent);
  };
  const restartSoon = () => {
    if (!closing) timer = setTimeout(() => void restart(), restartMs);
  };
  const restart = async () => {
    try {
      await start();
    } catch (thrown) {
      // E.g. what the dead process started has not let go of the data folder yet.
      console.warn(messageOf(thrown));
      return restartSoon();
    }
    for (const listener of restartListeners) listener();
  };
  await start(firstArgs);

  return {
    client: () => client,
    attach: (port) => process_.postMessage({ kind: 'attach' }, [port]),
    onRestart: (listener) => void restartListeners.push(listener),
    async close() {
      closing = true;
      clearTimeout(timer);
      if (!alive) return;
      const ended = new Promise((resolve) => process_.once('exit', resolve));
      process_.postMessage({ kind: 'close' });
      const killer = setTimeout(() => process_.kill(), closeMs);
      await ended;
      clearTimeout(killer);
    },
  };
}

function started(process_: UtilityProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    process_.once('message', (raw) => {
      const message = parse(agentProcessMessage, raw, 'message of the agent');
      if (message.kind === 'started') resolve();
      else reject(new Permanent(message.reason));
    });
    process_.once('exit', (code) =>
      reject(new Permanent(`The part of Pixwatch that works in the background ended at its start (code ${code}).`)),
    );
  });
}
