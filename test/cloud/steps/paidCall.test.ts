import { DetectLabelsCommand } from '@aws-sdk/client-rekognition';
import { SubscribeCommand } from '@aws-sdk/client-sns';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import sharp from 'sharp';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { jsonService, operation } from '../../../cloud/local/gateway/jsonService.ts';
import { type Service, ServiceError } from '../../../cloud/local/gateway/service.ts';
import type { PipelineSettings } from '../../../cloud/steps/backend.ts';
import { drainOutbox } from '../../../cloud/steps/outbox.ts';
import { paidCall } from '../../../cloud/steps/paidCall.ts';
import { awaitToken } from '../../../cloud/steps/rate.ts';
import { type Claimant, type ExecutionInput, executionInput } from '../../../cloud/steps/state.ts';
import { steps } from '../../../cloud/steps/steps.ts';
import { subscribe } from '../../../cloud/steps/subscriptions.ts';
import { loadUsage, monthOf } from '../../../cloud/steps/usage.ts';
import { noteWaiting, resumeWaiting } from '../../../cloud/steps/waiting.ts';
import { callPrice } from '../../../shared/cost.ts';
import { OverBudget, Throttled, Transient } from '../../../shared/errors.ts';
import type { RuleId } from '../../../shared/model/rule.ts';
import { eventually } from '../local/serve.ts';
import { claimantOf, keysIn, openBackend, recordOf, send, type TestBackend } from './openBackend.ts';
import { runPipeline as run } from './runPipeline.ts';

const priced = { priceRegion: 'us-east-1' };
/** In US dollars, of a call. */
const price = callPrice('DetectLabels', 'us-east-1') / 1e6;
const day = 24 * 60 * 60 * 1000;

/** A Rekognition that counts what it is asked, and what it answers unless it refuses. */
function countingRekognition(refuse: (call: number) => ServiceError | null = () => null) {
  const asked: Record<string, number> = {};
  let calls = 0;
  let answered = 0;
  const answer = (name: string, body: object) =>
    operation(v.unknown(), async () => {
      asked[name] = (asked[name] ?? 0) + 1;
      const refused = refuse(++calls);
      if (refused) throw refused;
      answered++;
      return body;
    });
  const operations = {
    DetectLabels: answer('DetectLabels', { Labels: [] }),
    DetectFaces: answer('DetectFaces', { FaceDetails: [] }),
    DetectText: answer('DetectText', { TextDetections: [] }),
    DetectModerationLabels: answer('DetectModerationLabels', { ModerationLabels: [] }),
  };
  const service = jsonService({ targetPrefix: 'RekognitionService', version: '1.1', operations });
  return { asked, answered: () => answered, service };
}

/** Two calls a photo are enough to count by. */
const detectors = { labels: true, text: false, faces: true, moderation: false, videoLabels: true };

async function open(settings: Partial<PipelineSettings>, refuse?: (call: number) => ServiceError | null) {
  const rekognition = countingRekognition(refuse);
  return { rekognition, backend: await openBackend({ rekognition: rekognition.service }, { detectors, ...settings }) };
}

/** A photo of its own colour. */
const photo = (n: number) =>
  sharp({ create: { width: 90, height: 90, channels: 3, background: { r: n, g: 128, b: 255 - n } } })
    .png()
    .toBuffer();

const sendPhotos = (backend: TestBackend, count: number) =>
  Promise.all(Array.from({ length: count }, async (_, n) => send(backend, await photo(n))));

/** Takes the requests for attempts out of the inbox queue. */
async function requested(backend: TestBackend): Promise<ExecutionInput[]> {
  const found: ExecutionInput[] = [];
  for (;;) {
    const receive = new ReceiveMessageCommand({ QueueUrl: backend.names.inboxQueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 3600 });
    const { Messages = [] } = await backend.sqs.send(receive);
    if (Messages.length === 0) return found;
    found.push(...Messages.map(({ Body = '' }) => v.parse(executionInput, JSON.parse(Body))));
  }
}

