import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';

/** What keeps Pixwatch itself from working, such as a full disk; whoever met it tries again by itself. */
export interface Trouble {
  note(thrown: unknown): void;
  /** Why nothing goes on; null when all is well. */
  current(): string | null;
}

/** Tries come every 10 s; when none of some has failed, it is over. */
const overAfterMs = 30_000;
/** SQLITE_FULL; https://sqlite.org/rescode.html */
const full = 13;

export function createTrouble(clock: Clock, log: (line: string) => void): Trouble {
  let last: { readonly sentence: string; readonly at: number } | null = null;
  const current = () => (last && clock.now() - last.at < overAfterMs ? last.sentence : null);
  return {
    current,
    note(thrown) {
      const sentence = sentenceOf(thrown);
      if (sentence !== current()) log(sentence);
      last = { sentence, at: clock.now() };
    },
  };
}

function sentenceOf(thrown: unknown): string {
  const { code, errcode } = (thrown instanceof Error ? thrown : {}) as { code?: unknown; errcode?: unknown };
  if (errcode === full || code === 'ENOSPC') return "The disk that holds Pixwatch's data is full. Make room; it goes on by itself.";
  return `Pixwatch cannot go on at the moment: ${messageOf(thrown)}`;
}
