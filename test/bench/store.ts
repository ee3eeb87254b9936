import { join } from 'node:path';
import { openDynamodb } from '../../cloud/local/dynamodb.ts';
import { startGateway } from '../../cloud/local/gateway/startGateway.ts';
import { createS3 } from '../../cloud/local/s3/createS3.ts';
import { systemClock } from '../../shared/clock.ts';
import type { Connection, Credentials } from '../../shared/connection.ts';
import type { LibraryId } from '../../shared/model/asset.ts';

/** Run as a process of its own: the local cloud's S3 and DynamoDB in the folder of its argument. Sends a `StoreMessage` when it is up. */
export interface StoreMessage {
  readonly connection: Connection & { readonly endpoint: string };
  readonly credentials: Credentials;
}

const dir = process.argv[2] ?? '';
const region = 'us-east-1';
const credentials = { accessKeyId: 'AKIABENCH', secretAccessKey: 'not-secret' };
const log = (line: string) => console.error(line);
const s3 = await createS3({ dir: join(dir, 's3'), clock: systemClock, region, onEvent: async () => {}, log });
for (const bucket of ['pixwatch-input', 'rclone', 'aws']) await s3.createBucket(bucket);
const dynamodb = await openDynamodb(join(dir, 'dynamodb'));
await dynamodb.createTable('pixwatch');
const services = { s3: s3.service, dynamodb: dynamodb.service };
const { endpoint } = await startGateway({ port: 0, credentials, region, services, clock: systemClock, log });
const connection = {
  endpoint,
  region,
  library: 'local' as LibraryId,
  inputBucket: 'pixwatch-input',
  outputBucket: 'pixwatch-output',
  table: 'pixwatch',
  commandsFunction: 'pixwatch-commands',
};
process.send?.({ connection, credentials } satisfies StoreMessage);
// Nobody is left to use it.
process.once('disconnect', () => process.exit());
