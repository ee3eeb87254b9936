import { createHmac } from 'node:crypto';
import * as v from 'valibot';
import type { Clock } from '../../../shared/clock.ts';
import { type LibraryId, libraryId } from '../../../shared/model/asset.ts';
import { randomKeyId } from '../credentials.ts';
import type { GuestKey } from '../gateway/guests.ts';
import { equalInConstantTime } from '../gateway/signature.ts';

/** Keys for an hour, in Cognito's own words. */
export interface TemporaryCredentials {
  readonly AccessKeyId: string;
  readonly SecretKey: string;
  readonly SessionToken: string;
  /** Seconds since 1970. */
  readonly Expiration: number;
}

/**
 * Nothing of these is stored: the session token says whose it is and until when, sealed with our key, and the secret follows from it. So they
 * outlive a restart, and end by themselves.
 */
export interface TemporaryKeys {
  issue(id: LibraryId): TemporaryCredentials;
  /** @returns null when the two are not ours, or do not belong together */
  find(accessKeyId: string, sessionToken: string): GuestKey | null;
}

const lifetimeSeconds = 3600;
const sealed = v.pipe(v.string(), v.parseJson(), v.object({ id: libraryId, accessKeyId: v.string(), expires: v.number() }));

/** @param root 32 secret bytes */
export function createTemporaryKeys(root: Buffer, clock: Clock): TemporaryKeys {
  const mac = (use: string, payload: string) => createHmac('sha256', root).update(`${use} ${payload}`).digest('base64url');
  const secretOf = (payload: string) => mac('secret', payload).slice(0, 40);
  return {
    issue(id) {
      const accessKeyId = `ASIA${randomKeyId()}`;
      const expires = Math.floor(clock.now() / 1000) + lifetimeSeconds;
      const payload = Buffer.from(JSON.stringify({ id, accessKeyId, expires })).toString('base64url');
      const SessionToken = `${payload}.${mac('token', payload)}`;
      return { AccessKeyId: accessKeyId, SecretKey: secretOf(payload), SessionToken, Expiration: expires };
    },
    find(accessKeyId, sessionToken) {
      const [payload = '', seal = ''] = sessionToken.split('.');
      if (!equalInConstantTime(seal, mac('token', payload))) return null;
      const { id, accessKeyId: its, expires } = v.parse(sealed, Buffer.from(payload, 'base64url').toString());
      if (its !== accessKeyId) return null;
      return { secretAccessKey: secretOf(payload), expiresAt: expires * 1000, principal: { kind: 'identity', id } };
    },
  };
}
