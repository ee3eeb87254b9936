import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../shared/clock.ts';
import { desktopPolicy } from '../../access/desktopPolicy.ts';
import type { Guests } from '../gateway/guests.ts';
import type { Service } from '../gateway/service.ts';
import * as names from '../names.ts';
import { admitBy } from './admit.ts';
import { loadIdentityKeys } from './identityKeys.ts';
import { createIdentityPool, identityPoolTarget } from './identityPool.ts';
import { createTemporaryKeys } from './temporaryKeys.ts';
import { createTokens } from './tokens.ts';
import { createUserPool, userPoolTarget } from './userPool.ts';
import { createUsers } from './users.ts';

export interface Identity {
  /** By their names in the credential scope. */
  readonly services: { readonly 'cognito-idp': Service; readonly 'cognito-identity': Service };
  readonly guests: Guests;
}

/** What Cognito serves without a signature. */
const openOperations = new Map<string, 'cognito-idp' | 'cognito-identity'>([
  ...['InitiateAuth', 'RespondToAuthChallenge', 'RevokeToken', 'GlobalSignOut'].map(
    (name) => [`${userPoolTarget}.${name}`, 'cognito-idp'] as const,
  ),
  ...['GetId', 'GetCredentialsForIdentity'].map((name) => [`${identityPoolTarget}.${name}`, 'cognito-identity'] as const),
]);

/**
 * Opens the sign-in: users and identities in `sql`, what proves them in the file at `keysPath`.
 * @throws InvalidInput when that file is damaged
 */
export async function openIdentity(keysPath: string, sql: DatabaseSync, clock: Clock): Promise<Identity> {
  const { tokens: pem, root } = await loadIdentityKeys(keysPath);
  const [users, tokens, keys] = [createUsers(sql, clock), createTokens(pem, clock), createTemporaryKeys(root, clock)];
  const policy = desktopPolicy({
    inputBucketArn: names.bucketArn(names.inputBucket),
    outputBucketArn: names.bucketArn(names.outputBucket),
    tableArn: names.tableArn(names.table),
    commandsFunctionArn: names.functionArn(names.commandsFunction),
  });
  return {
    services: {
      'cognito-idp': createUserPool({ users, tokens, decoyKey: root, clock }),
      'cognito-identity': createIdentityPool({ users, tokens, keys }),
    },
    guests: {
      findKey: keys.find,
      openService: (target) => openOperations.get(target) ?? null,
      admit: admitBy(policy),
    },
  };
}
