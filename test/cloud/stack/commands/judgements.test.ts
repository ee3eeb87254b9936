import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openAccount, reasonOf } from '../../../../cloud/stack/commands/account.ts';
import { parseArguments } from '../../../../cloud/stack/commands/arguments.ts';
import { countBucket, emptyBucket } from '../../../../cloud/stack/commands/buckets.ts';
import { connectionOf } from '../../../../cloud/stack/commands/connection.ts';
import { judgeIdentity, judgeSubscribers, readSettings } from '../../../../cloud/stack/commands/doctor.ts';
import { judgeConcurrency, judgeJobs, judgeRates, listedOf, quotaArguments } from '../../../../cloud/stack/commands/quotas.ts';
import { judgeRegion } from '../../../../cloud/stack/commands/regions.ts';
import { judgeBootstrap, judgeStack } from '../../../../cloud/stack/commands/stackState.ts';
import { defaultQuotas } from '../../../../cloud/stack/quotas.ts';
import { loadSettings } from '../../../../cloud/stack/settings.ts';
import { scratchDir } from '../../local/serve.ts';
import { serveRecorded, versions } from './recordedAws.ts';

const settings = loadSettings();

it('reads the command line', () => {
  expect(parseArguments(['deploy'])).toEqual({
    command: { kind: 'deploy', yes: false, out: 'pixwatch-connection.json' },
    profile: undefined,
  });
  expect(parseArguments(['destroy', '--empty-buckets', '--profile', 'home'])).toEqual({
    command: { kind: 'destroy', yes: false, emptyBuckets: true },
    profile: 'home',
  });
  expect(parseArguments(['diff', '--against', 'old.json']).command).toEqual({ kind: 'diff', against: 'old.json' });
  expect(parseArguments(['deploy', '--help']).command).toEqual({ kind: 'help' });
  for (const argv of [['doctor', '--yes'], ['diff', 'x'], ['add-user'], ['add-user', 'me'], ['deploy', '--outt', 'x']]) {
    expect(() => parseArguments(argv)).toThrow(/ See npm run cloud:deploy -- --help\.$/);
  }
});

it('a region without what is switched on is missing', () => {
  const judged = (region: string, answers: boolean | null, detectors = settings.detectors) => judgeRegion({ region, detectors }, answers);
  expect(judged('eu-west-1', null).kind).toBe('ok');
  expect(judged('eu-north-1', false)).toMatchObject({ kind: 'missing', text: expect.stringMatching(/has no Rekognition .*eu-west-1/) });
  expect(judged('eu-north-1', true).kind).toBe('ok');
  expect(judged('us-gov-west-1', true)).toMatchObject({
    kind: 'missing',
    text: expect.stringMatching(/cannot be deployed in us-gov-west-1/),
  });
  expect(judged('ca-central-1', true)).toMatchObject({ kind: 'missing', text: expect.stringMatching(/has no DetectLabels, DetectText/) });
  expect(judged('ca-central-1', true, { labels: false, text: false, faces: true, moderation: false, videoLabels: false }).kind).toBe('ok');
});

