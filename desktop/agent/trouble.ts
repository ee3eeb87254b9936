import { isDiskFull, messageOf } from '../../shared/errors.ts';

/** What keeps Pixwatch itself from working, such as a full disk. Whoever meets it tries again by itself. */
export interface Trouble {
  note(thrown: unknown): void;
  /** Why nothing goes on; null when all is well. */
  current(): string | null;
  close(): void;
}

/** Tries come every 10 s; when some in a row have not failed, it is over. */
const overAfterMs = 30_000;

/**
 * @param log gets a line when it is news
 * @param onChange `current` changed
 */
export function createTrouble(log: (line: string) => void, onChange: () => void): Trouble {
  let sentence: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  const become = (next: string | null) => {
    if (next === sentence) return;
    sentence = next;
    onChange();
  };
  return {
    current: () => sentence,
    note(thrown) {
      const next = sentenceOf(thrown);
      if (next !== sentence) log(next);
      become(next);
      clearTimeout(timer);
      timer = setTimeout(become, overAfterMs, null).unref();
    },
    close: () => clearTimeout(timer),
  };
}

function sentenceOf(thrown: unknown): string {
  if (isDiskFull(thrown)) return "The disk that holds Pixwatch's data is full. Make room; it goes on by itself.";
  return `Pixwatch cannot go on at the moment: ${messageOf(thrown)}`;
}
