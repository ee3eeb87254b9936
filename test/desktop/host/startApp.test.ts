import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type App, startApp } from '../../../desktop/host/startApp.ts';
import { addTryOut } from '../../../desktop/host/tryOut.ts';
import type { AgentEvent } from '../../../shared/contract.ts';
import { InvalidInput } from '../../../shared/errors.ts';

let dir: string;
let dataDir: string;
let apps: App[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-app-'));
  dataDir = join(dir, 'data');
  apps = [];
  return async () => {
    for (const app of apps) await app.close();
    await rm(dir, { recursive: true });
  };
});

/** Without vision models, which these tests have no need of: a file is where their folder should be. */
async function start(folder = dataDir) {
  const modelsDir = join(dir, 'models');
  await writeFile(modelsDir, '');
  const started = await startApp({ dataDir: folder, modelsDir, onModelProgress: () => {}, log: () => {} });
  if (started.kind === 'started') apps.push(started.app);
  return started;
}

async function startFirst(): Promise<App> {
  const started = await start();
  if (started.kind !== 'started') throw new Error('another one runs');
  return started.app;
}

test('one at a time has the data folder; a second start learns where the page of the first is', async () => {
  const app = await startFirst();
  expect(await start()).toEqual({ kind: 'running', url: null });
  await app.publish('http://127.0.0.1:1234/#token=secret');
  expect(await start()).toEqual({ kind: 'running', url: 'http://127.0.0.1:1234/#token=secret' });
  expect((await start(join(dir, 'another'))).kind).toBe('started');

  await app.close();
  apps.splice(apps.indexOf(app), 1);
  expect(await readdir(dataDir)).not.toContain('instance.json');
  expect((await start()).kind).toBe('started');
});

test('says where a person looks that pictures are not looked at, and why', async () => {
  const app = await startFirst();
  const events: AgentEvent[] = [];
  app.agent.onEvent((event) => events.push(event));
  await expect
    .poll(() => app.handlers.status({}))
    .toMatchObject({ problem: expect.stringMatching(/models.*cannot be written/), notice: null });
  await expect
    .poll(() => events)
    .toContainEqual({ kind: 'statusChanged', status: expect.objectContaining({ problem: expect.any(String) }) });
});

test('what a killed process left behind is no hindrance and misleads nobody', async () => {
  const child = fork(join(import.meta.dirname, 'startAndWait.ts'), [dataDir], { stdio: 'inherit' });
  await once(child, 'message');
  expect(await start()).toEqual({ kind: 'running', url: 'http://127.0.0.1:1234/' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await startFirst();
  expect(await start()).toEqual({ kind: 'running', url: null });
});

test('only its owner may look into the data folder', async () => {
  await startFirst();
  expect((await stat(dataDir)).mode & 0o077).toBe(0);
});

test('a data folder that cannot be used is refused with a sentence, and let go of', async () => {
  await writeFile(join(dir, 'file'), '');
  await expect(start(join(dir, 'file', 'data'))).rejects.toThrow(InvalidInput);
  await expect(start(join(dir, 'file', 'data'))).rejects.toThrow(/The data folder .* cannot be used.*Choose another with --data/);

  await mkdir(join(dataDir, 'agent.db'), { recursive: true });
  await expect(start()).rejects.toThrow();
  await rm(join(dataDir, 'agent.db'), { recursive: true });
  expect((await start()).kind).toBe('started');
});

test('when the cloud of this computer is lost, all is sent again to a new one', async () => {
  const photos = join(dir, 'photos');
  await mkdir(photos);
  await writeFile(join(photos, 'a.jpg'), 'stands for a photo');
  const blobs = () => readdir(join(dataDir, 'cloud', 's3', 'blobs'));
  const first = await startFirst();
  await first.agent.handlers.addFolder({ path: photos });
  await expect.poll(blobs, { timeout: 20_000 }).toHaveLength(1);
  await expect.poll(async () => (await first.handlers.status({})).files.analysing, { timeout: 20_000 }).toBe(1);
  await first.close();
  const second = await startFirst();
  expect(await second.handlers.status({})).toMatchObject({ files: { analysing: 1 }, notice: null });
  await second.close();
  apps = [];

  await rename(join(dataDir, 'cloud'), join(dir, 'kept'));
  const third = await startFirst();
  await expect.poll(blobs, { timeout: 20_000 }).toHaveLength(1);
  expect((await third.handlers.status({})).notice).toMatch(/cloud is a new one.*sent again from the watched folders/);
});

test('the try-out library is watched where nothing else is', async () => {
  const app = await startFirst();
  const { agent } = app;
  await addTryOut(app, dataDir);
  const names = await readdir(join(dataDir, 'try-out'));
  expect(names.length).toBeGreaterThan(10);
  expect(names.every((name) => name.endsWith('.jpg') && !name.startsWith('.'))).toBe(true);
  const [folder, ...others] = await agent.handlers.folders({});
  expect([folder?.path, ...others]).toEqual([join(await realpath(dataDir), 'try-out')]);

  await agent.handlers.removeFolder({ id: folder?.id ?? 0 });
  const own = join(dir, 'own photos');
  await mkdir(own);
  await agent.handlers.addFolder({ path: own });
  await addTryOut(app, dataDir);
  expect((await agent.handlers.folders({})).map(({ path }) => path)).toEqual([await realpath(own)]);
});
