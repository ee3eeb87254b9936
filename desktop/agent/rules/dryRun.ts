import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { Hit } from '../../../shared/contract.ts';
import { assertNever } from '../../../shared/errors.ts';
import type { AssetRecord } from '../../../shared/model/asset.ts';
import { normaliseLabel, wordsOf } from '../../../shared/model/label.ts';
import type { Condition, RuleDraft } from '../../../shared/model/rule.ts';
import { reasonFor } from '../../../shared/rules.ts';
import { hitsOf } from '../search/hits.ts';

/** Records read in one go: bounds the memory and how long the event loop waits. */
const chunk = 100;
const shown = 12;

/**
 * What a rule would have matched in the library, judged by the same function as in the cloud.
 * @returns how many assets, and the newest few
 */
export async function dryRun(db: DatabaseSync, draft: RuleDraft): Promise<{ count: number; newest: Hit[] }> {
  const { condition } = draft;
  let count = 0;
  let newest: { n: number; takenAt: string }[] = [];
  let last = 0;
  for (;;) {
    const rows = candidates(db, condition, last);
    const matching = rows.filter((row) => reasonFor(condition, JSON.parse(row['record'] as string) as AssetRecord) !== null);
    count += matching.length;
    newest = [...newest, ...matching.map((row) => ({ n: row['n'] as number, takenAt: row['taken_at'] as string }))]
      .sort((a, b) => (a.takenAt === b.takenAt ? b.n - a.n : a.takenAt < b.takenAt ? 1 : -1))
      .slice(0, shown);
    if (rows.length < chunk)
      return {
        count,
        newest: hitsOf(
          db,
          newest.map(({ n }) => n),
        ),
      };
    last = rows.at(-1)?.['n'] as number;
    await setImmediate();
  }
}

/** The next assets that may match, so that not every record of the library has to be read: all that match, and perhaps more. */
function candidates(db: DatabaseSync, condition: Condition, after: number): Record<string, SQLOutputValue>[] {
  const { sql, values } = selectCandidates(condition);
  return db.prepare(sql).all(...values, after);
}

/** The statement for `candidates`, whose last placeholder is the asset to go on after. Each chunk costs as much as the one before: it sorts nothing. */
export function selectCandidates(condition: Condition): { sql: string; values: readonly SQLInputValue[] } {
  const { from, n, values } = sourceOf(condition);
  const sql = `SELECT a.n, a.taken_at, a.record FROM ${from} AND ${n} > ? AND a.taken_at IS NOT NULL ORDER BY ${n} LIMIT ${chunk}`;
  return { sql, values };
}

/** Where a condition's candidates come from: a join with `asset AS a` up to its last condition, and the values for its placeholders. */
interface Source {
  readonly from: string;
  /** The asset's number where the candidates are found, so that the search itself goes on behind the last. */
  readonly n: 'a.n' | 'al.asset' | 'asset_text.rowid';
  readonly values: readonly SQLInputValue[];
}

const everything: Source = { from: 'asset AS a WHERE true', n: 'a.n', values: [] };

function sourceOf(condition: Condition): Source {
  switch (condition.kind) {
    case 'label':
      return {
        from: `asset_label AS al JOIN asset AS a ON a.n = al.asset
          WHERE al.label = (SELECT n FROM label WHERE normalised = ?) AND al.confidence >= ?`,
        n: 'al.asset',
        values: [normaliseLabel(condition.label), condition.minConfidence],
      };
    case 'text':
      return {
        from: 'asset_text JOIN asset AS a ON a.n = asset_text.rowid WHERE asset_text MATCH ?',
        n: 'asset_text.rowid',
        values: [`text : "${wordsOf(condition.text)}"`],
      };
    case 'moderation':
      return { from: "asset AS a WHERE json_array_length(a.record -> '$.moderation') > 0", n: 'a.n', values: [] };
    case 'place':
    case 'taken':
    case 'hours':
      return everything;
    case 'all':
      return condition.conditions.map(sourceOf).find((source) => source !== everything) ?? everything;
    default:
      return assertNever(condition);
  }
}
