import { createHash } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { connectionFile } from '../../shared/connection.ts';
import { accessWay } from '../../shared/contract.ts';
import { InvalidInput } from '../../shared/errors.ts';
import { libraryId } from '../../shared/model/asset.ts';

/** A backend on AWS, and how this computer is let in. No secret is in it: those are in the keychain, or in the profile. */
export const awsBackend = v.object({ file: connectionFile, as: accessWay, library: libraryId });
export type AwsBackend = v.InferOutput<typeof awsBackend>;

/** Which backend a data folder uses, and which on AWS it used last. */
export const backendChoice = v.pipe(
  v.object({ version: v.literal(1), inUse: v.picklist(['thisComputer', 'aws']), aws: v.nullable(awsBackend) }),
  v.check(({ inUse, aws }) => inUse === 'thisComputer' || aws !== null, 'no backend on AWS is known'),
);
export type BackendChoice = v.InferOutput<typeof backendChoice>;

/** @throws InvalidInput when there is none */
export function knownAws({ aws }: BackendChoice): AwsBackend {
  if (!aws) throw new InvalidInput('No backend on AWS is known here yet. Connect to one with its connection file.');
  return aws;
}

const fileIn = (dataDir: string) => join(dataDir, 'backend.json');

/**
 * What was chosen for a data folder; null when nobody has chosen yet.
 * @throws InvalidInput when the file is damaged
 */
export async function readChoice(dataDir: string): Promise<BackendChoice | null> {
  const text = await readFile(fileIn(dataDir), 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    // The first when it, the second when the data folder is not there.
    if (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR') return null;
    throw thrown;
  });
  if (text === null) return null;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), backendChoice), text);
  if (result.success) return result.output;
  throw new InvalidInput(
    `${fileIn(dataDir)} is damaged or of a newer Pixwatch. Delete it to work with this computer; then connect to your backend again.`,
  );
}

export async function writeChoice(dataDir: string, choice: BackendChoice): Promise<void> {
  const unfinished = `${fileIn(dataDir)}.unfinished`;
  const file = await open(unfinished, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(choice, null, 2));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, fileIn(dataDir));
}

/** A short name of one library of one backend: a hash, so that nothing of a connection file ever becomes part of a path. */
export function backendId({ file, library }: Pick<AwsBackend, 'file' | 'library'>): string {
  const { endpoint = null, region, inputBucket, table, signIn } = file;
  const text = JSON.stringify([endpoint, region, inputBucket, table, signIn.userPool, signIn.identityPool, library]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The folder of the index of the backend in use: that of this computer is in the data folder itself. */
export function indexDir(dataDir: string, choice: BackendChoice | null): string {
  return choice?.inUse === 'aws' && choice.aws ? join(dataDir, 'backends', backendId(choice.aws)) : dataDir;
}
