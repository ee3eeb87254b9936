import { createRequire } from 'node:module';
import * as v from 'valibot';
import { assetPrefix, changesIndex } from '../../shared/keys.ts';
import { Damage } from './damage.ts';
import { jsonService, operation } from './gateway/jsonService.ts';
import { type Service, ServiceError } from './gateway/service.ts';
import { type Meter, meterDynamodb } from './meter.ts';

/**
 * Dynalite's own parts instead of its HTTP server: the server would have to listen, kills the process when the disk is full (it throws
 * from callbacks), and hides the store, whose iterators are left open (see `closeIterators`).
 */
const require = createRequire(import.meta.url);
const { create } = require('dynalite/db') as { create(options: { path: string; createTableMs: number }): Store };
const validations = require('dynalite/validations') as Validations;

type Callback = (error: unknown, data?: object) => void;

interface Store {
  readonly db: Record<'keys' | 'values', (options?: object) => Iterator> & { close(): Promise<void>; open(): Promise<void> };
  readonly tableDb: { del(key: string, done: Callback): void };
}

interface Iterator {
  return?: () => Promise<void>;
  close(): Promise<void>;
}

interface Validations {
  checkTypes(input: unknown, types: object): object;
  checkValidations(input: object, types: object, custom: unknown, store: Store): void;
}

/** All that dynalite can do: no transactions, time to live, PartiQL or streams. */
const operations = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'ListTables',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
  'UpdateTable',
] as const;
type OperationName = (typeof operations)[number];

