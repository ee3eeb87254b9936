import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react';
import type { Suggestion } from '../completion.ts';
import { messages } from '../messages.ts';

interface ComboboxProps {
  readonly value: string;
  readonly suggestions: readonly Suggestion[];
  readonly placeholder: string;
  /** The accessible name, when no <label> with this id's `for` stands beside it. */
  readonly label?: string;
  readonly id?: string;
  readonly type?: 'search' | 'text';
  readonly required?: boolean;
  onChange(value: string, caret: number): void;
  /** @returns where the caret belongs after the suggestion was put in */
  onPick(suggestion: Suggestion): number;
  readonly children?: ReactNode;
}

/** A text field with a list of suggestions, after the ARIA "combobox with list autocomplete" pattern. */
export function Combobox({ value, suggestions, label, children, onChange, onPick, ...rest }: ComboboxProps) {
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const shown = open ? suggestions : [];
  const optionId = (index: number) => `${listId}-${index}`;

  const pick = (suggestion: Suggestion) => {
    const caret = onPick(suggestion);
    setActive(-1);
    setOpen(suggestion.insert.endsWith(':'));
    // The new text is in the field only after React has drawn it.
    requestAnimationFrame(() => input.current?.setSelectionRange(caret, caret));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = shown[active];
    if (move && suggestions.length > 0) {
      setOpen(true);
      setActive((old) => (old + move + suggestions.length + (old < 0 && move < 0 ? 1 : 0)) % suggestions.length);
    } else if (event.key === 'Enter' && chosen) pick(chosen);
    else if (event.key === 'Escape' && shown.length > 0) setOpen(false);
    else return;
    event.preventDefault();
  };
  const change = () => {
    const field = input.current;
    if (!field) return;
    setOpen(true);
    setActive(-1);
    onChange(field.value, field.selectionStart ?? field.value.length);
  };

  return (
    <div className="combobox">
      <input
        {...rest}
        ref={input}
        value={value}
        role="combobox"
        aria-label={label}
        aria-expanded={shown.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={shown[active] ? optionId(active) : undefined}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={1000}
        onChange={change}
        onKeyDown={onKeyDown}
        onBlur={() => setOpen(false)}
      />
      {children}
      <div id={listId} role="listbox" className="suggestions" aria-label={messages.search.suggestions} hidden={shown.length === 0}>
        {shown.map((suggestion, index) => (
          <div
            key={suggestion.insert}
            id={optionId(index)}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            // Before the field loses the focus, which would close the list.
            onPointerDown={(event) => {
              event.preventDefault();
              pick(suggestion);
            }}
          >
            <span>{suggestion.title}</span>
            <span className="hint">{suggestion.hint}</span>
          </div>
        ))}
      </div>
    </div>
  );
}
