import type { WebSocket, WebSocketServer } from 'ws';
import type { Port } from '../../shared/rpc.ts';

/** A page that does not read (a sleeping tab) is cut off here; it connects again when it wakes. */
const maxUnsentBytes = 16 << 20;
const heartbeatMs = 15_000;

/** A WebSocket as the contract's `Port`: one JSON text a message. A message that is no JSON ends the connection. */
export function portOf(socket: WebSocket): Port {
  // `ws` reports protocol errors and too long messages here and closes by itself; without a listener they would end the process.
  socket.on('error', () => socket.terminate());
  return {
    send(message) {
      if (socket.bufferedAmount > maxUnsentBytes) socket.terminate();
      else socket.send(JSON.stringify(message));
    },
    onMessage(listener) {
      socket.on('message', (data) => {
        const message = jsonOf(String(data));
        if (message === undefined) socket.close(1007, 'not JSON');
        else listener(message);
      });
    },
    onClose: (listener) => socket.on('close', listener),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Pings every connection and cuts off those that did not answer the last ping.
 * @returns the function that stops it
 */
export function keepAlive(sockets: WebSocketServer): () => void {
  const silent = new WeakSet<WebSocket>();
  sockets.on('connection', (socket) => socket.on('pong', () => silent.delete(socket)));
  const timer = setInterval(() => {
    for (const socket of sockets.clients) {
      if (silent.has(socket)) socket.terminate();
      silent.add(socket);
      socket.ping();
    }
  }, heartbeatMs);
  return () => clearInterval(timer);
}
