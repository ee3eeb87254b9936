import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../../shared/clock.ts';
import { type Connection, type ConnectionFile, type Credentials, connectionFile, connectionTo } from '../../shared/connection.ts';
import { fullAtStart, InvalidInput, isDiskFull, messageOf } from '../../shared/errors.ts';
import { inboxPrefix } from '../../shared/keys.ts';
import { libraryId } from '../../shared/model/asset.ts';
import { parse } from '../../shared/parse.ts';
import { type Backend, createBackend, type PipelineSettings, pipelineSettings } from '../steps/backend.ts';
import { runCommand } from '../steps/commands.ts';
import { dispatch } from '../steps/dispatch.ts';
import { executionEnded } from '../steps/executionEnded.ts';
import { drainOutbox } from '../steps/outbox.ts';
import type { Task as Step } from '../steps/state.ts';
import { steps } from '../steps/steps.ts';
import type { VideoSource } from '../steps/video/openVideo.ts';
import { videoLabelsDone } from '../steps/videoLabelsDone.ts';
import { resumeWaiting } from '../steps/waiting.ts';
import { loadCredentials } from './credentials.ts';
import { Damage, withAdvice } from './damage.ts';
import { type Database, openDatabase } from './database.ts';
import { openDynamodb } from './dynamodb.ts';
import { createEmails } from './emails.ts';
import { type SqsRecord, startEventSourceMapping } from './eventSourceMapping.ts';
import { createExecutions, statusChangeEvent } from './executions.ts';
import { type Service, ServiceError } from './gateway/service.ts';
import { startGateway } from './gateway/startGateway.ts';
import { openIdentity } from './identity/openIdentity.ts';
import { createLambda, type LambdaFunction } from './lambda.ts';
import { createMeter, type Meter, meterServices, meterStateMachine, meterTask } from './meter.ts';
import * as names from './names.ts';
import { openRekognition } from './openRekognition.ts';
import { createQueues, type Queues } from './queues.ts';
import type { GetObject } from './rekognition/images.ts';
import type { VideosOptions } from './rekognition/video/createVideos.ts';
import { repeat } from './repeat.ts';
import { createRunner } from './runner.ts';
import { createS3 } from './s3/createS3.ts';
import { readSettings } from './settings.ts';
import { createSns } from './sns.ts';
import { createSqs } from './sqs.ts';
import { loadStateMachine, type StateMachine } from './stateMachine.ts';
import { createStates } from './states.ts';
import { createSubscriptions } from './subscriptions.ts';
import { createTaskTokens, type TaskTokens } from './taskTokens.ts';

export interface LocalCloudOptions {
  /** Holds all of the cloud's data; made when missing. One process at a time may use it. */
  readonly dir: string;
  /** Any free port when absent. */
  readonly port?: number;
  /** The folder of the vision models' weights, which other profiles may share. */
  readonly models: string;
  /** How many pictures are looked at at a time; each takes some 1 GB of memory. */
  readonly workers?: number;
  /** Beside those in `settings.json` in `dir`, and before them. */
  readonly settings?: Partial<PipelineSettings>;
  /** Answers for Rekognition in place of the models, for tests that are not about what is seen. */
  readonly rekognition?: Service;
  readonly clock: Clock;
  /** Gets one line about what failed and is tried again, and what a person should do. */
  log(line: string): void;
  /** Called while the weights are fetched, which happens once. */
  onModelProgress?(progress: { receivedBytes: number; totalBytes: number }): void;
  /** Called with the reason when pictures cannot be looked at, which is tried again, and with null when they can be after all. */
  onBlind?(reason: string | null): void;
}

export interface LocalCloud {
  /** Of the owner, who holds `credentials`. */
  readonly connection: Connection;
  /** For whoever signs in: as deploying a backend writes it. */
  readonly connectionFile: ConnectionFile;
  readonly credentials: Credentials;
  readonly endpoint: string;
  /** Fulfils when pictures are looked at; rejects when the vision models cannot be fetched, which is tried again. */
  readonly ready: Promise<void>;
  /** What AWS would bill of what was done since it was opened. */
  readonly meter: Pick<Meter, 'read'>;
  close(): Promise<void>;
}

