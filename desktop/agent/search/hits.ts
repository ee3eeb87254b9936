import { basename } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Hit } from '../../../shared/contract.ts';
import type { AssetId } from '../../../shared/model/asset.ts';

/** SQL: what an asset `a` is called: the name of a local file, else the one its record holds. Give it to `fileName`. */
export const namedBy = `coalesce((SELECT path FROM local_file WHERE asset = a.n ORDER BY path LIMIT 1), a.record ->> '$.name', a.id || '.' || a.ext)`;

/** The last part of what `namedBy` answered. */
export const fileName = (named: unknown): string => basename(String(named));

/** Assets of the library as the grid shows them, in the order given. */
export function hitsOf(db: DatabaseSync, ns: readonly number[]): Hit[] {
  const rows = db
    .prepare(
      `SELECT a.id, a.kind, a.taken_at, ${namedBy} AS named,
         a.record ->> '$.media.width' AS width, a.record ->> '$.media.height' AS height,
         a.record ->> '$.media.durationMs' AS duration_ms,
         EXISTS (SELECT 1 FROM json_each(a.record, '$.renditions') WHERE value = 'thumb') AS has_thumb,
         EXISTS (SELECT 1 FROM alert WHERE alert.asset = a.n) AS is_alert
       FROM json_each(?) AS wanted JOIN asset AS a ON a.n = wanted.value ORDER BY wanted.key`,
    )
    .all(JSON.stringify(ns));
  return rows.map((row) => ({
    asset: row['id'] as AssetId,
    kind: row['kind'] as Hit['kind'],
    name: fileName(row['named']),
    takenAt: row['taken_at'] as string,
    width: row['width'] as number | null,
    height: row['height'] as number | null,
    durationMs: row['duration_ms'] as number | null,
    hasThumb: row['has_thumb'] === 1,
    isAlert: row['is_alert'] === 1,
  }));
}