const runRequested = async (backend: TestBackend) =>
  Promise.all(
    (await requested(backend)).map((input) => run(backend, { ...input, execution: `${input.asset.slice(0, 50)}-${input.attempt}` })),
  );

const usageNow = (backend: TestBackend) => loadUsage(backend, monthOf(backend.clock));

describe('what is switched off', () => {
  it.each([
    ['labels', 'DetectLabels', { labels: null, faces: [] }],
    ['text', 'DetectText', { text: null, moderation: [] }],
    ['moderation', 'DetectModerationLabels', { text: [], moderation: null }],
    ['faces', 'DetectFaces', { faces: null, renditions: ['thumb', 'preview', 'analysis'] }],
  ] as const)('is never called: %s', async (detector, api, record) => {
    const on = { labels: true, text: true, faces: true, moderation: true, videoLabels: true };
    const { backend, rekognition } = await open({ detectors: { ...on, [detector]: false } });
    const [who] = await sendPhotos(backend, 1);
    expect(await run(backend, who as Claimant)).toMatchObject({ status: 'SUCCEEDED' });
    const { [api]: _, ...others } = { DetectLabels: 1, DetectText: 1, DetectModerationLabels: 1, DetectFaces: 1 };
    expect(rekognition.asked).toEqual(others);
    expect(await recordOf(backend, who as Claimant)).toMatchObject({ outcome: { kind: 'analysed' }, ...record });
  });
});

