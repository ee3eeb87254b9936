import type { ReactNode } from 'react';

interface FieldProps {
  readonly name: string;
  readonly hint?: string;
  readonly className?: string;
  /** The control. */
  readonly children: ReactNode;
}

/** A control with its name over it, and what helps to fill it in under it. */
export function Field({ name, hint, className = '', children }: FieldProps) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is what it is given
    <label className={`field ${className}`}>
      <span className="field-name">{name}</span>
      {children}
      {hint !== undefined && <span className="hint">{hint}</span>}
    </label>
  );
}
