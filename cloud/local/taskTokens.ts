import { randomUUID } from 'node:crypto';

/** What a state that waits by a token is told. `output` is JSON. */
export type TaskAnswer =
  | { readonly kind: 'success'; readonly output: string }
  | { readonly kind: 'failure'; readonly error: string; readonly cause: string };

/**
 * The tokens of states that wait. They live as long as the process: what ran when it ended is run again from its beginning, and waits under another
 * token.
 */
export interface TaskTokens {
  open(): { readonly token: string; readonly answer: Promise<TaskAnswer>; close(): void };
  /** @returns false when nobody waits for it any more */
  answer(token: string, answer: TaskAnswer): boolean;
  /** Whether somebody waits for it. */
  has(token: string): boolean;
}

export function createTaskTokens(): TaskTokens {
  const waiting = new Map<string, (answer: TaskAnswer) => void>();
  return {
    open() {
      const token = randomUUID();
      const { promise: answer, resolve } = Promise.withResolvers<TaskAnswer>();
      waiting.set(token, resolve);
      return { token, answer, close: () => void waiting.delete(token) };
    },
    answer(token, answer) {
      waiting.get(token)?.(answer);
      return waiting.delete(token);
    },
    has: (token) => waiting.has(token),
  };
}
