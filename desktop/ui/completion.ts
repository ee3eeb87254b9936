/** The word of a search text that the caret is in, split as the search understands it. */
export interface Word {
  readonly start: number;
  readonly end: number;
  /** What stands before the part to complete: `-`, `label:`, `-label:` or nothing. */
  readonly prefix: string;
  /** The part to complete, up to the caret, without quotation marks. */
  readonly typed: string;
}

export interface Suggestion {
  /** What is put in place of the word. */
  readonly insert: string;
  readonly title: string;
  readonly hint: string;
}

const operators = [
  { insert: 'label:', hint: 'a label for certain' },
  { insert: 'text:', hint: 'words that stand in the picture' },
  { insert: 'is:alert', hint: 'raised an alert' },
  { insert: 'is:flagged', hint: 'flagged as unsuitable' },
  { insert: 'is:photo', hint: 'photos only' },
  { insert: 'is:video', hint: 'videos only' },
  { insert: 'after:', hint: 'taken on or after, e.g. 2024-06' },
  { insert: 'before:', hint: 'taken before, e.g. 2024' },
];

/** Finds the word under the caret: words end at spaces, but not at those between quotation marks. */
export function wordAt(text: string, caret: number): Word {
  const words = text.matchAll(/(?:"[^"]*(?:"|$)|[^\s"])+/g);
  for (const { 0: word, index } of words) {
    const end = index + word.length;
    if (caret < index || caret > end) continue;
    const prefix = /^-?(?:label:)?/.exec(word)?.[0] ?? '';
    const typed = text.slice(index + prefix.length, caret).replaceAll('"', '');
    return { start: index, end, prefix, typed };
  }
  return { start: caret, end: caret, prefix: '', typed: '' };
}

/** Whether labels can complete the word; not behind another operator or a comparison. */
export function takesLabels({ prefix, typed }: Word): boolean {
  return !/[:<>=]/.test(typed) && (typed !== '' || prefix.endsWith('label:'));
}

/** What can be put in place of the word: labels as they come, then the search's own operators that begin so. */
export function suggestionsFor(
  word: Word,
  labels: readonly { label: string; count: number }[],
  countOf: (n: number) => string,
): Suggestion[] {
  const sign = word.prefix.startsWith('-') ? '-' : '';
  const fromLabels = takesLabels(word)
    ? labels.map(({ label, count }) => ({ insert: `${sign}label:${quoted(label)}`, title: label, hint: countOf(count) }))
    : [];
  const begun = word.prefix.includes('label:') || word.typed === '' ? [] : operators.filter(({ insert }) => insert.startsWith(word.typed));
  return [...fromLabels, ...begun.map(({ insert, hint }) => ({ insert: sign + insert, title: sign + insert, hint }))];
}

/** Puts a suggestion in place of the word; the caret ends behind it, after a space unless the operator wants more. */
export function complete(text: string, { start, end }: Word, insert: string): { text: string; caret: number } {
  const rest = text.slice(end).trimStart();
  const head = text.slice(0, start) + insert + (insert.endsWith(':') ? '' : ' ');
  return { text: head + rest, caret: head.length };
}

const quoted = (label: string) => (/\s/.test(label) ? `"${label}"` : label);
