import { useCallback, useEffect, useRef, useState } from 'react';
import { messageOf } from '../../shared/errors.ts';
import { type AnyEvent, useAgent, useConnection } from './agent.tsx';
import type { Agent } from './connection.ts';
import { type Beginning, createPager, type Page, type Pager } from './pager.ts';
import { createRefresher, type Refresher } from './refresher.ts';

/** Events that mean "ask again". */
type Events = readonly AnyEvent['kind'][];

/** Makes the function that reads; `isCurrent` turns false when its answer is no longer wanted. */
type Start = (agent: Agent, isCurrent: () => boolean) => () => Promise<void>;

/**
 * Reads now, when one of the events arrives and after a reconnection.
 * @returns `problem`: why the last reading failed, null when it did not; `again`: reads once more
 */
function useFresh(start: Start, refreshOn: Events) {
  const agent = useAgent();
  const { listen } = useConnection();
  const [problem, setProblem] = useState<string | null>(null);
  const refresher = useRef<Refresher | null>(null);
  useEffect(() => {
    let current = true;
    const read = start(agent, () => current);
    const mine = createRefresher(() =>
      read().then(
        () => current && setProblem(null),
        (thrown) => current && setProblem(messageOf(thrown)),
      ),
    );
    refresher.current = mine;
    const unlisten = listen(({ kind }) => refreshOn.includes(kind) && mine.ask());
    return () => {
      current = false;
      mine.stop();
      unlisten();
    };
  }, [agent, start, listen, refreshOn]);
  const again = useCallback(() => refresher.current?.ask(), []);
  return { problem, again };
}

/**
 * The agent's answer to a question, kept fresh. The old answer stays while a new one is awaited; null before the first.
 * @param ask must be stable, as must `refreshOn`
 */
export function useAnswer<T>(ask: (agent: Agent) => Promise<T>, refreshOn: Events) {
  const [answer, setAnswer] = useState<T | null>(null);
  const start: Start = useCallback(
    (agent, isCurrent) => async () => {
      const next = await ask(agent);
      if (isCurrent()) setAnswer(next);
    },
    [ask],
  );
  return { answer, ...useFresh(start, refreshOn) };
}

/**
 * A list of the agent that is read page by page and kept fresh. `first` is its first page, with what else it says; null before that came. `show` says which
 * items are in view. `busy` while the first page for a new `ask` is awaited; the old items stay until then.
 * @param ask must be stable, as must `refreshOn`
 */
export function usePages<T, P extends Page<T>>(ask: (agent: Agent, cursor: string | null, limit: number) => Promise<P>, refreshOn: Events) {
  const [{ items, first, hasMore, answers }, setState] = useState<List<T, P> & { readonly answers: typeof ask | null }>(unasked);
  const pager = useRef<Pager | null>(null);
  const start: Start = useCallback(
    (agent, isCurrent) => {
      const mine = createPager<T, P>(
        (cursor, limit) => ask(agent, cursor, limit),
        (list) => isCurrent() && setState({ ...list, answers: ask }),
      );
      pager.current = mine;
      return mine.refresh;
    },
    [ask],
  );
  const { problem } = useFresh(start, refreshOn);
  const [showProblem, setShowProblem] = useState<string | null>(null);
  const show = useCallback((from: number, end: number) => {
    pager.current?.show(from, end).then(
      () => setShowProblem(null),
      (thrown) => setShowProblem(messageOf(thrown)),
    );
  }, []);
  return { items, first, hasMore, busy: answers !== ask && problem === null, problem: problem ?? showProblem, show };
}

interface List<T, P> extends Omit<Beginning<T, P>, 'first'> {
  readonly first: P | null;
}

const unasked = { items: [], first: null, hasMore: false, answers: null };

/** Runs calls that a person asked for: `busy` while one runs, `problem` when the last one failed. */
export function useAction() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  /** @returns whether it went well */
  const run = useCallback(async (work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    try {
      await work();
      setProblem(null);
      return true;
    } catch (thrown) {
      setProblem(messageOf(thrown));
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  return { run, busy, problem };
}
