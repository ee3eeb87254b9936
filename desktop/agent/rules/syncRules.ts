import type { DatabaseSync } from 'node:sqlite';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { InvalidInput } from '../../../shared/errors.ts';
import { ruleItem, rulesPartition } from '../../../shared/keys.ts';
import { type Rule, rule as ruleSchema } from '../../../shared/model/rule.ts';
import { parse } from '../../../shared/parse.ts';
import type { LibraryTable } from '../sync/pullChanges.ts';
import { cloudTrouble } from '../upload/cloudTrouble.ts';
import { findRule, readRule, writeRule } from './rules.ts';

/** Of two revisions of a rule the higher one holds; of two devices' same revision, the one written later. */
const isLater = (a: Rule, b: Rule) => a.revision > b.revision || (a.revision === b.revision && a.changedAt > b.changedAt);

/** Whether a rule was edited here and the cloud does not have it yet. */
export function hasUnpushedRules(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM rule WHERE pushed = 0 LIMIT 1').get() !== undefined;
}

/**
 * Brings the rules of other devices here and those edited here to the cloud.
 * @param onBadItem gets each item that is no rule; it is left out
 * @returns whether a rule here changed
 * @throws CloudUnavailable when the cloud cannot be used, SQLite's error when the database cannot be written
 */
export async function syncRules(
  db: DatabaseSync,
  cloud: LibraryTable,
  signal: AbortSignal,
  onBadItem: (key: string, error: InvalidInput) => void,
): Promise<boolean> {
  const changed = await pullRules(db, cloud, signal, onBadItem);
  await pushRules(db, cloud, signal);
  return changed;
}

async function pullRules(
  db: DatabaseSync,
  cloud: LibraryTable,
  abortSignal: AbortSignal,
  onBadItem: (key: string, error: InvalidInput) => void,
): Promise<boolean> {
  let changed = false;
  for (const item of await readRules(cloud, abortSignal)) {
    try {
      const rule = parse(ruleSchema, item, 'rule');
      if (item['sk'] !== ruleItem(cloud.library, rule.id).sk) throw new InvalidInput('rule: is not what its key says');
      const held = findRule(db, rule.id);
      if (held && !isLater(rule, held)) continue;
      writeRule(db, rule, { pushed: true });
      changed = true;
    } catch (thrown) {
      if (!(thrown instanceof InvalidInput)) throw thrown;
      onBadItem(String(item['sk']), thrown);
    }
  }
  return changed;
}

/** All of them: a library has few. */
async function readRules({ dynamodb, table, library }: LibraryTable, abortSignal: AbortSignal): Promise<Record<string, unknown>[]> {
  const query = {
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :rules',
    ExpressionAttributeValues: { ':rules': rulesPartition(library) },
  };
  const items: Record<string, unknown>[] = [];
  try {
    for await (const page of paginateQuery({ client: dynamodb }, query, { abortSignal })) items.push(...(page.Items ?? []));
  } catch (thrown) {
    throw cloudTrouble(thrown);
  }
  return items;
}

async function pushRules(db: DatabaseSync, { dynamodb, table, library }: LibraryTable, abortSignal: AbortSignal): Promise<void> {
  for (const { rule: json } of db.prepare('SELECT rule FROM rule WHERE pushed = 0').all()) {
    const rule = readRule(json);
    const put = new PutCommand({
      TableName: table,
      Item: { ...ruleItem(library, rule.id), ...rule },
      ConditionExpression: 'attribute_not_exists(pk) OR revision < :revision OR (revision = :revision AND changedAt <= :changedAt)',
      ExpressionAttributeValues: { ':revision': rule.revision, ':changedAt': rule.changedAt },
    });
    try {
      await dynamodb.send(put, { abortSignal });
    } catch (thrown) {
      // Another device was later, between our pull and this: the next pull brings its revision.
      if (!(thrown instanceof ConditionalCheckFailedException)) throw cloudTrouble(thrown);
    }
    // Compared as text: an edit made while this one was on its way still waits.
    db.prepare('UPDATE rule SET pushed = 1 WHERE id = ? AND rule = ?').run(rule.id, json as string);
  }
}
