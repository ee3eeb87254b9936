import type { ReactNode } from 'react';
import { messages } from '../messages.ts';
import { Dialog } from './Dialog.tsx';
import { Problem } from './Problem.tsx';

interface EditorProps {
  readonly title: string;
  readonly busy: boolean;
  readonly problem: string | null;
  readonly children: ReactNode;
  onSave(): void;
  onClose(): void;
}

/** A dialog with a form in it, which is saved or left as it was. */
export function Editor({ title, busy, problem, children, onSave, onClose }: EditorProps) {
  return (
    <Dialog title={title} className="editor" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onSave();
        }}
      >
        {children}
        <Problem text={problem} />
        <div className="actions">
          <button type="button" onClick={onClose}>
            {messages.cancel}
          </button>
          <button type="submit" className="primary" disabled={busy}>
            {messages.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
