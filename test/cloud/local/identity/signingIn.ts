import { CognitoIdentityClient, GetCredentialsForIdentityCommand, GetIdCommand } from '@aws-sdk/client-cognito-identity';
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { createSrpSession, signSrpSession, wrapAuthChallenge, wrapInitiateAuth } from 'cognito-srp-helper';
import * as names from '../../../../cloud/local/names.ts';
import type { Credentials } from '../../../../shared/connection.ts';
import { type LibraryId, libraryId } from '../../../../shared/model/asset.ts';
import { parse } from '../../../../shared/parse.ts';

const { region, userPool: UserPoolId, userPoolClient: ClientId, identityPool: IdentityPoolId } = names;

/** A client's way to sign in at a local cloud, by the real SDK and Cognito's own half of SRP. */
export function signingIn(endpoint: string, owner: Credentials) {
  const admin = new CognitoIdentityProviderClient({ endpoint, region, credentials: { ...owner } });
  // Without keys, as somebody who is not signed in yet has none.
  const client = new CognitoIdentityProviderClient({ endpoint, region });
  const identities = new CognitoIdentityClient({ endpoint, region });

  const begin = async (user: string, password: string) => {
    const session = createSrpSession(user, password, UserPoolId, false);
    const AuthParameters = { USERNAME: user };
    const opened = await client.send(
      new InitiateAuthCommand(wrapInitiateAuth(session, { ClientId, AuthFlow: 'USER_SRP_AUTH' as const, AuthParameters })),
    );
    const { ChallengeParameters = {} } = opened;
    const answer = wrapAuthChallenge(signSrpSession(session, { ChallengeParameters }), {
      ClientId,
      ChallengeName: 'PASSWORD_VERIFIER' as const,
      ChallengeResponses: { USERNAME: ChallengeParameters['USERNAME'] ?? '' },
    });
    return { opened, answer };
  };
  const login = async (user: string, password: string) => {
    const { answer } = await begin(user, password);
    return client.send(new RespondToAuthChallengeCommand(answer));
  };
  const loginsOf = (idToken: string) => ({ [`cognito-idp.${region}.amazonaws.com/${UserPoolId}`]: idToken });
  const identityOf = async (idToken: string): Promise<LibraryId> => {
    const { IdentityId } = await identities.send(new GetIdCommand({ IdentityPoolId, Logins: loginsOf(idToken) }));
    return parse(libraryId, IdentityId, 'identity');
  };
  const keysOf = async (id: string, idToken: string): Promise<Required<Credentials> & { expiration: Date | undefined }> => {
    const command = new GetCredentialsForIdentityCommand({ IdentityId: id, Logins: loginsOf(idToken) });
    const { AccessKeyId = '', SecretKey = '', SessionToken = '', Expiration } = (await identities.send(command)).Credentials ?? {};
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretKey, sessionToken: SessionToken, expiration: Expiration };
  };
  return {
    ...{ admin, client, identities, begin, login, loginsOf, identityOf, keysOf },
    /** Makes a user with a password of its own, signs it in, and gives its library and keys. */
    async enter(user: string, password: string) {
      await admin.send(new AdminCreateUserCommand({ UserPoolId, Username: user, TemporaryPassword: 'for the moment' }));
      await admin.send(new AdminSetUserPasswordCommand({ UserPoolId, Username: user, Password: password, Permanent: true }));
      const idToken = (await login(user, password)).AuthenticationResult?.IdToken ?? '';
      const library = await identityOf(idToken);
      return { library, idToken, keys: await keysOf(library, idToken) };
    },
    close() {
      for (const each of [admin, client, identities]) each.destroy();
    },
  };
}
