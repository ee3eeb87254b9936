import { join } from 'node:path';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import sharp from 'sharp';
import * as v from 'valibot';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../../cloud/local/database.ts';
import { createExecutions } from '../../../cloud/local/executions.ts';
import { jsonService, operation } from '../../../cloud/local/gateway/jsonService.ts';
import { ServiceError } from '../../../cloud/local/gateway/service.ts';
import { createRunner } from '../../../cloud/local/runner.ts';
import { loadStateMachine } from '../../../cloud/local/stateMachine.ts';
import { createStates } from '../../../cloud/local/states.ts';
import { createTaskTokens } from '../../../cloud/local/taskTokens.ts';
import { definition } from '../../../cloud/stack/pipeline.ts';
import { changeAsset, claim, finish, reopened } from '../../../cloud/steps/assets.ts';
import { dispatch } from '../../../cloud/steps/dispatch.ts';
import { executionName } from '../../../cloud/steps/executions.ts';
import { sendDeadLetter, versionOf } from '../../../cloud/steps/inbox.ts';
import { redrive } from '../../../cloud/steps/redrive.ts';
import type { Claimant, Task } from '../../../cloud/steps/state.ts';
import { steps } from '../../../cloud/steps/steps.ts';
import { noteWaiting } from '../../../cloud/steps/waiting.ts';
import { systemClock } from '../../../shared/clock.ts';
import { inboxKey, waitingItem } from '../../../shared/keys.ts';
import { eventually, scratchDir } from '../local/serve.ts';
import { claimantOf, headOf, openBackend, recordOf, send, type TestBackend } from './openBackend.ts';

const picture = await sharp({ create: { width: 200, height: 150, channels: 3, background: '#08f' } })
  .png()
  .toBuffer();

/** The pipeline of the local cloud, but nobody ever hears that an execution failed; and how often SQS was asked. */
async function open() {
  const database = await openDatabase(join(await scratchDir(), 'local.db'));
  onTestFinished(database.close);
  const { promise: opened, resolve } = Promise.withResolvers<TestBackend>();
  const tasks = Object.entries<Task>(steps).map(([name, step]) => [name, async (input: unknown) => step(input, await opened)]);
  const executions = createExecutions(database.sql, systemClock);
  const stateMachine = loadStateMachine(definition, Object.fromEntries(tasks));
  const runner = createRunner({ executions, stateMachine, concurrency: 2, onFailed: async () => {}, log: console.error });
  onTestFinished(runner.close);
  const state = { isAllowed: true, sqsRequests: 0 };
  const answer = async () => {
    if (!state.isAllowed) throw new ServiceError('AccessDeniedException', 'not now');
    return { Labels: [], FaceDetails: [], TextDetections: [], ModerationLabels: [] };
  };
  const apis = ['DetectLabels', 'DetectFaces', 'DetectText', 'DetectModerationLabels'].map((api) => [api, operation(v.unknown(), answer)]);
  const rekognition = jsonService({ targetPrefix: 'RekognitionService', version: '1.1', operations: Object.fromEntries(apis) });
  const backend = await openBackend({ rekognition, states: createStates(executions, runner, createTaskTokens()) }, {}, (name, service) => {
    if (name !== 'sqs') return service;
    return (request, response) => {
      state.sqsRequests++;
      return service(request, response);
    };
  });
  resolve(backend);
  runner.open();
  return { backend, state, executions };
}

/** Hands what waits in the inbox queue to the dispatcher, as Lambda does. */
async function dispatchAll(backend: TestBackend): Promise<void> {
  const { Messages = [] } = await backend.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: backend.names.inboxQueueUrl, MaxNumberOfMessages: 10 }),
  );
  const Records = Messages.map(({ MessageId = '', Body = '' }) => ({ messageId: MessageId, body: Body }));
  expect(await dispatch({ Records }, backend)).toEqual({ batchItemFailures: [] });
}

const redriveIt = async (backend: TestBackend, who: Claimant) => (await redrive(backend, who.library, [who])).assets[0]?.kind;

const isAnalysed = (backend: TestBackend, who: Claimant) =>
  eventually(async () => (await recordOf(backend, who))?.outcome.kind === 'analysed');

/** EventBridge's event about an original in the inbox, as the local S3 and a bucket without versions tell it. */
async function eventOf(backend: TestBackend, who: Claimant): Promise<string> {
  const { ETag = '', LastModified } = await headOf(backend, backend.names.inputBucket, inboxKey(who));
  const object = { key: inboxKey(who), etag: ETag.replaceAll('"', ''), sequencer: '01' };
  const detail = { bucket: { name: backend.names.inputBucket }, object };
  return JSON.stringify({ source: 'aws.s3', 'detail-type': 'Object Created', time: LastModified?.toISOString(), detail });
}

