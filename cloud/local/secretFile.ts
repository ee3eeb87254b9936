import { chmod, open, readFile, rename } from 'node:fs/promises';
import * as v from 'valibot';
import { InvalidInput } from '../../shared/errors.ts';

/**
 * Loads secrets of this cloud, as JSON readable by the file's owner only; makes them when there is no file yet.
 * @throws InvalidInput when the file is damaged
 */
export async function loadSecret<S extends v.GenericSchema>(
  path: string,
  schema: S,
  make: () => Promise<v.InferOutput<S>>,
): Promise<v.InferOutput<S>> {
  const text = await readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return null;
    throw thrown;
  });
  if (text === null) return writeSecret(path, await make());
  await chmod(path, 0o600);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  // Nothing of the file is quoted: it is secret.
  if (!parsed.success) throw new InvalidInput(`${path} is damaged. Delete it: Pixwatch makes new keys at its next start.`);
  return parsed.output;
}

async function writeSecret<T>(path: string, made: T): Promise<T> {
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
