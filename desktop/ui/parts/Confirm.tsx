import { useState } from 'react';

interface ConfirmProps {
  /** The button that asks. */
  readonly ask: string;
  readonly question: string;
  readonly yes: string;
  readonly no: string;
  onYes(): void;
}

/** A button that asks once more, in its own place, before it acts. */
export function Confirm({ ask, question, yes, no, onYes }: ConfirmProps) {
  const [asking, setAsking] = useState(false);
  if (!asking)
    return (
      <button type="button" className="link" onClick={() => setAsking(true)}>
        {ask}
      </button>
    );
  return (
    <fieldset className="confirm">
      <legend>{question}</legend>
      <button type="button" className="danger" onClick={onYes}>
        {yes}
      </button>
      {/* The safe answer has the focus: it replaces the button that had it. */}
      <button type="button" ref={(button) => button?.focus()} onClick={() => setAsking(false)}>
        {no}
      </button>
    </fieldset>
  );
}
