import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { Hit } from '../../../shared/contract.ts';
import { assertNever } from '../../../shared/errors.ts';
import type { AssetRecord } from '../../../shared/model/asset.ts';
import { normaliseLabel } from '../../../shared/model/label.ts';
import type { Condition, Rule, RuleDraft, RuleId } from '../../../shared/model/rule.ts';
import { matchRules } from '../../../shared/rules.ts';
import { hitsOf } from '../search/hits.ts';

/** Records read in one go: bounds the memory and how long the event loop waits. */
const chunk = 100;
const shown = 12;

/**
 * What a rule would have matched in the library, judged by the same function as in the cloud.
 * @returns how many assets, and the newest few
 */
export async function dryRun(db: DatabaseSync, draft: RuleDraft): Promise<{ count: number; newest: Hit[] }> {
  const rule: Rule = { ...draft, id: 'dry-run' as RuleId, revision: 1, changedAt: '', deleted: false };
  let count = 0;
  let newest: { n: number; takenAt: string }[] = [];
  let last = 0;
  for (;;) {
    const rows = candidates(db, draft.condition, last);
    const matching = rows.filter((row) => matchRules(JSON.parse(row['record'] as string) as AssetRecord, [rule]).length > 0);
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
  switch (condition.kind) {
    case 'label':
      return db
        .prepare(
          `SELECT a.n, a.taken_at, a.record FROM asset_label AS al JOIN asset AS a ON a.n = al.asset
           WHERE al.label = (SELECT n FROM label WHERE normalised = ?) AND al.confidence >= ? AND al.asset > ? ORDER BY al.asset LIMIT ${chunk}`,
        )
        .all(normaliseLabel(condition.label), condition.minConfidence, after);
    default:
      return assertNever(condition.kind);
  }
}
