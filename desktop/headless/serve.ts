import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { type AgentEvent, appMethods } from '../../shared/contract.ts';
import { InvalidInput } from '../../shared/errors.ts';
import { type Handlers, serve } from '../../shared/rpc.ts';
import { guardRequest, guardUpgrade, subprotocol, type Visit } from './guard.ts';
import { readPage, sendMedia, sendPage, sendRefusal } from './send.ts';
import { keepAlive, portOf } from './socket.ts';

export interface PageServer {
  /** The page's address with this start's token in its fragment, which browsers never send anywhere. */
  readonly url: string;
  close(): Promise<void>;
}

export interface PageServerOptions {
  readonly handlers: Handlers<typeof appMethods>;
  /** Registers a listener for the agent's events. */
  onEvent(listener: (event: AgentEvent) => void): void;
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  /** Where the built page is. */
  readonly uiDir: string;
}

/** Calls are small: a search text has at most 1,000 characters. */
const maxMessageBytes = 1 << 20;

/**
 * Serves the page and the agent's contract to this computer only, behind the guard.
 * @throws InvalidInput when the port cannot be had, Permanent when the page is not built
 */
export async function servePage({ handlers, onEvent, port, uiDir }: PageServerOptions): Promise<PageServer> {
  const page = await readPage(uiDir);
  const server = createServer();
  const origin = await listen(server, port);
  const own = { origin, token: randomBytes(32).toString('base64url') };

  server.on('request', (request, response) => {
    request.resume();
    const verdict = guardRequest(visitOf(request), own);
    if (verdict.kind === 'refused') sendRefusal(verdict, response);
    else if (verdict.kind === 'media') void sendMedia(handlers, verdict, response);
    else sendPage(page, verdict.path, origin, response);
  });

  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, handleProtocols: () => subprotocol });
  server.on('upgrade', (request, socket, head) => {
    // A visitor that hangs up early must not end the process.
    socket.on('error', () => socket.destroy());
    const verdict = guardUpgrade(visitOf(request), request.headers['sec-websocket-protocol'], own);
    if (verdict.kind === 'socket') sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit('connection', webSocket));
    else socket.end(`HTTP/1.1 ${verdict.status} ${STATUS_CODES[verdict.status]}\r\nconnection: close\r\n\r\n${verdict.reason}`);
  });
  serveAgent(sockets, handlers, onEvent);
  const stopHeartbeat = keepAlive(sockets);

  return {
    url: `${origin}/#token=${own.token}`,
    async close() {
      stopHeartbeat();
      for (const client of sockets.clients) client.terminate();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function serveAgent(sockets: WebSocketServer, handlers: PageServerOptions['handlers'], onEvent: PageServerOptions['onEvent']): void {
  const pushes = new Set<(event: AgentEvent) => void>();
  onEvent((event) => {
    for (const push of pushes) push(event);
  });
  sockets.on('connection', (socket) => {
    const push = serve<typeof appMethods, AgentEvent>(portOf(socket), appMethods, handlers);
    pushes.add(push);
    socket.on('close', () => pushes.delete(push));
  });
}

const visitOf = ({ method, url, headers }: IncomingMessage): Visit => ({ method, url, host: headers.host, origin: headers.origin });

/** @returns the origin it listens on */
function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another program uses it' : cause.message;
      reject(new InvalidInput(`Port ${port} cannot be used: ${why}. Choose another, or leave --port out.`, { cause }));
    });
    server.listen(port, '127.0.0.1', () => resolve(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).origin));
  });
}
