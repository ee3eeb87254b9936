import { InvalidInput } from '../../shared/errors.ts';

/** What is known of a request, by condition key; several values where AWS has a set, as of `dynamodb:LeadingKeys`. */
export type RequestContext = Readonly<Record<string, string | readonly string[]>>;

/** Text of a policy in pieces: `*` and `?` are wildcards, what came out of a variable is plain text whatever it contains. */
type Piece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'any' } | { readonly kind: 'one' };

/**
 * Whether a text is what a pattern of a policy describes. Case counts.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 * @param known values of variables, by condition key in lower case; a pattern with a variable that is not among them matches nothing
 * @param wildcards whether `*` and `?` mean more than themselves
 * @throws InvalidInput when a variable has a form that is not known here
 */
export function matches(pattern: string, text: string, known: RequestContext, wildcards = true): boolean {
  const pieces = piecesOf(pattern, known, wildcards);
  return pieces !== null && new RegExp(`^${pieces.map(sourceOf).join('')}$`, 'su').test(text);
}

function piecesOf(pattern: string, known: RequestContext, wildcards: boolean): Piece[] | null {
  const pieces: Piece[] = [];
  for (const part of pattern.match(/\$\{[^}]*\}|[\s\S]/gu) ?? []) {
    if (part.length > 1 && part.startsWith('${')) {
      const value = variable(part.slice(2, -1), known);
      if (value === null) return null;
      pieces.push({ kind: 'text', text: value });
    } else if (wildcards && part === '*') pieces.push({ kind: 'any' });
    else if (wildcards && part === '?') pieces.push({ kind: 'one' });
    else pieces.push({ kind: 'text', text: part });
  }
  return pieces;
}

/** The value of a variable; null when the request has none. `${*}`, `${?}` and `${$}` stand for the characters themselves. */
function variable(name: string, known: RequestContext): string | null {
  if (['*', '?', '$'].includes(name)) return name;
  if (!/^[A-Za-z0-9:./_-]+$/.test(name)) throw new InvalidInput(`policy: the variable \${${name}} is of no form that is known here`);
  const key = name.toLowerCase();
  const value = Object.hasOwn(known, key) ? known[key] : undefined;
  return typeof value === 'string' ? value : null;
}

function sourceOf(piece: Piece): string {
  switch (piece.kind) {
    case 'any':
      return '.*';
    case 'one':
      return '.';
    case 'text':
      return piece.text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  }
}
