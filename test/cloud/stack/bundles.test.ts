import { copyFile, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { AccessRequest } from '../../../cloud/access/evaluatePolicy.ts';
import { openDatabase } from '../../../cloud/local/database.ts';
import { createExecutions } from '../../../cloud/local/executions.ts';
import { type Service, ServiceError } from '../../../cloud/local/gateway/service.ts';
import { createRunner } from '../../../cloud/local/runner.ts';
import { loadStateMachine } from '../../../cloud/local/stateMachine.ts';
import { createStates } from '../../../cloud/local/states.ts';
import { createTaskTokens } from '../../../cloud/local/taskTokens.ts';
import { projectRoot } from '../../../cloud/stack/bundling.ts';
import { type FunctionName, functions } from '../../../cloud/stack/functions.ts';
import { changeAsset, claim, finish } from '../../../cloud/steps/assets.ts';
import type { Backend } from '../../../cloud/steps/backend.ts';
import { executionArn, executionName } from '../../../cloud/steps/executions.ts';
import { writeJson } from '../../../cloud/steps/objects.ts';
import type { Claimant } from '../../../cloud/steps/state.ts';
import { steps } from '../../../cloud/steps/steps.ts';
import { systemClock } from '../../../shared/clock.ts';
import { inboxKey, labelsKey, rawKey, ruleItem } from '../../../shared/keys.ts';
import type { RuleId } from '../../../shared/model/rule.ts';
import { answering } from '../local/rekognition/answering.ts';
import { eventually, scratchDir } from '../local/serve.ts';
import { claimantOf, keysIn, openBackend, recordOf, send } from '../steps/openBackend.ts';
import { openVideoBackend } from '../steps/video/openVideoBackend.ts';
import { clip } from '../steps/video/videos.ts';
import { recording, refused } from './calls.ts';
import { executionFailed, objectCreated, sqsBatch } from './events.ts';
import { bundle, startFunction } from './runtime.ts';

const names = Object.keys(functions) as FunctionName[];
let dir: string;
let sizes: ReadonlyMap<FunctionName, number>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-bundles-'));
  sizes = await bundle(names, dir);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** What functions asked of AWS since their grants were last looked at. */
const calls: AccessRequest[] = [];

/** Fails when a function did what its grants do not allow, or what nobody could see. */
function expectGranted(name: FunctionName): void {
  expect(refused(name, calls.splice(0))).toEqual([]);
}

/** The local cloud's stores with Step Functions, in which executions only wait. */
async function openCloud(more: Readonly<Record<string, Service>> = {}) {
  const database = await openDatabase(join(await scratchDir(), 'local.db'));
  onTestFinished(database.close);
  const executions = createExecutions(database.sql, systemClock);
  const definition = await readFile(new URL('../../../cloud/pipeline.asl.json', import.meta.url), 'utf8');
  const stateMachine = loadStateMachine(definition, Object.fromEntries(Object.keys(steps).map((name) => [name, async () => ({})])));
  const runner = createRunner({ executions, stateMachine, concurrency: 1, onFailed: async () => {}, log: () => {} });
  onTestFinished(runner.close);
  return openBackend({ states: createStates(executions, runner, createTaskTokens()), ...more }, {}, recording(calls));
}

/** Starts a function's bundle for the length of a test. */
async function start(name: FunctionName, backend: Backend, settings: object = {}, from = dir) {
  const credentials = await backend.s3.config.credentials();
  const access = { endpoint: new URL(backend.names.inboxQueueUrl).origin, region: 'us-east-1', credentials };
  const running = await startFunction(join(from, `${name}.mjs`), access, backend.names, settings);
  onTestFinished(running.stop);
  return running;
}

/** Runs a function once, and answers what it answered. */
async function run<T>(name: FunctionName, backend: Backend, event: unknown, settings?: object): Promise<T> {
  const running = await start(name, backend, settings);
  calls.length = 0;
  const { result, error } = await running.invoke(event);
  expectGranted(name);
  running.stop();
  if (error) throw new Error(`${error.errorType}: ${error.errorMessage}`);
  return result as T;
}

async function messagesIn({ sqs }: Backend, QueueUrl: string): Promise<Record<string, unknown>[]> {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = '' }) => JSON.parse(Body));
}