export interface Dynamodb {
  /** To be put behind the gateway. */
  readonly service: Service;
  /** Makes Pixwatch's table with its `changes` index when it is not there. */
  createTable(name: string): Promise<void>;
  /** Whether that was made already. */
  hasTable(name: string): Promise<boolean>;
  /** Whether the table, which must be there, holds the record of an asset. */
  hasAssets(name: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Opens DynamoDB over the folder `dir`, made when missing. One process at a time may have it open.
 * @throws Damage when it cannot be opened
 */
export async function openDynamodb(dir: string, meter?: Meter): Promise<Dynamodb> {
  const store = create({ path: dir, createTableMs: 0 });
  await store.db.open().catch((thrown) => {
    throw asDamage(thrown, dir);
  });
  closeIterators(store);
  const underWay = new Set<Promise<object>>();
  const call = async (name: OperationName, input: unknown) => {
    const called = meter ? callMetered(store, name, input, meter) : callDynalite(store, name, input);
    underWay.add(called);
    try {
      return await called;
    } finally {
      underWay.delete(called);
    }
  };
  return {
    service: jsonService({
      targetPrefix: 'DynamoDB_20120810',
      version: '1.0',
      operations: Object.fromEntries(operations.map((name) => [name, operation(v.unknown(), (input) => call(name, input))])),
    }),
    createTable: (name) => createTable(store, name),
    hasTable: async (name) => (await tableStatus(store, name)) === 'ACTIVE',
    hasAssets: (name) => hasAssets(store, name),
    async close() {
      // A client that has gone away does not end its call, which would throw out of a callback.
      await Promise.allSettled(underWay);
      await store.db.close();
    },
  };
}

const levelError = v.object({ cause: v.object({ code: v.literal('LEVEL_CORRUPTION'), message: v.string() }) });

function asDamage(thrown: unknown, dir: string): unknown {
  const { success, output } = v.safeParse(levelError, thrown);
  return success ? new Damage(`${dir} is damaged (${output.cause.message}): what was found in the photos.`, { cause: thrown }) : thrown;
}

/** Dynalite's streams end their iterators by `return`, which those of LevelDB lack: each query would keep some 30 KB for ever. */
function closeIterators({ db }: Store): void {
  for (const kind of ['keys', 'values'] as const) {
    const iterate = db[kind].bind(db);
    db[kind] = (options) => {
      const iterator = iterate(options);
      iterator.return = () => iterator.close();
      return iterator;
    };
  }
}

/** Asks what the call consumes besides what it is for. */
async function callMetered(store: Store, name: OperationName, input: unknown, meter: Meter): Promise<object> {
  const asked = input as { readonly ReturnConsumedCapacity?: string; readonly Item?: object };
  try {
    const answer = await callDynalite(store, name, meteredOperations.has(name) ? { ...asked, ReturnConsumedCapacity: 'TOTAL' } : input);
    meterDynamodb(meter, name, answer, asked.Item && 'changedAt' in asked.Item ? 1 : 0);
    const { ConsumedCapacity, ...rest } = answer as { ConsumedCapacity?: unknown };
    return asked.ReturnConsumedCapacity ? answer : rest;
  } catch (thrown) {
    // A write whose condition does not hold is billed all the same.
    if (thrown instanceof ServiceError && thrown.code === 'ConditionalCheckFailedException') meter.add('writeUnits', 1);
    throw thrown;
  }
}

/** Those that can say what they consume. */
const meteredOperations = new Set(operations.filter((name) => /Item$|Query|Scan/.test(name)));

/** @throws ServiceError as DynamoDB answers */
async function callDynalite(store: Store, name: OperationName, input: unknown): Promise<object> {
  const file = name.charAt(0).toLowerCase() + name.slice(1);
  const { types, custom } = require(`dynalite/validations/${file}`) as { types: object; custom?: unknown };
  const act = require(`dynalite/actions/${file}`) as (store: Store, data: object, done: Callback) => void;
  try {
    const data = validations.checkTypes(input, types);
    validations.checkValidations(data, types, custom, store);
    return await new Promise((resolve, reject) => act(store, data, (error, answer) => (error ? reject(error) : resolve(answer ?? {}))));
  } catch (thrown) {
    throw asServiceError(thrown);
  }
}

const dynaliteError = v.object({
  statusCode: v.number(),
  body: v.object({ __type: v.string(), message: v.optional(v.string()), Message: v.optional(v.string()) }),
});

function asServiceError(thrown: unknown): unknown {
  const { success, output } = v.safeParse(dynaliteError, thrown);
  if (!success) return thrown;
  const { __type, message, Message } = output.body;
  return new ServiceError(__type.split('#').at(-1) ?? __type, message ?? Message ?? '', output.statusCode);
}

async function createTable(store: Store, TableName: string): Promise<void> {
  if ((await tableStatus(store, TableName)) === 'ACTIVE') return;
  // A process that died while it made the table left it CREATING for ever.
  await new Promise((resolve) => store.tableDb.del(TableName, resolve));
  await callDynalite(store, 'CreateTable', {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', 'changedAt'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: keySchema('pk', 'sk'),
    GlobalSecondaryIndexes: [{ IndexName: changesIndex, KeySchema: keySchema('pk', 'changedAt'), Projection: { ProjectionType: 'ALL' } }],
  });
  while ((await tableStatus(store, TableName)) !== 'ACTIVE') await new Promise((resolve) => setTimeout(resolve, 5));
}

const scanned = v.object({ Items: v.array(v.unknown()), LastEvaluatedKey: v.optional(v.unknown()) });

async function hasAssets(store: Store, TableName: string): Promise<boolean> {
  const filter = { FilterExpression: 'begins_with(sk, :asset)', ExpressionAttributeValues: { ':asset': { S: assetPrefix } } };
  let from: object = {};
  while (true) {
    const { Items, LastEvaluatedKey } = v.parse(scanned, await callDynalite(store, 'Scan', { TableName, ...filter, ...from }));
    if (Items.length > 0 || LastEvaluatedKey === undefined) return Items.length > 0;
    from = { ExclusiveStartKey: LastEvaluatedKey };
  }
}

const keySchema = (hash: string, range: string) => [
  { AttributeName: hash, KeyType: 'HASH' },
  { AttributeName: range, KeyType: 'RANGE' },
];

const described = v.object({ Table: v.object({ TableStatus: v.string() }) });

/** Null when there is no such table. */
async function tableStatus(store: Store, TableName: string): Promise<string | null> {
  try {
    return v.parse(described, await callDynalite(store, 'DescribeTable', { TableName })).Table.TableStatus;
  } catch (thrown) {
    if (thrown instanceof ServiceError && thrown.code === 'ResourceNotFoundException') return null;
    throw thrown;
  }
}
