import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { defaultQuotas } from '../../../../cloud/stack/quotas.ts';
import { parseConnectionFile } from '../../../../shared/connection.ts';
import { scratchDir } from '../../local/serve.ts';
import { identity, noStack, type Recorded, resourceList, serveRecorded, stack, template, versions } from './recordedAws.ts';

const entry = fileURLToPath(new URL('../../../../cloud/stack/commands/cloud.mjs', import.meta.url));

const { PATH, NODE_COMPILE_CACHE } = process.env;

/** Runs a command as npm does, with the account of `env`; without one there are no credentials anywhere. */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, typed = '') {
  const home = await scratchDir();
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: home,
    env: { PATH, NODE_COMPILE_CACHE, HOME: home, USERPROFILE: home, AWS_EC2_METADATA_DISABLED: 'true', ...env },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  child.stdin.end(typed);
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(said).not.toMatch(/\n\s+at /);
  return { code, said, home };
}

const keys = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'for tests only' };
async function account(recorded: Recorded) {
  const { endpoint, asked } = await serveRecorded({ GetCallerIdentity: identity('arn:aws:iam::123456789012:user/me'), ...recorded });
  return { env: { ...keys, AWS_ENDPOINT_URL: endpoint }, asked };
}

const outputs = {
  region: 'us-east-1',
  inputBucket: 'pixwatch-in',
  outputBucket: 'pixwatch-out',
  table: 'pixwatch-table',
  commandsFunction: 'pixwatch-commands',
  userPool: 'us-east-1_abc',
  userPoolClient: 'client1',
  identityPool: 'us-east-1:12ab-34cd',
};
const prepared = { 'DescribeStacks CDKToolkit': stack('CDKToolkit', 'CREATE_COMPLETE', { BootstrapVersion: '27' }) };
const deployed = { ...prepared, 'DescribeStacks pixwatch': stack('pixwatch', 'CREATE_COMPLETE', outputs) };
const parts = {
  'GetTemplate pixwatch': template({
    In: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'RetainExceptOnCreate' },
    Out: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Delete' },
    Fn: { Type: 'AWS::Lambda::Function' },
  }),
  'ListStackResources pixwatch': resourceList([
    ['In', 'AWS::S3::Bucket', 'pixwatch-in'],
    ['Out', 'AWS::S3::Bucket', 'pixwatch-out'],
    ['Fn', 'AWS::Lambda::Function', 'pixwatch-fn'],
  ]),
  'GET /pixwatch-in': versions([2_000_000_000, 3_000_000_000]),
  'GET /pixwatch-out': versions([1]),
};