it('says how often what is switched on will be called, and compares that with the account’s quotas', () => {
  const detectors = { labels: false, text: true, faces: false, moderation: false, videoLabels: false };
  const of = (DetectText?: number | null, functions = 1000) =>
    judgeRates({ ...settings, detectors, callsPerSecond: { DetectText } }, { callsPerSecond: { DetectText: 5 } }, functions)[0];
  expect(of()).toEqual({ kind: 'ok', text: 'Quota of DetectText: the account allows 5 calls a second.' });
  expect(of(undefined, 10)?.text).toMatch(/allows 5 calls a second, of which 1\.43 are made, as the account's functions take no more\./);
  expect([of(5), of(6), of(null)].map((finding) => finding?.kind)).toEqual(['ok', 'warning', 'warning']);
  const unlisted = judgeRates(settings, { callsPerSecond: {} }, 1000);
  expect(unlisted.map(({ kind }) => kind)).toEqual(Array(6).fill('unknown'));
});

it('reads what Service Quotas calls its quotas, the account’s own last', () => {
  const name = 'Transactions per second per account for the Amazon Rekognition Video stored video operation';
  const jobs = 'Concurrent Amazon Rekognition Video stored video jobs per account';
  const listed = listedOf([
    { QuotaName: `${name} StartLabelDetection`, Value: 5 },
    { QuotaName: `${name} GetLabelDetection`, Value: 20 },
    { QuotaName: jobs, Value: 20 },
    { QuotaName: `${name} StartLabelDetection`, Value: 8 },
    { QuotaName: 'Faces in a collection of DetectLabels', Value: 1 },
  ]);
  expect(listed).toEqual({ callsPerSecond: { StartLabelDetection: 8, GetLabelDetection: 20 }, jobs: 20 });
  expect(judgeJobs(settings, listed).map(({ text }) => text)).toEqual([
    'Quota of videos: 20 are looked at at a time in the account; others wait.',
  ]);
});

it('new accounts’ ten functions at a time are too few for the photos that Rekognition takes', () => {
  expect(judgeConcurrency(settings, { callsPerSecond: { DetectLabels: 5 } }, 10).kind).toBe('warning');
  expect(judgeConcurrency(settings, { callsPerSecond: {} }, 1000).kind).toBe('ok');
});

it('deploying takes the account’s quotas, or AWS’s defaults where they cannot be read, and says so', async () => {
  const quotas = [{ QuotaName: 'Transactions per second per account for DetectText', Value: 7 }];
  const { endpoint } = await serveRecorded({
    ListAWSDefaultServiceQuotas: JSON.stringify({ Quotas: [] }),
    ListServiceQuotas: JSON.stringify({ Quotas: quotas }),
  });
  for (const [name, value] of Object.entries({ AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'test' }))
    vi.stubEnv(name, value);
  const lines = [vi.spyOn(console, 'error').mockReturnValue(), vi.spyOn(console, 'log').mockReturnValue()];
  onTestFinished(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
  const [, context = ''] = await quotaArguments(openAccount('eu-west-1'), { ...settings, region: 'eu-west-1' });
  const { callsPerSecond, functions } = defaultQuotas('eu-west-1');
  expect(context).toBe(`quotas=${JSON.stringify({ callsPerSecond: { ...callsPerSecond, DetectText: 7 }, functions })}`);
  const [errors = [], said = []] = lines.map(({ mock }) => mock.calls.flat());
  expect(errors).toEqual([expect.stringMatching(/^The quota of Lambda cannot be read \(.*\): AWS's defaults are taken\.$/)]);
  expect(said).toEqual([expect.stringMatching(/DetectLabels 50, DetectText 7, /)]);
});

it('judges the state of the account', () => {
  const stack = (status: string, outputs = {}) => ({ status, outputs, isProtected: false });
  const bootstrap = (version?: string) =>
    judgeBootstrap(version ? stack('CREATE_COMPLETE', { BootstrapVersion: version }) : null, '1', 'r');
  expect([bootstrap(), bootstrap('5'), bootstrap('6')].map(({ kind }) => kind)).toEqual(['missing', 'missing', 'ok']);
  const states = ['CREATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE', 'ROLLBACK_COMPLETE', 'UPDATE_IN_PROGRESS', 'UPDATE_ROLLBACK_FAILED'];
  expect(states.map((status) => judgeStack('p', stack(status)).kind)).toEqual(['ok', 'ok', 'warning', 'missing', 'missing']);
  expect(judgeIdentity({ account: '1', arn: 'arn:aws:iam::1:root', isRoot: true }).kind).toBe('warning');
});

it('warns when nobody would hear of alarms or of the bill', () => {
  const of = (gets: 'alerts' | 'alarms') =>
    judgeSubscribers({ subscribers: [{ protocol: 'email', endpoint: 'me@example.org', gets }], spendAlarmPerMonth: 50 });
  expect(of('alerts')).toMatchObject({ kind: 'warning', text: expect.stringMatching(/nobody will be told/) });
  expect(of('alarms')).toMatchObject({ kind: 'ok', text: expect.stringMatching(/above 50 USD a month: me@example\.org/) });
});

it('settings that cannot be used are a finding, not a crash', async () => {
  const path = join(await scratchDir(), 'pixwatch.config.json');
  await writeFile(path, '{"name":"p"}');
  expect(readSettings(path)).toMatchObject({
    read: null,
    finding: { kind: 'missing', text: expect.stringMatching(/region: must be given/) },
  });
});

it('a stack that lacks outputs is told by name', () => {
  expect(() => connectionOf('p', { status: 'CREATE_COMPLETE', outputs: { region: 'eu-west-1' }, isProtected: false })).toThrow(
    /^The stack p \(CREATE_COMPLETE\) does not say how to connect to it: outputs, inputBucket/,
  );
});

it.each([
  [Object.assign(new Error('x'), { name: 'ExpiredToken' }), /have expired\. Run "aws sso login"/],
  [Object.assign(new Error('x'), { name: 'InvalidClientTokenId' }), /does not know these credentials/],
  [Object.assign(new Error('x'), { code: 'ENOTFOUND' }), /Is this computer online/],
  [
    Object.assign(new Error('Could not resolve credentials using profile: [home]'), { name: 'CredentialsProviderError' }),
    /"home" is not there/,
  ],
  [new Error('first\n    at second'), /^first$/],
])('%s becomes a sentence', (thrown, sentence) => {
  expect(reasonOf(thrown)).toMatch(sentence);
});

it('counts and deletes every version in a bucket', async () => {
  const { endpoint, asked } = await serveRecorded({ 'GET /b': versions([5, 7], 1), 'POST /b': '<DeleteResult></DeleteResult>' });
  const s3 = new S3Client({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'A', secretAccessKey: 's' }, forcePathStyle: true });
  expect(await countBucket(s3, 'b')).toEqual({ objects: 2, markers: 1, bytes: 12, archivedBytes: 0 });
  const counts: number[] = [];
  await emptyBucket(s3, 'b', (count) => counts.push(count));
  expect(counts).toEqual([3]);
  expect(asked.at(-1)).toBe('POST /b');
});