describe('the cap', () => {
  it('is never overspent by a single call, however many executions run at once; the others wait and are told why', async () => {
    const { backend, rekognition } = await open({ ...priced, capPerMonth: 7 * price });
    const sent = await sendPhotos(backend, 12);
    const endings = await Promise.all(sent.map((who) => run(backend, who)));
    expect(endings.every(({ status }) => status === 'SUCCEEDED')).toBe(true);
    expect(rekognition.answered()).toBe(7);
    expect((await usageNow(backend)).spent).toBe(7 * price * 1e6);

    const records = await Promise.all(sent.map((who) => recordOf(backend, who)));
    const waiting = records.filter((record) => record?.outcome.kind === 'waiting');
    expect(waiting.length).toBeGreaterThanOrEqual(9);
    for (const record of waiting) {
      expect(record).toMatchObject({
        changedAt: expect.any(String),
        outcome: { reason: expect.stringMatching(/budget of this month is used up/) },
        media: { width: 90 },
        renditions: ['thumb', 'preview', 'analysis'],
      });
    }
    const inbox = (await keysIn(backend, backend.names.inputBucket)).filter((key) => key.startsWith('inbox/'));
    expect(inbox).toHaveLength(waiting.length);
  });

  it('lets what waits go on in the next month, a few at a time, and pays nothing twice', async () => {
    const { backend, rekognition } = await open({ ...priced, capPerMonth: 8 * price });
    const sent = await sendPhotos(backend, 10);
    await Promise.all(sent.map((who) => run(backend, who)));
    expect(await resumeWaiting(backend)).toBe(0);

    const resume = async () => {
      const resumed = await resumeWaiting(backend);
      await runRequested(backend);
      expect((await usageNow(backend)).spent).toBeLessThanOrEqual(8 * price * 1e6);
      return resumed;
    };
    backend.pass(31 * day);
    // The budget is enough for four photos, or more of those that were half paid for.
    expect(await resume()).toBe(4);
    while ((await resume()) > 0);
    backend.pass(31 * day);
    while ((await resume()) > 0);
    const outcomes = await Promise.all(sent.map(async (who) => (await recordOf(backend, who))?.outcome.kind));
    expect(new Set(outcomes)).toEqual(new Set(['analysed']));
    expect(rekognition.asked).toEqual({ DetectLabels: 10, DetectFaces: 10 });
    expect(await resumeWaiting(backend)).toBe(0);
  });

  it('goes on when it is raised; asked for twice, each is taken up once; of a library only its own', async () => {
    const { backend, rekognition } = await open({ ...priced, capPerMonth: 0 });
    const [who] = (await sendPhotos(backend, 1)) as [Claimant];
    await run(backend, who);
    expect(rekognition.asked).toEqual({});
    const raised: TestBackend = { ...backend, settings: { ...backend.settings, capPerMonth: 1 } };
    expect(await resumeWaiting(raised, claimantOf(Buffer.from('')).library)).toBe(1);
    expect(await resumeWaiting(raised, 'another' as Claimant['library'])).toBe(0);
    const { execution: _, ...input } = who;
    // A fresh try: three executions before the dead letters.
    expect(await requested(raised)).toEqual([{ ...input, attempt: 4 }]);
    expect(await run(raised, { ...who, attempt: 4, execution: 'fourth' })).toMatchObject({ status: 'SUCCEEDED' });
    expect((await recordOf(raised, who))?.outcome.kind).toBe('analysed');
  });

  it('keeps the note of a later attempt when an earlier one comes to wait late', async () => {
    const { backend } = await open({ ...priced, capPerMonth: 1 });
    const { execution: _, ...input } = claimantOf(Buffer.from('photo'));
    await noteWaiting(backend, { ...input, attempt: 4 });
    await noteWaiting(backend, { ...input, attempt: 1 });
    expect(await resumeWaiting(backend)).toBe(1);
    expect(await requested(backend)).toEqual([{ ...input, attempt: 7 }]);
    await noteWaiting(backend, { ...input, attempt: 1 });
    await noteWaiting(backend, { ...input, attempt: 7 });
    expect(await resumeWaiting(backend)).toBe(1);
    expect(await requested(backend)).toEqual([{ ...input, attempt: 10 }]);
  });

  it('is announced at 80 % and when it is reached, once each, to every subscriber and to whoever gets alarms', async () => {
    const { backend } = await open({ ...priced, capPerMonth: 10 * price });
    const { library } = claimantOf(Buffer.from(''));
    await subscribe(backend, library, { protocol: 'email', endpoint: 'all@example.org', rules: null });
    await subscribe(backend, library, { protocol: 'email', endpoint: 'cats@example.org', rules: ['cats' as RuleId] });
    const { alarmsTopicArn: TopicArn } = backend.names;
    await backend.sns.send(new SubscribeCommand({ TopicArn, Protocol: 'email', Endpoint: 'payer@example.org' }));
    const ask = async () => ({});
    for (let calls = 0; calls < 7; calls++) await paidCall(backend, 'DetectLabels', ask);
    await drainOutbox(backend);
    expect(backend.mails).toHaveLength(0);
    for (let calls = 0; calls < 3; calls++) await paidCall(backend, 'DetectLabels', ask);
    await expect(paidCall(backend, 'DetectLabels', ask)).rejects.toThrow(OverBudget);
    for (const who of await sendPhotos(backend, 2)) await run(backend, who);
    await drainOutbox(backend);
    await eventually(() => backend.mails.length >= 6);
    await drainOutbox(backend);
    for (const who of ['all', 'cats', 'payer']) {
      const mails = backend.mails.filter((mail) => mail.includes(`To: ${who}@example.org`));
      const subjects = mails.map((mail) => /^Subject: (.*)$/m.exec(mail)?.[1]?.trim());
      expect(subjects.toSorted()).toEqual(["Pixwatch: 80 % of this month's budget is used", "Pixwatch: This month's budget is used up"]);
    }
  });
});

