import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetIdCommand } from '@aws-sdk/client-cognito-identity';
import {
  AdminCreateUserCommand,
  AdminDeleteUserCommand,
  AdminSetUserPasswordCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  ListUsersCommand,
  RespondToAuthChallengeCommand,
  RevokeTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { createSrpSession, signSrpSession, wrapAuthChallenge, wrapInitiateAuth } from 'cognito-srp-helper';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../../cloud/local/database.ts';
import { openDynamodb } from '../../../../cloud/local/dynamodb.ts';
import { startGateway } from '../../../../cloud/local/gateway/startGateway.ts';
import { openIdentity } from '../../../../cloud/local/identity/openIdentity.ts';
import { createSignIn } from '../../../../cloud/local/identity/signIn.ts';
import { makeVerifier } from '../../../../cloud/local/identity/srp.ts';
import { createUsers } from '../../../../cloud/local/identity/users.ts';
import * as names from '../../../../cloud/local/names.ts';
import { createS3 } from '../../../../cloud/local/s3/createS3.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { assetItem } from '../../../../shared/keys.ts';
import type { AssetId } from '../../../../shared/model/asset.ts';
import { signingIn } from './signingIn.ts';

const { region, userPool: UserPoolId, userPoolClient: ClientId, identityPool: IdentityPoolId } = names;
const owner = { accessKeyId: 'AKIATEST', secretAccessKey: 'for tests only' };
const [hour, day] = [3600_000, 24 * 3600_000];

let dir: string;
let ahead = 0;
let cloud: { readonly endpoint: string; readonly close: () => Promise<void> };
let people: ReturnType<typeof signingIn>;

/** The local cloud without what looks at pictures, which takes its time to start. */
const start = async () => {
  const clock = { now: () => systemClock.now() + ahead };
  const log = (line: string) => console.error(line);
  const database = await openDatabase(join(dir, 'local.db'));
  const { services, guests } = await openIdentity(join(dir, 'identity-keys.json'), database.sql, clock);
  const s3 = await createS3({ dir: join(dir, 's3'), clock, region, onEvent: async () => {}, log });
  await s3.createBucket(names.inputBucket);
  const dynamodb = await openDynamodb(join(dir, 'dynamodb'));
  await dynamodb.createTable(names.table);
  const all = { ...services, s3: s3.service, dynamodb: dynamodb.service };
  const gateway = await startGateway({ port: 0, credentials: owner, guests, region, services: all, clock, log });
  const close = async () => {
    for (const part of [gateway, dynamodb, s3, database]) await part.close();
  };
  cloud = { endpoint: gateway.endpoint, close };
  people = signingIn(cloud.endpoint, owner);
};
const stop = async () => {
  people?.close();
  await cloud?.close();
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-identity-'));
  await start();
  await people.enter('ann', 'correct horse battery');
});
afterAll(async () => {
  await stop();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(() => {
  ahead = 0;
});

const refresh = (token: string) =>
  people.client.send(new InitiateAuthCommand({ ClientId, AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN: token } }));
const failure = async (doing: Promise<unknown>) => {
  const error = await doing.then(
    () => new Error('it went through'),
    (thrown: Error) => thrown,
  );
  return { name: error.name, message: error.message };
};
const wrong = { name: 'NotAuthorizedException', message: 'Incorrect username or password.' };
const claimsOf = (token = '') => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('signing in', () => {
  test('gives tokens in Cognito’s form', async () => {
    const { AuthenticationResult: result } = await people
      .login('Ann', 'correct horse battery')
      .catch(() => people.login('ann', 'correct horse battery'));
    expect(result).toMatchObject({ ExpiresIn: 3600, TokenType: 'Bearer' });
    const iss = `https://cognito-idp.${region}.amazonaws.com/${UserPoolId}`;
    const id = claimsOf(result?.IdToken);
    expect(id).toMatchObject({ iss, aud: ClientId, token_use: 'id', 'cognito:username': 'ann' });
    expect(id.exp - id.iat).toBe(3600);
    expect(claimsOf(result?.AccessToken)).toMatchObject({ iss, client_id: ClientId, token_use: 'access', username: 'ann', sub: id.sub });
  });

  test.each([
    ['a wrong password', 'ann', 'correct horse batter'],
    ['no password', 'ann', ''],
    ['an unknown user', 'bob', 'correct horse battery'],
  ])('fails with %s, and says nothing of which was wrong', async (_, user, password) => {
    expect(await failure(people.login(user, password))).toEqual(wrong);
  });

  test('is proven as the user’s own id, as Cognito asks who typed an e-mail address; one of an unknown user is no different', async () => {
    const ids = async (user: string) => {
      const { USERNAME, USER_ID_FOR_SRP } = (await people.begin(user, 'x')).opened.ChallengeParameters ?? {};
      expect(USERNAME).toBe(USER_ID_FOR_SRP);
      return USER_ID_FOR_SRP;
    };
    const { AuthenticationResult } = await people.login('ann', 'correct horse battery');
    expect(await ids('ann')).toBe(claimsOf(AuthenticationResult?.IdToken).sub);
    const unknown = await ids('bob');
    expect(unknown).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await ids('bob')).toBe(unknown);
  });

  test('by a password that was made for the name, as before, goes on working', async () => {
    const database = await openDatabase(join(dir, 'older.db'));
    const users = createUsers(database.sql, systemClock);
    users.add('eve', () => makeVerifier(names.userPoolName, 'eve', 'an old password'));
    // What the migration makes of a row that has no such column yet.
    database.sql.prepare('UPDATE user SET srp_user = name').run();
    const { begin, prove } = createSignIn({ users, decoyKey: Buffer.alloc(32), clock: systemClock });
    const session = createSrpSession('eve', 'an old password', UserPoolId, false);
    const { AuthParameters } = wrapInitiateAuth(session, { ClientId, AuthFlow: 'USER_SRP_AUTH', AuthParameters: { USERNAME: 'eve' } });
    const ChallengeParameters = begin(AuthParameters ?? {});
    const asked = { ClientId, ChallengeName: 'PASSWORD_VERIFIER' as const, ChallengeResponses: { USERNAME: 'eve' } };
    expect(prove(wrapAuthChallenge(signSrpSession(session, { ChallengeParameters }), asked).ChallengeResponses ?? {}).name).toBe('eve');
    await database.close();
  });

  test('an unknown user is asked as any other, with the same salt each time', async () => {
    const [a, b, c] = [await people.begin('bob', 'x'), await people.begin('bob', 'y'), await people.begin('ann', 'x')];
    expect(Object.keys(a.opened.ChallengeParameters ?? {})).toEqual(Object.keys(c.opened.ChallengeParameters ?? {}));
    expect(a.opened.ChallengeParameters?.['SALT']).toBe(b.opened.ChallengeParameters?.['SALT']);
    expect(a.opened.ChallengeParameters?.['SRP_B']).not.toBe(b.opened.ChallengeParameters?.['SRP_B']);
  });

  test('an answer counts once and for three minutes', async () => {
    const { answer } = await people.begin('ann', 'correct horse battery');
    await people.client.send(new RespondToAuthChallengeCommand(answer));
    const spent = { name: 'NotAuthorizedException', message: 'Invalid session for the user.' };
    expect(await failure(people.client.send(new RespondToAuthChallengeCommand(answer)))).toEqual(spent);
    const late = await people.begin('ann', 'correct horse battery');
    ahead = 3 * 60_000;
    expect(await failure(people.client.send(new RespondToAuthChallengeCommand(late.answer)))).toEqual(spent);
  });

  test.each(['0', '00', 'FF'.repeat(401), 'xyz'])(
    'a public number that would give the key away, or is none, is refused: %s',
    async (SRP_A) => {
      const AuthParameters = { USERNAME: 'ann', SRP_A };
      const sent = people.client.send(new InitiateAuthCommand({ ClientId, AuthFlow: 'USER_SRP_AUTH', AuthParameters }));
      expect(await failure(sent)).toMatchObject({ name: 'InvalidParameterException' });
    },
  );

  test('by a password that is sent in clear is not there', async () => {
    const AuthParameters = { USERNAME: 'ann', PASSWORD: 'correct horse battery' };
    const sent = people.client.send(new InitiateAuthCommand({ ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters }));
    expect(await failure(sent)).toMatchObject({ name: 'InvalidParameterException' });
  });
});

