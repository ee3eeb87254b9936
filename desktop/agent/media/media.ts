import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { copyFile, link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../../../shared/clock.ts';
import { messageOf, Permanent, Transient } from '../../../shared/errors.ts';
import { renditionKey } from '../../../shared/keys.ts';
import { type AssetId, type LibraryId, type PictureName, pictures } from '../../../shared/model/asset.ts';
import { noteUse, trimFolder } from './trimFolder.ts';

export interface MediaOptions {
  readonly s3: S3Client;
  /** The output bucket. */
  readonly bucket: string;
  readonly library: LibraryId;
  readonly clock: Clock;
  /** About so many bytes of copies are kept. */
  readonly limit?: number;
}

/** Renditions of the library as local files, fetched when they are first asked for. */
export interface MediaCache {
  /**
   * The path of a local copy and its content type.
   * @param revision of the asset's record. A copy is never given for another one, unless the rendition shows the same whoever made it: `isLasting`
   * @throws Permanent when the cloud has no such rendition, Transient when it cannot be had right now
   */
  get(asset: AssetId, rendition: PictureName, revision: number): Promise<{ path: string; type: string; isLasting: boolean }>;
  /** Removes the copies of an asset that was analysed anew, and those under way. */
  forget(asset: AssetId): Promise<void>;
}

/**
 * Enough for the thumbnails of 100,000 photos (10–15 KB each) and a few thousand previews, and little beside the photos themselves.
 * What is over is fetched again when it is looked at.
 */
const maxBytes = 2 * 1024 ** 3;
/** Folders of copies, one for the first two digits of an asset: each is bounded by itself, so that few files are looked at at a time. */
const folders = 256;
/** A folder is trimmed when so much was added to it: 64 thumbnails or so. */
const trimEveryBytes = 1024 ** 2;

/** Whoever made them, they show the same. What a face was hidden from is not among them: that only one record's own judgement says. */
const isLasting = (rendition: PictureName) => rendition === 'thumb' || rendition === 'preview' || rendition.startsWith('grid-');
const files = Object.values(pictures).map(({ file }) => file);
const lastingFiles = [pictures.thumb.file, pictures.preview.file];

/**
 * @param dir holds the copies, as `<first 2 digits>/<asset>-<file>`, and `<asset>-<revision>-<file>` where that depends on the revision; made when
 * missing, and may be removed at any time
 */
export function openMediaCache(dir: string, options: MediaOptions): MediaCache {
  const { s3, bucket, library, clock, limit = maxBytes } = options;
  const fetching = new Map<string, Promise<void>>();
  /** Bytes added to a folder since it was trimmed; one that was not trimmed since the start is not in it. */
  const added = new Map<string, number>();
  const folderOf = (asset: AssetId) => join(dir, asset.slice(0, 2));
  const pathOf = (asset: AssetId, rendition: PictureName, revision: number) =>
    join(folderOf(asset), `${asset}-${isLasting(rendition) ? '' : `${revision}-`}${pictures[rendition].file}`);

  const fetchOnce = (path: string, key: string) => {
    const running = fetching.get(path) ?? fetch(path, key).finally(() => fetching.delete(path));
    fetching.set(path, running);
    return running;
  };
  const fetch = async (path: string, key: string) => {
    await download(s3, bucket, key, path);
    const folder = dirname(path);
    const bytes = (added.get(folder) ?? trimEveryBytes) + (await stat(path)).size;
    added.set(folder, bytes < trimEveryBytes ? bytes : 0);
    if (bytes >= trimEveryBytes) await trimFolder(folder, limit / folders);
  };
  return {
    async get(asset, rendition, revision) {
      const path = pathOf(asset, rendition, revision);
      if (!(await isThere(path, clock))) await fetchOnce(path, renditionKey(library, asset, rendition));
      return { path, type: pictures[rendition].type, isLasting: isLasting(rendition) };
    },
    async forget(asset) {
      const isCopy = (path: string) => path.startsWith(join(folderOf(asset), asset));
      // What comes of them is removed too; that one of them fails concerns whoever asked for it.
      await Promise.allSettled([...fetching].filter(([path]) => isCopy(path)).map(([, running]) => running));
      const names = await readdir(folderOf(asset)).catch(() => []);
      const copies = names.filter((name) => name.startsWith(asset) && files.some((file) => name.endsWith(`-${file}`)));
      for (const name of copies) await rm(join(folderOf(asset), name), { force: true });
    },
  };
}

/**
 * Gives the copies in one cache to that of another backend, which has none yet, so that pictures can be seen before it made its own.
 * @param from may be missing
 */
export async function sharePictures(from: string, to: string): Promise<void> {
  for (const folder of await readdir(from).catch(() => [])) {
    const names = (await readdir(join(from, folder))).filter((name) => lastingFiles.some((file) => name.endsWith(`-${file}`)));
    if (names.length > 0) await mkdir(join(to, folder), { recursive: true });
    for (const name of names) await linkUnlessThere(join(from, folder, name), join(to, folder, name));
  }
}

async function linkUnlessThere(from: string, to: string): Promise<void> {
  await link(from, to).catch((thrown: NodeJS.ErrnoException) => {
    // A try before this one broke off.
    if (thrown.code === 'EEXIST') return;
    // Not every file system has links.
    return copyFile(from, to);
  });
}

async function download(s3: S3Client, bucket: string, key: string, path: string): Promise<void> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(Body as Readable, path);
  } catch (cause) {
    if (isMissing(cause)) throw new Permanent('The library has no such picture of this file.', { cause });
    throw new Transient(`The picture cannot be had right now: ${messageOf(cause)}`, { cause });
  }
}

/** A desktop on AWS may not list the bucket, and whoever may not is told of a missing object that access is denied. */
const isMissing = (thrown: unknown) => thrown instanceof NoSuchKey || (thrown instanceof Error && thrown.name === 'AccessDenied');

/** Writes beside the target and renames: nobody ever sees half a picture. */
async function writeWhole(content: Readable, path: string): Promise<void> {
  const unfinished = `${path}.${randomUUID()}`;
  try {
    await pipeline(content, createWriteStream(unfinished, { flags: 'wx' }));
    await rename(unfinished, path);
  } catch (thrown) {
    await rm(unfinished, { force: true });
    throw thrown;
  }
}

async function isThere(path: string, clock: Clock): Promise<boolean> {
  try {
    await noteUse(path, clock);
    return true;
  } catch {
    // Not there, or not to be used: then it is fetched, which says what is wrong.
    return false;
  }
}
