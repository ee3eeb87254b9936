import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import { Icon } from '../icons.tsx';
import { messages } from '../messages.ts';

interface DialogProps {
  readonly title: string;
  readonly className?: string;
  onClose(): void;
  onKeyDown?(event: React.KeyboardEvent): void;
  readonly children: ReactNode;
}

/** The browser's own modal dialog: keeps the focus inside, closes on Escape, and gives the focus back. */
export function Dialog({ title, className, onClose, onKeyDown, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Closing (not only removing) is what gives the focus back to where it was.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={className}
      aria-labelledby={titleId}
      onKeyDown={onKeyDown}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className="dialog-head">
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="quiet" aria-label={messages.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      {children}
    </dialog>
  );
}
