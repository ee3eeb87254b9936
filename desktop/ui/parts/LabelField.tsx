import { useCallback } from 'react';
import { useAnswer } from '../answers.ts';
import { messages } from '../messages.ts';
import { Combobox } from './Combobox.tsx';

const libraryEvents = ['libraryChanged'] as const;

/** A field for the name of one label, completed from the library. */
export function LabelField({ id, value, onChange }: { id: string; value: string; onChange(label: string): void }) {
  const { answer } = useAnswer(
    useCallback((agent) => agent.complete({ prefix: value.trim(), limit: 8 }), [value]),
    libraryEvents,
  );
  const suggestions = (answer ?? []).map(({ label, count }) => ({ insert: label, title: label, hint: messages.photos(count) }));
  return (
    <Combobox
      id={id}
      required
      value={value}
      placeholder={messages.rules.labelHint}
      suggestions={suggestions.filter(({ insert }) => insert !== value)}
      onChange={onChange}
      onPick={({ insert }) => {
        onChange(insert);
        return insert.length;
      }}
    />
  );
}
