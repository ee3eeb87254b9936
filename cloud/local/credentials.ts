import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { Credentials } from '../../shared/connection.ts';
import { loadSecret } from './secretFile.ts';

// In the form that AWS gives them, as some tools check it.
const credentials = v.object({
  accessKeyId: v.pipe(v.string(), v.regex(/^[A-Z0-9]{20}$/)),
  secretAccessKey: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{40}$/)),
});

/**
 * The owner's keys of the local cloud: random, made at the first start, readable by the file's owner only.
 * @throws InvalidInput when the file is damaged
 */
export const loadCredentials = (path: string): Promise<Credentials> => loadSecret(path, credentials, makeCredentials);

const makeCredentials = async () => ({
  accessKeyId: `PIXW${randomKeyId()}`,
  secretAccessKey: randomBytes(30).toString('base64url'),
});

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** 16 random characters: what an access key id has behind the four that say its kind. */
export const randomKeyId = (): string => Array.from(randomBytes(16), (byte) => alphabet[byte % alphabet.length]).join('');