const queueSettings = new Map([
  // So many failed dispatches, with growing pauses, are some ten minutes.
  [names.inboxQueue, { visibilityTimeout: 60_000, deadLetters: { queue: names.deadLetterQueue, maxReceiveCount: 15 } }],
  [names.deadLetterQueue, { visibilityTimeout: 60_000 }],
  [names.videoQueue, { visibilityTimeout: 60_000, deadLetters: { queue: names.videoDeadLetterQueue, maxReceiveCount: 15 } }],
  [names.videoDeadLetterQueue, { visibilityTimeout: 60_000 }],
]);

/** AWS's timers ring as often. */
const timerEveryMs = 60_000;

/**
 * Opens the whole of Pixwatch's backend on this computer, behind one AWS-compatible endpoint on 127.0.0.1. What waited or ran when the last
 * process ended, however it ended, goes on.
 * @throws InvalidInput when another process uses the folder, it is damaged, a newer Pixwatch wrote it, its settings are wrong, its disk is full, or the port is taken
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const parts: Closable[] = [];
  const close = async () => {
    // What was opened last uses what was opened before it.
    for (const part of parts.splice(0).toReversed()) {
      await part.close().catch((thrown: unknown) => options.log(`A part of the local cloud did not close well: ${messageOf(thrown)}`));
    }
  };
  try {
    const opened = await open(options, (part) => {
      parts.push(part);
      return part;
    });
    return { ...opened, close };
  } catch (thrown) {
    await close();
    throw explained(thrown, options.dir);
  }
}

function explained(thrown: unknown, dir: string): unknown {
  if (thrown instanceof Damage) return new InvalidInput(withAdvice(thrown, dir), { cause: thrown });
  return isDiskFull(thrown) ? fullAtStart(dir, thrown) : thrown;
}

interface Closable {
  close(): Promise<void>;
}

/** Notes a part that is to be closed with the cloud. */
type Own = <P extends Closable>(part: P) => P;

