import type { DatabaseSync } from 'node:sqlite';

/**
 * Brings the free-text row of one asset up to date with its labels and the paths of its local files (without any: the name its
 * record holds). To be called in the transaction that changes either. An asset that is not in the library has no row.
 * @param n asset.n
 */
export function indexText(db: DatabaseSync, n: number): void {
  db.prepare('DELETE FROM asset_text WHERE rowid = ?').run(n);
  db.prepare(
    `INSERT INTO asset_text (rowid, labels, paths)
     SELECT n,
       (SELECT group_concat(name, char(10)) FROM asset_label JOIN label ON label.n = asset_label.label WHERE asset_label.asset = asset.n),
       coalesce((SELECT group_concat(path, char(10)) FROM local_file WHERE local_file.asset = asset.n), record ->> '$.name')
     FROM asset WHERE n = ? AND taken_at IS NOT NULL`,
  ).run(n);
}
