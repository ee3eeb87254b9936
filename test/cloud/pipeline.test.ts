import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DetectFacesCommand } from '@aws-sdk/client-rekognition';
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type LocalCloud, startLocalCloud } from '../../cloud/local/startLocalCloud.ts';
import { loadAsset, type StoredAsset } from '../../cloud/steps/assets.ts';
import type { Backend } from '../../cloud/steps/backend.ts';
import { executionArn, executionName } from '../../cloud/steps/executions.ts';
import { boxOf } from '../../cloud/steps/rekognition.ts';
import type { Claimant, ExecutionInput } from '../../cloud/steps/state.ts';
import { pixwatchModelsDir } from '../../desktop/host/dataDir.ts';
import { systemClock } from '../../shared/clock.ts';
import type { CommandName } from '../../shared/commands.ts';
import type { HistoryEntry } from '../../shared/contract.ts';
import { inboxKey, ruleItem } from '../../shared/keys.ts';
import type { BoundingBox } from '../../shared/model/label.ts';
import type { RuleId } from '../../shared/model/rule.ts';
import { backendOf, type CloudProcessMessage } from './cloudProcess.ts';
import { sample, smallSample } from './local/rekognition/photos.ts';
import { eventually } from './local/serve.ts';
import { startMailServer } from './local/smtp.ts';
import { claimantOf, contentOf, keysIn, send } from './steps/openBackend.ts';

/** A picture of one colour: nothing to find, and different from all others. */
const plain = (background: string) =>
  sharp({ create: { width: 200, height: 150, channels: 3, background } })
    .png()
    .toBuffer();

const models = pixwatchModelsDir(process.env);

let dir: string;
let cloud: LocalCloud;
let backend: Backend;
/** An asset that is asked for but not there: all its executions fail, which takes a while. */
let lost: Claimant;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-pipeline-'));
  cloud = await startLocalCloud({
    dir: join(dir, 'cloud'),
    models,
    workers: 1,
    settings: { secondsBetweenExecutions: 0 },
    clock: systemClock,
    log: () => {},
  });
  backend = backendOf(cloud.connection, cloud.credentials);
  lost = { ...claimantOf(await plain('#00a')), version: 'lost' };
  await ask(inputOf(lost));
  await cloud.ready;
});
afterAll(async () => {
  await cloud?.close();
  await rm(dir, { recursive: true, force: true });
});

const inputOf = ({ library, asset, ext, version, attempt }: Claimant): ExecutionInput => ({ library, asset, ext, version, attempt });

/** Puts a message into the inbox queue. */
async function ask(message: object | string): Promise<void> {
  const MessageBody = typeof message === 'string' ? message : JSON.stringify(message);
  await backend.sqs.send(new SendMessageCommand({ QueueUrl: backend.names.inboxQueueUrl, MessageBody }));
}

/** S3's event about an object in the inbox. */
const eventOf = (who: Claimant, version: string) => ({
  source: 'aws.s3',
  'detail-type': 'Object Created',
  time: '2024-01-01T00:00:00Z',
  detail: { bucket: { name: backend.names.inputBucket }, object: { key: inboxKey(who), etag: 'e1', 'version-id': version } },
});

/** The record of an asset once it says how it ended. */
const ended = ({ library, asset }: Claimant, withinMs = 60_000): Promise<StoredAsset> =>
  eventually(async () => {
    const record = await loadAsset(backend, library, asset);
    return record && record.outcome.kind !== 'pending' ? record : null;
  }, withinMs);

/** Waits until the original is out of the inbox. */
const filed = (who: Claimant) => eventually(async () => !(await keysIn(backend, backend.names.inputBucket)).includes(inboxKey(who)));

async function statusOf(execution: string): Promise<string | undefined> {
  const describe = new DescribeExecutionCommand({ executionArn: executionArn(backend, execution) });
  return (await backend.sfn.send(describe).catch(() => null))?.status;
}

async function command<T>(name: CommandName, input: object): Promise<T> {
  const { endpoint, region, commandsFunction } = cloud.connection;
  const lambda = new LambdaClient({ ...(endpoint && { endpoint }), region, credentials: cloud.credentials });
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName: commandsFunction, Payload: JSON.stringify({ command: name, input }) }),
  );
  lambda.destroy();
  expect(FunctionError).toBeUndefined();
  return JSON.parse(Buffer.from(Payload ?? []).toString());
}

async function redrive({ asset, ext }: Claimant): Promise<string | undefined> {
  const { assets } = await command<{ assets: { kind: string }[] }>('redrive', { originals: [{ asset, ext }] });
  return assets[0]?.kind;
}

/** The boxes of the faces in a picture of the output bucket. */
async function facesIn(Name: string): Promise<BoundingBox[]> {
  const Image = { S3Object: { Bucket: backend.names.outputBucket, Name } };
  const { FaceDetails = [] } = await backend.rekognition.send(new DetectFacesCommand({ Image }));
  return FaceDetails.map((face) => boxOf(face.BoundingBox));
}

