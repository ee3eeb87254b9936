import { createHash, randomBytes } from 'node:crypto';
import { open, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hashFile, readFile } from '../../../../desktop/agent/queue/hashFile.ts';
import { scratchDir } from '../db/scratch.ts';
import { mebibyte } from './sending.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function fileOf(content: Buffer): Promise<string> {
  const path = join(await scratchDir(), 'a.jpg');
  await writeFile(path, content);
  return path;
}

test('a large file does not hold up small ones', async () => {
  const large = await fileOf(randomBytes(200 * mebibyte));
  const small = await fileOf(randomBytes(1000));
  const ended: string[] = [];
  // Both threads have a large one.
  const all = [large, large, small, small].map((path) => hashFile(path).then(() => ended.push(path)));
  await Promise.all(all);
  expect(ended).toEqual([small, small, large, large]);
});

test('the bytes that are handed on are those that were hashed, whatever is written meanwhile', async () => {
  const size = 3 * mebibyte;
  const path = await fileOf(randomBytes(size));
  const file = await open(path, 'r+');
  let isOver = false;
  const writing = (async () => {
    while (!isOver) await file.write(randomBytes(4096), 0, 4096, Math.floor(Math.random() * (size - 4096)));
  })();
  for (let i = 0; i < 30; i++) {
    const read = await readFile(path, size);
    if (read) expect(sha256(read.body)).toBe(read.asset);
  }
  isOver = true;
  await writing;
  await file.close();
  const read = await readFile(path, size);
  expect(read?.asset).toBe(sha256(read?.body ?? new Uint8Array()));
});

test('a file that has grown is not read into memory', async () => {
  const path = await fileOf(randomBytes(2000));
  expect(await readFile(path, 1000)).toBeNull();
  expect(await hashFile(path)).toMatchObject({ size: 2000 });
});

test('an error has the code and the call of the system; a link is not followed', async () => {
  const path = await fileOf(randomBytes(10));
  await symlink(path, `${path}.link`);
  await expect(hashFile(`${path}.link`)).rejects.toMatchObject({ code: 'ELOOP', syscall: 'open' });
  await expect(hashFile(`${path}.none`)).rejects.toMatchObject({ code: 'ENOENT', syscall: 'open' });
});
