import { expect, test } from 'vitest';
import { sessionCredentials } from '../../../../desktop/agent/access/session.ts';
import { CloudUnavailable } from '../../../../desktop/agent/upload/cloudTrouble.ts';
import { systemClock } from '../../../../shared/clock.ts';
import type { LibraryId } from '../../../../shared/model/asset.ts';
import { openStore } from '../upload/store.ts';

// What a sign-in does when all is well is shown by test/e2e/signIn.test.ts.

const refusal = (type: string) =>
  ({ kind: 'answer', status: '400 Bad Request', body: JSON.stringify({ __type: type, message: `${type}.` }) }) as const;

/** The SDK's own tries when it is asked to slow down. */
const tries = 3;

test.each([
  ['ResourceNotFoundException', 'The place to sign in is not there'],
  ['TooManyRequestsException', 'Too many tries'],
  ['InvalidParameterException', 'does not take this sign-in'],
])('keys that cannot be renewed (%s) cost no file its place, and it says why', async (type, why) => {
  const { line } = await openStore();
  for (let i = 0; i < tries; i++) line.inject(/^POST /, refusal(type));
  const signIn = { userPool: 'us-east-1_pool', userPoolClient: 'client', identityPool: 'us-east-1:pool' };
  const keys = sessionCredentials({
    place: { endpoint: line.endpoint, region: 'us-east-1', signIn },
    library: 'us-east-1:anna' as LibraryId,
    clock: systemClock,
    readToken: async () => 'token',
    onEnded: () => expect.fail('the sign-in is not over'),
  });
  const thrown = await keys().catch((thrown: unknown) => thrown);
  expect(thrown).toBeInstanceOf(CloudUnavailable);
  expect(String(thrown)).toContain(why);
});

test('a keychain that cannot be read says so, too', async () => {
  const { line } = await openStore();
  const keys = sessionCredentials({
    place: { endpoint: line.endpoint, region: 'us-east-1', signIn: { userPool: 'p', userPoolClient: 'c', identityPool: 'i' } },
    library: 'us-east-1:anna' as LibraryId,
    clock: systemClock,
    readToken: () => Promise.reject(new Error('The keychain is locked.')),
    onEnded: () => expect.fail('the sign-in is not over'),
  });
  await expect(keys()).rejects.toThrow('The sign-in to the cloud could not be renewed, which is tried again: The keychain is locked.');
  await expect(keys()).rejects.toThrow(CloudUnavailable);
});
