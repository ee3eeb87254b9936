import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DynamoDBDocumentClient, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { InvalidInput } from '../../../shared/errors.ts';
import { assetItem, changesIndex } from '../../../shared/keys.ts';
import { type AssetId, assetRecord, type LibraryId } from '../../../shared/model/asset.ts';
import { parse } from '../../../shared/parse.ts';
import { raiseAlerts } from '../alerts/raiseAlerts.ts';
import { transaction } from '../db/openDatabase.ts';
import { mergeTexts } from '../search/indexText.ts';
import { cloudTrouble } from '../upload/cloudTrouble.ts';
import { applyRecord } from './applyRecord.ts';
import { readMeta, writeMeta } from './meta.ts';
import { recordFormat } from './recordFormat.ts';

/** One library's table in the cloud. */
export interface LibraryTable {
  readonly dynamodb: DynamoDBDocumentClient;
  readonly table: string;
  readonly library: LibraryId;
}

/** An asset that got a new revision. */
export interface Applied {
  readonly asset: AssetId;
  /** There was an earlier revision, so copies of its renditions are stale. */
  readonly replaced: boolean;
}

export interface PullOptions {
  /** How far before the cursor to look again, in ms: reads of the index are eventual, and `changedAt` is stamped before the write. */
  readonly overlapMs: number;
  /** ms since 1970. The cursor never passes it: a writer whose clock is ahead must not hide what others write. */
  readonly now: number;
  readonly signal: AbortSignal;
  /** Gets what was changed at once, after it was committed; never nothing. */
  onApplied(applied: readonly Applied[]): void;
  /** Gets each item that is no record of this library; it is left out, its neighbours are applied. */
  onBadItem(key: string, error: InvalidInput): void;
}

type Item = Record<string, unknown>;

const itemsPerPage = 50;
/** Items applied between two turns of the event loop: some ten milliseconds of work. */
const appliedAtOnce = 25;
const pulledRecord = v.object({ ...assetRecord.entries, changedAt: v.pipe(v.string(), v.isoTimestamp()) });
const cursorKey = 'changesCursor';
const completeKey = 'pulledOnce';
const sinceKey = 'indexedSince';
/** The `recordFormat` in which records are stored. */
const formatKey = 'recordFormat';
/** 'yes' while records of another format are read once more. */
const againKey = 'readsAgain';

/** Whether the library's index was ever pulled to its end. Until then, alerts older than this index are history: listed, not notified. */
export function hasPulledOnce(db: DatabaseSync): boolean {
  return readMeta(db, completeKey) !== null;
}

/** When this index was begun, ISO 8601. What was judged before is history to it. */
function indexedSince(db: DatabaseSync): string {
  return readMeta(db, sinceKey) ?? '';
}

/**
 * Brings the local index up to date with the cloud's. What is applied at once is one transaction with the cursor in it, so that a process that
 * dies goes on behind it; pages and items may come again at will. An index of another version of Pixwatch, which cut off what it did
 * not know of a record or left it out, is pulled anew as a whole.
 * @returns whether the cursor moved: there was something later than all before
 * @throws CloudUnavailable when the cloud cannot be used, SQLite's error when the database cannot be written
 */
export async function pullChanges(db: DatabaseSync, cloud: LibraryTable, options: PullOptions): Promise<boolean> {
  if (readMeta(db, sinceKey) === null) writeMeta(db, sinceKey, new Date(options.now).toISOString());
  beginAgainAfterUpdate(db);
  const again = readMeta(db, againKey) === 'yes';
  const cursor = readMeta(db, cursorKey);
  // A cursor in the future was written while the clock was wrong: what came since may be behind it, so all is pulled again.
  const isUsable = cursor !== null && Date.parse(cursor) <= options.now;
  if (cursor !== null && !isUsable) writeMeta(db, cursorKey, new Date(0).toISOString());
  // A key cannot be compared with an empty text; every time is greater than "0".
  const from = isUsable ? new Date(Math.max(0, Date.parse(cursor) - options.overlapMs)).toISOString() : '0';
  const query: QueryCommandInput = {
    TableName: cloud.table,
    IndexName: changesIndex,
    KeyConditionExpression: 'pk = :library AND changedAt >= :from',
    ExpressionAttributeValues: { ':library': cloud.library, ':from': from },
    Limit: itemsPerPage,
  };
  do {
    const page = await cloud.dynamodb.send(new QueryCommand(query), { abortSignal: options.signal }).catch((cause) => {
      throw cloudTrouble(cause);
    });
    const items = page.Items ?? [];
    for (let at = 0; at < items.length; at += appliedAtOnce) {
      const applied = applyItems(db, cloud.library, items.slice(at, at + appliedAtOnce), { ...options, again });
      await nextTurn();
      if (applied.length === 0) continue;
      options.onApplied(applied);
      mergeTexts(db);
      await nextTurn();
    }
    query.ExclusiveStartKey = page.LastEvaluatedKey;
  } while (query.ExclusiveStartKey);
  writeMeta(db, completeKey, 'yes');
  if (again) writeMeta(db, againKey, 'no');
  return readMeta(db, cursorKey) !== cursor;
}

function beginAgainAfterUpdate(db: DatabaseSync): void {
  if (readMeta(db, formatKey) === recordFormat) return;
  transaction(db, () => {
    if (readMeta(db, cursorKey) !== null) {
      writeMeta(db, cursorKey, new Date(0).toISOString());
      writeMeta(db, againKey, 'yes');
    }
    writeMeta(db, formatKey, recordFormat);
  });
}

interface PageOptions extends Pick<PullOptions, 'now' | 'onBadItem'> {
  readonly again: boolean;
}

function applyItems(db: DatabaseSync, library: LibraryId, items: readonly Item[], { now, onBadItem, again }: PageOptions): Applied[] {
  return transaction(db, () => {
    const applied = items.flatMap((item) => {
      try {
        return applyItem(db, library, item, again);
      } catch (thrown) {
        if (!(thrown instanceof InvalidInput)) throw thrown;
        onBadItem(String(item['sk']), thrown);
        return [];
      }
    });
    moveCursor(db, items, now);
    return applied;
  });
}

/** @throws InvalidInput, before anything is written, when the item is no record of this library */
function applyItem(db: DatabaseSync, library: LibraryId, item: Item, again: boolean): Applied[] {
  const record = parse(pulledRecord, item, 'record');
  const { sk } = assetItem(library, record.asset);
  if (record.library !== library || item['sk'] !== sk) throw new InvalidInput('record: is not what its key says');
  const applied = applyRecord(db, record, { again });
  if (!applied) return [];
  const isHistory = !hasPulledOnce(db) && record.changedAt < indexedSince(db);
  raiseAlerts(db, applied.n, record.matches, record.changedAt, isHistory);
  return [{ asset: record.asset, replaced: applied.replaced }];
}

function moveCursor(db: DatabaseSync, items: readonly Item[], now: number): void {
  const held = readMeta(db, cursorKey) ?? new Date(0).toISOString();
  const times = items.map((item) => Date.parse(String(item['changedAt']))).filter((time) => !Number.isNaN(time));
  const next = new Date(Math.min(now, Math.max(0, ...times))).toISOString();
  if (next > held) writeMeta(db, cursorKey, next);
}
