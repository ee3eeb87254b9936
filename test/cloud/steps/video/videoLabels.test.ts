import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import type { Service } from '../../../../cloud/local/gateway/service.ts';
import { ServiceError } from '../../../../cloud/local/gateway/service.ts';
import { admit } from '../../../../cloud/steps/admit.ts';
import type { Backend } from '../../../../cloud/steps/backend.ts';
import { labelsFile } from '../../../../cloud/steps/detectLabels.ts';
import { keep } from '../../../../cloud/steps/keep.ts';
import { lookAgain } from '../../../../cloud/steps/lookAgain.ts';
import { readJson } from '../../../../cloud/steps/objects.ts';
import { park } from '../../../../cloud/steps/park.ts';
import { startVideoLabels } from '../../../../cloud/steps/startVideoLabels.ts';
import type { Admitted } from '../../../../cloud/steps/state.ts';
import { loadUsage, monthOf } from '../../../../cloud/steps/usage.ts';
import { loadJob } from '../../../../cloud/steps/videoJobs.ts';
import { videoLabelsOf } from '../../../../cloud/steps/videoLabels.ts';
import { videoLabelsDone } from '../../../../cloud/steps/videoLabelsDone.ts';
import { noteWaiting, resumeWaiting } from '../../../../cloud/steps/waiting.ts';
import { OverBudget, Throttled } from '../../../../shared/errors.ts';
import { labelsKey } from '../../../../shared/keys.ts';
import { eventually } from '../../local/serve.ts';
import { claimantOf, recordOf, send } from '../openBackend.ts';
import { openVideoBackend, type VideoBackend } from './openVideoBackend.ts';
import { clip } from './videos.ts';

const rendered = { width: 480, height: 320, animated: false, durationMs: 8000, renditions: ['thumb', 'preview'] };

async function sent({ backend }: VideoBackend): Promise<Admitted> {
  const film = await clip('h264');
  return admit(await send(backend, film, { who: claimantOf(film, 'mp4') }), backend);
}

/** A state that waits: asks for the labels under a token of its own. */
async function ask({ backend, tokens }: VideoBackend, state: Admitted) {
  const { token, answer } = tokens.open();
  await startVideoLabels({ ...state, rendered, token }, backend);
  return { token, answer, isOver: () => !tokens.has(token) };
}

const eventOf = (...bodies: string[]) => ({ Records: bodies.map((body, i) => ({ messageId: `message-${i}`, body })) });

/** What SNS makes of a message when it is not asked to deliver it raw. */
const enveloped = (Message: string) => JSON.stringify({ Type: 'Notification', MessageId: 'm', Message });

/** Takes the requests for attempts out of the inbox queue. */
async function requested({ sqs, names }: Backend): Promise<object[]> {
  const receive = new ReceiveMessageCommand({ QueueUrl: names.inboxQueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 3600 });
  const { Messages = [] } = await sqs.send(receive);
  return Messages.map(({ Body = '' }) => JSON.parse(Body));
}

const told = ({ published }: VideoBackend) => eventually(() => published[0], 30_000);

const found = { kind: 'success', output: expect.stringContaining('labels.json') };

it('finds what is in a video and when, and pays once however often it is asked', async () => {
  const cloud = await openVideoBackend();
  const state = await sent(cloud);
  const first = await ask(cloud, state);
  // The execution runs again, as after a crash: from then on the later state waits.
  const again = await ask(cloud, state);
  const notification = await told(cloud);
  expect(await videoLabelsDone(eventOf(notification, notification, enveloped(notification)), cloud.backend)).toEqual({
    batchItemFailures: [],
  });
  expect(await again.answer).toEqual(found);
  expect(first.isOver()).toBe(false);

  const { labels } = await readJson(cloud.backend, labelsKey(state.library, state.asset), labelsFile);
  expect(labels.map(({ name, confidence, times, instances }) => ({ name, confidence, times, instances }))).toEqual([
    { name: 'Animal', confidence: 95, times: [0], instances: [] },
    { name: 'Dog', confidence: 90, times: [0], instances: [] },
    { name: 'Frog', confidence: 80, times: [4000], instances: [] },
  ]);
  // An answer that is there is used; a notification that comes late has nobody to wake.
  expect(await (await ask(cloud, state)).answer).toEqual(found);
  expect(await videoLabelsDone(eventOf(notification), cloud.backend)).toEqual({ batchItemFailures: [] });
  expect(cloud.started()).toBe(1);
  expect((await loadUsage(cloud.backend, monthOf(cloud.backend.clock))).calls).toEqual({ StartLabelDetection: 1 });
  expect(await loadJob(cloud.backend, JSON.parse(notification).JobTag)).toBeNull();
  expect(cloud.backend.warnings).toEqual([]);
});

it('finds out by itself when nobody told that Rekognition was done', async () => {
  const cloud = await openVideoBackend();
  const state = await sent(cloud);
  await ask(cloud, state);
  await told(cloud);
  expect(await (await ask(cloud, state)).answer).toEqual(found);
  expect(cloud.started()).toBe(1);
});

it('lets what it cannot read come again, and does nothing about jobs that it does not know', async () => {
  const { backend } = await openVideoBackend();
  const unknown = JSON.stringify({ JobId: 'job', JobTag: 'tag', API: 'StartLabelDetection', Status: 'SUCCEEDED' });
  const failures = await videoLabelsDone(eventOf(unknown, 'hello', '{}'), backend);
  expect(failures).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }, { itemIdentifier: 'message-2' }] });
  expect(backend.warnings).toHaveLength(2);
});

