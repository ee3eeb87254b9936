import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { openDynamodb } from '../../../../cloud/local/dynamodb.ts';
import { startGateway } from '../../../../cloud/local/gateway/startGateway.ts';
import { createMeter } from '../../../../cloud/local/meter.ts';
import type { LibraryTable } from '../../../../desktop/agent/sync/pullChanges.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { assetItem, type ItemKey, ruleItem } from '../../../../shared/keys.ts';
import type { AssetRecord } from '../../../../shared/model/asset.ts';
import type { Rule } from '../../../../shared/model/rule.ts';
import { library } from '../search/library.ts';

/** A library's table in the local cloud's DynamoDB, behind its gateway. */
export interface TestTable {
  readonly cloud: LibraryTable;
  /** Writes a record as the pipeline does. */
  putRecord(record: AssetRecord): Promise<void>;
  putRule(rule: Rule): Promise<void>;
  putItem(item: ItemKey & Record<string, unknown>): Promise<void>;
  getItem(key: ItemKey): Promise<Record<string, unknown> | undefined>;
  /** What AWS would bill for reads so far. */
  unitsRead(): number;
  /** Lets it answer no more. */
  stop(): Promise<void>;
  /** Lets it answer again, at the same address. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'not-secret' };
const region = 'us-east-1';

export async function openTestTable(): Promise<TestTable> {
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-table-'));
  const meter = createMeter();
  const service = await openDynamodb(dir, meter);
  await service.createTable('pixwatch');
  const open = (port: number) =>
    startGateway({ port, credentials, region, services: { dynamodb: service.service }, clock: systemClock, log: console.error });
  let gateway = await open(0);
  const port = Number(new URL(gateway.endpoint).port);
  const client = new DynamoDBClient({ endpoint: gateway.endpoint, region, credentials, maxAttempts: 1 });
  const dynamodb = DynamoDBDocumentClient.from(client);
  const putItem = async (item: ItemKey & Record<string, unknown>) => {
    await dynamodb.send(new PutCommand({ TableName: 'pixwatch', Item: item }));
  };
  return {
    cloud: { dynamodb, table: 'pixwatch', library },
    putItem,
    unitsRead: () => meter.read().counts.readUnits ?? 0,
    putRecord: (record) => putItem({ ...assetItem(record.library, record.asset), ...record }),
    putRule: (rule) => putItem({ ...ruleItem(library, rule.id), ...rule }),
    getItem: async (Key) => (await dynamodb.send(new GetCommand({ TableName: 'pixwatch', Key, ConsistentRead: true }))).Item,
    stop: () => gateway.close(),
    async start() {
      gateway = await open(port);
    },
    async close() {
      client.destroy();
      await gateway.close();
      await service.close();
      await rm(dir, { recursive: true });
    },
  };
}
