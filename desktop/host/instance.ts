import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';

/** Where the page of the running Pixwatch is; nothing but a page of this computer is ever opened. It holds the page's token: only its owner may read it. */
const instance = v.pipe(v.string(), v.parseJson(), v.object({ url: v.pipe(v.string(), v.regex(/^http:\/\/127\.0\.0\.1:\d+\//)) }));

const fileIn = (dataDir: string) => join(dataDir, 'instance.json');

/** Tells later starts on this data folder where the page is. */
export async function writeInstance(dataDir: string, url: string): Promise<void> {
  const unfinished = `${fileIn(dataDir)}.unfinished`;
  await rm(unfinished, { force: true });
  await writeFile(unfinished, JSON.stringify({ url }), { mode: 0o600, flag: 'wx' });
  await rename(unfinished, fileIn(dataDir));
}

/** The address of the running Pixwatch's page; null when it serves none. */
export async function readInstance(dataDir: string): Promise<string | null> {
  const text = await readFile(fileIn(dataDir), 'utf8').catch(() => null);
  const { success, output } = v.safeParse(instance, text);
  return success ? output.url : null;
}

export async function removeInstance(dataDir: string): Promise<void> {
  await rm(fileIn(dataDir), { force: true });
}