it('tells why Rekognition could not look at a video', async () => {
  const cloud = await openVideoBackend();
  const film = (await clip('h264')).subarray(0, 50_000);
  const state = await admit(await send(cloud.backend, film, { who: claimantOf(film, 'mp4') }), cloud.backend);
  const { answer } = await ask(cloud, state);
  await videoLabelsDone(eventOf(await told(cloud)), cloud.backend);
  expect(await answer).toEqual({
    kind: 'failure',
    error: 'Permanent',
    cause: expect.stringMatching(/^Rekognition could not look at the video: .*damaged/),
  });
});

it('is throttled when too many jobs run, and counts nothing for that', async () => {
  const busy = (): Service => async () => {
    throw new ServiceError('LimitExceededException', 'too many jobs');
  };
  const cloud = await openVideoBackend({}, busy);
  await expect(ask(cloud, await sent(cloud))).rejects.toThrow(Throttled);
  expect((await loadUsage(cloud.backend, monthOf(cloud.backend.clock))).calls).toEqual({ StartLabelDetection: 0 });
});

it('does not start what the budget is not enough for', async () => {
  // A minute costs 0.10 USD in this region.
  const cloud = await openVideoBackend({ priceRegion: 'us-east-1', capPerMonth: 0.15 });
  const state = await sent(cloud);
  const { token } = cloud.tokens.open();
  const long = { ...state, rendered: { ...rendered, durationMs: 61_000 }, token };
  await expect(startVideoLabels(long, cloud.backend)).rejects.toThrow(OverBudget);
  expect(cloud.started()).toBe(0);
  await ask(cloud, state);
  expect(cloud.started()).toBe(1);
  expect((await loadUsage(cloud.backend, monthOf(cloud.backend.clock))).spent).toBe(100_000);
});

it('lets a video that waits go on when there is room for all of its minutes, and a photo before it', async () => {
  const cloud = await openVideoBackend({ priceRegion: 'us-east-1', capPerMonth: 0.15 });
  const { backend } = cloud;
  const state = await sent(cloud);
  const long = { ...rendered, durationMs: 90_000 };
  const error = { Error: 'OverBudget', Cause: JSON.stringify({ errorMessage: 'Stored safely.' }) };
  await park({ ...state, rendered: long, error }, backend);
  expect(await recordOf(backend, state)).toMatchObject({
    outcome: { kind: 'waiting' },
    media: { durationMs: 90_000 },
    renditions: rendered.renditions,
  });
  await noteWaiting(backend, claimantOf(Buffer.from('a photo')));
  expect(await resumeWaiting(backend)).toBe(1);
  expect(await resumeWaiting(backend)).toBe(0);
  const { asset, attempt } = state;
  expect(await requested(backend)).not.toContainEqual(expect.objectContaining({ asset }));

  expect(await resumeWaiting({ ...backend, settings: { ...backend.settings, capPerMonth: 0.2 } })).toBe(1);
  expect(await requested(backend)).toEqual([expect.objectContaining({ asset, attempt: attempt + 3 })]);
});

it('looks at a kept video again when somebody asks, as soon as there is budget, and shows what is known of it until then', async () => {
  const cloud = await openVideoBackend({ priceRegion: 'us-east-1', capPerMonth: 0.05 });
  const { backend } = cloud;
  const state = await sent(cloud);
  const { library, asset } = state;
  await keep({ ...state, reason: 'Kept safely; videos are not analysed yet.' }, backend);
  const seen = { ...state, execution: 'execution-4', attempt: 4 };
  expect(await admit(seen, backend)).toMatchObject({ route: 'finished' });

  const other = claimantOf(Buffer.from('nobody sent this'), 'mp4').asset;
  expect(await lookAgain(backend, library, [asset, other])).toBe(1);
  expect(await lookAgain(backend, library, [asset])).toBe(1);
  expect(await recordOf(backend, state)).toMatchObject({
    outcome: { kind: 'kept', reason: expect.stringMatching(/again as soon as there is budget/) },
    media: { kind: 'video' },
    changedAt: expect.any(String),
  });
  expect(await requested(backend)).toEqual([]);

  expect(await resumeWaiting({ ...backend, settings: { ...backend.settings, capPerMonth: null } })).toBe(1);
  expect(await requested(backend)).toEqual([expect.objectContaining({ asset, attempt: 4 })]);
  expect(await admit(seen, backend)).toMatchObject({ route: 'video' });
  // It is under way now.
  expect(await lookAgain(backend, library, [asset])).toBe(0);
});

it('makes labels of appearances: as sure as the surest, the first twenty moments, in the order of time', () => {
  const appearance = (Name: string, Confidence: number, StartTimestampMillis: number) => ({
    Label: { Name, Confidence },
    StartTimestampMillis,
  });
  const dogs = Array.from({ length: 25 }, (_, i) => appearance('Dog', 60 + i, 50_000 - i * 1000));
  const labels = videoLabelsOf([...dogs, appearance('Cat', 99, 5), appearance('Cat', 98, 5), { StartTimestampMillis: 1 }]);
  expect(labels.map(({ name, confidence }) => [name, confidence])).toEqual([
    ['Cat', 99],
    ['Dog', 84],
  ]);
  expect(labels[0]?.times).toEqual([5]);
  expect(labels[1]?.times).toEqual(Array.from({ length: 20 }, (_, i) => 26_000 + i * 1000));
});