async function statusOf(backend: Backend, input: Omit<Claimant, 'execution'>): Promise<string | undefined> {
  const describe = new DescribeExecutionCommand({
    executionArn: executionArn(backend, executionName({ ...input, execution: '' } as Claimant)),
  });
  return (await backend.sfn.send(describe).catch(() => null))?.status;
}

it('every bundle loads on Node 24 and refuses what is no event of its own', async () => {
  const backend = await openBackend();
  const lines: string[] = [];
  const waiting = [...names];
  const worker = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      const running = await start(name, backend);
      const { error, result, peak } = await running.invoke({ hello: 1 }, { identity: { cognitoIdentityId: 'us-east-1:1' } });
      running.stop();
      const isTimed = name === 'drainOutbox' || name === 'resumeWaiting';
      expect([name, error?.errorType ?? typeof result]).toEqual([
        name,
        isTimed ? expect.stringMatching(/undefined|number|object/) : 'InvalidInput',
      ]);
      lines.push(
        `${name.padEnd(16)} ${Math.round((sizes.get(name) ?? 0) / 1000)} kB, loaded in ${Math.round(running.loadMs)} ms, ${Math.round(peak)} MB`,
      );
      // So that the memory of the small ones, 256 MB, leaves room for their work.
      expect(peak).toBeLessThan(200);
    }
  };
  await Promise.all([worker(), worker()]);
  console.log(lines.sort().join('\n'));
  // Larger ones start slower; a library that nobody meant to bundle shows here.
  for (const [name, bytes] of sizes) expect([name, bytes < 1_500_000]).toEqual([name, true]);
});

