import type { Clock } from '../../../shared/clock.ts';
import type { Credentials, CredentialsProvider } from '../../../shared/connection.ts';
import { messageOf } from '../../../shared/errors.ts';
import type { LibraryId } from '../../../shared/model/asset.ts';
import { CloudUnavailable } from '../upload/cloudTrouble.ts';
import { keysOf, renewIdToken, type SignInPlace } from './cognito.ts';

export interface SessionOptions {
  readonly place: SignInPlace;
  readonly library: LibraryId;
  readonly clock: Clock;
  /** The refresh token of the last sign-in; null when there is none (any more). */
  readToken(): Promise<string | null>;
  /** The refresh token is not good any more, or there is none. */
  onEnded(): void;
}

const signedOut = 'You are signed out of the cloud. Sign in again: nothing is lost, and sending goes on where it stopped.';
/** So long before they end, keys are not given out any more. The SDK has the same rule. */
const spareMs = 5 * 60_000;

type Keys = Credentials & { readonly expiration: Date };

/**
 * The keys of a signed-in user, renewed before they end: five minutes before, or when the cloud refuses them, and once for however many ask.
 * @returns a provider that throws CloudUnavailable alone: with a sentence that says to sign in again, once the sign-in is over
 */
export function sessionCredentials({ place, library, clock, readToken, onEnded }: SessionOptions): CredentialsProvider {
  let keys: Keys | null = null;
  let renewing: Promise<Keys> | null = null;

  const renew = async (): Promise<Keys> => {
    const token = await readToken();
    const idToken = token === null ? null : await renewIdToken(place, token);
    if (idToken === null) {
      onEnded();
      throw new CloudUnavailable(signedOut);
    }
    keys = await keysOf(place, library, idToken);
    return keys;
  };
  return async ({ forceRefresh = false } = {}) => {
    const isGood = keys !== null && keys.expiration.getTime() - clock.now() > spareMs;
    if (keys !== null && isGood && !forceRefresh) return keys;
    renewing ??= renew()
      .catch((thrown: unknown) => {
        throw asUnavailable(thrown);
      })
      .finally(() => {
        renewing = null;
      });
    return renewing;
  };
}

/** What keeps keys from being renewed says nothing about a file: it must cost none its place in the queue. */
function asUnavailable(cause: unknown): CloudUnavailable {
  if (cause instanceof CloudUnavailable) return cause;
  return new CloudUnavailable(`The sign-in to the cloud could not be renewed, which is tried again: ${messageOf(cause)}`, { cause });
}
