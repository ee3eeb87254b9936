import { type AgentEvent, agentEvent, appMethods, type HostEvent, hostEvent, hostMethods } from '../../shared/contract.ts';
import type { PictureName } from '../../shared/model/asset.ts';
import { type Client, connect, type Port } from '../../shared/rpc.ts';

export type Agent = Client<typeof appMethods>;
export type Host = Client<typeof hostMethods>;

/** How the page stands with the agent. A new `agent` object means: everything known may be out of date, ask again. */
export type Link =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open'; readonly agent: Agent; readonly host: Host | null }
  /** It was open; it is tried again all the time. */
  | { readonly kind: 'lost' }
  /** The link that opened this page lacks this start's token. Nothing to try: a person must open the right one. */
  | { readonly kind: 'refused' };

interface Listener {
  onLink(link: Link): void;
  onEvent(event: AgentEvent): void;
  onHostEvent(event: HostEvent): void;
}

const retryMs = 1_000;
const tokenKey = 'pixwatch:token';

/**
 * Connects to the agent: over a WebSocket in a browser, over the port that the preload hands on in the desktop app.
 * Call it once; it goes on for as long as the page lives.
 */
export function connectAgent(listener: Listener): void {
  if (location.protocol !== 'http:') {
    awaitPorts(listener);
    return;
  }
  connectSocket(takeToken(), listener);
  // A new link put into the same tab changes the fragment only, which loads nothing by itself.
  window.addEventListener('hashchange', () => fragment().has('token') && location.reload());
}

const fragment = () => new URLSearchParams(location.hash.slice(1));

/**
 * Where a picture of an asset is. An image request carries no headers, so in a browser the token goes with the address.
 * @param version of a picture that may come to show something else: a browser keeps one it has shown for as long as the page lives
 */
export function mediaUrl(asset: string, rendition: PictureName, version?: string): string {
  const token = sessionStorage.getItem(tokenKey);
  const query = new URLSearchParams({ ...(token && { token }), ...(version && { version }) }).toString();
  return `/media/${asset}/${rendition}${query && `?${query}`}`;
}

/** Takes the token out of the address, so that it is in no bookmark or screenshot; it lives as long as the tab. */
function takeToken(): string {
  const fields = fragment();
  const token = fields.get('token');
  if (token) {
    sessionStorage.setItem(tokenKey, token);
    fields.delete('token');
    history.replaceState(null, '', `#${fields}`);
  }
  return sessionStorage.getItem(tokenKey) ?? '';
}

function connectSocket(token: string, listener: Listener): void {
  const socket = new WebSocket(`ws://${location.host}/socket`, ['pixwatch', `token.${token}`]);
  let opened = false;
  socket.addEventListener('open', () => {
    opened = true;
    const agent = connect(portOfSocket(socket), appMethods, agentEvent, listener.onEvent);
    listener.onLink({ kind: 'open', agent, host: null });
  });
  socket.addEventListener('close', async () => {
    // A refused upgrade and a server that is gone look alike to a page: ask for the page itself to tell them apart.
    if (!opened && (await serverAnswers())) return listener.onLink({ kind: 'refused' });
    listener.onLink({ kind: 'lost' });
    setTimeout(() => connectSocket(token, listener), retryMs);
  });
}

async function serverAnswers(): Promise<boolean> {
  return fetch('/', { method: 'HEAD' }).then(
    (response) => response.ok,
    () => false,
  );
}

function portOfSocket(socket: WebSocket): Port {
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    onMessage: (onMessage) => socket.addEventListener('message', ({ data }) => onMessage(JSON.parse(data))),
    onClose: (onClose) => socket.addEventListener('close', onClose),
  };
}

function awaitPorts({ onLink, onEvent, onHostEvent }: Listener): void {
  window.addEventListener('message', ({ source, data, ports: [agentPort, hostPort] }) => {
    if (source !== window || data?.kind !== 'pixwatch:port' || !agentPort || !hostPort) return;
    const agent = connect(portOfMessages(agentPort), appMethods, agentEvent, onEvent);
    agentPort.addEventListener('close', () => onLink({ kind: 'lost' }));
    onLink({ kind: 'open', agent, host: connect(portOfMessages(hostPort), hostMethods, hostEvent, onHostEvent) });
  });
}

function portOfMessages(port: MessagePort): Port {
  return {
    send: (message) => port.postMessage(message),
    onMessage(onMessage) {
      port.addEventListener('message', ({ data }) => onMessage(data));
      port.start();
    },
    onClose: (onClose) => port.addEventListener('close', onClose),
  };
}