it('what never reached the pipeline is found by its letter, whoever asks, and without one by the original in the inbox', async () => {
  const { backend, executions } = await open();
  const who = await send(backend, picture);
  const MessageBody = await eventOf(backend, who);
  await backend.sqs.send(new SendMessageCommand({ QueueUrl: backend.names.deadLetterQueueUrl, MessageBody }));
  const { asset, library } = who;
  expect(await redrive(backend, 'another' as Claimant['library'], null)).toEqual({ assets: [], more: false });
  expect(await redrive(backend, library, null)).toEqual({ assets: [{ asset, kind: 'redriven' }], more: false });
  expect(await redrive(backend, library, null)).toEqual({ assets: [], more: false });
  // Not begun yet: the same attempt is asked for once more.
  expect(await redriveIt(backend, who)).toBe('redriven');
  await dispatchAll(backend);
  await isAnalysed(backend, who);
  expect(executions.list(null, Number.MAX_SAFE_INTEGER, 10)).toHaveLength(1);
  expect(await eventually(async () => (await redriveIt(backend, who)) === 'none')).toBe(true);
});

it('an execution that failed without anybody hearing of it is followed by the next; one that runs is left alone', async () => {
  const { backend, state, executions } = await open();
  state.isAllowed = false;
  const who = await send(backend, picture);
  expect(await redriveIt(backend, who)).toBe('redriven');
  await dispatchAll(backend);
  const [first] = executions.list(null, Number.MAX_SAFE_INTEGER, 1);
  if (!first) throw new Error('nothing was started');
  await eventually(async () => executions.find(first.name)?.status === 'FAILED');
  expect((await recordOf(backend, who))?.outcome.kind).toBe('pending');

  state.isAllowed = true;
  expect(await redriveIt(backend, who)).toBe('redriven');
  await dispatchAll(backend);
  await isAnalysed(backend, who);
  const names = executions.list(null, Number.MAX_SAFE_INTEGER, 10).map(({ input }) => JSON.parse(input).attempt);
  expect(names).toEqual([2, 1]);
  // Its end wakes the runner once more.
  await eventually(async () => executions.list('RUNNING', Number.MAX_SAFE_INTEGER, 1).length === 0);

  const other = await send(backend, Buffer.from('begun'));
  const version = versionOf(await headOf(backend, backend.names.inputBucket, inboxKey(other)));
  // Nobody wakes the runner, so it stays as it is.
  executions.add(executionName({ ...other, version }), '{}');
  expect(await redriveIt(backend, other)).toBe('running');
});

it('what waits for budget is left to wait, unless nobody knows any more that it does', async () => {
  const { backend } = await open();
  const who = await send(backend, Buffer.from('photo'));
  await changeAsset(backend, who.library, who.asset, claim(who, null));
  await changeAsset(backend, who.library, who.asset, finish(who, { outcome: { kind: 'waiting', reason: 'No budget.' } }));
  await noteWaiting(backend, who);
  expect(await redriveIt(backend, who)).toBe('running');
  const other = await send(backend, Buffer.from('forgotten'), { who: claimantOf(Buffer.from('forgotten')) });
  await changeAsset(backend, other.library, other.asset, claim(other, null));
  await changeAsset(backend, other.library, other.asset, finish(other, { outcome: { kind: 'waiting', reason: 'No budget.' } }));
  expect(await redriveIt(backend, other)).toBe('redriven');
});

it('what was kept and is to be looked at again is taken up when nobody knows any more that it waits', async () => {
  const { backend } = await open();
  const who = await send(backend, picture);
  const { library, asset } = who;
  await changeAsset(backend, library, asset, claim(who, null));
  const kept = { kind: 'kept', reason: 'Kept.' } as const;
  await changeAsset(backend, library, asset, finish(who, { outcome: kept }));
  expect(await redriveIt(backend, who)).toBe('none');
  await changeAsset(backend, library, asset, (current) => current && { ...current, pipelineVersion: reopened });
  await noteWaiting(backend, who);
  expect(await redriveIt(backend, who)).toBe('running');
  await backend.dynamodb.send(new DeleteCommand({ TableName: backend.names.table, Key: waitingItem(library, asset) }));
  expect(await redriveIt(backend, who)).toBe('redriven');
  await dispatchAll(backend);
  await isAnalysed(backend, who);
});

it('a library of letters costs a few hundred requests, and those of others stay', async () => {
  const { backend, state } = await open();
  const letters = Array.from({ length: 200 }, (_, n) => claimantOf(Buffer.from(`photo ${n}`)));
  const others = letters.slice(0, 15).map((who) => ({ ...who, library: 'another' }));
  await Promise.all([...letters, ...others].map((input) => sendDeadLetter(backend, { reason: 'tried', message: JSON.stringify(input) })));
  const sent = letters.slice(0, 5);
  for (const [n, who] of sent.entries()) await send(backend, Buffer.from(`photo ${n}`), { who });
  state.sqsRequests = 0;
  const { assets, more } = await redrive(backend, sent[0]?.library as Claimant['library'], null);
  expect(more).toBe(false);
  expect(assets.filter(({ kind }) => kind === 'redriven')).toHaveLength(5);
  expect(assets.filter(({ kind }) => kind === 'gone')).toHaveLength(195);
  // 23 to receive, 20 to delete, 2 to put back, 5 to ask.
  expect(state.sqsRequests).toBeLessThanOrEqual(55);
  expect((await redrive(backend, 'another' as Claimant['library'], null)).assets).toHaveLength(15);
});
