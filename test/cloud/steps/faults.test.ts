import { PutCommand } from '@aws-sdk/lib-dynamodb';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { ServiceError } from '../../../cloud/local/gateway/service.ts';
import { executionEnded } from '../../../cloud/steps/executionEnded.ts';
import { redrive } from '../../../cloud/steps/redrive.ts';
import type { Claimant } from '../../../cloud/steps/state.ts';
import { subscribe } from '../../../cloud/steps/subscriptions.ts';
import { inboxKey, ruleItem } from '../../../shared/keys.ts';
import type { LibraryId } from '../../../shared/model/asset.ts';
import type { RuleId } from '../../../shared/model/rule.ts';
import { answering } from '../local/rekognition/answering.ts';
import { eventually } from '../local/serve.ts';
import { keysIn, openBackend, recordOf, send, type TestBackend } from './openBackend.ts';
import { runPipeline } from './runPipeline.ts';

const refuse = (code: string, status = 400) => {
  throw new ServiceError(code, 'not now', status);
};

const picture = await sharp({ create: { width: 200, height: 150, channels: 3, background: '#08f' } })
  .png()
  .toBuffer();

const redriveIt = async (backend: TestBackend, who: Claimant) => (await redrive(backend, who.library, [who])).assets[0]?.kind;

/** The attempt's own claim and name, as the dispatcher makes them. */
const attemptOf = (who: Claimant, attempt: number): Claimant => ({ ...who, attempt, execution: `execution-${attempt}` });

/** Runs the pipeline as often as a try has executions, each of which fails. */
async function runInVain(who: Claimant, backend: TestBackend): Promise<void> {
  for (const attempt of [1, 2, 3]) {
    const { execution, ...input } = attemptOf(who, attempt);
    const ending = await runPipeline(backend, { ...input, execution });
    expect(ending).toMatchObject({ status: 'FAILED', error: 'AccessDenied' });
    const detail = { name: execution, input: JSON.stringify(input), ...ending };
    await executionEnded({ detail }, backend);
  }
}

type Middleware = <A, R>(next: (args: A) => Promise<R>, context: { commandName?: string }) => (args: A) => Promise<R>;
interface Client {
  readonly middlewareStack: { add(middleware: Middleware, options: { step: 'initialize'; name: string }): void };
}

/** Lets a service refuse these commands until the function that is given is called. */
function forbid({ middlewareStack }: Client, commands: RegExp): () => void {
  let isForbidden = true;
  const middleware: Middleware =
    (next, { commandName }) =>
    (args) => {
      if (!isForbidden || !commands.test(`${commandName} ${JSON.stringify(args)}`)) return next(args);
      return Promise.reject(Object.assign(new Error('You shall not.'), { name: 'AccessDenied' }));
    };
  middlewareStack.add(middleware, { step: 'initialize', name: 'forbid' });
  return () => {
    isForbidden = false;
  };
}

/** A rule that each picture of the sky meets, and somebody who wants to know. */
async function watchTheSky(backend: TestBackend): Promise<void> {
  const condition = { kind: 'label', label: 'Sky', minConfidence: 50 };
  const rule = { id: 'sky', name: 'Sky', condition, notify: { desktop: true, sns: true }, revision: 1, deleted: false };
  const Item = { ...ruleItem('local' as LibraryId, 'sky' as RuleId), ...rule, changedAt: '2024-01-01T00:00:00.000Z' };
  await backend.dynamodb.send(new PutCommand({ TableName: backend.names.table, Item }));
  await subscribe(backend, 'local' as LibraryId, { protocol: 'email', endpoint: 'me@example.org', rules: null });
}

it('there is no safe share of a crowd, and the record says so', async () => {
  const face = { BoundingBox: { Left: 0, Top: 0, Width: 0.1, Height: 0.1 } };
  const faces = () => ({ FaceDetails: Array.from({ length: 100 }, () => face) });
  const backend = await openBackend({ rekognition: answering({ faces }) });
  const who = await send(backend, picture);
  expect(await runPipeline(backend, who)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await recordOf(backend, who)).toMatchObject({
    faces: null,
    renditions: ['thumb', 'preview', 'analysis'],
    outcome: { kind: 'analysed' },
  });
  expect(await keysIn(backend, backend.names.outputBucket)).not.toContain(`local/${who.asset}/pixelated.jpg`);
});

