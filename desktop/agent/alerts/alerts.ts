import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as v from 'valibot';
import type { Alert } from '../../../shared/contract.ts';
import type { AssetId } from '../../../shared/model/asset.ts';
import type { RuleId } from '../../../shared/model/rule.ts';
import { parsePageCursor, writePageCursor } from '../pageCursor.ts';
import { fileName, namedBy } from '../search/hits.ts';

const columns = `alert.*, a.id, ${namedBy} AS named FROM alert JOIN asset AS a ON a.n = alert.asset`;
const position = v.tuple([v.string(), v.number(), v.string()]);

/**
 * All alerts, the latest first.
 * @throws InvalidInput for a cursor that is none
 */
export function listAlerts(db: DatabaseSync, { cursor, limit }: { cursor: string | null; limit: number }) {
  const after = cursor === null ? null : parsePageCursor(position, cursor);
  const where = after ? 'WHERE at <= :at AND (at < :at OR (alert.asset, rule) > (:asset, :rule))' : '';
  const values = after ? { at: after[0], asset: after[1], rule: after[2] } : {};
  const rows = db
    .prepare(`SELECT ${columns} ${where} ORDER BY at DESC, alert.asset, rule LIMIT :limit`)
    .all({ ...values, limit: limit + 1 });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(toAlert),
    next: last && rows.length > limit ? writePageCursor([last['at'], last['asset'], last['rule']]) : null,
  };
}

/** Those that nobody was notified of yet, the oldest first. */
export function untoldAlerts(db: DatabaseSync): Alert[] {
  return db.prepare(`SELECT ${columns} WHERE told = 0 ORDER BY at, alert.asset, rule`).all().map(toAlert);
}

export function markTold(db: DatabaseSync, { asset, rule }: Alert): void {
  db.prepare('UPDATE alert SET told = 1 WHERE asset = (SELECT n FROM asset WHERE id = ?) AND rule = ?').run(asset, rule);
}

export function countUnseenAlerts(db: DatabaseSync): number {
  return db.prepare('SELECT count(*) AS unseen FROM alert WHERE seen = 0').get()?.['unseen'] as number;
}

/** Alerts changed between two turns of the event loop. */
const chunk = 500;

export async function markAlertsSeen(db: DatabaseSync): Promise<void> {
  const some = db.prepare(`UPDATE alert SET seen = 1 WHERE (asset, rule) IN (SELECT asset, rule FROM alert WHERE seen = 0 LIMIT ${chunk})`);
  while (Number(some.run().changes) === chunk) await nextTurn();
}

function toAlert(row: Record<string, SQLOutputValue>): Alert {
  return {
    asset: row['id'] as AssetId,
    rule: row['rule'] as RuleId,
    ruleName: row['rule_name'] as string,
    because: row['because'] as string,
    fileName: fileName(row['named']),
    at: row['at'] as string,
    seen: row['seen'] === 1,
  };
}
