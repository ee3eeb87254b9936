import { CognitoIdentityClient, GetCredentialsForIdentityCommand, GetIdCommand } from '@aws-sdk/client-cognito-identity';
import {
  type AuthenticationResultType,
  AuthFlowType,
  ChallengeNameType,
  CognitoIdentityProviderClient,
  InitiateAuthCommand,
  type InitiateAuthCommandOutput,
  RespondToAuthChallengeCommand,
  RevokeTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { createSrpSession, signSrpSession, wrapAuthChallenge, wrapInitiateAuth } from 'cognito-srp-helper';
import type { ConnectionFile, Credentials } from '../../../shared/connection.ts';
import { InvalidInput, Permanent } from '../../../shared/errors.ts';
import { type LibraryId, libraryId } from '../../../shared/model/asset.ts';
import { parse } from '../../../shared/parse.ts';
import { signInTrouble } from './signInTrouble.ts';

/** The requests of which signing in consists. None of them is signed with keys: the tokens are the proof. */

/** Where a backend's users sign in. */
export type SignInPlace = Pick<ConnectionFile, 'endpoint' | 'region' | 'signIn'>;

/** What a person types. A new password is asked for at the first sign-in of a user whose password somebody else made. */
export interface SignInWords {
  readonly user: string;
  readonly password: string;
  readonly newPassword: string | null;
}

/** Secret. */
export interface Tokens {
  /** Says who signed in; good for an hour or less. */
  readonly id: string;
  /** Gets further id tokens, for days. */
  readonly refresh: string;
}

export type SignedIn = { readonly kind: 'signedIn'; readonly tokens: Tokens } | { readonly kind: 'newPasswordNeeded' };

const requestHandler = { connectionTimeout: 5_000, socketTimeout: 30_000, requestTimeout: 30_000, throwOnRequestTimeout: true };
const configOf = ({ endpoint, region }: SignInPlace) => ({ region, requestHandler, ...(endpoint && { endpoint }) });

/**
 * Signs a user in by SRP (RFC 5054, as Cognito does it): the password proves itself and never leaves this computer. A new password does.
 * @throws InvalidInput when the words are not right; Permanent, Transient or CloudUnavailable when they cannot be tried
 */
export async function signIn(place: SignInPlace, { user, password, newPassword }: SignInWords): Promise<SignedIn> {
  const { userPool, userPoolClient: ClientId } = place.signIn;
  return withUserPool(place, async (client) => {
    const session = createSrpSession(user, password, userPool, false);
    const opened = await client.send(
      new InitiateAuthCommand(
        wrapInitiateAuth(session, { ClientId, AuthFlow: AuthFlowType.USER_SRP_AUTH, AuthParameters: { USERNAME: user } }),
      ),
    );
    if (opened.ChallengeName !== 'PASSWORD_VERIFIER') throw unknownChallenge(opened.ChallengeName);
    // Cognito's own name of the user, when an e-mail address was typed.
    const USERNAME = opened.ChallengeParameters?.['USERNAME'] ?? user;
    const proof = wrapAuthChallenge(signSrpSession(session, { ChallengeParameters: opened.ChallengeParameters ?? {} }), {
      ClientId,
      ChallengeName: ChallengeNameType.PASSWORD_VERIFIER,
      ChallengeResponses: { USERNAME },
      ...(opened.Session && { Session: opened.Session }),
    });
    const answer = await client.send(new RespondToAuthChallengeCommand(proof));
    if (answer.ChallengeName !== 'NEW_PASSWORD_REQUIRED') return signedIn(answer);
    if (newPassword === null) return { kind: 'newPasswordNeeded' };
    return signedIn(
      await client.send(
        new RespondToAuthChallengeCommand({
          ClientId,
          ChallengeName: 'NEW_PASSWORD_REQUIRED',
          ChallengeResponses: { USERNAME, NEW_PASSWORD: newPassword },
          Session: answer.Session,
        }),
      ),
    );
  });
}

function signedIn({
  ChallengeName,
  AuthenticationResult,
}: Pick<InitiateAuthCommandOutput, 'ChallengeName' | 'AuthenticationResult'>): SignedIn {
  const refresh = AuthenticationResult?.RefreshToken;
  if (!refresh) throw unknownChallenge(ChallengeName);
  return { kind: 'signedIn', tokens: { id: idTokenOf(AuthenticationResult), refresh } };
}

/**
 * A new id token.
 * @returns null when the refresh token is not good any more: it expired, was revoked, or its user is gone
 * @throws Permanent, Transient or CloudUnavailable when that cannot be found out
 */
export async function renewIdToken(place: SignInPlace, refreshToken: string): Promise<string | null> {
  return withUserPool(place, async (client) => {
    const command = new InitiateAuthCommand({
      ClientId: place.signIn.userPoolClient,
      AuthFlow: 'REFRESH_TOKEN_AUTH',
      AuthParameters: { REFRESH_TOKEN: refreshToken },
    });
    try {
      const { AuthenticationResult } = await client.send(command);
      return idTokenOf(AuthenticationResult);
    } catch (thrown) {
      if (thrown instanceof Error && endings.has(thrown.name)) return null;
      throw thrown;
    }
  });
}

/** https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_InitiateAuth.html#API_InitiateAuth_Errors */
const endings = new Set(['NotAuthorizedException', 'UserNotFoundException', 'PasswordResetRequiredException', 'UserNotConfirmedException']);

/** Makes a refresh token, and all that came of it, worthless. */
export async function revoke(place: SignInPlace, refreshToken: string): Promise<void> {
  await withUserPool(place, (client) =>
    client.send(new RevokeTokenCommand({ ClientId: place.signIn.userPoolClient, Token: refreshToken })),
  );
}

/** The library of whoever signed in: its identity in the identity pool. */
export async function libraryOf(place: SignInPlace, idToken: string): Promise<LibraryId> {
  return withIdentityPool(place, async (client) => {
    const { IdentityId } = await client.send(
      new GetIdCommand({ IdentityPoolId: place.signIn.identityPool, Logins: loginsOf(place, idToken) }),
    );
    return parse(libraryId, IdentityId, 'identity');
  });
}

/** Keys for a library's own things, good for an hour. */
export async function keysOf(place: SignInPlace, library: LibraryId, idToken: string): Promise<Credentials & { expiration: Date }> {
  return withIdentityPool(place, async (client) => {
    const command = new GetCredentialsForIdentityCommand({ IdentityId: library, Logins: loginsOf(place, idToken) });
    const { AccessKeyId, SecretKey, SessionToken, Expiration } = (await client.send(command)).Credentials ?? {};
    if (!AccessKeyId || !SecretKey || !SessionToken || !Expiration) throw new Permanent('The sign-in gave no keys for the cloud.');
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretKey, sessionToken: SessionToken, expiration: Expiration };
  });
}