test('a user that somebody else made chooses a new password first', async () => {
  await people.admin.send(new AdminCreateUserCommand({ UserPoolId, Username: 'eve@example.org', TemporaryPassword: 'temporary' }));
  const asked = await people.login('eve@example.org', 'temporary');
  expect(asked).toMatchObject({ ChallengeName: 'NEW_PASSWORD_REQUIRED' });
  expect(asked.AuthenticationResult).toBeUndefined();
  const choose = (NEW_PASSWORD: string) =>
    people.client.send(
      new RespondToAuthChallengeCommand({
        ...{ ClientId, ChallengeName: 'NEW_PASSWORD_REQUIRED' as const, Session: asked.Session },
        ChallengeResponses: { USERNAME: 'eve@example.org', NEW_PASSWORD },
      }),
    );
  expect(await failure(choose('short'))).toMatchObject({ name: 'InvalidPasswordException' });
  expect((await choose('her very own one')).AuthenticationResult?.RefreshToken).toBeTruthy();
  expect(await failure(choose('once more, please'))).toMatchObject({ name: 'NotAuthorizedException' });
  expect(await failure(people.login('eve@example.org', 'temporary'))).toEqual(wrong);
  expect((await people.login('eve@example.org', 'her very own one')).AuthenticationResult?.IdToken).toBeTruthy();
});

