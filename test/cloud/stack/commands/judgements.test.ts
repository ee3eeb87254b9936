import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { reasonOf } from '../../../../cloud/stack/commands/account.ts';
import { parseArguments } from '../../../../cloud/stack/commands/arguments.ts';
import { countBucket, emptyBucket } from '../../../../cloud/stack/commands/buckets.ts';
import { connectionOf } from '../../../../cloud/stack/commands/connection.ts';
import { judgeIdentity, readSettings } from '../../../../cloud/stack/commands/doctor.ts';
import { judgeConcurrency, judgeRates } from '../../../../cloud/stack/commands/quotas.ts';
import { judgeRegion } from '../../../../cloud/stack/commands/regions.ts';
import { judgeBootstrap, judgeStack } from '../../../../cloud/stack/commands/stackState.ts';
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

it('compares the wanted rates of what is switched on with the account’s', () => {
  const of = (callsPerSecond: Partial<typeof settings.callsPerSecond>) =>
    judgeRates(
      {
        detectors: { labels: true, text: false, faces: false, moderation: false, videoLabels: false },
        callsPerSecond: { ...settings.callsPerSecond, ...callsPerSecond },
      },
      new Map([['DetectLabels', 5]]),
    )[0];
  expect(of({ DetectLabels: 5 })?.kind).toBe('ok');
  expect(of({ DetectLabels: 6 })?.kind).toBe('warning');
  expect(of({ DetectLabels: null })?.kind).toBe('warning');
  expect(judgeRates(settings, new Map()).map(({ kind }) => kind)).toEqual(['unknown', 'unknown', 'unknown', 'unknown', 'unknown']);
});

it('new accounts’ ten functions at a time are too few for five photos a second', () => {
  expect(judgeConcurrency(settings, 10).kind).toBe('warning');
  expect(judgeConcurrency(settings, 1000).kind).toBe('ok');
});

it('judges the state of the account', () => {
  const stack = (status: string, outputs = {}) => ({ status, outputs, isProtected: false });
  const bootstrap = (version?: string) =>
    judgeBootstrap(version ? stack('CREATE_COMPLETE', { BootstrapVersion: version }) : null, '1', 'r');
  expect([bootstrap(), bootstrap('5'), bootstrap('6')].map(({ kind }) => kind)).toEqual(['missing', 'missing', 'ok']);
  const states = ['CREATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE', 'ROLLBACK_COMPLETE', 'UPDATE_IN_PROGRESS', 'UPDATE_ROLLBACK_FAILED'];
  expect(states.map((status) => judgeStack('p', stack(status)).kind)).toEqual(['ok', 'ok', 'warning', 'missing', 'missing']);
  const unfinished = judgeStack('p', { ...stack('ROLLBACK_COMPLETE'), isProtected: true });
  expect(unfinished).toMatchObject({ kind: 'missing', text: expect.stringContaining('--no-enable-termination-protection --stack-name p') });
  expect(judgeIdentity({ account: '1', arn: 'arn:aws:iam::1:root', isRoot: true }).kind).toBe('warning');
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
  const { endpoint, asked } = await serveRecorded({ 'GET /b': versions([5, 7]), 'POST /b': '<DeleteResult></DeleteResult>' });
  const s3 = new S3Client({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'A', secretAccessKey: 's' }, forcePathStyle: true });
  expect(await countBucket(s3, 'b')).toEqual({ objects: 2, bytes: 12, archivedBytes: 0 });
  const counts: number[] = [];
  await emptyBucket(s3, 'b', (count) => counts.push(count));
  expect(counts).toEqual([2]);
  expect(asked.at(-1)).toBe('POST /b');
});
