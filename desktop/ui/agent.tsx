import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from 'react';
import type { AgentEvent, HostEvent, Status } from '../../shared/contract.ts';
import { type Burst, nextBurst, noBurst } from './burst.ts';
import { type Agent, connectAgent, type Host, type Link } from './connection.ts';

export type AnyEvent = AgentEvent | HostEvent;

export interface Connection {
  readonly link: Link['kind'];
  /** The latest client, also while the connection is lost: its calls then fail with a sentence to show. */
  readonly agent: Agent | null;
  readonly host: Host | null;
  readonly status: Status | null;
  readonly burst: Burst;
  /** @returns the function that ends it */
  listen(listener: (event: AnyEvent) => void): () => void;
}

const ConnectionContext = createContext<Connection | null>(null);

/** Holds the page's one connection and the agent's latest status. */
export function AgentProvider({ children }: { children: ReactNode }) {
  const [link, setLink] = useState<Link>({ kind: 'connecting' });
  const [open, setOpen] = useState<{ agent: Agent; host: Host | null } | null>(null);
  const [{ status, burst }, setWork] = useState<{ status: Status | null; burst: Burst }>({ status: null, burst: noBurst });
  const [listeners] = useState(() => new Set<(event: AnyEvent) => void>());

  useEffect(() => {
    const tell = (event: AnyEvent) => {
      for (const listener of listeners) listener(event);
    };
    const setStatus = (next: Status) => setWork((old) => ({ status: next, burst: nextBurst(old.burst, next) }));
    connectAgent({
      onLink(next) {
        setLink(next);
        if (next.kind !== 'open') return;
        setOpen(next);
        // A failure here means that the connection broke again: the link says so, and the next one asks anew.
        next.agent.status({}).then(setStatus, () => {});
      },
      onEvent(event) {
        if (event.kind === 'statusChanged') setStatus(event.status);
        tell(event);
      },
      onHostEvent: tell,
    });
  }, [listeners]);

  const listen = useCallback(
    (listener: (event: AnyEvent) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    [listeners],
  );
  const connection = useMemo(
    () => ({ link: link.kind, agent: open?.agent ?? null, host: open?.host ?? null, status, burst, listen }),
    [link, open, status, burst, listen],
  );
  return <ConnectionContext value={connection}>{children}</ConnectionContext>;
}

export function useConnection(): Connection {
  const connection = use(ConnectionContext);
  if (!connection) throw new Error('there is no AgentProvider above');
  return connection;
}

/** The agent; for everything that is shown only once there was a connection. */
export function useAgent(): Agent {
  const { agent } = useConnection();
  if (!agent) throw new Error('shown before the agent was connected');
  return agent;
}

/** @param listener must be stable */
export function useEvents(listener: (event: AnyEvent) => void): void {
  const { listen } = useConnection();
  useEffect(() => listen(listener), [listen, listener]);
}