it('without credentials the doctor checks what it can, says what to do, and fails', async () => {
  const { code, said } = await run(['doctor']);
  expect(code).toBe(1);
  expect(said).toMatch(/^ok +Settings: pixwatch in us-east-1/m);
  expect(said).toMatch(/^ok +Region: us-east-1 has Rekognition/m);
  expect(said).toMatch(/^missing +Account: There are no credentials for AWS\. Sign in with "aws configure/m);
  expect(said).toMatch(/^unknown +Quotas of Rekognition cannot be checked: /m);
});

it.each([['deploy', '--yes'], ['destroy', '--yes'], ['connection'], ['add-user', 'me@example.org']])(
  'without credentials, %s says so and changes nothing',
  async (...args) => {
    const { code, said } = await run(args);
    expect(code).toBe(1);
    expect(said).toMatch(/There are no credentials for AWS\./);
  },
);

it('without credentials, diff says what would be made, what that costs and what stays, and that it compared nothing', async () => {
  const { code, said } = await run(['diff']);
  expect(said).toMatch(/^It cannot be compared with what is deployed\. There are no credentials for AWS\./);
  expect(said).toMatch(/^ {2}3 buckets\n {2}1 table$/m);
  expect(said).toMatch(/^ +4\.\d\d {2}in all, by prices of 20/m);
  expect(said).toMatch(/stay when it is removed:\n {2}3 buckets\n {2}1 table\n {2}1 user pool .*\n {2}1 identity pool .*\n$/);
  expect(code).toBe(1);
});

it('diff compares with a template in a file without an account, and says when it is none', async () => {
  const { code, said, home } = await run(['diff', '--against', 'no.json']);
  expect(said).toMatch(/no\.json cannot be read as a template \(ENOENT/);
  expect(code).toBe(1);
  const path = join(home, 'old.json');
  const Properties = { Environment: { Variables: { PIXWATCH_SETTINGS: '{}' } } };
  const Resources = { Gone: { Type: 'AWS::SQS::Queue' }, Pipelineadmit42632274: { Type: 'AWS::Lambda::Function', Properties } };
  await writeFile(path, JSON.stringify({ Resources }));
  // As quotaArguments tells the CDK.
  const quotas = { ...defaultQuotas('us-east-1'), functions: 14 };
  const compared = await run(['diff', '--against', path], { CDK_CONTEXT_JSON: JSON.stringify({ quotas: JSON.stringify(quotas) }) });
  expect(compared.said).toMatch(/^\[-\] AWS::SQS::Queue Gone destroy/m);
  expect(compared.said).toMatch(/\[\+\] .*"DetectLabels\\?":2,/);
  expect(compared.said).toMatch(/^\[\+\] AWS::S3::Bucket Storage\/Input /m);
  expect(compared.code).toBe(0);
}, 120_000);

it.each([['doctor'], ['deploy'], ['destroy']])('without a network, %s says so at once', async (...args) => {
  const { code, said } = await run(args, { ...keys, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' });
  expect(code).toBe(1);
  expect(said).toMatch(/AWS does not answer\. Is this computer online\?/);
});

it('a command that is not understood ends with 2', async () => {
  expect(await run(['deplyo'])).toMatchObject({ code: 2, said: expect.stringMatching(/^There is no command "deplyo"\./) });
});

it('in a prepared account the doctor finds nothing missing, and tells what the quotas are', async () => {
  const quota = (QuotaName: string, Value: number) => ({ QuotaName: `Transactions per second per account for ${QuotaName}`, Value });
  const { env } = await account({
    ...prepared,
    'DescribeStacks pixwatch': noStack('pixwatch'),
    ListAWSDefaultServiceQuotas: JSON.stringify({ Quotas: [quota('DetectLabels', 50), quota('DetectText', 3)] }),
    ListServiceQuotas: JSON.stringify({ Quotas: [quota('DetectLabels', 80)] }),
    'GET /2016-08-19/account-settings': JSON.stringify({ AccountLimit: { UnreservedConcurrentExecutions: 10 } }),
  });
  const { code, said } = await run(['doctor'], env);
  expect(said).toMatch(/^ok +Account: 123456789012, as arn:aws:iam::123456789012:user\/me\.$/m);
  expect(said).toMatch(/^ok +CDK: the account is prepared for it \(version 27\)\.$/m);
  expect(said).toMatch(/^ok +Stack: there is no pixwatch yet; deploying creates it\.$/m);
  expect(said).toMatch(/^ok +Quota of DetectLabels: the account allows 80 calls a second, of which 1\.43 are made/m);
  expect(said).toMatch(/^ok +Quota of DetectText: the account allows 3 calls a second/m);
  expect(said).toMatch(/^warning +Quota of Lambda: .* the account allows 10\./m);
  expect(said).toMatch(/^Nothing is missing\./m);
  expect(code).toBe(0);
});

it('an account that was not prepared for the CDK is told how, before anything is created', async () => {
  const { env } = await account({
    'DescribeStacks CDKToolkit': noStack('CDKToolkit'),
    'DescribeStacks pixwatch': noStack('pixwatch'),
  });
  const { code, said } = await run(['deploy', '--yes'], env);
  expect(code).toBe(1);
  expect(said).toMatch(/^missing +CDK: .* npx cdk bootstrap aws:\/\/123456789012\/us-east-1$/m);
});

it('a first deployment that failed is begun anew: before the CDK deletes it, its protection is switched off', async () => {
  const { env, asked } = await account({ ...prepared, 'DescribeStacks pixwatch': stack('pixwatch', 'ROLLBACK_COMPLETE') });
  const { code, said } = await run(['deploy', '--yes'], env);
  expect(said).toMatch(/^warning +Stack: pixwatch was never finished \(ROLLBACK_COMPLETE\)\. Deploying begins anew\.$/m);
  // Which is denied here, so that nothing comes after it.
  expect(asked.at(-1)).toBe('UpdateTerminationProtection pixwatch');
  expect(said).toMatch(/These credentials may not do this/);
  expect(code).toBe(1);
});

it('shows and writes the connection file of a deployed stack', async () => {
  const { env } = await account(deployed);
  const shown = await run(['connection'], env);
  expect(shown.code).toBe(0);
  expect(parseConnectionFile(shown.said)).toMatchObject({
    name: 'pixwatch',
    inputBucket: 'pixwatch-in',
    signIn: { userPool: 'us-east-1_abc' },
  });
  const { home } = await run(['connection', '--out', 'here.json'], env);
  expect(await readFile(join(home, 'here.json'), 'utf8')).toBe(shown.said);
});

it('says that there is nothing to connect to or to remove', async () => {
  const { env } = await account({ 'DescribeStacks pixwatch': noStack('pixwatch') });
  expect(await run(['connection'], env)).toMatchObject({
    code: 1,
    said: expect.stringMatching(/^There is no stack pixwatch .* npm run cloud:deploy/),
  });
  expect(await run(['destroy'], env)).toMatchObject({ code: 1, said: expect.stringMatching(/Nothing was removed\.$/m) });
});

it('what credentials may not do is said in a sentence', async () => {
  const { env } = await account({});
  const { code, said } = await run(['connection'], env);
  expect(code).toBe(1);
  expect(said).toMatch(/^It did not work: These credentials may not do this \(not allowed here\)\./);
});

it('removing says what goes and what stays, and deletes no photo unasked', async () => {
  const { env, asked } = await account({ ...deployed, ...parts });
  const { code, said } = await run(['destroy', '--yes'], env);
  expect(said).toMatch(/^ {2}AWS::S3::Bucket pixwatch-in: 2 objects, 5\.00 GB$/m);
  // 5 GB of S3 Standard, as shared/prices.json has it: 0.023 USD a GB.
  expect(said).toMatch(/^What stays costs some 0\.1[12] USD a month\./m);
  expect(said).toMatch(/add --empty-buckets/);
  expect(code).toBe(1);
  expect(asked.filter((action) => action.startsWith('POST') || action.startsWith('Delete'))).toEqual([]);
});

it.each(['', 'pixwich\n'])('empties no bucket unless the name of the stack is typed, --yes or not', async (typed) => {
  const { env, asked } = await account({ ...deployed, ...parts });
  const { code, said } = await run(['destroy', '--yes', '--empty-buckets'], env, typed);
  expect(said).toMatch(/Nothing was removed\.$/m);
  expect(code).toBe(1);
  expect(asked).not.toContain('POST /pixwatch-out');
});

it('counts a bucket that holds delete markers alone as one that AWS does not delete', async () => {
  const { env, asked } = await account({ ...deployed, ...parts, 'GET /pixwatch-out': versions([], 2) });
  const { code, said } = await run(['destroy', '--yes'], env);
  expect(said).toMatch(/^ {2}AWS::S3::Bucket pixwatch-out: 0 objects and 2 delete markers, 0\.00 GB$/m);
  expect(said).toMatch(/add --empty-buckets/);
  expect(code).toBe(1);
  expect(asked).not.toContain('POST /pixwatch-out');
});

it('empties what goes with the stack when its name is typed, the logs last, lets the CDK remove the rest, and does so again when logs came', async () => {
  const gone = { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Delete' };
  const done = {
    'GetTemplate pixwatch': template({ StorageLogs1: gone, StorageOutput2: gone }),
    'ListStackResources pixwatch': resourceList([
      ['StorageLogs1', 'AWS::S3::Bucket', 'pixwatch-logs'],
      ['StorageOutput2', 'AWS::S3::Bucket', 'pixwatch-out'],
    ]),
    'GET /pixwatch-logs': versions([1]),
    'POST /pixwatch-logs': '<DeleteResult></DeleteResult>',
    'POST /pixwatch-out': '<DeleteResult></DeleteResult>',
    'UpdateTerminationProtection pixwatch': '<R></R>',
  };
  const { env, asked } = await account({ ...deployed, ...parts, ...done });
  const { code, said } = await run(['destroy', '--empty-buckets'], env, 'pixwatch\n');
  expect(said).toMatch(/pixwatch-out: 1 deleted\.$/m);
  const changes = asked.filter((action) => /^(POST|Delete|Update)/.test(action));
  // The CDK itself is denied the rest here.
  const emptied = ['POST /pixwatch-out', 'POST /pixwatch-logs'];
  expect(changes.filter((action) => !action.startsWith('Delete'))).toEqual([
    ...emptied,
    'UpdateTerminationProtection pixwatch',
    ...emptied,
  ]);
  expect(said).toMatch(/The stack was not removed, or not all of it\. .* The CDK ended with code 1/);
  expect(code).toBe(1);
});
