import { randomBytes } from 'node:crypto';
import { chmod, open, readFile, rename } from 'node:fs/promises';
import * as v from 'valibot';
import type { Credentials } from '../../shared/connection.ts';
import { InvalidInput } from '../../shared/errors.ts';

// In the form that AWS gives them, as some tools check it.
const credentials = v.object({
  accessKeyId: v.pipe(v.string(), v.regex(/^[A-Z0-9]{20}$/)),
  secretAccessKey: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{40}$/)),
});

/**
 * The keys that requests to the local cloud must be signed with: random, made at the first start, readable by the file's owner only.
 * @throws InvalidInput when the file is damaged
 */
export async function loadCredentials(path: string): Promise<Credentials> {
  const text = await readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return null;
    throw thrown;
  });
  if (text === null) return makeCredentials(path);
  await chmod(path, 0o600);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), credentials), text);
  // Nothing of the file is quoted: it is secret.
  if (!parsed.success) throw new InvalidInput(`${path} is damaged. Delete it: Pixwatch makes new keys at its next start.`);
  return parsed.output;
}

async function makeCredentials(path: string): Promise<Credentials> {
  const made = {
    accessKeyId: `PIXW${Array.from(randomBytes(16), (byte) => alphabet[byte % alphabet.length]).join('')}`,
    secretAccessKey: randomBytes(30).toString('base64url'),
  };
  const unfinished = `${path}.unfinished`;
  const file = await open(unfinished, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(made));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
  return made;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
