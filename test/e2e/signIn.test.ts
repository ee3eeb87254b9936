import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
} from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocalCloud } from '../../cloud/local/startLocalCloud.ts';
import { keysOf, libraryOf, renewIdToken, revoke, signIn } from '../../desktop/agent/access/cognito.ts';
import { sessionCredentials } from '../../desktop/agent/access/session.ts';
import type { Keychain } from '../../desktop/host/keychain.ts';
import { type App, startApp } from '../../desktop/host/startApp.ts';
import { isoTime, systemClock } from '../../shared/clock.ts';
import { InvalidInput } from '../../shared/errors.ts';
import { assetItem } from '../../shared/keys.ts';
import type { LibraryId } from '../../shared/model/asset.ts';
import { idOf, labelOf, recordOf } from '../desktop/agent/search/library.ts';

/** Signing in to a backend as it is on AWS, at the local cloud: the same requests, the same policy. */

const password = 'Correct-Horse-7';
let clouds: string;
let cloud: LocalCloud;
let owner: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } };

beforeAll(async () => {
  clouds = await mkdtemp(join(tmpdir(), 'pixwatch-signin-'));
  const models = join(clouds, 'no models');
  await writeFile(models, 'a file, where a folder should be');
  cloud = await startLocalCloud({ dir: join(clouds, 'cloud'), models, clock: systemClock, log: () => {} });
  owner = { endpoint: cloud.endpoint, region: cloud.connection.region, credentials: { ...cloud.credentials } };
  for (const user of ['anna', 'ben']) {
    await administer((pool) => new AdminCreateUserCommand({ UserPoolId: pool, Username: user, TemporaryPassword: 'First-Horse-1' }));
  }
  await administer((pool) => new AdminSetUserPasswordCommand({ UserPoolId: pool, Username: 'ben', Password: password, Permanent: true }));
});
afterAll(async () => {
  await cloud.close();
  await rm(clouds, { recursive: true });
});

async function administer(command: (pool: string) => AdminCreateUserCommand | AdminSetUserPasswordCommand): Promise<void> {
  const client = new CognitoIdentityProviderClient(owner);
  await client.send(command(cloud.connectionFile.signIn.userPool) as AdminCreateUserCommand);
  client.destroy();
}

let dir: string;
let photos: string;
let app: App;
let kept: Map<string, string>;
let lines: string[];
beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'pixwatch-signed-in-')));
  photos = join(dir, 'photos');
  await mkdir(photos);
  kept = new Map();
  lines = [];
  await start();
  return async () => {
    await app.close();
    await rm(dir, { recursive: true });
  };
});

async function start(keychain: Keychain = memoryKeychain()): Promise<void> {
  const modelsDir = join(dir, 'models');
  await writeFile(modelsDir, '');
  const started = await startApp({
    dataDir: join(dir, 'data'),
    modelsDir,
    keychain,
    onModelProgress: () => {},
    log: (line) => lines.push(line),
  });
  if (started.kind !== 'started') throw new Error('another one runs');
  app = started.app;
}

/** Outlives the app as the system's keychain does. */
const memoryKeychain = (): Keychain => ({
  read: async (account) => kept.get(account) ?? null,
  write: async (account, secret) => void kept.set(account, secret),
  remove: async (account) => void kept.delete(account),
});

const noKeychain: Keychain = {
  read: () => Promise.reject(new Error('no Secret Service')),
  write: () => Promise.reject(new Error('no Secret Service')),
  remove: () => Promise.reject(new Error('no Secret Service')),
};

const connect = (user: string, words: { password: string; newPassword?: string }) =>
  app.handlers.connect({ text: JSON.stringify(cloud.connectionFile), words: { user, newPassword: null, ...words } });
const eventually = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 20_000 });
const filesOf = async () => (await app.handlers.status({})).files;

/** The library of whoever is signed in. */
async function ownLibrary(): Promise<LibraryId> {
  return JSON.parse(await readFile(join(dir, 'data', 'backend.json'), 'utf8')).aws.library;
}

/** Writes a record as the pipeline does. */
async function finish(content: string, library: LibraryId): Promise<void> {
  const record = recordOf(content, { library, changedAt: isoTime(systemClock), labels: [labelOf('Dog', 95)] });
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(owner));
  await client.send(new PutCommand({ TableName: cloud.connection.table, Item: { ...assetItem(library, record.asset), ...record } }));
  client.destroy();
}

