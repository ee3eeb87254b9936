import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { loadSecret } from '../secretFile.ts';

/** What the local sign-in proves its own words by. */
export interface IdentityKeys {
  /** PEM, RSA with 2,048 bits: signs tokens. */
  readonly tokens: string;
  /** 32 bytes: makes temporary keys, and what stands for users that are not there. */
  readonly root: Buffer;
}

const stored = v.object({
  tokens: v.pipe(v.string(), v.startsWith('-----BEGIN PRIVATE KEY-----')),
  root: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
});

/**
 * Loads the keys of the local sign-in, made at the first start. With them, tokens and temporary keys stay good over a restart.
 * @throws InvalidInput when the file is damaged
 */
export async function loadIdentityKeys(path: string): Promise<IdentityKeys> {
  const { tokens, root } = await loadSecret(path, stored, makeKeys);
  return { tokens, root: Buffer.from(root, 'base64url') };
}

async function makeKeys(): Promise<v.InferOutput<typeof stored>> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { tokens: privateKey, root: randomBytes(32).toString('base64url') };
}
