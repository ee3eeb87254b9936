import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { type LocalCloud, startLocalCloud } from '../../../cloud/local/startLocalCloud.ts';
import type { PipelineSettings } from '../../../cloud/steps/backend.ts';
import { type Agent, startAgent } from '../../../desktop/agent/agent.ts';
import { isoTime, systemClock } from '../../../shared/clock.ts';
import type { AgentEvent } from '../../../shared/contract.ts';
import { assetItem, renditionKey } from '../../../shared/keys.ts';
import type { AssetRecord, Rendition } from '../../../shared/model/asset.ts';
import { idOf, recordOf } from './search/library.ts';

/** A local cloud that has no vision models, so that a test says itself what is seen in a picture. */
export interface TestCloud {
  readonly dir: string;
  readonly connection: LocalCloud['connection'];
  readonly credentials: LocalCloud['credentials'];
  /** Writes an asset's finished record and its thumbnail, as the pipeline does; with a picture also its preview. */
  finish(content: string, rest?: Partial<AssetRecord>, picture?: Buffer): Promise<void>;
  /** Stores a rendition. */
  put(content: string, rendition: Rendition, body: string | Buffer): Promise<void>;
  /** Keys in the input bucket. */
  originals(): Promise<string[]>;
  /** Removes one of them. */
  remove(key: string): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startTestCloud(dir: string, settings: Partial<PipelineSettings> = {}): Promise<TestCloud> {
  const models = join(dir, 'no models');
  await mkdir(dir, { recursive: true });
  await writeFile(models, 'a file, where a folder should be');
  const open = (port: number) => startLocalCloud({ dir: join(dir, 'cloud'), models, port, settings, clock: systemClock, log: () => {} });
  let cloud = await open(0);
  const { connection, credentials, endpoint } = cloud;
  const config = { endpoint, region: connection.region, credentials: { ...credentials } };
  const s3 = new S3Client(config);
  const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient(config));
  const { library, outputBucket: Bucket } = connection;
  const put = async (content: string, rendition: Rendition, Body: string | Buffer) => {
    await s3.send(new PutObjectCommand({ Bucket, Key: renditionKey(library, idOf(content), rendition), Body }));
  };
  return {
    dir,
    connection,
    credentials,
    async finish(content, rest = {}, picture) {
      const record = {
        ...recordOf(content, { changedAt: isoTime(systemClock), ...rest }),
        claim: { execution: 'e', version: 'v', attempt: 1 },
      };
      for (const rendition of picture ? (['thumb', 'preview'] as const) : (['thumb'] as const)) {
        await put(content, rendition, picture ?? `thumb of ${content}`);
      }
      await dynamodb.send(
        new PutCommand({ TableName: connection.table, Item: { ...assetItem(record.library, record.asset), ...record, recordedBy: 'e' } }),
      );
    },
    put,
    async originals() {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: connection.inputBucket }));
      return Contents.map(({ Key }) => Key ?? '');
    },
    async remove(Key) {
      await s3.send(new DeleteObjectCommand({ Bucket: connection.inputBucket, Key }));
    },
    stop: () => cloud.close(),
    async start() {
      cloud = await open(Number(new URL(endpoint).port));
    },
  };
}

export interface TestAgent extends Agent {
  readonly dataDir: string;
  readonly events: AgentEvent[];
  readonly lines: string[];
  /** The state of each file, by its name. */
  states(): Promise<Record<string, string>>;
  /** Names of the hits. */
  found(text: string): Promise<string[]>;
}

export async function startTestAgent(cloud: TestCloud, dataDir: string): Promise<TestAgent> {
  await mkdir(dataDir, { recursive: true });
  const { connection, credentials } = cloud;
  const lines: string[] = [];
  const events: AgentEvent[] = [];
  const agent = await startAgent({
    dataDir,
    connection,
    credentials: async () => credentials,
    clock: systemClock,
    log: (line) => lines.push(line),
  });
  agent.onEvent((event) => events.push(event));
  let closing: Promise<void> | undefined;
  return {
    ...agent,
    close() {
      closing ??= agent.close();
      return closing;
    },
    dataDir,
    events,
    lines,
    async states() {
      const { items } = await agent.handlers.files({ kinds: [], cursor: null, limit: 100 });
      return Object.fromEntries(items.map(({ path, state }) => [basename(path), state.kind]));
    },
    async found(text) {
      const { items } = await agent.handlers.search({ text, cursor: null, limit: 100 });
      return items.map(({ name }) => name);
    },
  };
}
