import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { readInstance, removeInstance, writeInstance } from '../../../desktop/host/instance.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-instance-'));
  return () => rm(dir, { recursive: true });
});

test('written for its owner only, read back, replaced, removed', async () => {
  expect(await readInstance(dir)).toBeNull();
  await writeInstance(dir, 'http://127.0.0.1:1/#token=a');
  await writeInstance(dir, 'http://127.0.0.1:2/#token=b');
  expect(await readInstance(dir)).toBe('http://127.0.0.1:2/#token=b');
  expect(await readdir(dir)).toEqual(['instance.json']);
  expect((await stat(join(dir, 'instance.json'))).mode & 0o777).toBe(0o600);
  await removeInstance(dir);
  expect(await readInstance(dir)).toBeNull();
});

test.each(['', 'no json', '{}', '{"url":"no address"}', '{"url":"javascript:alert(1)"}', '{"url":"https://evil.example/"}'])(
  'whatever else is in the file (%s) is no address',
  async (text) => {
    await writeFile(join(dir, 'instance.json'), text);
    expect(await readInstance(dir)).toBeNull();
  },
);