describe('a refresh token', () => {
  const signIn = async () => (await people.login('ann', 'correct horse battery')).AuthenticationResult ?? {};

  test('gives new tokens for 30 days', async () => {
    const { RefreshToken = '' } = await signIn();
    ahead = 30 * day - hour;
    const { AuthenticationResult } = await refresh(RefreshToken);
    expect(claimsOf(AuthenticationResult?.IdToken)['cognito:username']).toBe('ann');
    expect(AuthenticationResult?.RefreshToken).toBeUndefined();
    ahead = 30 * day + 1000;
    expect(await failure(refresh(RefreshToken))).toMatchObject({ name: 'NotAuthorizedException' });
  });

  test('can be revoked, alone or with all others', async () => {
    const [a, b] = [await signIn(), await signIn()];
    await people.client.send(new RevokeTokenCommand({ ClientId, Token: a.RefreshToken }));
    expect(await failure(refresh(a.RefreshToken ?? ''))).toMatchObject({ name: 'NotAuthorizedException' });
    expect((await refresh(b.RefreshToken ?? '')).AuthenticationResult?.IdToken).toBeTruthy();
    await people.client.send(new GlobalSignOutCommand({ AccessToken: b.AccessToken }));
    expect(await failure(refresh(b.RefreshToken ?? ''))).toMatchObject({ name: 'NotAuthorizedException' });
  });

  test('that was made up is not good', async () => {
    expect(await failure(refresh('made up'))).toMatchObject({ name: 'NotAuthorizedException' });
  });
});

describe('an identity', () => {
  const getId = (token: string) => people.identities.send(new GetIdCommand({ IdentityPoolId, Logins: people.loginsOf(token) }));
  const tokens = async () => (await people.login('ann', 'correct horse battery')).AuthenticationResult ?? {};

  test('is the same for a user at each sign-in, and another’s is refused', async () => {
    const { IdToken = '' } = await tokens();
    const id = await people.identityOf(IdToken);
    expect(id).toMatch(/^us-east-1:[0-9a-f-]{36}$/);
    expect(await people.identityOf((await tokens()).IdToken ?? '')).toBe(id);
    const other = await people.enter('otto', 'nobody knows this');
    expect(other.library).not.toBe(id);
    expect(await failure(people.keysOf(id, other.idToken))).toMatchObject({ name: 'NotAuthorizedException' });
  });

  test('is given for no token but a good id token', async () => {
    const { IdToken = '', AccessToken = '' } = await tokens();
    const [head, payload = '', signature] = IdToken.split('.');
    const forged = Buffer.from(JSON.stringify({ ...claimsOf(IdToken), sub: 'another' })).toString('base64url');
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const token of [
      AccessToken,
      'nonsense',
      '',
      `${head}.${forged}.${signature}`,
      `${unsigned}.${payload}.`,
      `${head}.${payload}.AAAA`,
    ]) {
      expect(await failure(getId(token))).toMatchObject({ name: 'NotAuthorizedException' });
    }
    ahead = hour + 1000;
    expect(await failure(getId(IdToken))).toMatchObject({ name: 'NotAuthorizedException' });
    expect(await failure(people.identities.send(new GetIdCommand({ IdentityPoolId })))).toMatchObject({ name: 'NotAuthorizedException' });
  });

  test('of a user that was removed is given no more, and a later user of that name gets another', async () => {
    const before = await people.enter('max', 'soon to be gone');
    await people.admin.send(new AdminDeleteUserCommand({ UserPoolId, Username: 'max' }));
    expect(await failure(getId(before.idToken))).toMatchObject({ name: 'NotAuthorizedException' });
    expect((await people.enter('max', 'somebody else')).library).not.toBe(before.library);
  });
});

