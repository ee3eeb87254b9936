import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { scratchDir } from '../db/scratch.ts';
import { keyOf, mebibyte, photo, until } from '../queue/sending.ts';
import { openStore, type Store } from './store.ts';

const inFlight = 4 * 8 * mebibyte;

function startAgent(dir: string, { connection, credentials }: Store): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'wayUp.ts'), dir, JSON.stringify({ connection, credentials })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test.each([
  [100, 1],
  [200, 4],
])('kill -9 in the middle of %i MB, %i times: only what was under way is sent again', async (megabytes, kills) => {
  const size = megabytes * mebibyte;
  const store = await openStore();
  const dir = await realpath(await scratchDir());
  await mkdir(join(dir, 'photos'));
  const content = photo(size);
  await writeFile(join(dir, 'photos/a.mp4'), content);
  for (let i = 1; i <= kills; i++) {
    const agent = startAgent(dir, store);
    await until(() => expect(store.line.bytesUp()).toBeGreaterThan(((0.6 * i) / kills) * size), 30_000);
    agent.kill('SIGKILL');
    await once(agent, 'exit');
  }
  expect(await store.objects()).toEqual(new Map());

  const [said] = await once(startAgent(dir, store).stdout as NodeJS.ReadableStream, 'data');
  expect(String(said)).toBe('idle\n');
  expect([...(await store.objects()).keys()]).toEqual([keyOf(content, 'mp4')]);
  expect(await store.openUploads()).toBe(0);
  const overhead = 200_000;
  expect(store.line.bytesUp()).toBeGreaterThan(size);
  expect(store.line.bytesUp()).toBeLessThan(size + kills * inFlight + overhead);
});

test('kill -9 again and again while hundreds of small files are sent: all are stored, none twice', async () => {
  const store = await openStore();
  const dir = await realpath(await scratchDir());
  await mkdir(join(dir, 'photos'));
  const contents = Array.from({ length: 300 }, () => photo(50_000));
  await Promise.all(contents.map((content, i) => writeFile(join(dir, `photos/${i}.jpg`), content)));
  const kills = 4;
  for (let i = 1; i <= kills; i++) {
    const agent = startAgent(dir, store);
    await until(() => expect(store.line.bytesUp()).toBeGreaterThan(((0.7 * i) / kills) * 300 * 50_000), 30_000);
    agent.kill('SIGKILL');
    await once(agent, 'exit');
  }
  await once(startAgent(dir, store).stdout as NodeJS.ReadableStream, 'data');
  expect([...(await store.objects()).keys()].toSorted()).toEqual(contents.map((content) => keyOf(content)).toSorted());
  // Under way at a time, on a line as quick as this one.
  const underWay = 32;
  expect(store.line.bytesUp()).toBeLessThan((300 + kills * underWay) * 52_000);
});
