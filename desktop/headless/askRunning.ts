import { once } from 'node:events';
import { WebSocket } from 'ws';
import { agentEvent, agentMethods } from '../../shared/contract.ts';
import { type Client, connect } from '../../shared/rpc.ts';
import { subprotocol, tokenPrefix } from './guard.ts';
import { portOf } from './socket.ts';

const answerMs = 30_000;

/**
 * Asks the Pixwatch that serves a page, as the page itself would.
 * @param url of the page, with the token
 * @throws the agent's own error; Error when the page does not answer
 */
export async function askRunning<T>(url: string, ask: (agent: Client<typeof agentMethods>) => Promise<T>): Promise<T> {
  const { origin, host, hash } = new URL(url);
  const token = new URLSearchParams(hash.slice(1)).get('token') ?? '';
  const socket = new WebSocket(`ws://${host}/socket`, [subprotocol, `${tokenPrefix}${token}`], { origin, handshakeTimeout: answerMs });
  try {
    await once(socket, 'open', { signal: AbortSignal.timeout(answerMs) });
    return await ask(connect(portOf(socket), agentMethods, agentEvent, () => {}));
  } finally {
    socket.terminate();
  }
}