describe('signing in', () => {
  test('a first password is replaced; then photos are sent and found as the user', async () => {
    expect(await connect('anna', { password: 'First-Horse-1' })).toEqual({ kind: 'newPasswordNeeded' });
    expect(await app.handlers.backend({})).toMatchObject({ inUse: 'thisComputer', aws: null });
    expect(await connect('anna', { password: 'First-Horse-1', newPassword: password })).toEqual({ kind: 'signedIn' });
    expect(await app.handlers.backend({})).toMatchObject({
      inUse: 'aws',
      aws: { as: { kind: 'user', user: 'anna' }, isSignedIn: true, isKept: true },
    });

    await writeFile(join(photos, 'dog.jpg'), 'dog');
    await app.handlers.addFolder({ path: photos });
    await eventually(async () => (await filesOf()).analysing).toBe(1);
    const library = await ownLibrary();
    const s3 = new S3Client(owner);
    const key = `inbox/${library}/${idOf('dog')}.jpg`;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: cloud.connection.inputBucket, Key: key }));
    expect(await Body?.transformToString()).toBe('dog');
    s3.destroy();
    await finish('dog', library);
    await eventually(async () => (await app.handlers.search({ text: 'label:dog', cursor: null, limit: 9 })).total).toBe(1);

    // The keychain has the sign-in, no file of ours has.
    const [token = ''] = kept.values();
    expect(token.length).toBeGreaterThan(20);
    for (const name of await readdir(join(dir, 'data'), { recursive: true, withFileTypes: true })) {
      if (!name.isFile() || name.parentPath.includes('/cloud')) continue;
      const bytes = await readFile(join(name.parentPath, name.name));
      for (const secret of [token, password, 'First-Horse-1']) expect(bytes.includes(secret), name.name).toBe(false);
    }
    expect(lines.join('\n')).not.toContain(token);
  });

  test('says no more than that the words are not right', async () => {
    const sentence = 'User name or password is not right.';
    await expect(connect('ben', { password: 'wrong' })).rejects.toThrow(new InvalidInput(sentence));
    await expect(connect('nobody', { password: 'wrong' })).rejects.toThrow(new InvalidInput(sentence));
    expect(await app.handlers.backend({})).toMatchObject({ inUse: 'thisComputer', aws: null });
    expect(kept.size).toBe(0);
  });

  test('goes on after a restart without a password, and not after signing out', async () => {
    await connect('ben', { password });
    await app.close();
    await start();
    await eventually(async () => (await app.handlers.status({})).offline).toBeNull();
    expect(await app.handlers.backend({})).toMatchObject({ aws: { isSignedIn: true } });
    const [token = ''] = kept.values();

    await app.handlers.signOut({});
    expect(kept.size).toBe(0);
    expect(await renewIdToken(cloud.connectionFile, token)).toBeNull();
    expect(await app.handlers.backend({})).toMatchObject({ inUse: 'aws', aws: { as: { user: 'ben' }, isSignedIn: false } });
  });

  test('without a keychain lasts as long as the process, and says so', async () => {
    await app.close();
    await start(noKeychain);
    await connect('ben', { password });
    expect(await app.handlers.backend({})).toMatchObject({ aws: { isSignedIn: true, isKept: false } });
    await app.close();
    await start(noKeychain);
    await eventually(async () => (await app.handlers.backend({})).aws?.isSignedIn).toBe(false);
  });
});

describe('a sign-in that was revoked', () => {
  test('asks to sign in again, and loses nothing', async () => {
    await connect('ben', { password });
    await app.close();
    const [token = ''] = kept.values();
    await revoke(cloud.connectionFile, token);
    await start();
    await writeFile(join(photos, 'cat.jpg'), 'cat');
    await app.handlers.addFolder({ path: photos });
    await eventually(async () => (await app.handlers.status({})).offline).toMatch(/Sign in again: nothing is lost/);
    await eventually(async () => (await filesOf()).queued).toBe(1);
    expect(await app.handlers.backend({})).toMatchObject({ aws: { isSignedIn: false } });

    expect(await app.handlers.signIn({ user: 'ben', password, newPassword: null })).toEqual({ kind: 'signedIn' });
    await eventually(async () => (await filesOf()).analysing).toBe(1);
    expect(await app.handlers.status({})).toMatchObject({ offline: null });
    expect(await app.handlers.backend({})).toMatchObject({ aws: { isSignedIn: true } });
  });
});

describe('the keys of a signed-in user', () => {
  async function session(now = () => systemClock.now()) {
    const signedIn = await signIn(cloud.connectionFile, { user: 'ben', password, newPassword: null });
    if (signedIn.kind !== 'signedIn') throw new Error('not signed in');
    const library = await libraryOf(cloud.connectionFile, signedIn.tokens.id);
    const readToken = async () => signedIn.tokens.refresh;
    const credentials = sessionCredentials({ place: cloud.connectionFile, library, clock: { now }, readToken, onEnded: () => {} });
    return { library, credentials, tokens: signedIn.tokens };
  }

  test('are renewed before they end, when they are refused, and once for all who ask', async () => {
    let now = systemClock.now();
    const { credentials } = await session(() => now);
    const [first, same] = await Promise.all([credentials(), credentials()]);
    expect(same).toBe(first);
    expect(await credentials()).toBe(first);
    const forced = await credentials({ forceRefresh: true });
    expect(forced.accessKeyId).not.toBe(first?.accessKeyId);
    now += 56 * 60_000;
    expect((await credentials()).accessKeyId).not.toBe(forced.accessKeyId);
  });

  test('open their own library only', async () => {
    const { library, tokens } = await session();
    const { accessKeyId, secretAccessKey, sessionToken = '' } = await keysOf(cloud.connectionFile, library, tokens.id);
    const s3 = new S3Client({ ...owner, credentials: { accessKeyId, secretAccessKey, sessionToken } });
    const Bucket = cloud.connection.inputBucket;
    await s3.send(new PutObjectCommand({ Bucket, Key: `inbox/${library}/${idOf('own')}.jpg`, Body: 'own', IfNoneMatch: '*' }));
    const foreign = new PutObjectCommand({ Bucket, Key: `inbox/us-east-1:somebody/${idOf('x')}.jpg`, Body: 'x' });
    await expect(s3.send(foreign)).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(s3.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject({ name: 'AccessDenied' });
    s3.destroy();
  });
});
