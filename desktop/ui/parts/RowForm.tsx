import type { FormEvent, ReactNode } from 'react';
import { useAction } from '../answers.ts';
import { Problem } from './Problem.tsx';

interface RowFormProps {
  /** What the button says, and what while it is under way. */
  readonly word: string;
  readonly busyWord?: string;
  readonly className?: string;
  /** The fields. */
  readonly children: ReactNode;
  /** What it rejects with is shown. */
  onSubmit(): Promise<void>;
}

/** Fields in a row, a button that sends them, and why it did not work. */
export function RowForm({ word, busyWord = word, className = '', children, onSubmit }: RowFormProps) {
  const { run, busy, problem } = useAction();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(onSubmit);
  };
  return (
    <form className={`form-row ${className}`} onSubmit={submit}>
      {children}
      <button type="submit" className="primary" disabled={busy}>
        {busy ? busyWord : word}
      </button>
      <Problem text={problem} />
    </form>
  );
}
