import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { transaction } from '../db/openDatabase.ts';

/** Assets brought up to date between two turns of the event loop: a few milliseconds of work. */
const batchSize = 50;

/**
 * Brings the free-text row of one asset up to date with its labels, the text in it and the paths of its local files (without any: the
 * name its record holds). To be called in the transaction that changes the labels. An asset that is not in the library has no row.
 * @param n asset.n
 */
export function indexText(db: DatabaseSync, n: number): void {
  db.prepare('DELETE FROM asset_text WHERE rowid = ?').run(n);
  db.prepare(
    `INSERT INTO asset_text (rowid, labels, paths, text)
     SELECT n,
       (SELECT group_concat(name, char(10)) FROM asset_label JOIN label ON label.n = asset_label.label WHERE asset_label.asset = asset.n),
       coalesce((SELECT group_concat(path, char(10)) FROM local_file WHERE local_file.asset = asset.n), record ->> '$.name'),
       (SELECT group_concat(value ->> '$.text', char(10)) FROM json_each(record, '$.text'))
     FROM asset WHERE n = ? AND taken_at IS NOT NULL`,
  ).run(n);
  db.prepare('DELETE FROM text_due WHERE asset = ?').run(n);
}

/**
 * Brings the free text of all assets up to date whose local files were linked, renamed or removed. The database itself notes which
 * (`text_due`), so nothing is forgotten when the process dies or `signal` ends it before it is done.
 * @returns whether anything changed
 */
export async function refreshText(db: DatabaseSync, signal: AbortSignal): Promise<boolean> {
  for (let changed = false; ; changed = true) {
    const due = db.prepare(`SELECT asset FROM text_due LIMIT ${batchSize}`).all();
    if (due.length === 0 || signal.aborted) return changed;
    transaction(db, () => {
      for (const row of due) indexText(db, row['asset'] as number);
    });
    await nextTurn();
  }
}
