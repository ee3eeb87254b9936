import * as v from 'valibot';
import { jsonService, operation } from '../gateway/jsonService.ts';
import { type Service, ServiceError } from '../gateway/service.ts';
import { identityPool } from '../names.ts';
import type { TemporaryKeys } from './temporaryKeys.ts';
import { issuer, type Tokens } from './tokens.ts';
import type { Users } from './users.ts';

export interface IdentityPoolOptions {
  readonly users: Users;
  readonly tokens: Tokens;
  readonly keys: TemporaryKeys;
}

export const identityPoolTarget = 'AWSCognitoIdentityService';
const logins = v.optional(v.record(v.string(), v.string()), {});

/** Cognito's identity pool: a stable identity for each user, and keys for an hour. */
export function createIdentityPool({ users, tokens, keys }: IdentityPoolOptions): Service {
  const identityOf = (given: Record<string, string>) => {
    const token = Object.hasOwn(given, issuer) ? given[issuer] : undefined;
    // Nobody without a sign-in gets an identity here, as in the deployed pool.
    if (token === undefined || Object.keys(given).length > 1) {
      throw notAuthorized(
        Object.keys(given).length === 0
          ? 'Unauthenticated access is not supported for this identity pool.'
          : 'Token is not from a supported provider of this identity pool.',
      );
    }
    const user = users.findBySub(tokens.subOf(token, 'id'));
    if (!user) throw notAuthorized('Invalid login token. User does not exist.');
    return users.identityOf(user.sub);
  };
  return jsonService({
    targetPrefix: identityPoolTarget,
    version: '1.1',
    operations: {
      GetId: operation(v.object({ IdentityPoolId: v.string(), Logins: logins }), async ({ IdentityPoolId, Logins }) => {
        if (IdentityPoolId !== identityPool) throw notFound(`IdentityPool '${IdentityPoolId}' not found.`);
        return { IdentityId: identityOf(Logins) };
      }),
      GetCredentialsForIdentity: operation(v.object({ IdentityId: v.string(), Logins: logins }), async ({ IdentityId, Logins }) => {
        const own = identityOf(Logins);
        if (own !== IdentityId) throw notAuthorized(`Access to Identity '${IdentityId}' is forbidden.`);
        return { IdentityId: own, Credentials: keys.issue(own) };
      }),
    },
  });
}

const notAuthorized = (text: string) => new ServiceError('NotAuthorizedException', text);
const notFound = (text: string) => new ServiceError('ResourceNotFoundException', text);