/** https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-integrating-user-pools-with-identity-pools.html */
const loginsOf = ({ signIn: { userPool } }: SignInPlace, idToken: string) => ({
  [`cognito-idp.${userPool.split('_')[0]}.amazonaws.com/${userPool}`]: idToken,
});

function idTokenOf(result: AuthenticationResultType | undefined): string {
  if (!result?.IdToken) throw new Permanent('The sign-in gave no token.');
  return result.IdToken;
}

function unknownChallenge(name: string | undefined): InvalidInput {
  return new InvalidInput(
    `The backend asks this user for something that Pixwatch cannot give (${name ?? 'unknown'}), such as a second factor.`,
  );
}

async function withUserPool<T>(place: SignInPlace, work: (client: CognitoIdentityProviderClient) => Promise<T>): Promise<T> {
  return closing(new CognitoIdentityProviderClient(configOf(place)), work);
}

async function withIdentityPool<T>(place: SignInPlace, work: (client: CognitoIdentityClient) => Promise<T>): Promise<T> {
  return closing(new CognitoIdentityClient(configOf(place)), work);
}

async function closing<C extends { destroy(): void }, T>(client: C, work: (client: C) => Promise<T>): Promise<T> {
  try {
    return await work(client);
  } catch (thrown) {
    throw signInTrouble(thrown);
  } finally {
    client.destroy();
  }
}
