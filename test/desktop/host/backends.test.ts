import { mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type App, startApp } from '../../../desktop/host/startApp.ts';
import type { AgentEvent } from '../../../shared/contract.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import { ruleItem } from '../../../shared/keys.ts';
import type { LibraryId } from '../../../shared/model/asset.ts';
import type { RuleId } from '../../../shared/model/rule.ts';
import { idOf, labelOf } from '../agent/search/library.ts';
import { startTestCloud, type TestCloud } from '../agent/testAgent.ts';

/** Two more local clouds stand for two backends on AWS, which a profile lets in. */

const owner = 'owner' as LibraryId;
let clouds: string;
let a: TestCloud;
let b: TestCloud;
beforeAll(async () => {
  clouds = await mkdtemp(join(tmpdir(), 'pixwatch-backends-'));
  [a, b] = await Promise.all([startTestCloud(join(clouds, 'a')), startTestCloud(join(clouds, 'b'))]);
  const profile = (name: string, { credentials }: TestCloud) =>
    `[${name}]\naws_access_key_id = ${credentials.accessKeyId}\naws_secret_access_key = ${credentials.secretAccessKey}\n`;
  await writeFile(join(clouds, 'credentials'), profile('a', a) + profile('b', b));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(clouds, 'credentials'));
  vi.stubEnv('AWS_CONFIG_FILE', join(clouds, 'none'));
});
afterAll(async () => {
  await Promise.all([a.stop(), b.stop()]);
  await rm(clouds, { recursive: true });
});

let dir: string;
let dataDir: string;
let photos: string;
let app: App;
let events: AgentEvent[];
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'pixwatch-switch-')));
  dataDir = join(dir, 'data');
  photos = join(dir, 'photos');
  await mkdir(photos);
  await start();
  return async () => {
    await app.close();
    await rm(dir, { recursive: true });
  };
});

async function start(): Promise<void> {
  // Without vision models: a file is where their folder should be.
  const modelsDir = join(dir, 'models');
  await writeFile(modelsDir, '');
  const started = await startApp({ dataDir, modelsDir, onModelProgress: () => {}, log: () => {} });
  if (started.kind !== 'started') throw new Error('another one runs');
  app = started.app;
  events = [];
  app.agent.onEvent((event) => events.push(event));
}

const fileOf = ({ connection: { library: _, ...place } }: TestCloud, name: string) =>
  JSON.stringify({
    version: 1,
    name,
    ...place,
    signIn: { userPool: 'us-east-1_Example01', userPoolClient: 'client1', identityPool: 'us-east-1:0a' },
  });
const use = (cloud: TestCloud, profile: string) => app.handlers.connectByProfile({ text: fileOf(cloud, profile), profile });
const addPhoto = (content: string) => writeFile(join(photos, `${content}.jpg`), content);
const found = async (text: string) => (await app.handlers.search({ text, cursor: null, limit: 100 })).items.map(({ name }) => name);
const eventually = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 15_000 });
const inboxOf = (...contents: string[]) => contents.map((content) => `inbox/owner/${idOf(content)}.jpg`).sort();

/** When each original of the owner was stored, by its key. */
async function stored({ connection, credentials }: TestCloud): Promise<Record<string, string>> {
  const { endpoint = '', region } = connection;
  const s3 = new S3Client({ endpoint, region, credentials: { ...credentials } });
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: connection.inputBucket, Prefix: 'inbox/owner/' }));
  s3.destroy();
  return Object.fromEntries(Contents.map(({ Key, LastModified }) => [Key ?? '', LastModified?.toISOString() ?? '']));
}
const keysIn = async (cloud: TestCloud) => Object.keys(await stored(cloud)).sort();

