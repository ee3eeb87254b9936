import { useCallback, useDeferredValue, useEffect, useState } from 'react';
import type { Hit } from '../../../shared/contract.ts';
import { useConnection } from '../agent.tsx';
import { useAnswer, usePages } from '../answers.ts';
import type { Agent } from '../connection.ts';
import { messages } from '../messages.ts';
import { BackendHint } from '../parts/BackendHint.tsx';
import { Problem } from '../parts/Problem.tsx';
import { ProgressBar } from '../parts/ProgressBar.tsx';
import { useNavigation } from '../route.ts';
import { OpenPhoto } from './Detail.tsx';
import { PhotoGrid } from './PhotoGrid.tsx';
import { SearchBox } from './SearchBox.tsx';

const libraryEvents = ['libraryChanged'] as const;
/** Empty tiles shown until the first answer. */
const placeholders = 24;
const typingPauseMs = 150;

/** Search and everything that it finds, newest first. */
export function Library() {
  const { route, go } = useNavigation();
  // A space at the end says that the last word is whole, so only the beginning is trimmed.
  const text = useSettled(route.query.trimStart());
  const ask = useCallback((agent: Agent, cursor: string | null, limit: number) => agent.search({ text, cursor, limit }), [text]);
  const { items, first, busy, problem, show } = usePages<Hit, Awaited<ReturnType<typeof ask>>>(ask, libraryEvents);
  const total = first?.total ?? null;
  const setQuery = useCallback((query: string) => go({ query }, 'replace'), [go]);
  return (
    <>
      <div className="search-bar">
        <SearchBox query={route.query} onChange={setQuery} />
        <p className="count" role="status">
          {busy ? messages.search.searching : messages.found(total ?? 0, kindsOf(items))}
        </p>
        {busy && <span className="busy-line" />}
      </div>
      <h1 className="unseen">{messages.views.library}</h1>
      <Problem text={problem ?? first?.problem ?? null} />
      {text === '' && <BackendHint />}
      {text === '' && <FrequentLabels onPick={setQuery} />}
      {(total ?? placeholders) > 0 && (
        <PhotoGrid items={items} total={total ?? placeholders} show={show} onOpen={(asset) => go({ asset })} />
      )}
      <OpenPhoto among={items} />
      {total === 0 &&
        !busy &&
        (text === '' ? <NothingYet /> : <Nothing title={messages.search.nothingTitle} text={messages.search.nothing} />)}
    </>
  );
}

/** What a list holds, by its part that was read. */
function kindsOf(items: readonly Hit[]): 'photos' | 'videos' | 'both' {
  const videos = items.filter(({ kind }) => kind === 'video').length;
  if (videos === 0) return 'photos';
  return videos === items.length ? 'videos' : 'both';
}

/** The text once typing has paused, so that not every letter is a search. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), typingPauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  return useDeferredValue(settled);
}

function FrequentLabels({ onPick }: { onPick(query: string): void }) {
  const { answer } = useAnswer(
    useCallback((agent) => agent.complete({ prefix: '', limit: 12 }), []),
    libraryEvents,
  );
  if (!answer?.length) return null;
  return (
    <ul className="chips" aria-label={messages.search.common}>
      {answer.map(({ label, count }) => (
        <li key={label}>
          <button type="button" className="chip" onClick={() => onPick(`label:${/\s/.test(label) ? `"${label}"` : label} `)}>
            {label} <span className="hint">{count}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Nothing({ title, text, children }: { title: string; text: string; children?: React.ReactNode }) {
  return (
    <div className="nothing">
      <h2>{title}</h2>
      <p>{text}</p>
      {children}
    </div>
  );
}

/** The empty library: a first folder is missing, or its photos are still on their way. */
function NothingYet() {
  const { status, burst } = useConnection();
  const { go } = useNavigation();
  if (!status) return null;
  if (!status.scanning && burst.left === 0)
    return (
      <Nothing title={messages.search.emptyTitle} text={messages.search.empty}>
        <button type="button" className="primary" onClick={() => go({ view: 'folders' })}>
          {messages.search.chooseFolder}
        </button>
      </Nothing>
    );
  return (
    <Nothing title={messages.search.firstTitle} text={messages.search.first}>
      <ProgressBar />
      <p className="hint">{burst.left > 0 ? messages.status.left(burst.left) : messages.status.scanning}</p>
    </Nothing>
  );
}
