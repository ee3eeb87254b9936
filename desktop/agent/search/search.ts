import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import * as v from 'valibot';
import type { Hit } from '../../../shared/contract.ts';
import { assertNever } from '../../../shared/errors.ts';
import { normaliseLabel } from '../../../shared/model/label.ts';
import { parsePageCursor, writePageCursor } from '../pageCursor.ts';
import { hitsOf } from './hits.ts';
import { parseQuery, type Term, type Words } from './parseQuery.ts';

/**
 * What an asset must meet, as SQL with `values` for its placeholders: that its n is in a set of assets of the library (`not`: in none of
 * it), or something about its entry in the index `asset_newest`.
 */
type Condition = { readonly values: readonly SQLInputValue[] } & (
  | { readonly kind: 'set'; readonly not: boolean; readonly set: string }
  | { readonly kind: 'entry'; readonly sql: string }
);

const library = 'asset INDEXED BY asset_newest WHERE taken_at IS NOT NULL';
const wordSet = 'SELECT rowid AS n FROM asset_text WHERE asset_text MATCH ?';
/** The condition of the index `asset_flagged`. */
const flaggedSet = "SELECT n FROM asset WHERE json_array_length(record -> '$.moderation') > 0";
const labelSet = (above: '>' | '>=') =>
  `SELECT asset AS n FROM asset_label WHERE label = (SELECT n FROM label WHERE normalised = ?) AND confidence ${above} ?`;

/** Of the last hit, with the total, which is counted once. */
const position = v.object({ takenAt: v.string(), n: v.number(), total: v.number() });

/**
 * Searches the local index, newest first.
 * @param text see parseQuery
 * @param cursor `next` of the page before, or null
 * @throws InvalidInput for a cursor that is none
 */
export function search(db: DatabaseSync, text: string, { cursor, limit }: { cursor: string | null; limit: number }) {
  const { words, terms, problem } = parseQuery(text);
  const conditions = [...wordConditions(words), ...terms.map(termCondition)];
  const before = cursor === null ? null : parsePageCursor(position, cursor);
  const total = before?.total ?? count(db, conditions);
  const found = total === 0 ? [] : newest(db, conditions, before, limit + 1);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const items: Hit[] = hitsOf(
    db,
    page.map(({ n }) => n),
  );
  return { items, next: last && found.length > limit ? writePageCursor({ ...last, total }) : null, total, problem };
}

/**
 * Walks the index `asset_newest` alone and asks of each entry whether it is in the sets. So it takes milliseconds at 100,000 assets,
 * whether few or all of them match; starting from a set would read one row of `asset`, wide with its record, for each of its members.
 */
function newest(db: DatabaseSync, conditions: readonly Condition[], before: { takenAt: string; n: number } | null, limit: number) {
  const all: Condition[] = before
    ? [...conditions, { kind: 'entry', sql: '(taken_at, n) < (?, ?)', values: [before.takenAt, before.n] }]
    : [...conditions];
  const rows = db
    .prepare(`SELECT n, taken_at FROM ${library} ${whereSql(all)} ORDER BY taken_at DESC, n DESC LIMIT ${limit}`)
    .all(...valuesOf(all));
  return rows.map((row) => ({ n: row['n'] as number, takenAt: row['taken_at'] as string }));
}

/** Counts within a set where there is one and nothing asks for more than sets: that is several times as fast as the walk. */
function count(db: DatabaseSync, conditions: readonly Condition[]): number {
  const source = conditions.every((c) => c.kind === 'set') ? conditions.find((c) => !c.not) : undefined;
  const from = source ? `(${source.set}) WHERE true` : library;
  const rest = conditions.filter((c) => c !== source);
  const row = db.prepare(`SELECT count(*) AS total FROM ${from} ${whereSql(rest)}`).get(...valuesOf(source ? [source, ...rest] : rest));
  return row?.['total'] as number;
}

/** The unary plus keeps the planner from looking the set's members up one by one. */
const whereSql = (conditions: readonly Condition[]) =>
  conditions.map((c) => `AND ${c.kind === 'set' ? `+n ${c.not ? 'NOT IN' : 'IN'} (${c.set})` : c.sql}`).join(' ');

const valuesOf = (conditions: readonly Condition[]) => conditions.flatMap((c) => c.values);

/** All words in one full-text query, and those with a minus in another. */
function wordConditions(words: readonly Words[]): Condition[] {
  const condition = (not: boolean, operator: string): Condition[] => {
    const query = words.filter((w) => w.not === not).map((w) => `"${w.text}"${w.prefix ? '*' : ''}`);
    return query.length === 0 ? [] : [{ kind: 'set', not, set: wordSet, values: [query.join(operator)] }];
  };
  return [...condition(false, ' AND '), ...condition(true, ' OR ')];
}

function termCondition(term: Term): Condition {
  const { not } = term;
  switch (term.kind) {
    case 'label':
      return { kind: 'set', not, set: labelSet(term.above), values: [term.label, term.confidence] };
    case 'text':
      return { kind: 'set', not, set: wordSet, values: [`text : "${term.text}"${term.prefix ? '*' : ''}`] };
    case 'is':
      if (term.is === 'flagged') return { kind: 'set', not, set: flaggedSet, values: [] };
      return term.is === 'alert'
        ? { kind: 'entry', sql: `+n ${not ? 'NOT IN' : 'IN'} (SELECT +asset FROM alert)`, values: [] }
        : { kind: 'entry', sql: `kind ${not ? '<>' : '='} ?`, values: [term.is] };
    case 'taken':
      return { kind: 'entry', sql: `taken_at ${(term.side === 'after') === not ? '<' : '>='} ?`, values: [term.at] };
    default:
      return assertNever(term);
  }
}

/** Labels of the library whose normalised name begins with `prefix`, the most frequent first, with how many assets have them. */
export function complete(db: DatabaseSync, prefix: string, limit: number): { label: string; count: number }[] {
  const rows = db
    .prepare(
      `SELECT name, assets FROM label WHERE assets > 0 AND substr(normalised, 1, length(:prefix)) = :prefix
       ORDER BY assets DESC, normalised LIMIT :limit`,
    )
    .all({ prefix: normaliseLabel(prefix), limit });
  return rows.map((row) => ({ label: row['name'] as string, count: row['assets'] as number }));
}
