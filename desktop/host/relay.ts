import { type AgentEvent, agentMethods } from '../../shared/contract.ts';
import type { Handlers } from '../../shared/rpc.ts';
import type { Agent } from '../agent/agent.ts';

/** An agent that can be exchanged for another while it is asked: calls wait meanwhile, and listeners stay. */
export interface Relay {
  readonly agent: Agent;
  tell(event: AgentEvent): void;
  /**
   * Exchanges the agent for the one that `work` starts.
   * @param work ends the old one; when it throws there is none, and every call fails as it did
   */
  exchange(work: () => Promise<Agent>): Promise<void>;
}

export function relayTo(first: Agent): Relay {
  const listeners = new Set<(event: AgentEvent) => void>();
  const tell = (event: AgentEvent) => {
    for (const listener of listeners) listener(event);
  };
  let exchanged = new AbortController();
  let current = Promise.resolve(first);
  let unlisten: (() => void) | null = null;
  /** Listens only when somebody does here, as the agent keeps what it raises until then. */
  const follow = async () => {
    const followed = current;
    const agent = await followed;
    if (followed === current && listeners.size > 0) unlisten ??= agent.onEvent(tell);
  };

  const call =
    (name: keyof typeof agentMethods) =>
    async (input: never): Promise<unknown> =>
      (await current).handlers[name](input);
  const handlers = Object.fromEntries(Object.keys(agentMethods).map((name) => [name, call(name as keyof typeof agentMethods)]));
  return {
    agent: {
      handlers: handlers as unknown as Handlers<typeof agentMethods>,
      onEvent(listener) {
        listeners.add(listener);
        // Without an agent there are no events either; whoever calls something is told why.
        follow().catch(() => {});
        return () => listeners.delete(listener);
      },
      async untilIdle(signal, ...rest) {
        for (;;) {
          const gone = exchanged.signal;
          try {
            return await (await current).untilIdle(signal ? AbortSignal.any([signal, gone]) : gone, ...rest);
          } catch (thrown) {
            if (!gone.aborted || signal?.aborted) throw thrown;
          }
        }
      },
      close: async () => (await current).close(),
    },
    tell,
    async exchange(work) {
      exchanged.abort();
      exchanged = new AbortController();
      unlisten?.();
      unlisten = null;
      current = work();
      await follow();
    },
  };
}