it.each([
  ['without a place', undefined],
  ['of no size', { Left: 0.5, Top: 0.5, Width: 0, Height: 0.1 }],
  ['beside the picture', { Left: 1.2, Top: 0.5, Width: 0.1, Height: 0.1 }],
])('there is no safe share of a face %s', async (_, BoundingBox) => {
  const faces = () => ({ FaceDetails: [{ BoundingBox, Confidence: 99 }] });
  const backend = await openBackend({ rekognition: answering({ faces }) });
  const who = await send(backend, picture);
  expect(await runPipeline(backend, who)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await recordOf(backend, who)).toMatchObject({ faces: null, renditions: ['thumb', 'preview', 'analysis'] });
});

it('what one detector cannot look at is not known, and what the others found counts', async () => {
  const unfit = () => refuse('InvalidImageFormatException');
  const labels = () => ({ Labels: [{ Name: 'Sky', Confidence: 90 }] });
  const backend = await openBackend({ rekognition: answering({ labels, text: unfit, moderation: unfit, faces: unfit }) });
  const who = await send(backend, picture);
  expect(await runPipeline(backend, who)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await recordOf(backend, who)).toMatchObject({
    outcome: { kind: 'analysed' },
    labels: [{ name: 'Sky' }],
    text: null,
    moderation: null,
    faces: null,
  });
});

it('a picture whose labels cannot be found is not refused for it: the text in it counts', async () => {
  const labels = () => refuse('InvalidImageFormatException');
  const text = () => ({ TextDetections: [{ Type: 'LINE', Id: 0, DetectedText: 'INVOICE 2024', Confidence: 98 }] });
  const backend = await openBackend({ rekognition: answering({ labels, text }) });
  await watchTheSky(backend);
  const who = await send(backend, picture);
  expect(await runPipeline(backend, who)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await recordOf(backend, who)).toMatchObject({
    outcome: { kind: 'analysed', category: 'failure' },
    labels: null,
    text: [{ text: 'INVOICE 2024' }],
    faces: [],
    renditions: ['thumb', 'preview', 'analysis', 'pixelated'],
    matches: [],
  });
  expect(await keysIn(backend, backend.names.inputBucket)).toEqual([`analyzed/failure/local/${who.asset}.jpg`]);
});

it('text and moderation labels are recorded as Rekognition tells them', async () => {
  const BoundingBox = { Left: 0.1, Top: 0.2, Width: 0.33333, Height: 0.1 };
  const text = () => ({
    TextDetections: [
      { Type: 'LINE', Id: 0, DetectedText: 'INVOICE 2024', Confidence: 98.76543, Geometry: { BoundingBox } },
      { Type: 'WORD', Id: 1, ParentId: 0, DetectedText: 'INVOICE', Confidence: 99, Geometry: { BoundingBox } },
    ],
  });
  const moderation = () => ({
    ModerationLabels: [
      { Name: 'Exposed Buttocks', ParentName: 'Explicit Nudity', Confidence: 91, TaxonomyLevel: 3 },
      { Name: 'Explicit Nudity', ParentName: 'Explicit', Confidence: 91, TaxonomyLevel: 2 },
      { Name: 'Explicit', ParentName: '', Confidence: 91, TaxonomyLevel: 1 },
    ],
  });
  const backend = await openBackend({ rekognition: answering({ text, moderation }) });
  const who = await send(backend, picture);
  expect(await runPipeline(backend, who)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await recordOf(backend, who)).toMatchObject({
    text: [{ text: 'INVOICE 2024', confidence: 98.77, box: { left: 0.1, top: 0.2, width: 0.3333, height: 0.1 } }],
    moderation: [
      { name: 'Exposed Buttocks', parents: ['Explicit Nudity', 'Explicit'] },
      { name: 'Explicit Nudity', parents: ['Explicit'] },
      { name: 'Explicit', confidence: 91, parents: [] },
    ],
  });
  const keys = await keysIn(backend, backend.names.outputBucket);
  expect(keys).toEqual(expect.arrayContaining(['text', 'moderation'].map((name) => `local/${who.asset}/raw/${name}.json`)));
});

it('a throttled Rekognition is asked again', async () => {
  let calls = 0;
  // Once: the pauses grow from up to 5 seconds.
  const labels = () => (++calls <= 1 ? refuse('ThrottlingException') : { Labels: [{ Name: 'Sky', Confidence: 91.23456 }] });
  const backend = await openBackend({ rekognition: answering({ labels }) });
  const who = await send(backend, picture);
  expect(await runPipeline(backend, who)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await recordOf(backend, who)).toMatchObject({
    labels: [{ name: 'Sky', confidence: 91.23, parents: [], categories: [], instances: [] }],
  });
});

