import { copyFile, mkdir, rename, stat } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf, Permanent } from '../../shared/errors.ts';
import type { App } from './startApp.ts';

/** Real photos that come with npm packages, and what they are called in the try-out library. */
const photos: readonly { readonly package: string; readonly file: string; readonly name: string }[] = [
  ...Object.entries({
    'bee on a flower.jpg': '01',
    'blackbird.jpg': '02',
    'big wheel.jpg': '03',
    'white terrier.jpg': '04',
    'frog.jpg': '05',
    'jellyfish.jpg': '06',
    'savanna.jpg': '08',
    'gorilla.jpg': '11',
    'autumn boots.jpg': '12',
    'kitchen.jpg': '13',
  }).map(([name, number]) => ({ package: 'apeman-asset-images', file: `dist/dummy/${number}.jpg`, name })),
  { package: '@vladmandic/face-api', file: 'demo/sample3.jpg', name: 'evening out.jpg' },
  { package: '@vladmandic/face-api', file: 'demo/sample6.jpg', name: 'four friends.jpg' },
];

/**
 * Puts the try-out photos into `<dataDir>/try-out`, where they are not yet, and watches that folder. Does nothing when a folder is watched already or the backend is on AWS:
 * they do not belong into a person's own library, nor is their analysis on AWS worth its price.
 * @throws Permanent when the photos are not installed or cannot be copied
 */
export async function addTryOut({ handlers }: Pick<App, 'handlers'>, dataDir: string): Promise<void> {
  if ((await handlers.folders({})).length > 0 || (await handlers.backend({})).inUse === 'aws') return;
  const dir = join(dataDir, 'try-out');
  try {
    await mkdir(dir, { recursive: true });
    for (const photo of photos) await copyOnce(pathOf(photo), dir, photo.name);
  } catch (cause) {
    throw new Permanent(`The try-out photos cannot be put into ${dir}: ${messageOf(cause)}. Run "npm ci" if they are missing.`, { cause });
  }
  await handlers.addFolder({ path: dir });
}

function pathOf({ package: name, file }: (typeof photos)[number]): string {
  const manifest = findPackageJSON(name, import.meta.url);
  if (!manifest) throw new Permanent(`${name} is not installed`);
  return join(dirname(manifest), file);
}

/** Hidden until it is whole, so that it is not taken up before. */
async function copyOnce(source: string, dir: string, name: string): Promise<void> {
  const target = join(dir, name);
  if (await stat(target).catch(() => null)) return;
  const unfinished = join(dir, `.${name}`);
  await copyFile(source, unfinished);
  await rename(unfinished, target);
}
