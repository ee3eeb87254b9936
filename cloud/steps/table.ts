import { paginateQuery } from '@aws-sdk/lib-dynamodb';
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