describe('dispatch', () => {
  it('starts what it can, once, and puts what it never can into the dead letters', async () => {
    const backend = await openCloud();
    const { inputBucket } = backend.names;
    const { execution: _, ...photo } = claimantOf(Buffer.from('a photo'));
    const other = {
      ...claimantOf(Buffer.from('another')),
      library: 'us-east-1:7b1d1bd8-11c5-4f3f-9a5e-ab1f2c3d4e5f' as Claimant['library'],
    };
    const created = (key: string, version = 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e', bucket = inputBucket) =>
      JSON.stringify(objectCreated(bucket, key, version));
    const poison = [
      'hello',
      created('inbox/local/../../secret.jpg'),
      created('inbox/local/Ünïcode photo+1%20\n.jpg'),
      created(inboxKey(photo), 'v1', 'somebody-elses-bucket'),
    ];
    // The later attempt comes first, the same event three times, and one from a library on AWS, whose name has a colon.
    const good = [JSON.stringify({ ...photo, version: 'v0', attempt: 2 }), created(inboxKey(photo)), created(inboxKey(other), 'v1')];
    const dispatch = await start('dispatch', backend);
    calls.length = 0;
    const batch = sqsBatch([...good, ...poison, created(inboxKey(photo)), created(inboxKey(photo))]);
    expect((await dispatch.invoke(batch)).result).toEqual({ batchItemFailures: [] });
    // SQS may hand the whole batch out again.
    expect((await dispatch.invoke(sqsBatch(good))).result).toEqual({ batchItemFailures: [] });
    expectGranted('dispatch');

    expect(await statusOf(backend, { ...photo, version: 'v0', attempt: 2 })).toBe('RUNNING');
    expect(await statusOf(backend, { ...photo, version: 'v0', attempt: 1 })).toBeUndefined();
    expect(await statusOf(backend, { ...photo, version: 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e' })).toBe('RUNNING');
    expect(await statusOf(backend, { ...photo, version: 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e', attempt: 2 })).toBeUndefined();
    expect(await statusOf(backend, { ...other, version: 'v1' })).toBe('RUNNING');
    const letters = await messagesIn(backend, backend.names.deadLetterQueueUrl);
    expect(letters.map(({ message }) => message).sort()).toEqual([...poison].sort());
  });

  it('asks for those messages again that it could not hand on', async () => {
    const backend = await openBackend();
    const who = claimantOf(Buffer.from('a photo'));
    // Nothing answers for Step Functions.
    const event = sqsBatch(['hello', JSON.stringify(objectCreated(backend.names.inputBucket, inboxKey(who), 'v1'))]);
    expect(await run('dispatch', backend, event)).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
  });
});

it('executionEnded asks for the next attempt, then gives up once', async () => {
  const backend = await openCloud();
  const who = claimantOf(Buffer.from('a photo'));
  const { execution: _, ...input } = who;
  const executionEnded = await start('executionEnded', backend);
  calls.length = 0;
  await executionEnded.invoke(executionFailed('first', input));
  const third = executionFailed('third', { ...input, attempt: 3 });
  await executionEnded.invoke(third);
  await executionEnded.invoke(third);
  expectGranted('executionEnded');
  expect(await messagesIn(backend, backend.names.deadLetterQueueUrl)).toEqual([
    { reason: 'The disk is full.', message: JSON.stringify({ ...input, attempt: 4 }) },
  ]);
  expect(await recordOf(backend, who)).toMatchObject({ outcome: { kind: 'failed', reason: 'The disk is full.' } });
});

it('a photo goes through the functions, each in a process of its own, with no more than its grants', async () => {
  const backend = await openCloud();
  const picture = await sharp({ create: { width: 900, height: 600, channels: 3, background: '#357' } })
    .jpeg()
    .toBuffer();
  const who = await send(backend, picture);
  const { library, asset } = who;
  const condition = { kind: 'label', label: 'Sea', minConfidence: 50 };
  const Item = { ...ruleItem(library, 'sea' as RuleId), id: 'sea', name: 'The sea', condition, notify: { desktop: true, sns: true } };
  const more = { revision: 1, changedAt: '2024-01-01T00:00:00.000Z', deleted: false };
  await backend.dynamodb.send(new PutCommand({ TableName: backend.names.table, Item: { ...Item, ...more } }));

  const admitted = await run<object>('admit', backend, who);
  expect(admitted).toMatchObject({ route: 'photo', media: { type: 'image/jpeg' } });
  const rendered = await run<object>('render', backend, admitted);
  expect(rendered).toEqual({ width: 900, height: 600, animated: false });
  // In place of the detectors, whose models are not what this is about.
  await writeJson(backend, labelsKey(library, asset), {
    labels: [{ name: 'Sea', confidence: 97, parents: [], categories: [], instances: [] }],
  });
  await writeJson(backend, rawKey(library, asset, 'faces'), {
    faces: [{ box: { left: 0.1, top: 0.1, width: 0.2, height: 0.3 }, confidence: 99 }],
  });
  await writeJson(backend, rawKey(library, asset, 'text'), { text: [] });
  await writeJson(backend, rawKey(library, asset, 'moderation'), { moderation: [] });
  const known = (key: string) => ({ known: true, key, summary: '' });
  const [found, text, moderation] = ['faces', 'text', 'moderation'].map((name) => known(rawKey(library, asset, name)));
  const labels = known(labelsKey(library, asset));
  const faces = await run('pixelate', backend, { ...admitted, rendered, faces: found });
  const state = { ...admitted, rendered, found: { labels, text, moderation, faces } };
  const judged = await run<object>('categorise', backend, state);
  expect(judged).toMatchObject({ category: 'success', matches: [{ rule: 'sea' }] });
  const ended = await run('record', backend, { ...state, judged });
  expect(ended).toEqual({ destination: 'success' });
  await run('announce', backend, { ...state, ended });
  await run('file', backend, { ...state, ended });

  expect(await recordOf(backend, who)).toMatchObject({ outcome: { kind: 'analysed', category: 'success' }, faces: [{ confidence: 99 }] });
  expect(await keysIn(backend, backend.names.inputBucket)).toEqual([`analyzed/success/local/${asset}.jpg`]);
  expect(await keysIn(backend, backend.names.outputBucket)).toContain(`local/${asset}/pixelated.jpg`);
  // What comes again is not done again.
  expect(await run('admit', backend, { ...who, execution: 'execution-2' })).toMatchObject({ route: 'finished', ended });
});

it('a video gets its still from the bundle, with the decoder beside it and no more than the grants', async () => {
  const backend = await openCloud();
  const film = await clip('h264');
  const who = await send(backend, film, { who: claimantOf(film, 'mp4') });
  const admitted = await run<object>('admit', backend, who);
  const postered = await run<object>('poster', backend, admitted);
  expect(postered).toMatchObject({ route: 'labels', durationMs: 8000, width: 480, renditions: ['thumb', 'preview'] });
  expect(await keysIn(backend, backend.names.outputBucket)).toContain(`local/${who.asset}/thumb.webp`);

  // The decoder is optional: without it the rest is known, and what is missing.
  const bare = await scratchDir();
  await mkdir(join(bare, 'node_modules'));
  await symlink(join(projectRoot, 'node_modules/sharp'), join(bare, 'node_modules/sharp'));
  await copyFile(join(dir, 'poster.mjs'), join(bare, 'poster.mjs'));
  const { result } = await (await start('poster', backend, {}, bare)).invoke(admitted);
  const reason = 'Kept safely, but nothing of the video can be shown: the decoder is not installed (the npm package @ffmpeg/core).';
  expect(result).toMatchObject({ route: 'keep', reason, durationMs: 8000, width: 480, renditions: [] });
});

it('labels of a video are looked for, and the state that waits for them is answered once, with no more than the grants', async () => {
  const { backend, tokens, published } = await openVideoBackend({}, undefined, recording(calls));
  const film = await clip('h264');
  const admitted = await run<object>('admit', backend, await send(backend, film, { who: claimantOf(film, 'mp4') }));
  const { token, answer } = tokens.open();
  const rendered = { width: 480, height: 320, animated: false, durationMs: 8000, renditions: ['thumb', 'preview'] };
  await run('startVideoLabels', backend, { ...admitted, rendered, token });
  const told = await eventually(() => published[0], 30_000);
  // What SNS makes of a message, and SQS of that; both may deliver it twice.
  const event = sqsBatch([JSON.stringify({ Type: 'Notification', MessageId: 'm', Message: told })]);
  expect(await run('videoLabelsDone', backend, event)).toEqual({ batchItemFailures: [] });
  expect(await answer).toMatchObject({ kind: 'success', output: expect.stringContaining('labels.json') });
  expect(await run('videoLabelsDone', backend, event)).toEqual({ batchItemFailures: [] });
});

it.each(['detectLabels', 'detectText', 'detectModeration', 'detectFaces'] as const)(
  '%s answers with no more than its grants',
  async (detector) => {
    const backend = await openCloud({ rekognition: answering() });
    const who = await send(backend, Buffer.from('a photo'));
    expect(await run(detector, backend, who)).toMatchObject({ known: true });
  },
);

it('what is refused, kept or waits for budget is recorded with no more than the grants', async () => {
  const rekognition: Service = async () => {
    throw new ServiceError('ProvisionedThroughputExceededException', 'slow down');
  };
  const backend = await openCloud({ rekognition });
  const settings = { capPerMonth: 0.001, priceRegion: 'us-east-1', callsPerSecond: { DetectLabels: 1, DetectFaces: 1 } };
  const photos = ['kept', 'refused', 'waiting'].map((text) => ({ ...claimantOf(Buffer.from(text)), execution: text }));
  const [kept, rejected, waiting] = photos as [Claimant, Claimant, Claimant];
  for (const who of photos) await changeAsset(backend, who.library, who.asset, claim(who, 'a.jpg'));
  const media = {
    kind: 'photo',
    type: 'image/jpeg',
    bytes: 1,
    width: null,
    height: null,
    animated: false,
    takenAt: '2020-01-02T03:04:05.000Z',
    camera: null,
    place: null,
  };
  const error = { Error: 'OverBudget', Cause: JSON.stringify({ errorMessage: 'Stored safely.' }) };

  expect(await run('keep', backend, { ...kept, media, reason: 'Kept.' })).toEqual({ destination: 'inbox' });
  expect(await run('reject', backend, { ...rejected, error })).toEqual({ destination: 'rejected' });
  for (const detector of ['detectLabels', 'detectFaces'] as const) {
    await expect(run(detector, backend, waiting, settings)).rejects.toThrow(/^Throttled: /);
  }
  await run('park', backend, { ...waiting, media, error }, settings);
  expect(await recordOf(backend, waiting)).toMatchObject({ outcome: { kind: 'waiting', reason: 'Stored safely.' } });
  await run('drainOutbox', backend, {});
  expect(await run('resumeWaiting', backend, {})).toBe(1);
});

it('commands does all that the app asks for, for the library of who calls, with no more than its grants', async () => {
  const backend = await openCloud();
  const library = 'us-east-1:7b1d1bd8-11c5-4f3f-9a5e-ab1f2c3d4e5f' as Claimant['library'];
  const who = { ...claimantOf(Buffer.from('a photo')), library };
  const { asset } = who;
  await changeAsset(backend, library, asset, claim(who, 'a.jpg'));
  const commands = await start('commands', backend);
  calls.length = 0;
  const ask = async (command: string, input: object) => {
    const { result, error } = await commands.invoke({ command, input }, { identity: { cognitoIdentityId: library } });
    expect([command, error]).toEqual([command, undefined]);
    return result;
  };
  expect(await ask('history', { asset })).toEqual([]);
  const originals = [{ asset, ext: who.ext }];
  expect(await ask('redrive', { originals })).toEqual({ assets: [{ asset, kind: 'gone' }], more: false });
  // An event that executionEnded could not be given: EventBridge puts it into the dead letters as it is.
  const { execution: _, ...input } = who;
  const MessageBody = JSON.stringify(executionFailed('lost', input));
  await backend.sqs.send(new SendMessageCommand({ QueueUrl: backend.names.deadLetterQueueUrl, MessageBody }));
  await send(backend, Buffer.from('a photo'), { who });
  expect(await ask('redrive', { originals: null })).toEqual({ assets: [{ asset, kind: 'redriven' }], more: false });
  expect(await messagesIn(backend, backend.names.inboxQueueUrl)).toEqual([{ ...input, attempt: 2 }]);
  expect(await ask('resume', {})).toEqual({ resumed: 0 });
  const unknown = {
    width: null,
    height: null,
    animated: false,
    durationMs: null,
    camera: null,
    place: null,
    takenAt: '2020-01-02T03:04:05.000Z',
  };
  const media = { kind: 'video', type: 'video/mp4', bytes: 1, ...unknown } as const;
  await changeAsset(backend, library, asset, finish(who, { outcome: { kind: 'kept', reason: 'Kept.' }, media }));
  expect(await ask('lookAgain', { assets: [asset] })).toEqual({ asked: 1 });
  expect(await ask('original', { asset })).toMatchObject({ kind: 'stored' });
  expect(await ask('restoreOriginal', { asset })).toMatchObject({ kind: 'stored' });
  await ask('subscribe', { protocol: 'email', endpoint: 'me@example.org' });
  await ask('subscribe', { protocol: 'email', endpoint: 'me@example.org', rules: ['cats'] });
  const [subscription] = (await ask('subscriptions', {})) as { arn: string }[];
  await ask('unsubscribe', { arn: subscription?.arn });
  const { error } = await commands.invoke({ command: 'subscriptions', input: {} }, { identity: {} });
  expect(error).toMatchObject({ errorType: 'InvalidInput', errorMessage: expect.stringMatching(/caller's identity/) });
  // What the test itself asked for meanwhile.
  const own = /^(sqs:SendMessage on .*dead-letters|sqs:ReceiveMessage on .*inbox|s3:PutObject)/;
  expect(refused('commands', calls.splice(0)).filter((line) => !own.test(line.replace('commands: ', '')))).toEqual([]);
});
