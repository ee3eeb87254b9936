import * as v from 'valibot';
import type { AccessRequest } from '../access/evaluatePolicy.ts';
import type { RequestContext } from '../access/pattern.ts';
import { tableArn } from './names.ts';

/** The partition key of the table and of its index. */
const partitionKey = 'pk';

const item = v.record(v.string(), v.unknown());
const request = v.object({
  TableName: v.optional(v.string()),
  IndexName: v.optional(v.string()),
  Key: v.optional(item),
  Item: v.optional(item),
  KeyConditionExpression: v.optional(v.string(), ''),
  ExpressionAttributeNames: v.optional(v.record(v.string(), v.string()), {}),
  ExpressionAttributeValues: v.optional(v.record(v.string(), v.unknown()), {}),
  KeyConditions: v.optional(v.record(v.string(), v.unknown()), {}),
  RequestItems: v.optional(v.record(v.string(), v.unknown())),
});
type Request = v.InferOutput<typeof request>;

/**
 * What a request to DynamoDB needs to be allowed: the operation on each of its tables, with the partitions that it names as `dynamodb:LeadingKeys`.
 * A partition that cannot be told from the request is left out, so that a policy that asks for the key does not hold.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 * @param operation like `GetItem`
 */
export function dynamodbAccess(operation: string, body: unknown): AccessRequest[] {
  const action = `dynamodb:${operation}`;
  const parsed = v.safeParse(request, body);
  if (!parsed.success) return [{ action, resource: '*', context: {} }];
  const { TableName, IndexName, RequestItems } = parsed.output;
  if (RequestItems) {
    return Object.entries(RequestItems).map(([table, asked]) => ({
      action,
      resource: tableArn(table),
      context: leadingKeys(batchKeys(asked)),
    }));
  }
  const resource = TableName === undefined ? '*' : `${tableArn(TableName)}${IndexName === undefined ? '' : `/index/${IndexName}`}`;
  return [{ action, resource, context: leadingKeys(partitionsOf(operation, parsed.output)) }];
}

/** Null stands for a partition that cannot be told. */
type Partition = string | null;

function leadingKeys(partitions: readonly Partition[]): RequestContext {
  const known = partitions.filter((partition) => partition !== null);
  return known.length > 0 && known.length === partitions.length ? { 'dynamodb:LeadingKeys': known } : {};
}

function partitionsOf(operation: string, { Key, Item, ...query }: Request): Partition[] {
  switch (operation) {
    case 'GetItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return [partitionOf(Key)];
    case 'PutItem':
      return [partitionOf(Item)];
    case 'Query':
      return queried(query);
    default:
      return [];
  }
}

const text = v.object({ S: v.string() });
const holder = v.object({ [partitionKey]: text });

function partitionOf(keyed: unknown): Partition {
  const parsed = v.safeParse(holder, keyed);
  return parsed.success ? (parsed.output[partitionKey]?.S ?? null) : null;
}

/** Of BatchGetItem (`{Keys}`) and BatchWriteItem (a list of requests). */
function batchKeys(asked: unknown): Partition[] {
  const keys = v.safeParse(v.object({ Keys: v.array(v.unknown()) }), asked);
  if (keys.success) return keys.output.Keys.map(partitionOf);
  const writes = v.safeParse(
    v.array(v.union([v.object({ PutRequest: v.object({ Item: item }) }), v.object({ DeleteRequest: v.object({ Key: item }) })])),
    asked,
  );
  if (!writes.success) return [null];
  return writes.output.map((write) => partitionOf('PutRequest' in write ? write.PutRequest.Item : write.DeleteRequest.Key));
}

/** The one `pk = :value` of a key condition, which DynamoDB asks for. */
function queried(query: Omit<Request, 'Key' | 'Item'>): Partition[] {
  // The older way to say it, which nothing here uses.
  if (Object.keys(query.KeyConditions).length > 0) return [null];
  const partitions = [...query.KeyConditionExpression.matchAll(/(?<![.\w#])([#\w]+)\s*=\s*(:\w+)/g)].flatMap(
    ([, name = '', value = '']) => {
      const attribute =
        name.startsWith('#') && Object.hasOwn(query.ExpressionAttributeNames, name) ? query.ExpressionAttributeNames[name] : name;
      if (attribute !== partitionKey) return [];
      const given = v.safeParse(
        text,
        Object.hasOwn(query.ExpressionAttributeValues, value) ? query.ExpressionAttributeValues[value] : null,
      );
      return [given.success ? given.output.S : null];
    },
  );
  return partitions.length === 1 ? partitions : [null];
}
