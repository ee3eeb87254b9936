/** What the doctor found about one thing. */
export interface Finding {
  /** `missing`: deploying would fail. `unknown`: it could not be checked. */
  readonly kind: 'ok' | 'warning' | 'missing' | 'unknown';
  /** One line, with what to do about it. */
  readonly text: string;
}

export const ok = (text: string): Finding => ({ kind: 'ok', text });
export const warning = (text: string): Finding => ({ kind: 'warning', text });
export const missing = (text: string): Finding => ({ kind: 'missing', text });
export const unchecked = (what: string, why: string): Finding => ({ kind: 'unknown', text: `${what} cannot be checked: ${why}` });

/** One line of the doctor's answer. */
export const lineOf = ({ kind, text }: Finding): string => `${kind.padEnd(8)} ${text}`;

export const isMissing = ({ kind }: Finding): boolean => kind === 'missing';