it('a missing permission fails the execution at once: nothing is rejected for it, and the next one succeeds', async () => {
  let allowed = false;
  const labels = () => (allowed ? { Labels: [] } : refuse('AccessDeniedException'));
  const backend = await openBackend({ rekognition: answering({ labels }) });
  const who = await send(backend, picture);
  expect(await runPipeline(backend, who)).toMatchObject({ status: 'FAILED', error: 'AccessDeniedException' });
  expect((await recordOf(backend, who))?.outcome.kind).toBe('pending');
  allowed = true;
  expect(await runPipeline(backend, { ...who, execution: 'execution-2', attempt: 2 })).toMatchObject({ status: 'SUCCEEDED' });
  expect((await recordOf(backend, who))?.outcome.kind).toBe('analysed');
});

it('a step that is newer than what the steps before it handed on fails the execution: nothing is rejected for it, and the next one succeeds', async () => {
  const backend = await openBackend({ rekognition: answering() });
  const who = await send(backend, picture);
  // As yesterday's DetectText answered when today's Categorise was deployed.
  const yesterdays = { DetectText: async () => ({ lines: 0 }) };
  expect(await runPipeline(backend, who, yesterdays)).toMatchObject({ status: 'FAILED', error: 'InvalidInput' });
  expect((await recordOf(backend, who))?.outcome.kind).toBe('pending');
  expect(await runPipeline(backend, attemptOf(who, 2))).toMatchObject({ status: 'SUCCEEDED' });
  expect((await recordOf(backend, who))?.outcome.kind).toBe('analysed');
});

it('an execution that runs again from its beginning, after any step, changes nothing more', async () => {
  const backend = await openBackend({ rekognition: answering() });
  const who = await send(backend, picture);
  await runPipeline(backend, who);
  const record = await recordOf(backend, who);
  const objects = await keysIn(backend, backend.names.inputBucket);
  expect(await runPipeline(backend, who)).toMatchObject({ status: 'SUCCEEDED' });
  expect(await recordOf(backend, who)).toEqual(record);
  expect(await keysIn(backend, backend.names.inputBucket)).toEqual(objects);
});

const sky = () => ({ Labels: [{ Name: 'Sky', Confidence: 90 }] });

it('an original that cannot be filed: it is announced all the same, and a redrive files it', async () => {
  const backend = await openBackend({ rekognition: answering({ labels: sky }) });
  await watchTheSky(backend);
  const who = await send(backend, picture);
  const allow = forbid(backend.s3, /^CopyObject/);
  await runInVain(who, backend);
  expect(await recordOf(backend, who)).toMatchObject({ outcome: { kind: 'analysed', category: 'success' }, unfiled: 'You shall not.' });
  await eventually(() => backend.mails.length > 0);

  allow();
  expect(await redriveIt(backend, who)).toBe('redriven');
  expect(await runPipeline(backend, attemptOf(who, 4))).toMatchObject({ status: 'SUCCEEDED' });
  expect(await recordOf(backend, who)).not.toHaveProperty('unfiled');
  expect(await keysIn(backend, backend.names.inputBucket)).toEqual([`analyzed/success/local/${who.asset}.jpg`]);
  expect(await redriveIt(backend, who)).toBe('none');
  expect(backend.mails).toHaveLength(1);
});

it('an alert that cannot be put into the outbox: the original waits in the inbox, and a redrive does both', async () => {
  const backend = await openBackend({ rekognition: answering({ labels: sky }) });
  await watchTheSky(backend);
  const who = await send(backend, picture);
  const allow = forbid(backend.dynamodb, /^PutItemCommand.*outbox/);
  await runInVain(who, backend);
  expect(await keysIn(backend, backend.names.inputBucket)).toEqual([inboxKey(who)]);
  expect(await recordOf(backend, who)).toMatchObject({ outcome: { kind: 'analysed' }, unfiled: 'You shall not.' });
  expect(backend.mails).toEqual([]);

  allow();
  expect(await redriveIt(backend, who)).toBe('redriven');
  expect(await runPipeline(backend, attemptOf(who, 4))).toMatchObject({ status: 'SUCCEEDED' });
  await eventually(() => backend.mails.length > 0);
  expect(await keysIn(backend, backend.names.inputBucket)).toEqual([`analyzed/success/local/${who.asset}.jpg`]);
});
