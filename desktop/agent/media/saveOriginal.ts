import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, utimes } from 'node:fs/promises';
import { join, parse } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { StoredOriginal } from '../../../shared/contract.ts';
import { assertNever, InvalidInput, messageOf, Permanent, Transient } from '../../../shared/errors.ts';
import { originalMetadata } from '../../../shared/keys.ts';
import type { AssetId } from '../../../shared/model/asset.ts';
import { extensionOf } from '../../../shared/model/media.ts';
import { cloudTrouble } from '../upload/cloudTrouble.ts';

/**
 * Saves a copy of an original under its own name, with its time of modification; another file of that name stays, and the copy gets a number.
 * It appears under its name only when it is whole and its content is what the library says it is.
 * @param folder absolute; made when missing
 * @returns its path
 * @throws InvalidInput when it cannot be had without more ado or the folder cannot be written, Transient or Permanent when the cloud fails
 */
export async function saveOriginal(
  { s3, inputBucket }: { readonly s3: S3Client; readonly inputBucket: string },
  asset: AssetId,
  original: StoredOriginal,
  folder: string,
): Promise<{ path: string }> {
  const Key = keyOf(original);
  const { Body, Metadata } = await s3.send(new GetObjectCommand({ Bucket: inputBucket, Key })).catch((thrown: unknown) => {
    throw cloudTrouble(thrown);
  });
  const { name, modified } = originalMetadata.read(Metadata);
  try {
    await mkdir(folder, { recursive: true });
    const path = await reserve(folder, safeFileName(name, `${asset.slice(0, 12)}.${extensionOf(Key)}`));
    const unfinished = join(folder, `${randomUUID()}.unfinished`);
    try {
      await receive(Body as Readable, unfinished, asset);
      if (modified) await utimes(unfinished, new Date(modified), new Date(modified));
      await rename(unfinished, path);
    } catch (thrown) {
      await Promise.all([unfinished, path].map((file) => rm(file, { force: true })));
      throw thrown;
    }
    return { path };
  } catch (thrown) {
    if (thrown instanceof Permanent || thrown instanceof Transient) throw thrown;
    throw new InvalidInput(`A copy cannot be saved in ${folder}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function keyOf(original: StoredOriginal): string {
  switch (original.kind) {
    case 'stored':
      return original.key;
    case 'archived':
      throw new InvalidInput('The original is in the archive. Ask for it first; that takes 3 to 5 hours.');
    case 'restoring':
      throw new InvalidInput('The original is on its way out of the archive. That takes 3 to 5 hours.');
    case 'missing':
      throw new Permanent('The cloud does not have this original any more.');
    default:
      return assertNever(original);
  }
}

async function receive(content: Readable, path: string, asset: AssetId): Promise<void> {
  const hash = createHash('sha256');
  const check = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    await pipeline(content, check, createWriteStream(path, { flags: 'wx' }));
  } catch (thrown) {
    // The system's errors are about the folder, all others about the way from the cloud.
    if (thrown instanceof Error && 'syscall' in thrown && 'path' in thrown) throw thrown;
    throw new Transient(`The original did not arrive whole: ${messageOf(thrown)}`, { cause: thrown });
  }
  if (hash.digest('hex') !== asset) throw new Permanent('What the cloud has of this original is damaged, so it was not saved.');
}

/** Makes an empty file of this name, or of the first numbered one that is free. @returns its path */
async function reserve(folder: string, fileName: string): Promise<string> {
  const { name, ext } = parse(fileName);
  for (let n = 1; ; n++) {
    const path = join(folder, n === 1 ? fileName : `${name} (${n})${ext}`);
    try {
      await (await open(path, 'wx')).close();
      return path;
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
    }
  }
}

/** What no file system that matters takes in a name: https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the very thing that is taken out
const unsafe = /[\\/:*?"<>|\u0000-\u001f\u007f]/g;
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** The original's name as one that can be a file's on every system, whatever the library says; else `fallback`. */
export function safeFileName(name: string | null, fallback: string): string {
  const own = (name ?? '')
    .toWellFormed()
    .replace(unsafe, '_')
    .replace(/^\.+|[. ]+$/g, '')
    .trim();
  if (own === '' || reserved.test(own)) return fallback;
  // File systems take 255 bytes; a number may follow.
  return Buffer.byteLength(own) <= 240 ? own : fallback;
}
