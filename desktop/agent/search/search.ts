import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import * as v from 'valibot';
import type { Hit } from '../../../shared/contract.ts';
import { assertNever } from '../../../shared/errors.ts';
import { normaliseLabel } from '../../../shared/model/label.ts';
import { parsePageCursor, writePageCursor } from '../pageCursor.ts';
import { hitsOf } from './hits.ts';
import { parseQuery, type Term, type Words } from './parseQuery.ts';

/** A piece of SQL over `asset AS a` and the values of its placeholders. */
interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

const position = v.tuple([v.string(), v.number()]);

/**
 * Searches the local index, newest first.
 *
 * The walk goes over the index `asset_newest` alone and asks of each entry: is it in the set of rowids the words gave, has it
 * the label. So an answer takes milliseconds at 100,000 assets, whether few or all of them match; driving from the label or
 * word instead reads one row, wide with its record, for each match.
 *
 * @param text see parseQuery
 * @param cursor `next` of the page before, or null
 * @throws InvalidInput for a cursor that is none
 */
export function search(db: DatabaseSync, text: string, { cursor, limit }: { cursor: string | null; limit: number }) {
  const { words, terms, problem } = parseQuery(text);
  const all = [{ sql: 'a.taken_at IS NOT NULL', values: [] }, ...wordConditions(words), ...terms.map(termCondition)];
  const after = cursor === null ? [] : [{ sql: '(a.taken_at, a.n) < (?, ?)', values: parsePageCursor(position, cursor) }];

  const total = find(db, 'count(*) AS total', all, '')[0]?.['total'] as number;
  const found = find(db, 'a.n, a.taken_at', [...all, ...after], `ORDER BY a.taken_at DESC, a.n DESC LIMIT ${limit + 1}`);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const items: Hit[] = hitsOf(
    db,
    page.map((row) => row['n'] as number),
  );
  return { items, next: last && found.length > limit ? writePageCursor([last['taken_at'], last['n']]) : null, total, problem };
}

function find(db: DatabaseSync, columns: string, conditions: readonly Condition[], order: string) {
  const where = conditions.map((c) => `(${c.sql})`).join(' AND ');
  const statement = db.prepare(`SELECT ${columns} FROM asset AS a INDEXED BY asset_newest WHERE ${where} ${order}`);
  return statement.all(...conditions.flatMap((c) => c.values));
}

/** All words in one full-text query, and those with a minus in another. */
function wordConditions(words: readonly Words[]): Condition[] {
  const match = (some: readonly Words[], operator: string) => some.map((w) => `"${w.text}"${w.prefix ? '*' : ''}`).join(operator);
  const wanted = match(
    words.filter((w) => !w.not),
    ' AND ',
  );
  const unwanted = match(
    words.filter((w) => w.not),
    ' OR ',
  );
  // The unary plus keeps the planner from looking the rows up one by one.
  const set = '(SELECT rowid FROM asset_text WHERE asset_text MATCH ?)';
  return [
    ...(wanted ? [{ sql: `+a.n IN ${set}`, values: [wanted] }] : []),
    ...(unwanted ? [{ sql: `+a.n NOT IN ${set}`, values: [unwanted] }] : []),
  ];
}

function termCondition(term: Term): Condition {
  const held = holds(term);
  return term.not ? { sql: `NOT (${held.sql})`, values: held.values } : held;
}

function holds(term: Term): Condition {
  switch (term.kind) {
    case 'label':
      return {
        sql: `EXISTS (SELECT 1 FROM asset_label AS al
                WHERE al.label = (SELECT n FROM label WHERE normalised = ?) AND al.asset = a.n AND al.confidence ${term.above} ?)`,
        values: [term.label, term.confidence],
      };
    case 'is':
      return term.is === 'alert'
        ? { sql: 'EXISTS (SELECT 1 FROM alert WHERE alert.asset = a.n)', values: [] }
        : { sql: 'a.kind = ?', values: [term.is] };
    case 'taken':
      return { sql: `a.taken_at ${term.side === 'after' ? '>=' : '<'} ?`, values: [term.at] };
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