async function open(options: LocalCloudOptions, own: Own): Promise<Omit<LocalCloud, 'close'>> {
  const {
    dir,
    port = 0,
    models,
    workers = Math.min(2, availableParallelism()),
    clock,
    log,
    onModelProgress = () => {},
    onBlind = () => {},
  } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const database = own(await openDatabase(join(dir, 'local.db')));
  const settings = { ...(await readSettings(join(dir, 'settings.json'))), ...options.settings };
  const credentials = await loadCredentials(join(dir, 'credentials.json'));
  const identity = await openIdentity(join(dir, 'identity-keys.json'), database.sql, clock);
  const queues = createQueues(database.sql, clock, queueSettings);
  const meter = createMeter();
  const { promise: damaged, resolve: onDamage } = Promise.withResolvers<Damage>();
  const { s3, dynamodb } = await openStores({ options, database, queues, meter, onDamage }, own);
  const emails = own(createEmails({ sql: database.sql, clock, settingsPath: join(dir, 'smtp.json'), log }));
  const subscriptions = createSubscriptions(database.sql);
  for (const topic of [names.alertsTopicArn, names.alarmsTopicArn]) subscriptions.addTopic(topic);

  // The pipeline's steps reach the services through the gateway, as on AWS; it cannot be there before the services are.
  const { promise: backend, resolve: setBackend } = Promise.withResolvers<Backend>();
  const executions = createExecutions(database.sql, clock);
  const tokens = createTaskTokens();
  const runner = createRunner({
    executions,
    stateMachine: await loadPipeline(backend, tokens, meter),
    // One more than can be looked at: it is drawn and stored meanwhile.
    concurrency: workers + 1,
    onFailed: async (execution) => executionEnded(statusChangeEvent(execution), await backend),
    log,
  });
  let damage: string | null = null;
  void damaged.then((found) => {
    damage = withAdvice(found, dir);
    log(damage);
    // What it looks at would fail now. The next start takes it up again.
    return runner.close();
  });
  const { promise: modelsThere, resolve: onReady } = Promise.withResolvers<void>();
  const getObject: GetObject = async (bucket, key, maxBytes) => getStart(await backend, bucket, key, maxBytes + 1);
  const videos: VideosOptions = {
    ...{ database, clock, log },
    openObject: async (bucket, key) => openObject(await backend, bucket, key),
    publish: (topic, message) => {
      if (topic === names.videoTopicArn) queues.send(names.videoQueue, message);
    },
    onLookedAt: (minutes) => meter.add('StartLabelDetection', minutes),
  };
  const rekognition = options.rekognition
    ? { service: options.rekognition, ready: Promise.resolve(onReady()) }
    : own(openRekognition({ dir: models, workers, getObject, videos, onReady, onProgress: onModelProgress, onBlind, log }));
  const commands: LambdaFunction = async (event, { identity: caller }) => {
    const library = caller ? parse(libraryId, caller.cognitoIdentityId, "caller's identity") : names.library;
    return meterTask(meter, 'Commands', async () => runCommand(event, library, await backend))(event);
  };
  const services = meterServices(meter, {
    s3,
    dynamodb,
    sns: createSns({ database, subscriptions, emails, log }),
    sqs: createSqs(queues),
    states: createStates(executions, runner, tokens),
    rekognition: rekognition.service,
    lambda: createLambda({ [names.commandsFunction]: commands }),
    ...identity.services,
  });
  const { endpoint } = own(
    await startGateway({
      ...{ port, credentials, guests: identity.guests, region: names.region, clock, log },
      services: unlessDamaged(services, () => damage),
    }),
  );
  setBackend(own(createLocalBackend(endpoint, credentials, { ...options, settings })));

  own(runner);
  // Pictures wait for the models rather than to fail for lack of them.
  void modelsThere.then(() => runner.open());
  const takes = (name: string, take: typeof dispatch) => async (event: { Records: SqsRecord[] }) => {
    // The batch is received and deleted.
    meter.add('sqsRequests', 2);
    const began = performance.now();
    const answer = await take(event, await backend);
    meter.addRun(name, performance.now() - began);
    return answer;
  };
  own(startEventSourceMapping({ queues, queue: names.inboxQueue, invoke: takes('Dispatch', dispatch), log }));
  own(startEventSourceMapping({ queues, queue: names.videoQueue, invoke: takes('VideoLabelsDone', videoLabelsDone), log }));
  own(everyMinute(async () => drainOutbox(await backend), 'Alerts wait in the outbox', log));
  own(everyMinute(async () => resumeWaiting(await backend), 'What waits for budget waits on', log));
  const file = connectionFileOf(endpoint);
  return { connection: connectionTo(file, names.library), connectionFile: file, credentials, endpoint, ready: rekognition.ready, meter };
}

function everyMinute(work: () => Promise<unknown>, failure: string, log: (line: string) => void): Closable {
  return repeat(
    async () => {
      await work();
      return timerEveryMs;
    },
    (thrown) => log(`${failure}: ${messageOf(thrown)}`),
  );
}

/** A cloud that cannot be relied on answers nothing but why; the agent shows it (`cloudTrouble` in desktop/agent/upload). */
function unlessDamaged(services: Readonly<Record<string, Service>>, damage: () => string | null): Record<string, Service> {
  const guard = (service: Service): Service => {
    return async (request, response) => {
      const why = damage();
      if (why !== null) throw new ServiceError('CloudDamaged', why, 503);
      return service(request, response);
    };
  };
  return Object.fromEntries(Object.entries(services).map(([name, service]) => [name, guard(service)]));
}