const touch = (a: BoundingBox, b: BoundingBox) =>
  a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;

async function saveRule(id: string, label: string): Promise<void> {
  const condition = { kind: 'label', label, minConfidence: 50 };
  const rest = { revision: 1, changedAt: '2024-01-01T00:00:00.000Z', deleted: false };
  const Item = {
    ...ruleItem(cloud.connection.library, id as RuleId),
    id,
    name: id,
    condition,
    notify: { desktop: true, sns: true },
    ...rest,
  };
  await backend.dynamodb.send(new PutCommand({ TableName: backend.names.table, Item }));
}

describe('the pipeline', () => {
  it('finds what is in a photo, makes its faces unrecognisable and moves the original', async () => {
    const original = await sample(1);
    const who = await send(backend, original, { name: 'party.jpg' });
    const record = await ended(who);
    expect(record).toMatchObject({
      name: 'party.jpg',
      revision: 2,
      outcome: { kind: 'analysed', category: 'failure' },
      media: { kind: 'photo', type: 'image/jpeg', width: 1920, height: 1280, camera: 'SONY ILCE-7M2' },
      renditions: ['thumb', 'preview', 'analysis', 'pixelated'],
    });
    expect(record.labels?.map(({ name }) => name)).toContain('Person');
    expect(record.faces?.length).toBeGreaterThan(2);

    await filed(who);
    const to = `analyzed/failure/local/${who.asset}.jpg`;
    expect((await contentOf(backend, backend.names.inputBucket, to)).equals(original)).toBe(true);
    const folder = `local/${who.asset}`;
    expect(await keysIn(backend, backend.names.outputBucket)).toEqual(
      expect.arrayContaining(['labels.json', 'raw/labels.json', 'raw/faces.json', 'pixelated.jpg'].map((file) => `${folder}/${file}`)),
    );
    const file = JSON.parse((await contentOf(backend, backend.names.outputBucket, `${folder}/labels.json`)).toString());
    expect(file.labels.map(({ name }: { name: string }) => name)).toEqual(record.labels?.map(({ name }) => name));

    expect((await facesIn(`${folder}/pixelated.jpg`)).filter((found) => record.faces?.some(({ box }) => touch(box, found)))).toEqual([]);
    // The detector does find them in the picture as it was.
    expect((await facesIn(`${folder}/analysis.jpg`)).filter((found) => record.faces?.some(({ box }) => touch(box, found)))).toHaveLength(
      record.faces?.length ?? 0,
    );

    const history = await command<HistoryEntry[]>('history', { asset: who.asset });
    const succeeded = history.filter(({ what }) => what === 'succeeded').map(({ step }) => step);
    expect(succeeded).toEqual(
      expect.arrayContaining(['Admit', 'Render', 'DetectLabels', 'DetectFaces', 'Pixelate', 'Record', 'File', 'Announce']),
    );
    expect(history.every(({ what }) => what === 'entered' || what === 'succeeded')).toBe(true);
  });

  it('alerts once for a rule, and does nothing again for what it knows', async () => {
    const { port, inbox: mails } = await startMailServer();
    const smtp = { host: '127.0.0.1', port, from: 'pixwatch@example.org' };
    await writeFile(join(dir, 'cloud', 'smtp.json'), JSON.stringify(smtp), { mode: 0o600 });
    await saveRule('people', 'person');
    await command('subscribe', { protocol: 'email', endpoint: 'me@example.org' });
    const who = await send(backend, await smallSample(2));
    const record = await ended(who);
    expect(record).toMatchObject({
      outcome: { category: 'success' },
      matches: [{ rule: 'people', because: expect.stringMatching(/^Person \d+ %$/) }],
    });
    await filed(who);

    await send(backend, await smallSample(2));
    await filed(who);
    expect(await ended(who)).toEqual(record);
    expect(await keysIn(backend, backend.names.inputBucket)).toContain(`analyzed/success/local/${who.asset}.jpg`);
    await eventually(() => mails.length > 0);
    expect(mails).toHaveLength(1);
    expect(mails[0]?.replaceAll('=\r\n', '')).toContain(`Alert local/${who.asset}/people`);
  });

  it('gives each bad file a reason, keeps its original, and goes on with its neighbours', async () => {
    const jpeg = await sample(3);
    const mp4 = Buffer.concat([Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42', 'latin1'), Buffer.alloc(500)]);
    const files: [string, Buffer, string, object][] = [
      [
        'truncated',
        jpeg.subarray(0, jpeg.length / 2),
        'rejected',
        { kind: 'rejected', reason: expect.stringMatching(/damaged or incomplete/) },
      ],
      [
        'hostile',
        Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
        'rejected',
        { kind: 'rejected', reason: expect.stringMatching(/no photo or video/) },
      ],
      ['empty', Buffer.alloc(0), 'rejected', { kind: 'rejected', reason: 'The file is empty.' }],
      ['video', mp4, 'inbox', { kind: 'kept', reason: expect.stringMatching(/^Kept safely.*damaged or incomplete/) }],
      ['neighbour', await plain('#0a0'), 'analyzed/failure', { kind: 'analysed', category: 'failure' }],
    ];
    const sent = await Promise.all(files.map(([name, content]) => send(backend, content, { name: `<b>${name}</b>.jpg` })));
    for (const [i, [name, content, folder, outcome]] of files.entries()) {
      const who = sent[i] as Claimant;
      expect(await ended(who)).toMatchObject({ name: `<b>${name}</b>.jpg`, outcome });
      const key = `${folder}/local/${who.asset}.jpg`;
      await eventually(async () => (await keysIn(backend, backend.names.inputBucket)).includes(key));
      if (folder !== 'inbox') await filed(who);
      expect((await contentOf(backend, backend.names.inputBucket, key)).equals(content)).toBe(true);
    }
    const rejected = sent[0] as Claimant;
    const history = await command<HistoryEntry[]>('history', { asset: rejected.asset });
    expect(history).toContainEqual(expect.objectContaining({ step: 'Render', what: 'failed', detail: expect.stringMatching(/damaged/) }));
  });

  it('does not mind events that come twice, late or in another order', async () => {
    const who = claimantOf(await plain('#a00'));
    // The event of a later attempt is there before the object and before its own event.
    await ask({ ...inputOf(who), version: 'later', attempt: 2 });
    await send(backend, await plain('#a00'));
    const repeated = Array.from({ length: 5 }, () => eventOf(who, 'same-version'));
    await Promise.all(repeated.map(ask));
    const record = await ended(who);
    await filed(who);
    await ask(eventOf(who, 'same-version'));
    const name = executionName({ ...inputOf(who), version: 'same-version' });
    await eventually(async () => (await statusOf(name)) === 'SUCCEEDED');
    expect(await ended(who)).toMatchObject({ outcome: record.outcome, labels: record.labels, changedAt: record.changedAt });
    expect((await keysIn(backend, backend.names.inputBucket)).filter((key) => key.includes(who.asset))).toEqual([
      `analyzed/failure/local/${who.asset}.jpg`,
    ]);
  });

  it('puts poison into the dead letters with the reason, and what fails three times, until it is redriven', async () => {
    await ask('hello');
    expect((await ended(lost, 90_000)).outcome).toEqual({
      kind: 'failed',
      reason: expect.stringMatching(/^The original is not in the inbox/),
    });
    const reasons = await eventually(async () => {
      const receive = { QueueUrl: backend.names.deadLetterQueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 };
      const { Messages = [] } = await backend.sqs.send(new ReceiveMessageCommand(receive));
      return Messages.length === 2 && Messages.map(({ Body = '' }) => JSON.parse(Body).reason);
    });
    expect(reasons).toEqual(
      expect.arrayContaining(['The message is not JSON.', expect.stringMatching(/^The original is not in the inbox/)]),
    );

    await send(backend, await plain('#00a'), { who: lost });
    expect(await redrive(lost)).toBe('redriven');
    const fourth = executionName({ ...inputOf(lost), attempt: 4 });
    await eventually(async () => (await statusOf(fourth)) === 'SUCCEEDED');
    expect(await redrive(lost)).toBe('none');
    const { Attributes } = await backend.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: backend.names.deadLetterQueueUrl, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({ ApproximateNumberOfMessages: '1', ApproximateNumberOfMessagesNotVisible: '0' });
  }, 120_000);
});

it('finishes what it was at when it was killed, and records nothing twice', async () => {
  const home = join(dir, 'killed');
  const photos = await Promise.all([4, 5, 6].map((n) => smallSample(n)));
  const { library } = lost;
  let sent: Claimant[] = [];
  for (const after of [0, 300, 1200]) {
    const { child, backend } = await forkCloud(home);
    if (sent.length === 0) sent = await Promise.all(photos.map((content) => send(backend, content)));
    await eventually(async () => (await loadAsset(backend, library, (sent[0] as Claimant).asset)) !== null);
    await sleep(after);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  const { child, backend: again } = await forkCloud(home);
  for (const who of sent) {
    const record = await eventually(async () => {
      const found = await loadAsset(again, who.library, who.asset);
      return found?.outcome.kind === 'analysed' ? found : null;
    }, 60_000);
    // Claimed once and recorded once.
    expect(record.revision).toBe(2);
    expect(record.faces?.length).toBeGreaterThan(0);
    await eventually(async () => (await keysIn(again, again.names.inputBucket)).every((key) => !key.startsWith('inbox/')));
    expect(await keysIn(again, again.names.inputBucket)).toContain(`analyzed/failure/local/${who.asset}.jpg`);
  }
  child.kill('SIGKILL');
}, 180_000);

/** A local cloud in a process of its own. */
async function forkCloud(home: string): Promise<{ child: ChildProcess; backend: Backend }> {
  const child = fork(new URL('./cloudProcess.ts', import.meta.url), [home], { execArgv: [] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [{ connection, credentials }] = (await once(child, 'message')) as [CloudProcessMessage];
  return { child, backend: backendOf(connection, credentials) };
}
