import { createPrivateKey, createPublicKey, randomUUID, sign, verify } from 'node:crypto';
import * as v from 'valibot';
import type { Clock } from '../../../shared/clock.ts';
import { ServiceError } from '../gateway/service.ts';
import { region, userPool, userPoolClient } from '../names.ts';
import type { User } from './users.ts';

/** The user pool's tokens: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html */

/** Seconds that id and access tokens are good for. */
export const tokenSeconds = 3600;
export const issuer = `cognito-idp.${region}.amazonaws.com/${userPool}`;

export interface Tokens {
  issue(user: User): { readonly IdToken: string; readonly AccessToken: string };
  /**
   * The `sub` of the user that a token is about.
   * @throws ServiceError NotAuthorizedException when it is not one of ours, of that use, and still good
   */
  subOf(token: string, use: 'id' | 'access'): string;
}

const header = { alg: 'RS256', typ: 'JWT' };
const claims = v.object({ sub: v.string(), iss: v.string(), token_use: v.string(), exp: v.number() });

/** @param pem the private key */
export function createTokens(pem: string, clock: Clock): Tokens {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const write = (payload: object) => {
    const signed = `${encode(header)}.${encode(payload)}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
  };
  return {
    issue({ name, sub }) {
      const now = Math.floor(clock.now() / 1000);
      const common = { sub, iss: `https://${issuer}`, auth_time: now, iat: now, exp: now + tokenSeconds, origin_jti: randomUUID() };
      const id = { ...common, aud: userPoolClient, token_use: 'id', 'cognito:username': name, jti: randomUUID() };
      const scope = 'aws.cognito.signin.user.admin';
      const access = { ...common, client_id: userPoolClient, token_use: 'access', scope, username: name, jti: randomUUID() };
      return { IdToken: write(id), AccessToken: write(access) };
    },
    subOf(token, use) {
      const [, signed = '', payload = '', signature = ''] = /^([\w-]+\.([\w-]+))\.([\w-]+)$/.exec(token) ?? [];
      // Whatever the header says: there is one key, and it signs in one way.
      if (!verify('sha256', Buffer.from(signed), publicKey, Buffer.from(signature, 'base64url'))) throw refused('Invalid token.');
      const { sub, iss, token_use, exp } = v.parse(claims, JSON.parse(Buffer.from(payload, 'base64url').toString()));
      if (iss !== `https://${issuer}` || token_use !== use) throw refused('Invalid token.');
      if (exp * 1000 <= clock.now()) throw refused(`Invalid token. Token expired: ${exp}`);
      return sub;
    },
  };
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const refused = (text: string) => new ServiceError('NotAuthorizedException', text);
