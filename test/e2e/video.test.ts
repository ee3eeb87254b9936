import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startLocalCloud } from '../../cloud/local/startLocalCloud.ts';
import { loadAsset, type StoredAsset } from '../../cloud/steps/assets.ts';
import type { Backend } from '../../cloud/steps/backend.ts';
import type { Claimant } from '../../cloud/steps/state.ts';
import { subscribe } from '../../cloud/steps/subscriptions.ts';
import { loadUsage, monthOf } from '../../cloud/steps/usage.ts';
import { loadJob, tagOf } from '../../cloud/steps/videoJobs.ts';
import { questionOf } from '../../cloud/steps/videoLabels.ts';
import { pixwatchModelsDir } from '../../desktop/host/dataDir.ts';
import { systemClock } from '../../shared/clock.ts';
import { inboxKey, ruleItem } from '../../shared/keys.ts';
import type { RuleId } from '../../shared/model/rule.ts';
import { backendOf, type CloudProcessMessage } from '../cloud/cloudProcess.ts';
import { eventually } from '../cloud/local/serve.ts';
import { startMailServer } from '../cloud/local/smtp.ts';
import { claimantOf, contentOf, keysIn, send } from '../cloud/steps/openBackend.ts';
import { clip } from '../cloud/steps/video/videos.ts';

/** The walk of a video through the whole of the local cloud: real models, a real mail server, a process that is killed. */

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-video-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const analysed = ({ library, asset }: Claimant, backend: Backend): Promise<StoredAsset> =>
  eventually(async () => {
    const record = await loadAsset(backend, library, asset);
    return record && record.outcome.kind !== 'pending' ? record : null;
  }, 60_000);

const filed = (who: Claimant, backend: Backend) =>
  eventually(async () => !(await keysIn(backend, backend.names.inputBucket)).includes(inboxKey(who)), 60_000);

const callsIn = async (backend: Backend) => (await loadUsage(backend, monthOf(systemClock))).calls;

it('shows a video, says what is in it and when, and alerts once; the same video again changes nothing and is not paid again', async () => {
  const cloud = await startLocalCloud({
    ...{ dir: join(dir, 'cloud'), models: pixwatchModelsDir(process.env), workers: 1 },
    ...{ settings: { secondsBetweenMessages: 0 }, clock: systemClock, log: () => {} },
  });
  onTestFinished(cloud.close);
  const backend = backendOf(cloud.connection, cloud.credentials);
  const { port, inbox: mails } = await startMailServer();
  await writeFile(join(dir, 'cloud', 'smtp.json'), JSON.stringify({ host: '127.0.0.1', port, from: 'pixwatch@example.org' }), {
    mode: 0o600,
  });
  const { library } = cloud.connection;
  await subscribe(backend, library, { protocol: 'email', endpoint: 'me@example.org', rules: null });
  const condition = { kind: 'label', label: 'dog', minConfidence: 50 };
  const rule = {
    id: 'dogs',
    name: 'dogs',
    condition,
    notify: { desktop: true, sns: true },
    revision: 1,
    changedAt: '2024-01-01',
    deleted: false,
  };
  await backend.dynamodb.send(
    new PutCommand({ TableName: backend.names.table, Item: { ...ruleItem(library, 'dogs' as RuleId), ...rule } }),
  );

  const film = await clip('h264');
  const who = await send(backend, film, { who: claimantOf(film, 'mp4'), name: 'pets.mp4' });
  const record = await analysed(who, backend);
  expect(record).toMatchObject({
    name: 'pets.mp4',
    outcome: { kind: 'analysed', category: 'success' },
    media: { kind: 'video', type: 'video/mp4', width: 480, height: 320, durationMs: 8000, takenAt: '2024-05-17T09:30:00.000Z' },
    renditions: ['thumb', 'preview'],
    faces: null,
    text: null,
    moderation: null,
    matches: [{ rule: 'dogs', because: expect.stringMatching(/^Dog \d+ %$/) }],
  });
  const timesOf = (name: string) => record.labels?.find((label) => label.name === name)?.times;
  expect(timesOf('Dog')).toEqual([0]);
  expect(timesOf('Frog')).toEqual([4000]);
  await filed(who, backend);
  const to = `analyzed/success/local/${who.asset}.mp4`;
  expect((await contentOf(backend, backend.names.inputBucket, to)).equals(film)).toBe(true);
  const made = ['labels.json', 'preview.webp', 'raw/labels.json', 'thumb.webp'].map((file) => `local/${who.asset}/${file}`);
  expect(await keysIn(backend, backend.names.outputBucket)).toEqual(made);

  await send(backend, film, { who });
  await filed(who, backend);
  expect(await analysed(who, backend)).toEqual(record);
  expect(await callsIn(backend)).toEqual({ StartLabelDetection: 1 });
  expect(cloud.meter.read().counts.StartLabelDetection).toBe(1);
  await eventually(() => mails.length > 0);
  expect(mails).toHaveLength(1);

  // One that Rekognition does not take is shown all the same.
  const other = await clip('hevc');
  const kept = await analysed(await send(backend, other, { who: claimantOf(other, 'mov') }), backend);
  expect(kept).toMatchObject({
    outcome: { kind: 'kept', reason: expect.stringMatching(/H\.264/) },
    media: { width: 480, height: 320, durationMs: 8000 },
    renditions: ['thumb', 'preview'],
  });
}, 120_000);

it('finishes a video whose labels were being looked for when it was killed, and pays nothing twice', async () => {
  const home = join(dir, 'killed');
  const start = async () => {
    const child = fork(new URL('../cloud/cloudProcess.ts', import.meta.url), [home], { execArgv: [] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [{ connection, credentials }] = (await once(child, 'message')) as [CloudProcessMessage];
    return { child, backend: backendOf(connection, credentials) };
  };
  const before = await start();
  const film = await clip('h264');
  const who = await send(before.backend, film, { who: claimantOf(film, 'mp4') });
  const tag = tagOf(who, questionOf(before.backend));
  await eventually(async () => (await loadJob(before.backend, tag))?.jobId, 60_000);
  before.child.kill('SIGKILL');
  await once(before.child, 'exit');

  const { backend } = await start();
  const record = await analysed(who, backend);
  expect(record.outcome).toEqual({ kind: 'analysed', category: 'failure' });
  expect(record.labels?.find(({ name }) => name === 'Dog')?.times).toEqual([0]);
  await filed(who, backend);
  expect(await callsIn(backend)).toEqual({ StartLabelDetection: 1 });
  await eventually(async () => (await loadJob(backend, tag)) === null);
}, 180_000);
