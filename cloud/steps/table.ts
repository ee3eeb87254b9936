import { setTimeout } from 'node:timers/promises';
import { BatchGetCommand, BatchWriteCommand, type BatchWriteCommandInput, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { Transient } from '../../shared/errors.ts';
import type { ItemKey } from '../../shared/keys.ts';
import type { Backend } from './backend.ts';

/** An item as it is stored: its values are to be checked by whoever reads them. */
export type Item = Record<string, unknown>;

/**
 * All items of a partition, in the order of their sort keys, as they are now.
 * @param prefix of the sort keys, when only those are wanted
 */
export async function* itemsOf({ dynamodb, names }: Backend, partition: string, prefix?: string): AsyncGenerator<Item> {
  const query = {
    TableName: names.table,
    KeyConditionExpression: prefix ? 'pk = :pk AND begins_with(sk, :prefix)' : 'pk = :pk',
    ExpressionAttributeValues: { ':pk': partition, ...(prefix && { ':prefix': prefix }) },
    ConsistentRead: true,
  };
  for await (const { Items = [] } of paginateQuery({ client: dynamodb }, query)) yield* Items;
}

/**
 * Waits for a conditional write.
 * @returns null when its condition did not hold
 */
export async function ifConditionHolds<T>(write: Promise<T>): Promise<T | null> {
  try {
    return await write;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'ConditionalCheckFailedException') return null;
    throw thrown;
  }
}

/**
 * Waits for a conditional write.
 * @returns false when its condition did not hold
 */
export async function conditionHeld(write: Promise<unknown>): Promise<boolean> {
  return (await ifConditionHolds(write)) !== null;
}

/**
 * Those of some items that are there, as they are now.
 * @throws Transient when DynamoDB does not answer for all of them
 */
export async function readAll({ dynamodb, names }: Backend, keys: readonly ItemKey[]): Promise<Item[]> {
  const found: Item[] = [];
  await inBatches(keys, 100, async (Keys) => {
    const request = { RequestItems: { [names.table]: { Keys: Keys.map(({ pk, sk }) => ({ pk, sk })), ConsistentRead: true } } };
    const { Responses, UnprocessedKeys } = await dynamodb.send(new BatchGetCommand(request));
    found.push(...(Responses?.[names.table] ?? []));
    return (UnprocessedKeys?.[names.table]?.Keys ?? []) as ItemKey[];
  });
  return found;
}

type Write = NonNullable<NonNullable<BatchWriteCommandInput['RequestItems']>[string]>[number];

/**
 * Puts and deletes items, in no order; whoever dies in between has written some of them.
 * @throws Transient when DynamoDB does not take all of them
 */
export function writeAll({ dynamodb, names }: Backend, writes: readonly Write[]): Promise<void> {
  return inBatches(writes, 25, async (some) => {
    const { UnprocessedItems } = await dynamodb.send(new BatchWriteCommand({ RequestItems: { [names.table]: some } }));
    return UnprocessedItems?.[names.table] ?? [];
  });
}

const longestPauseMs = 10_000;

/** @param send answers what DynamoDB did not do, as it may when asked for much: then it is asked again, after growing pauses */
async function inBatches<T>(all: readonly T[], size: number, send: (some: T[]) => Promise<T[]>): Promise<void> {
  for (let at = 0; at < all.length; at += size) {
    let left = await send(all.slice(at, at + size));
    for (let pause = 50; left.length > 0; pause *= 2) {
      if (pause > longestPauseMs) throw new Transient('DynamoDB is asked for too much at once.');
      await setTimeout(pause);
      left = await send(left);
    }
  }
}