interface StoresOptions {
  readonly options: LocalCloudOptions;
  readonly database: Database;
  readonly queues: Queues;
  readonly meter: Meter;
  onDamage(damage: Damage): void;
}

/** @throws Damage when one of the two is damaged, or is not there any more while the other is */
async function openStores({ options: { dir, clock, log }, database, queues, meter, onDamage }: StoresOptions, own: Own) {
  const dynamodbDir = join(dir, 'dynamodb');
  const dynamodb = own(await openDynamodb(dynamodbDir, meter));
  const hasTable = await dynamodb.hasTable(names.table);
  const s3 = own(
    await createS3({
      dir: join(dir, 's3'),
      clock,
      region: names.region,
      async onEvent(event) {
        const { bucket, object } = event.detail;
        if (bucket.name !== names.inputBucket) return;
        // EventBridge bills what the bucket tells, whether a rule wants it or not.
        meter.add('events', 1);
        if (!object.key.startsWith(inboxPrefix)) return;
        queues.send(names.inboxQueue, JSON.stringify(event));
        meter.add('sqsRequests', 1);
        await database.flush();
      },
      isKnown: async () => hasTable && dynamodb.hasAssets(names.table),
      onDamage,
      log,
    }),
  );
  if (!hasTable && !s3.isEmpty()) throw new Damage(`${dynamodbDir} is missing or empty: what was found in the photos.`);
  await dynamodb.createTable(names.table);
  for (const bucket of [names.inputBucket, names.outputBucket]) await s3.createBucket(bucket);
  return { s3: s3.service, dynamodb: dynamodb.service };
}

async function loadPipeline(backend: Promise<Backend>, tokens: TaskTokens, meter: Meter): Promise<StateMachine> {
  const text = await readFile(new URL('../pipeline.asl.json', import.meta.url), 'utf8');
  const bound = Object.entries<Step>(steps).map(([name, step]) => {
    return [name, meterTask(meter, name, async (input) => step(input, await backend))] as const;
  });
  return meterStateMachine(meter, loadStateMachine(text, Object.fromEntries(bound), tokens));
}

/** The first bytes of an object. */
async function getStart({ s3 }: Backend, Bucket: string, Key: string, bytes: number): Promise<Uint8Array> {
  return getRange(s3, Bucket, Key, 0, bytes);
}

/** An object, read in ranges. */
async function openObject({ s3 }: Backend, Bucket: string, Key: string): Promise<VideoSource> {
  const { ContentLength: size = 0 } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  return { size, read: (start, end) => getRange(s3, Bucket, Key, start, end) };
}

async function getRange(s3: S3Client, Bucket: string, Key: string, start: number, end: number): Promise<Uint8Array> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, Range: `bytes=${start}-${end - 1}` }));
  return (await Body?.transformToByteArray()) ?? new Uint8Array();
}

/** The steps' clients of the endpoint. */
function createLocalBackend(endpoint: string, credentials: Credentials, { settings = {}, clock, log }: LocalCloudOptions) {
  const backend = createBackend(
    // The SDK writes into the credentials it is given.
    { endpoint, region: names.region, credentials: { ...credentials } },
    {
      names: names.backendNames(endpoint),
      settings: parse(pipelineSettings, settings, 'settings'),
      clock,
      warn: log,
    },
  );
  const { s3, dynamodb, dynamodbOnce, rekognition, sns, sfn, sqs } = backend;
  return {
    ...backend,
    async close() {
      for (const client of [s3, dynamodb, dynamodbOnce, rekognition, sns, sfn, sqs]) client.destroy();
    },
  };
}

function connectionFileOf(endpoint: string): ConnectionFile {
  const { region, inputBucket, outputBucket, table, commandsFunction, userPool, userPoolClient, identityPool } = names;
  const place = { endpoint, region, inputBucket, outputBucket, table, commandsFunction };
  const signIn = { userPool, userPoolClient, identityPool };
  return parse(connectionFile, { version: 1, name: 'This computer', ...place, signIn }, 'connection file');
}