describe('changing between backends', () => {
  test('keeps index and rules, sends what is missing only, and alerts once', async () => {
    for (const content of ['one', 'two', 'three']) await addPhoto(content);
    await app.handlers.addFolder({ path: photos });
    const draft = {
      name: 'Dogs',
      condition: { kind: 'label', label: 'Dog', minConfidence: 80 },
      notify: { desktop: true, sns: false },
    } as const;
    const rule = await app.handlers.saveRule({ id: null, draft });
    await eventually(async () => (await app.handlers.status({})).files.analysing).toBe(3);

    // To a first backend, which has nothing.
    await use(a, 'a');
    expect(await app.handlers.backend({})).toMatchObject({
      inUse: 'aws',
      isChosen: true,
      aws: { name: 'a', as: { profile: 'a' }, isSignedIn: true },
    });
    expect((await app.handlers.folders({})).map(({ path, files }) => ({ path, files }))).toEqual([{ path: photos, files: 3 }]);
    expect(await app.handlers.rules({})).toEqual([rule]);
    await eventually(() => keysIn(a)).toEqual(inboxOf('one', 'two', 'three'));
    const match = { rule: rule.id as RuleId, name: 'Dogs', because: 'Dog 95 %', revision: 1, notify: draft.notify };
    const dog = { library: owner, labels: [labelOf('Dog', 95)], matches: [match] };
    await a.finish('one', dog);
    await eventually(() => found('dog')).toEqual(['one.jpg']);
    await eventually(() => events.filter(({ kind }) => kind === 'alertRaised').length).toBe(1);

    // To a second one, which holds one of them already.
    await b.finish('two', { library: owner, labels: [labelOf('Cat', 90)] });
    await use(b, 'b');
    expect(await found('dog')).toEqual(['one.jpg']);
    expect(await app.handlers.rules({})).toEqual([rule]);
    await eventually(() => keysIn(b)).toEqual(inboxOf('one', 'three'));
    await eventually(() => found('cat')).toEqual(['two.jpg']);
    await eventually(async () => (await app.handlers.status({})).files.analysing).toBe(2);
    await b.finish('one', dog);
    await eventually(async () => (await app.handlers.status({})).files.searchable).toBe(2);
    await addPhoto('four');
    await eventually(() => keysIn(b)).toEqual(inboxOf('four', 'one', 'three'));
    expect((await app.handlers.alerts({ cursor: null, limit: 10 })).items).toHaveLength(1);
    expect(events.filter(({ kind }) => kind === 'alertRaised')).toHaveLength(1);

    // Back to the first: all as it was, and what came meanwhile is found and sent; nothing is sent again.
    const before = await stored(a);
    await use(a, 'a');
    await eventually(() => keysIn(a)).toEqual(inboxOf('four', 'one', 'two', 'three'));
    expect(await stored(a)).toMatchObject(before);
    expect(await found('dog')).toEqual(['one.jpg']);
    expect(await found('cat')).toEqual([]);
    expect((await app.handlers.alerts({ cursor: null, limit: 10 })).items).toHaveLength(1);

    // And to this computer, where four were sent by then.
    await app.handlers.chooseThisComputer({});
    expect(await app.handlers.backend({})).toMatchObject({ inUse: 'thisComputer', aws: { name: 'a' } });
    expect(await found('dog')).toEqual([]);
    await eventually(async () => (await app.handlers.status({})).files.analysing).toBe(4);
    expect(events.filter(({ kind }) => kind === 'alertRaised')).toHaveLength(1);
  });

  test('brings every rule to the new backend', async () => {
    const draft = {
      name: 'Cats',
      condition: { kind: 'label', label: 'Cat', minConfidence: 50 },
      notify: { desktop: true, sns: true },
    } as const;
    const rule = await app.handlers.saveRule({ id: null, draft });
    await use(a, 'a');
    const { endpoint = '', region, table } = a.connection;
    const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region, credentials: { ...a.credentials } }));
    const get = new GetCommand({ TableName: table, Key: ruleItem(owner, rule.id as RuleId) });
    await eventually(async () => (await dynamodb.send(get)).Item).toMatchObject({ ...rule });
    dynamodb.destroy();
  });

  test('is remembered after a restart, with no local cloud started, and can be undone', async () => {
    await use(a, 'a');
    await app.close();
    await rm(join(dataDir, 'cloud'), { recursive: true });
    await start();
    expect(await app.handlers.backend({})).toMatchObject({ inUse: 'aws', aws: { name: 'a' } });
    await expect(stat(join(dataDir, 'cloud'))).rejects.toThrow('ENOENT');
    await app.ready;
    await app.handlers.chooseThisComputer({});
    await app.handlers.chooseAws({});
    expect(await app.handlers.backend({})).toMatchObject({ inUse: 'aws', aws: { name: 'a' } });
  });

  test('calls wait meanwhile, and waiting until idle goes on', async () => {
    await addPhoto('five');
    const { id } = await app.handlers.addFolder({ path: photos });
    const empty = join(dir, 'empty');
    await mkdir(empty);
    const other = await app.handlers.addFolder({ path: empty });
    // An argument of the agent's goes on to it: nothing is in that folder.
    expect((await app.agent.untilIdle(undefined, [other.id])).files.analysing).toBe(0);
    const idle = app.agent.untilIdle(undefined, [id]);
    const [, status] = await Promise.all([
      use(a, 'a'),
      app.handlers.status({}),
      app.handlers.chooseThisComputer({}),
      app.handlers.chooseAws({}),
    ]);
    expect(status.files).toBeDefined();
    await eventually(async () => (await keysIn(a)).includes(inboxOf('five')[0] ?? '')).toBe(true);
    await a.finish('five', { library: owner });
    expect(await idle).toMatchObject({ failed: [], files: { searchable: 1 } });
  });
});

