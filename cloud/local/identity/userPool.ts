import * as v from 'valibot';
import { jsonService, type Operation, operation } from '../gateway/jsonService.ts';
import { type Service, ServiceError } from '../gateway/service.ts';
import { userPool, userPoolClient, userPoolName } from '../names.ts';
import { createSignIn, requireGood, type SignInOptions } from './signIn.ts';
import { makeVerifier } from './srp.ts';
import { tokenSeconds } from './tokens.ts';
import type { User } from './users.ts';

export const userPoolTarget = 'AWSCognitoIdentityProviderService';

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(128), v.toLowerCase());
const pool = v.object({ UserPoolId: v.string() });
const words = v.record(v.string(), v.string());
const listed = 60;

/**
 * Cognito's user pool, as much of it as signing in needs: users that the owner makes, SRP, a new password at the first sign-in, refresh.
 * Not here: sign-up, e-mail, second factors, groups, hosted pages, and a plain password sent by a client.
 */
export function createUserPool(options: SignInOptions): Service {
  return jsonService({
    targetPrefix: userPoolTarget,
    version: '1.1',
    operations: { ...clientOperations(options), ...adminOperations(options) },
  });
}

/** What anybody may call; what comes with it is the proof. */
function clientOperations(options: SignInOptions): Record<string, Operation> {
  const { users, tokens } = options;
  const signIn = createSignIn(options);
  const result = (user: User) => ({ ...tokens.issue(user), ExpiresIn: tokenSeconds, TokenType: 'Bearer' });
  const signedIn = (user: User) => ({
    ChallengeParameters: {},
    AuthenticationResult: { ...result(user), RefreshToken: users.giveRefreshToken(user.name) },
  });
  const initiate = operation(
    v.object({ ClientId: v.string(), AuthFlow: v.string(), AuthParameters: v.optional(words, {}) }),
    async ({ ClientId, AuthFlow, AuthParameters }) => {
      requireClient(ClientId);
      if (AuthFlow === 'USER_SRP_AUTH') {
        return { ChallengeName: 'PASSWORD_VERIFIER', ChallengeParameters: signIn.begin(AuthParameters) };
      }
      if (AuthFlow !== 'REFRESH_TOKEN_AUTH' && AuthFlow !== 'REFRESH_TOKEN') {
        throw new ServiceError('InvalidParameterException', `${AuthFlow} flow not enabled for this client`);
      }
      const user = users.ofRefreshToken(AuthParameters['REFRESH_TOKEN'] ?? '');
      if (!user) throw new ServiceError('NotAuthorizedException', 'Refresh Token has been revoked');
      return { ChallengeParameters: {}, AuthenticationResult: result(user) };
    },
  );
  const respond = operation(
    v.object({
      ClientId: v.string(),
      ChallengeName: v.string(),
      ChallengeResponses: v.optional(words, {}),
      Session: v.optional(v.string(), ''),
    }),
    async ({ ClientId, ChallengeName, ChallengeResponses, Session }) => {
      requireClient(ClientId);
      if (ChallengeName === 'NEW_PASSWORD_REQUIRED') return signedIn(signIn.changePassword(ChallengeResponses, Session));
      if (ChallengeName !== 'PASSWORD_VERIFIER')
        throw new ServiceError('InvalidParameterException', `No challenge ${ChallengeName} was made`);
      const user = signIn.prove(ChallengeResponses);
      if (!user.mustChangePassword) return signedIn(user);
      return {
        ChallengeName: 'NEW_PASSWORD_REQUIRED',
        ChallengeParameters: { USER_ID_FOR_SRP: user.srpUser, requiredAttributes: '[]', userAttributes: '{}' },
        Session: signIn.askNewPassword(user),
      };
    },
  );
  return {
    InitiateAuth: initiate,
    RespondToAuthChallenge: respond,
    RevokeToken: operation(v.object({ ClientId: v.string(), Token: v.string() }), async ({ ClientId, Token }) => {
      requireClient(ClientId);
      users.revokeRefreshToken(Token);
    }),
    GlobalSignOut: operation(v.object({ AccessToken: v.string() }), async ({ AccessToken }) => {
      const user = users.findBySub(tokens.subOf(AccessToken, 'access'));
      if (user) users.revokeAll(user.name);
    }),
  };
}

/** What only the owner may call. */
function adminOperations({ users }: SignInOptions): Record<string, Operation> {
  const named = v.object({ ...pool.entries, Username: name });
  const existing = (found: string) => {
    const user = users.find(found);
    if (!user) throw new ServiceError('UserNotFoundException', 'User does not exist.');
    return user;
  };
  return {
    AdminCreateUser: operation(
      v.object({ ...named.entries, TemporaryPassword: v.optional(v.string()) }),
      async ({ UserPoolId, Username, TemporaryPassword }) => {
        requirePool(UserPoolId);
        if (TemporaryPassword === undefined) {
          throw new ServiceError('InvalidParameterException', 'The local cloud sends no invitations: give a TemporaryPassword.');
        }
        requireGood(TemporaryPassword);
        const user = users.add(Username, (srpUser) => makeVerifier(userPoolName, srpUser, TemporaryPassword));
        if (!user) throw new ServiceError('UsernameExistsException', 'User account already exists');
        return { User: described(user) };
      },
    ),
    AdminSetUserPassword: operation(
      v.object({ ...named.entries, Password: v.string(), Permanent: v.optional(v.boolean(), false) }),
      async ({ UserPoolId, Username, Password, Permanent }) => {
        requirePool(UserPoolId);
        const user = existing(Username);
        requireGood(Password);
        users.setPassword(user, (srpUser) => makeVerifier(userPoolName, srpUser, Password), !Permanent);
      },
    ),
    AdminDeleteUser: operation(named, async ({ UserPoolId, Username }) => {
      requirePool(UserPoolId);
      existing(Username);
      users.remove(Username);
    }),
    ListUsers: operation(
      v.strictObject({
        ...pool.entries,
        Limit: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(listed)), listed),
        PaginationToken: v.optional(v.string(), ''),
      }),
      async ({ UserPoolId, Limit, PaginationToken }) => {
        requirePool(UserPoolId);
        const page = users.list(PaginationToken, Limit + 1);
        const Users = page.slice(0, Limit).map(({ name, ...user }) => {
          const { Attributes, ...rest } = described({ name, ...user });
          return { ...rest, Attributes };
        });
        return { Users, ...(page.length > Limit && { PaginationToken: page[Limit - 1]?.name }) };
      },
    ),
  };
}

const described = ({ name, sub, mustChangePassword, createdAt, changedAt }: User) => ({
  Username: name,
  Attributes: [{ Name: 'sub', Value: sub }],
  UserCreateDate: createdAt / 1000,
  UserLastModifiedDate: changedAt / 1000,
  Enabled: true,
  UserStatus: mustChangePassword ? 'FORCE_CHANGE_PASSWORD' : 'CONFIRMED',
});

function requirePool(id: string): void {
  if (id !== userPool) throw new ServiceError('ResourceNotFoundException', `User pool ${id} does not exist.`);
}

function requireClient(id: string): void {
  if (id !== userPoolClient) throw new ServiceError('ResourceNotFoundException', `User pool client ${id} does not exist.`);
}
