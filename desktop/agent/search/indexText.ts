import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { prepare, transaction } from '../db/openDatabase.ts';

/** Assets brought up to date between two turns of the event loop: a few milliseconds of work. */
const batchSize = 25;
/** Pages of the full-text index that are merged at a time. A batch writes fewer. */
const mergedPages = 32;

/**
 * Brings the free-text row of one asset up to date with its labels, the text in it and the paths of its local files (without any: the
 * name its record holds). To be called in the transaction that changes the labels. An asset that is not in the library has no row.
 * @param n asset.n
 */
export function indexText(db: DatabaseSync, n: number): void {
  prepare(db, 'DELETE FROM asset_text WHERE rowid = ?').run(n);
  prepare(
    db,
    `INSERT INTO asset_text (rowid, labels, paths, text)
     SELECT n,
       (SELECT group_concat(name, char(10)) FROM asset_label JOIN label ON label.n = asset_label.label WHERE asset_label.asset = asset.n),
       coalesce((SELECT group_concat(path, char(10)) FROM local_file WHERE local_file.asset = asset.n), record ->> '$.name'),
       (SELECT group_concat(value ->> '$.text', char(10)) FROM json_each(record, '$.text'))
     FROM asset WHERE n = ? AND taken_at IS NOT NULL`,
  ).run(n);
  prepare(db, 'DELETE FROM text_due WHERE asset = ?').run(n);
}

/**
 * Merges a little of what `indexText` has written, so that a search has few places to look at: to be called after each transaction with some. By itself
 * SQLite would do all of it at once when much is due, and take a quarter of a second. https://sqlite.org/fts5.html#the_merge_command
 */
export function mergeTexts(db: DatabaseSync): void {
  prepare(db, `INSERT INTO asset_text (asset_text, rank) VALUES ('merge', ${mergedPages})`).run();
}

/**
 * Brings the free text of all assets up to date whose local files were linked, renamed or removed. The database itself notes which
 * (`text_due`), so nothing is forgotten when the process dies or `signal` ends it before it is done.
 * @returns whether anything changed
 */
export async function refreshText(db: DatabaseSync, signal: AbortSignal): Promise<boolean> {
  for (let changed = false; ; changed = true) {
    const due = prepare(db, `SELECT asset FROM text_due LIMIT ${batchSize}`).all();
    if (due.length === 0 || signal.aborted) return changed;
    transaction(db, () => {
      for (const row of due) indexText(db, row['asset'] as number);
    });
    await nextTurn();
    mergeTexts(db);
    await nextTurn();
  }
}
