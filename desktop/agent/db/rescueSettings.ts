import { isAbsolute } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { ignoredGlobs } from '../../../shared/model/ignored.ts';
import { rule as ruleSchema } from '../../../shared/model/rule.ts';
import { pausedKey } from '../sync/meta.ts';
import { transaction } from './openDatabase.ts';

/** What a person set: each with what a row of it must be, as a damaged file may hold anything. What was approved to be paid for is not in it. */
const settings = [
  {
    // An older version's has no list of what is ignored.
    select: 'SELECT * FROM watched_folder',
    row: v.object({
      id: v.number(),
      path: v.pipe(v.string(), v.check(isAbsolute)),
      device: v.nullable(v.string()),
      ignored: v.optional(
        v.pipe(
          v.string(),
          v.check((json) => v.is(v.pipe(v.string(), v.parseJson(), ignoredGlobs), json)),
        ),
        '[]',
      ),
    }),
    insert: 'INSERT INTO watched_folder (id, path, device, ignored) VALUES (:id, :path, :device, :ignored)',
  },
  {
    select: 'SELECT id, rule, pushed FROM rule',
    row: v.object({
      id: v.string(),
      rule: v.pipe(
        v.string(),
        v.check((json) => v.is(v.pipe(v.string(), v.parseJson(), ruleSchema), json)),
      ),
      pushed: v.picklist([0, 1]),
    }),
    insert: 'INSERT INTO rule (id, rule, pushed) VALUES (:id, :rule, :pushed)',
  },
  {
    select: `SELECT key, value FROM meta WHERE key = '${pausedKey}'`,
    row: v.object({ key: v.literal(pausedKey), value: v.picklist(['yes', 'no']) }),
    insert: 'INSERT INTO meta (key, value) VALUES (:key, :value)',
  },
] as const;

/**
 * Brings what a person set from a damaged database into the new one, as far as it can still be read: watched folders, rules, the pause. All else is
 * built anew from the folders and the cloud.
 * @param damaged its path; it is only read
 * @returns whether all of that could be read
 * @throws SQLite's error when the new one cannot be written
 */
export function rescueSettings(damaged: string, db: DatabaseSync): boolean {
  const read = settings.map(({ select, row }) => readRows(damaged, select, row));
  transaction(db, () => {
    for (const [i, rows] of read.entries()) {
      const insert = db.prepare(settings[i]?.insert ?? '');
      for (const values of rows ?? []) insert.run(values as Record<string, string | number | null>);
    }
  });
  return read.every((rows) => rows !== null);
}

/** The rows that are whole; null when they cannot all be read. */
function readRows(file: string, select: string, row: v.GenericSchema): unknown[] | null {
  try {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      const { success, output } = v.safeParse(v.array(row), db.prepare(select).all());
      return success ? output : null;
    } finally {
      db.close();
    }
  } catch {
    // Damaged here, too, which is what it was put aside for.
    return null;
  }
}
