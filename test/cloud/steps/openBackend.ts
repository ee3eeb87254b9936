import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateTopicCommand } from '@aws-sdk/client-sns';
import { onTestFinished } from 'vitest';
import { openDatabase } from '../../../cloud/local/database.ts';
import { openDynamodb } from '../../../cloud/local/dynamodb.ts';
import { createEmails } from '../../../cloud/local/emails.ts';
import type { Service } from '../../../cloud/local/gateway/service.ts';
import { backendNames, deadLetterQueue, inboxQueue, inputBucket, outputBucket, region, table } from '../../../cloud/local/names.ts';
import { createQueues } from '../../../cloud/local/queues.ts';
import { createS3 } from '../../../cloud/local/s3/createS3.ts';
import { createSns } from '../../../cloud/local/sns.ts';
import { createSqs } from '../../../cloud/local/sqs.ts';
import { createSubscriptions } from '../../../cloud/local/subscriptions.ts';
import { loadAsset, type StoredAsset } from '../../../cloud/steps/assets.ts';
import { type Backend, createBackend, type PipelineSettings, pipelineSettings } from '../../../cloud/steps/backend.ts';
import type { Claimant } from '../../../cloud/steps/state.ts';
import { systemClock } from '../../../shared/clock.ts';
import { inboxKey, originalMetadata } from '../../../shared/keys.ts';
import type { AssetId, LibraryId } from '../../../shared/model/asset.ts';
import { parse } from '../../../shared/parse.ts';
import { scratchDir, serve } from '../local/serve.ts';
import { startMailServer } from '../local/smtp.ts';

export interface TestBackend extends Backend {
  /** Lines given to `warn`. */
  readonly warnings: string[];
  /** E-mails that arrived. */
  readonly mails: readonly string[];
  /** Moves the clock. */
  pass(ms: number): void;
}

/**
 * The storage, tables, queues and topic of the local cloud for the length of a test. Nothing runs by itself, so that a test calls single steps.
 * @param more services behind the same endpoint, such as a `rekognition` that fails
 * @param watch what stands before each service
 */
export async function openBackend(
  more: Readonly<Record<string, Service>> = {},
  options: Partial<PipelineSettings> = {},
  watch: (name: string, service: Service) => Service = (_, service) => service,
): Promise<TestBackend> {
  const dir = await scratchDir();
  const log = (line: string) => console.error(line);
  let passed = 0;
  const clock = { now: () => systemClock.now() + passed };
  const pass = (ms: number) => {
    passed += ms;
  };

  const s3 = await createS3({ dir: join(dir, 's3'), clock: systemClock, region, onEvent: async () => {}, log });
  onTestFinished(s3.close);
  await Promise.all([inputBucket, outputBucket].map((bucket) => s3.createBucket(bucket)));
  const dynamodb = await openDynamodb(join(dir, 'dynamodb'));
  onTestFinished(dynamodb.close);
  await dynamodb.createTable(table);
  const database = await openDatabase(join(dir, 'local.db'));
  onTestFinished(database.close);
  const queues = createQueues(
    database.sql,
    systemClock,
    new Map([inboxQueue, deadLetterQueue].map((queue) => [queue, { visibilityTimeout: 60_000 }])),
  );
  const { port, inbox: mails } = await startMailServer();
  const settingsPath = join(dir, 'smtp.json');
  await writeFile(settingsPath, JSON.stringify({ host: '127.0.0.1', port, from: 'pixwatch@example.org' }), { mode: 0o600 });
  const emails = createEmails({ sql: database.sql, clock: systemClock, settingsPath, log });
  onTestFinished(emails.close);

  const services = {
    s3: s3.service,
    dynamodb: dynamodb.service,
    sqs: createSqs(queues),
    ...more,
    sns: createSns({ database, subscriptions: createSubscriptions(database.sql), emails, log }),
  };
  const access = await serve(Object.fromEntries(Object.entries(services).map(([name, service]) => [name, watch(name, service)])));
  const names = backendNames(access.endpoint);
  const warnings: string[] = [];
  const warn = (line: string) => void warnings.push(line);
  const settings = parse(pipelineSettings, { secondsBetweenExecutions: 0, ...options }, 'settings');
  const backend = createBackend(access, { names, settings, clock, warn });
  onTestFinished(() => {
    for (const service of ['s3', 'dynamodb', 'dynamodbOnce', 'sns', 'sqs', 'sfn', 'rekognition'] as const) backend[service].destroy();
  });
  for (const Name of ['pixwatch-alerts', 'pixwatch-alarms']) await backend.sns.send(new CreateTopicCommand({ Name }));
  return { ...backend, warnings, mails, pass };
}

/** What an execution named `execution` gets for an asset with this content. */
export function claimantOf(content: Buffer, ext = 'jpg', execution = 'execution-1'): Claimant {
  const asset = createHash('sha256').update(content).digest('hex') as AssetId;
  return { library: 'local' as LibraryId, asset, ext, version: 'v1', attempt: 1, execution };
}

export interface SendOptions {
  readonly who?: Claimant;
  readonly name?: string;
  readonly modified?: string;
}

/** Puts a file into the inbox, as the agent does it. */
export async function send(backend: Backend, content: Buffer, options: SendOptions = {}): Promise<Claimant> {
  const { who = claimantOf(content), name = 'IMG_1.jpg', modified = '2020-01-02T03:04:05.000Z' } = options;
  const Metadata = originalMetadata.write(name, modified);
  await backend.s3.send(new PutObjectCommand({ Bucket: inputBucket, Key: inboxKey(who), Body: content, Metadata }));
  return who;
}

export const recordOf = (backend: Backend, { library, asset }: Claimant): Promise<StoredAsset | null> => loadAsset(backend, library, asset);

export async function keysIn(backend: Backend, Bucket: string): Promise<string[]> {
  const { Contents = [] } = await backend.s3.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key = '' }) => Key);
}

export async function contentOf(backend: Backend, Bucket: string, Key: string): Promise<Buffer> {
  const { Body } = await backend.s3.send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

export const headOf = (backend: Backend, Bucket: string, Key: string) => backend.s3.send(new HeadObjectCommand({ Bucket, Key }));
