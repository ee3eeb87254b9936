import type { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput, HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type * as v from 'valibot';
import { Transient } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import { byClass } from './awsErrors.ts';
import type { Backend } from './backend.ts';

/** The objects of both buckets: what the steps read and write. */

/** What S3 knows of an object in the input bucket; null when there is none. */
export async function headOriginal({ s3, names }: Backend, key: string): Promise<HeadObjectCommandOutput | null> {
  return orNull(s3.send(new HeadObjectCommand({ Bucket: names.inputBucket, Key: key })));
}

/**
 * Opens an original in the input bucket.
 * @throws Transient when it is not there
 */
export async function openOriginal({ s3, names }: Backend, key: string): Promise<GetObjectCommandOutput> {
  const opened = await orNull(s3.send(new GetObjectCommand({ Bucket: names.inputBucket, Key: key })));
  if (!opened) throw originalGone(key);
  return opened;
}

/** Gone from the inbox but not finished: moved by another execution at this moment, or deleted by its owner. It may come back. */
export const originalGone = (key: string) => new Transient(`The original is not in the inbox any more (${key}). Add the file again.`);

/** The chunks of an object's body; a connection that breaks is `Transient`. */
export async function* chunksOf(opened: GetObjectCommandOutput): AsyncGenerator<Uint8Array> {
  try {
    yield* opened.Body as Readable;
  } catch (thrown) {
    throw byClass(thrown);
  }
}

/** An original in the input bucket, read in ranges: from a byte until before another. */
export function rangesOf({ s3, names }: Backend, key: string, size: number) {
  return {
    size,
    async read(start: number, end: number): Promise<Buffer> {
      const Range = `bytes=${start}-${end - 1}`;
      const opened = await orNull(s3.send(new GetObjectCommand({ Bucket: names.inputBucket, Key: key, Range })));
      if (!opened) throw originalGone(key);
      return bodyOf(opened);
    },
  };
}

/** The whole body of an object, whose size the caller has checked. */
export async function bodyOf(opened: GetObjectCommandOutput): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of chunksOf(opened)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads one of our own objects from the output bucket. */
export async function readOutput({ s3, names }: Backend, key: string): Promise<Buffer> {
  return bodyOf(await s3.send(new GetObjectCommand({ Bucket: names.outputBucket, Key: key })));
}

/** Reads one of our own objects from the output bucket; null when there is none. */
export async function readOutputIfThere({ s3, names }: Backend, key: string): Promise<Buffer | null> {
  const opened = await orNull(s3.send(new GetObjectCommand({ Bucket: names.outputBucket, Key: key })));
  return opened && bodyOf(opened);
}

/** Reads one of our own JSON objects from the output bucket. */
export async function readJson<S extends v.GenericSchema>(backend: Backend, key: string, schema: S): Promise<v.InferOutput<S>> {
  return parse(schema, JSON.parse((await readOutput(backend, key)).toString('utf8')), key);
}

/** Writes an object to the output bucket, in place of what was there. A stream is sent in parts as it comes. */
export async function writeOutput({ s3, names }: Backend, key: string, type: string, body: Buffer | Readable): Promise<void> {
  const upload = new Upload({ client: s3, params: { Bucket: names.outputBucket, Key: key, ContentType: type, Body: body } });
  await upload.done();
}

/** Writes JSON to the output bucket. */
export function writeJson(backend: Backend, key: string, value: unknown): Promise<void> {
  return writeOutput(backend, key, 'application/json', Buffer.from(JSON.stringify(value)));
}

async function orNull<T>(sent: Promise<T>): Promise<T | null> {
  try {
    return await sent;
  } catch (thrown) {
    if (thrown instanceof Error && (thrown.name === 'NotFound' || thrown.name === 'NoSuchKey')) return null;
    throw thrown;
  }
}
