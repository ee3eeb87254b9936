import { useCallback, useState } from 'react';
import { useAnswer } from '../answers.ts';
import { complete, suggestionsFor, takesLabels, wordAt } from '../completion.ts';
import type { Agent } from '../connection.ts';
import { Icon } from '../icons.tsx';
import { messages } from '../messages.ts';
import { Combobox } from '../parts/Combobox.tsx';

const libraryEvents = ['libraryChanged'] as const;

/** The search text with completion of labels and operators, and a list of what can be typed. */
export function SearchBox({ query, onChange }: { query: string; onChange(query: string): void }) {
  const [caret, setCaret] = useState(query.length);
  const word = wordAt(query, caret);
  const prefix = takesLabels(word) ? word.typed : null;
  const ask = useCallback(async (agent: Agent) => (prefix === null ? [] : agent.complete({ prefix, limit: 8 })), [prefix]);
  const { answer } = useAnswer(ask, libraryEvents);
  return (
    <search>
      <Combobox
        type="search"
        label={messages.search.label}
        placeholder={messages.search.placeholder}
        value={query}
        suggestions={suggestionsFor(word, answer ?? [], messages.photos)}
        onChange={(text, at) => {
          setCaret(at);
          onChange(text);
        }}
        onPick={({ insert }) => {
          const next = complete(query, word, insert);
          setCaret(next.caret);
          onChange(next.text);
          return next.caret;
        }}
      >
        <Icon name="search" className="search-icon" />
        {query !== '' && (
          <button type="button" className="quiet clear" aria-label={messages.search.clear} onClick={() => onChange('')}>
            <Icon name="close" />
          </button>
        )}
        <button type="button" className="quiet tips-button" aria-label={messages.search.help} popoverTarget="search-tips">
          <Icon name="help" />
        </button>
      </Combobox>
      <Tips onChange={onChange} />
    </search>
  );
}

/** What can be typed; the browser's own popover, which closes on Escape and on a click beside it. */
function Tips({ onChange }: { onChange(query: string): void }) {
  return (
    <dl id="search-tips" className="tips" popover="auto">
      {messages.search.tips.map(({ example, meaning }) => (
        <div key={example}>
          <dt>
            <button type="button" className="code" popoverTarget="search-tips" onClick={() => onChange(example)}>
              {example}
            </button>
          </dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}