describe('what cannot be', () => {
  test('a profile that gives no keys is refused, and nothing changes', async () => {
    await expect(use(a, 'nobody')).rejects.toThrow(/The AWS profile “nobody” gives no keys: .*aws sso login --profile nobody/);
    expect(await app.handlers.backend({})).toEqual({ inUse: 'thisComputer', isChosen: false, aws: null });
    expect((await app.handlers.status({})).problem).toBeNull();
  });

  test('a file that is no connection file is refused', async () => {
    await expect(app.handlers.connectByProfile({ text: '{}', profile: 'a' })).rejects.toThrow('“version” is missing');
    await expect(app.handlers.chooseAws({})).rejects.toThrow('No backend on AWS is known here yet.');
  });

  test('a backend whose index cannot be made: the one before goes on', async () => {
    await writeFile(join(dataDir, 'backends'), 'in the way');
    await expect(use(a, 'a')).rejects.toThrow(/ENOTDIR|EEXIST/);
    expect(await app.handlers.backend({})).toMatchObject({ inUse: 'thisComputer', aws: null });
    await app.handlers.addFolder({ path: photos });
    expect(await app.handlers.folders({})).toHaveLength(1);
  });

  test('a choice that was damaged is said, and not guessed at', async () => {
    await app.close();
    await writeFile(join(dataDir, 'backend.json'), '{"version":1,"inUse":"aws","aws":null}');
    await expect(start()).rejects.toThrow(InvalidInput);
    await expect(start()).rejects.toThrow(/backend\.json is damaged or of a newer Pixwatch\. Delete it/);
    await rm(join(dataDir, 'backend.json'));
    await start();
  });
});

test('choosing this computer is remembered too', async () => {
  await app.handlers.chooseThisComputer({});
  expect(await app.handlers.backend({})).toEqual({ inUse: 'thisComputer', isChosen: true, aws: null });
  expect(JSON.parse(await readFile(join(dataDir, 'backend.json'), 'utf8'))).toEqual({ version: 1, inUse: 'thisComputer', aws: null });
  expect((await stat(join(dataDir, 'backend.json'))).mode & 0o077).toBe(0);
});
