import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { onTestFinished } from 'vitest';
import { openDynamodb } from '../../../../cloud/local/dynamodb.ts';
import { startGateway } from '../../../../cloud/local/gateway/startGateway.ts';
import { createS3 } from '../../../../cloud/local/s3/createS3.ts';
import { createS3Client } from '../../../../desktop/agent/upload/s3Client.ts';
import type { UploadTarget } from '../../../../desktop/agent/upload/uploadFile.ts';
import { systemClock } from '../../../../shared/clock.ts';
import type { Connection } from '../../../../shared/connection.ts';
import { assetItem } from '../../../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../../../shared/model/asset.ts';
import { scratchDir } from '../db/scratch.ts';
import { type FaultyLine, startFaultyLine } from './faultyLine.ts';

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'not-secret' };
const library = 'local' as LibraryId;
const region = 'us-east-1';
const inputBucket = 'pixwatch-input';
const table = 'pixwatch';

/** The local cloud's S3 and DynamoDB for the length of a test; nothing takes anything out of the inbox. */
export interface Store {
  /** Reaches them over `line`. */
  readonly target: UploadTarget;
  readonly line: FaultyLine;
  readonly connection: Connection;
  readonly credentials: typeof credentials;
  /** Original objects by key; each was checked to be what its key says (invariant A2). */
  objects(): Promise<Map<string, Buffer>>;
  /** Uploads in parts that are open. */
  openUploads(): Promise<number>;
  /** Writes the record that the pipeline ends with. */
  recordAnalysed(asset: AssetId): Promise<void>;
  /** Takes an object out of the inbox, as the pipeline does. */
  direct: S3Client;
  /** Where all of it is. */
  dir: string;
}

/** @param idleMs how long a connection may stand still */
export async function openStore(idleMs?: number): Promise<Store> {
  const dir = await scratchDir();
  const log = (line: string) => console.error(line);
  const s3 = await createS3({ dir: join(dir, 's3'), clock: systemClock, region, onEvent: async () => {}, log });
  onTestFinished(s3.close);
  await s3.createBucket(inputBucket);
  const dynamodb = await openDynamodb(join(dir, 'dynamodb'));
  onTestFinished(dynamodb.close);
  await dynamodb.createTable(table);
  const services = { s3: s3.service, dynamodb: dynamodb.service };
  const gateway = await startGateway({ port: 0, credentials, region, services, clock: systemClock, log: () => {} });
  onTestFinished(gateway.close);
  const line = await startFaultyLine(Number(new URL(gateway.endpoint).port));
  onTestFinished(line.close);

  const connection = {
    endpoint: line.endpoint,
    region,
    library,
    inputBucket,
    outputBucket: 'pixwatch-output',
    table,
    commandsFunction: 'commands',
  };
  const client = createS3Client(connection, async () => credentials, idleMs);
  const direct = createS3Client({ ...connection, endpoint: gateway.endpoint }, async () => credentials);
  const requestHandler = { socketTimeout: idleMs ?? 30_000, throwOnRequestTimeout: true };
  const documents = DynamoDBDocumentClient.from(
    new DynamoDBClient({ endpoint: line.endpoint, region, credentials: { ...credentials }, maxAttempts: 1, requestHandler }),
  );
  onTestFinished(() => {
    for (const each of [client, direct, documents]) each.destroy();
  });
  return {
    target: { s3: client, dynamodb: documents, inputBucket, table, library },
    line,
    connection,
    credentials,
    direct,
    dir,
    objects: () => checkedObjects(direct),
    async openUploads() {
      return (await direct.send(new ListMultipartUploadsCommand({ Bucket: inputBucket }))).Uploads?.length ?? 0;
    },
    async recordAnalysed(asset) {
      const Item = { ...assetItem(library, asset), outcome: { kind: 'analysed', category: 'failure' } };
      await documents.send(new PutCommand({ TableName: table, Item }));
    },
  };
}

async function checkedObjects(s3: S3Client): Promise<Map<string, Buffer>> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: inputBucket }));
  const objects = new Map<string, Buffer>();
  for (const { Key = '' } of Contents) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: inputBucket, Key }));
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    const hash = createHash('sha256').update(bytes).digest('hex');
    if (Key.split('/').at(-1)?.split('.')[0] !== hash) throw new Error(`${Key} holds something else: ${hash}`);
    objects.set(Key, bytes);
  }
  return objects;
}