describe('temporary keys', () => {
  const list = (credentials: object, library: string) => {
    const s3 = new S3Client({ endpoint: cloud.endpoint, region, credentials: credentials as never });
    return s3.send(new ListObjectsV2Command({ Bucket: names.inputBucket, Prefix: `inbox/${library}/` })).finally(() => s3.destroy());
  };
  const get = (credentials: object, library: string) => {
    const dynamodb = DynamoDBDocumentClient.from(
      new DynamoDBClient({ endpoint: cloud.endpoint, region, credentials: credentials as never }),
    );
    const Key = assetItem(library as never, '0'.repeat(64) as AssetId);
    return dynamodb.send(new GetCommand({ TableName: names.table, Key })).finally(() => dynamodb.destroy());
  };

  test('are good for an hour, also when the cloud starts anew', async () => {
    const { library, keys, idToken } = await people.enter('kim', 'a password of kim');
    expect(keys.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(Math.abs(Number(keys.expiration) - systemClock.now() - hour)).toBeLessThan(60_000);
    await stop();
    await start();
    expect(await people.identityOf(idToken)).toBe(library);
    expect((await list(keys, library)).KeyCount).toBe(0);
    await get(keys, library);
    ahead = hour + 1000;
    expect(await failure(list(keys, library))).toMatchObject({ name: 'ExpiredToken' });
    expect(await failure(get(keys, library))).toMatchObject({ name: 'ExpiredTokenException' });
  });

  test('are worth nothing when a part of them is not as given', async () => {
    const { library, keys } = await people.enter('pat', 'a password of pat');
    const other = await people.enter('lou', 'a password of lou');
    const own = JSON.parse(Buffer.from(keys.sessionToken.split('.')[0] ?? '', 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...own, id: other.library })).toString('base64url');
    const cases: [object, string, string][] = [
      [{ ...keys, sessionToken: other.keys.sessionToken }, 'InvalidToken', 'UnrecognizedClientException'],
      [{ ...keys, sessionToken: `${forged}.${keys.sessionToken.split('.')[1]}` }, 'InvalidToken', 'UnrecognizedClientException'],
      [{ ...keys, sessionToken: 'nonsense' }, 'InvalidToken', 'UnrecognizedClientException'],
      [{ ...keys, sessionToken: undefined }, 'InvalidAccessKeyId', 'UnrecognizedClientException'],
      [{ ...keys, secretAccessKey: other.keys.secretAccessKey }, 'SignatureDoesNotMatch', 'InvalidSignatureException'],
    ];
    for (const [credentials, ofS3, ofDynamodb] of cases) {
      expect((await failure(list(credentials, library))).name).toBe(ofS3);
      expect((await failure(get(credentials, library))).name).toBe(ofDynamodb);
    }
  });
});

describe('users', () => {
  test('are made, listed and given passwords by the owner alone', async () => {
    const { Users = [] } = await people.admin.send(new ListUsersCommand({ UserPoolId }));
    expect(Users.find((user) => user.Username === 'ann')).toMatchObject({ UserStatus: 'CONFIRMED', Enabled: true });
    const page = await people.admin.send(new ListUsersCommand({ UserPoolId, Limit: 1 }));
    const next = await people.admin.send(new ListUsersCommand({ UserPoolId, Limit: 1, PaginationToken: page.PaginationToken }));
    expect([page.Users, next.Users].flatMap((users) => users?.map((user) => user.Username))).toEqual(
      Users.slice(0, 2).map((user) => user.Username),
    );
    const again = people.admin.send(new AdminCreateUserCommand({ UserPoolId, Username: 'ANN', TemporaryPassword: 'temporary' }));
    expect(await failure(again)).toMatchObject({ name: 'UsernameExistsException' });
    const nobody = people.admin.send(
      new AdminSetUserPasswordCommand({ UserPoolId, Username: 'nobody', Password: 'temporary', Permanent: true }),
    );
    expect(await failure(nobody)).toMatchObject({ name: 'UserNotFoundException' });

    const { keys } = await people.enter('guest', 'a password of guest');
    const guest = signingIn(cloud.endpoint, keys);
    const refused = await failure(guest.admin.send(new AdminDeleteUserCommand({ UserPoolId, Username: 'ann' })));
    guest.close();
    expect(refused).toMatchObject({ name: 'AccessDeniedException' });
    const stranger = people.client.send(new ListUsersCommand({ UserPoolId }));
    expect(await failure(stranger)).not.toMatchObject({ message: 'it went through' });
  });

  test('leave no password and no token on the disk', async () => {
    const { RefreshToken = '' } = (await people.login('ann', 'correct horse battery')).AuthenticationResult ?? {};
    const kept = Buffer.concat(await Promise.all(['local.db', 'local.db-wal'].map((file) => readFile(join(dir, file)))));
    expect(kept.includes('ann')).toBe(true);
    for (const secret of ['correct horse battery', RefreshToken]) expect(kept.includes(secret)).toBe(false);
    expect((await stat(join(dir, 'identity-keys.json'))).mode & 0o777).toBe(0o600);
  });
});
