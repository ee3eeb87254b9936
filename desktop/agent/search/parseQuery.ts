import { normaliseLabel } from '../../../shared/model/label.ts';

/** Text to be found in labels, paths and the text in pictures, as one phrase. `not`: it must not be there; `prefix`: its last word may go on. */
export interface Words {
  readonly not: boolean;
  readonly text: string;
  readonly prefix: boolean;
}

/** One condition on an asset. `not` turns it round. */
export type Term = { readonly not: boolean } & (
  | { readonly kind: 'label'; readonly label: string; readonly above: '>=' | '>'; readonly confidence: number }
  /** Words that stand in the picture, as one phrase; `prefix` as in `Words`. */
  | { readonly kind: 'text'; readonly text: string; readonly prefix: boolean }
  | { readonly kind: 'is'; readonly is: 'alert' | 'flagged' | 'photo' | 'video' }
  | { readonly kind: 'taken'; readonly side: 'after' | 'before' /** ISO 8601, UTC. */; readonly at: string }
);

export interface Query {
  /** All must hold, as must all of `terms`. Neither holds a quote or a control character. */
  readonly words: readonly Words[];
  readonly terms: readonly Term[];
  /** What was left out because it could not be understood, for people; null when all was. */
  readonly problem: string | null;
}

type Parsed = Term | { readonly kind: 'words'; readonly words: Words } | { readonly kind: 'problem'; readonly problem: string };

// A run of anything but spaces, in which quotes hold spaces together; a quote left open runs to the end.
const token = /(?:[^\s"]|"[^"]*(?:"|$))+/g;
const field = /^([a-z]{2,}):(.*)$/is;
const labelValue = /^(?:"([^"]*)"?|([^">]*))(?:(>=|>)(.*))?$/s;
// What the full-text index takes for a part of a word: https://sqlite.org/fts5.html#unicode61_tokenizer
const wordPart = /[\p{L}\p{N}\p{Co}]/u;

/**
 * Reads what a person typed: `dog`, `"fire truck"`, `label:dog`, `label:"fire truck">=90`, `text:invoice`, `is:alert|flagged|photo|video`,
 * `after:2024-06` (from its first moment on), `before:2025-01-15` (until just before it), each with `-` before it for "not".
 * The last word counts as unfinished, so that typing finds at once, unless a space or a quote closes it.
 * Never throws: what is not understood is told in `problem`, and the rest applies.
 */
export function parseQuery(text: string): Query {
  const plain = text
    .toWellFormed()
    .replace(/[“”„]/g, '"')
    .replace(/\p{Cc}/gu, ' ');
  const tokens = [...plain.matchAll(token)];
  const words: Words[] = [];
  const terms: Term[] = [];
  const problems = new Set<string>();
  for (const { 0: whole, index } of tokens) {
    if (/^[-"]*$/.test(whole)) continue;
    const not = whole.startsWith('-');
    const parsed = parseTerm(not ? whole.slice(1) : whole, not, index + whole.length === plain.length);
    if (parsed.kind === 'problem') problems.add(parsed.problem);
    else if (parsed.kind === 'words') words.push(parsed.words);
    else terms.push(parsed);
  }
  return { words, terms, problem: problems.size === 0 ? null : [...problems].join(' ') };
}

function parseTerm(body: string, not: boolean, last: boolean): Parsed {
  const [, name, value] = field.exec(body) ?? [];
  if (name === undefined || value === undefined) return parseWords(body, not, last);
  const plain = value.replaceAll('"', '').trim();
  switch (name.toLowerCase()) {
    case 'label':
      return parseLabel(value, not);
    case 'text':
      return parseText(value, not, last);
    case 'is':
      return parseIs(plain, not);
    case 'after':
      return parseTaken('after', plain, not);
    case 'before':
      return parseTaken('before', plain, not);
    default:
      return problem(`“${name}:” is not known; there are label:, text:, is:, after: and before:.`);
  }
}

function parseWords(body: string, not: boolean, last: boolean): Parsed {
  const text = body.replaceAll('"', ' ').trim();
  if (!wordPart.test(text)) return problem(`“${text}” has no letters or digits to look for.`);
  return { kind: 'words', words: { not, text, prefix: last && !not && !body.includes('"') } };
}

function parseText(value: string, not: boolean, last: boolean): Parsed {
  const text = value.replaceAll('"', ' ').trim();
  if (!wordPart.test(text))
    return problem('After “text:” comes a word that stands in the picture, like text:invoice or text:"invoice 2024".');
  return { kind: 'text', not, text, prefix: last && !not && !value.includes('"') };
}

function parseLabel(value: string, not: boolean): Parsed {
  const [, quoted, bare, above = '>=', number = '0'] = labelValue.exec(value) ?? [];
  const label = normaliseLabel(quoted ?? bare ?? '');
  if (label === '') return problem('After “label:” comes the name of a label, like label:dog or label:"fire truck">=90.');
  const confidence = /^\d{1,3}(\.\d+)?%?$/.test(number.trim()) ? Number.parseFloat(number) : Number.NaN;
  if (!(confidence <= 100)) return problem(`After “label:${label}${above}” comes a number from 0 to 100.`);
  return { kind: 'label', not, label, above: above === '>' ? '>' : '>=', confidence };
}

function parseIs(value: string, not: boolean): Parsed {
  const is = value.toLowerCase();
  if (is === 'alert' || is === 'flagged' || is === 'photo' || is === 'video') return { kind: 'is', not, is };
  return problem(`After “is:” comes alert, flagged, photo or video.`);
}

function parseTaken(side: 'after' | 'before', value: string, not: boolean): Parsed {
  const [, year, month = '01', day = '01'] = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(value) ?? [];
  const at = `${year}-${month}-${day}T00:00:00.000Z`;
  // A day that no calendar has, like 2025-02-30, either is no date or comes back as another one.
  const time = Date.parse(at);
  if (Number.isNaN(time) || new Date(time).toISOString() !== at) {
    return problem(`After “${side}:” comes a date like 2024, 2024-06 or 2024-06-30.`);
  }
  return { kind: 'taken', not, side, at };
}

const problem = (text: string): Parsed => ({ kind: 'problem', problem: text });