describe('a call', () => {
  it.each([
    ['refused as invalid', new ServiceError('InvalidImageFormatException', 'no picture'), 0],
    ['throttled', new ServiceError('ThrottlingException', 'slow down'), 0],
    ['of which nobody knows whether it was done', new ServiceError('InternalServerError', 'oh', 500), 1],
  ])('that was %s is counted as it must be, and made once', async (_, error, counted) => {
    const { backend, rekognition } = await open(priced, () => error);
    const [who] = (await sendPhotos(backend, 1)) as [Claimant];
    await steps.Render(who, backend);
    const failed = steps.DetectLabels(who, backend);
    await expect(failed).rejects.toThrow(
      error.status === 500 ? Transient : error.code === 'ThrottlingException' ? Throttled : /no picture/,
    );
    expect(rekognition.asked).toEqual({ DetectLabels: 1 });
    expect(await usageNow(backend)).toMatchObject({ spent: counted * price * 1e6, calls: { DetectLabels: counted } });
  });

  it('that was refused is given back once, also when DynamoDB’s answer is lost', async () => {
    const { service } = countingRekognition(() => new ServiceError('InvalidImageFormatException', 'no picture'));
    const losing = (name: string, inner: Service): Service => {
      if (name !== 'dynamodb') return inner;
      return async (request, response) => {
        const body = await request.readBody(1 << 20);
        // The price, less than zero: done, but nobody hears of it.
        const isGivenBack = /":price":\{"N":"-/.test(body.toString());
        if (isGivenBack) response.end = () => response.destroy();
        await inner({ ...request, readBody: async () => body }, response);
      };
    };
    const backend = await openBackend({ rekognition: service }, { detectors, ...priced }, losing);
    const ask = () => backend.rekognition.send(new DetectLabelsCommand({ Image: {} }));
    await expect(paidCall(backend, 'DetectLabels', ask)).rejects.toThrow(/no picture/);
    expect(await usageNow(backend)).toMatchObject({ spent: 0, calls: { DetectLabels: 0 } });
    expect(backend.warnings).toEqual([expect.stringMatching(/^A call of DetectLabels that was refused stays counted/)]);
  });

  it('is counted although it costs nothing, and costs the most that is known where prices are not', async () => {
    const { backend } = await open({ capPerMonth: 0 });
    await paidCall(backend, 'StartLabelDetection', async () => ({}), 2.5);
    expect(await usageNow(backend)).toMatchObject({ spent: 0, calls: { StartLabelDetection: 2.5 } });
    expect(callPrice('DetectLabels', 'xx-nowhere-1')).toBe(
      Math.max(...['us-east-1', 'eu-central-1'].map((region) => callPrice('DetectLabels', region))),
    );
  });
});

describe('the rate', () => {
  const slow = (rate: number) => {
    const any = { DetectText: null, DetectModerationLabels: null, StartLabelDetection: null, GetLabelDetection: null };
    return { callsPerSecond: { ...any, DetectLabels: rate, DetectFaces: rate } };
  };

  it('lets a second’s calls through at once, then as many as come in', async () => {
    const { backend } = await open(slow(5));
    // A clock of its own: the machine's goes on while this runs.
    let now = 1_000_000;
    const still: TestBackend = { ...backend, clock: { now: () => now } };
    const take = async () => {
      const tries = await Promise.allSettled(Array.from({ length: 20 }, () => paidCall(still, 'DetectLabels', async () => ({}))));
      const refused = tries.filter((tried) => tried.status === 'rejected');
      expect(refused.every(({ reason }) => reason instanceof Throttled)).toBe(true);
      return tries.length - refused.length;
    };
    expect(await take()).toBe(5);
    expect(await take()).toBe(0);
    now += 400;
    expect(await take()).toBe(2);
    now += 60_000;
    expect(await take()).toBe(5);
  });

  it('lets the pages of an answer wait for their turn, rather than fail', async () => {
    const { backend } = await open({ callsPerSecond: { ...slow(1).callsPerSecond, GetLabelDetection: 10 } });
    const began = performance.now();
    await Promise.all(Array.from({ length: 13 }, () => awaitToken(backend, 'GetLabelDetection')));
    expect(performance.now() - began).toBeGreaterThan(200);
  });

  it('slows a burst down and loses nothing', async () => {
    const { backend, rekognition } = await open(slow(4));
    const sent = await sendPhotos(backend, 12);
    const endings = await Promise.all(sent.map((who) => run(backend, who)));
    expect(endings.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
    expect(rekognition.asked).toEqual({ DetectLabels: 12, DetectFaces: 12 });
  }, 120_000);
});
