import type { DatabaseSync } from 'node:sqlite';
import type { Match } from '../../../shared/model/rule.ts';
import { prepare } from '../db/openDatabase.ts';

/**
 * Writes down the alerts that the cloud's verdict on an asset calls for: once for each (asset, rule), for ever, however often its
 * record comes and whatever revision it has. To be called in the transaction that applies the record: neither is there without the other.
 * @param n asset.n
 * @param at when the cloud judged, ISO 8601
 * @param seen true: it goes on the list only, nobody needs to be told
 */
export function raiseAlerts(db: DatabaseSync, n: number, matches: readonly Match[], at: string, seen: boolean): void {
  const insert = prepare(
    db,
    `INSERT INTO alert (asset, rule, rule_name, because, at, seen, told) VALUES (:n, :rule, :name, :because, :at, :seen, :seen)
     ON CONFLICT (asset, rule) DO NOTHING`,
  );
  for (const { rule, name, because, notify } of matches) {
    if (notify.desktop) insert.run({ n, rule, name, because, at, seen: seen ? 1 : 0 });
  }
}
