import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type Clock, isoTime } from '../../../shared/clock.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import { type Rule, type RuleDraft, type RuleId, rule as ruleSchema } from '../../../shared/model/rule.ts';
import { parse } from '../../../shared/parse.ts';

/** The rules there are, by name. Deleted ones are kept, but not listed. */
export function listRules(db: DatabaseSync): Rule[] {
  const rows = db.prepare("SELECT rule FROM rule WHERE NOT rule ->> '$.deleted' ORDER BY lower(rule ->> '$.name'), id").all();
  return rows.map((row) => readRule(row['rule']));
}

/**
 * Makes a rule (`id` null) or changes one, here and now; `syncRules` brings it to the cloud.
 * @throws InvalidInput when there is no such rule
 */
export function saveRule(db: DatabaseSync, clock: Clock, id: RuleId | null, draft: RuleDraft): Rule {
  const revision = id === null ? 1 : existing(db, id).revision + 1;
  const rule: Rule = { ...draft, id: id ?? (randomUUID() as string as RuleId), revision, changedAt: isoTime(clock), deleted: false };
  writeRule(db, rule, { pushed: false });
  return rule;
}

/**
 * Deletes a rule. A tombstone stays, so that the deletion reaches the cloud and the other devices.
 * @throws InvalidInput when there is no such rule
 */
export function deleteRule(db: DatabaseSync, clock: Clock, id: RuleId): void {
  const rule = existing(db, id);
  writeRule(db, { ...rule, revision: rule.revision + 1, changedAt: isoTime(clock), deleted: true }, { pushed: false });
}

/** The stored rule, also when it was deleted; null when it never was. */
export function findRule(db: DatabaseSync, id: RuleId): Rule | null {
  const row = db.prepare('SELECT rule FROM rule WHERE id = ?').get(id);
  return row ? readRule(row['rule']) : null;
}

/** @param pushed whether the cloud has this revision */
export function writeRule(db: DatabaseSync, rule: Rule, { pushed }: { pushed: boolean }): void {
  db.prepare(
    'INSERT INTO rule (id, rule, pushed) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET rule = excluded.rule, pushed = excluded.pushed',
  ).run(rule.id, JSON.stringify(rule), pushed ? 1 : 0);
}

export function readRule(json: unknown): Rule {
  return parse(ruleSchema, JSON.parse(String(json)), 'stored rule');
}

function existing(db: DatabaseSync, id: RuleId): Rule {
  const rule = findRule(db, id);
  if (!rule || rule.deleted) throw new InvalidInput('This rule is not there any more. It may have been deleted on another device.');
  return rule;
}
