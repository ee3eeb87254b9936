import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LocalCloud, startLocalCloud } from '../../cloud/local/startLocalCloud.ts';
import type { Backend } from '../../cloud/steps/backend.ts';
import { type Agent, startAgent } from '../../desktop/agent/agent.ts';
import { pixwatchModelsDir } from '../../desktop/host/dataDir.ts';
import { systemClock } from '../../shared/clock.ts';
import { backendOf } from '../cloud/cloudProcess.ts';
import { drawnText, sample, shrunk, smallSample } from '../cloud/local/rekognition/photos.ts';
import { startMailServer } from '../cloud/local/smtp.ts';

/** The walk of a photo through everything: real photos, real models, a real mail server, real processes that are killed. */

const things = (n: string) => join(dirname(findPackageJSON('apeman-asset-images', import.meta.url) ?? ''), `dist/dummy/${n}.jpg`);
const launcher = fileURLToPath(new URL('../../bin/pixwatch.mjs', import.meta.url));
const visitors = {
  name: 'Visitors',
  condition: { kind: 'label' as const, label: 'Person', minConfidence: 50 },
  notify: { desktop: true, sns: true },
};

const invoices = {
  name: 'Invoices',
  condition: { kind: 'text' as const, text: 'invoice 2024' },
  notify: { desktop: true, sns: false },
};

let dir: string;
let photos: string;
const open: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-walk-'));
  photos = join(dir, 'photos');
  await mkdir(photos);
});
afterEach(async () => {
  for (const part of open.splice(0).toReversed()) await part.close();
  await rm(dir, { recursive: true });
});

async function startCloud(): Promise<LocalCloud> {
  const models = pixwatchModelsDir(process.env);
  const cloud = await startLocalCloud({ dir: join(dir, 'cloud'), models, workers: 1, clock: systemClock, log: () => {} });
  open.push(cloud);
  return cloud;
}

async function start(cloud: LocalCloud, name: string): Promise<Agent> {
  const dataDir = join(dir, name);
  await mkdir(dataDir);
  const { connection, credentials } = cloud;
  const agent = await startAgent({
    dataDir: join(dir, name),
    connection,
    credentials: async () => credentials,
    clock: systemClock,
    log: () => {},
  });
  open.push(agent);
  return agent;
}

async function originals({ s3, names }: Backend): Promise<string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: names.inputBucket }));
  return Contents.map(({ Key = '', LastModified }) => `${Key} ${LastModified?.toISOString()}`).toSorted();
}

test('a photo is sent, seen, found, told of and filed, each once, and all of it can be rebuilt', async () => {
  const mail = await startMailServer();
  const cloud = await startCloud();
  const backend = backendOf(cloud.connection, { ...cloud.credentials });
  await writeFile(join(dir, 'cloud/smtp.json'), JSON.stringify({ host: '127.0.0.1', port: mail.port, from: 'pixwatch@example.org' }));
  const agent = await start(cloud, 'data');
  const raised: string[] = [];
  agent.onEvent((event) => event.kind === 'alertRaised' && raised.push(event.alert.fileName));
  await agent.handlers.subscribe({ protocol: 'email', endpoint: 'ranger@example.org', rules: null });
  await agent.handlers.saveRule({ id: null, draft: visitors });
  await agent.handlers.saveRule({ id: null, draft: invoices });

  await writeFile(join(photos, 'visitors.jpg'), await smallSample(6));
  await copyFile(things('04'), join(photos, 'terrier.jpg'));
  await drawnText('INVOICE 2024').toFile(join(photos, 'paper.jpg'));
  await writeFile(join(photos, 'torn.jpg'), (await sample(3)).subarray(0, 50_000));
  await agent.handlers.addFolder({ path: photos });
  const { failed } = await agent.untilIdle();

  expect(failed).toMatchObject([
    { path: join(photos, 'torn.jpg'), state: { kind: 'rejected', reason: expect.stringMatching(/damaged/i) } },
  ]);
  const find = async (text: string) => (await agent.handlers.search({ text, cursor: null, limit: 10 })).items.map(({ name }) => name);
  expect(await find('label:dog>=60')).toEqual(['terrier.jpg']);
  expect(await find('person -dog')).toEqual(['visitors.jpg']);
  expect((await find('is:alert')).toSorted()).toEqual(['paper.jpg', 'visitors.jpg']);
  expect(raised.toSorted()).toEqual(['paper.jpg', 'visitors.jpg']);
  expect(await agent.handlers.dryRun({ draft: invoices })).toMatchObject({ count: 1, newest: [{ name: 'paper.jpg' }] });
  await expect.poll(() => mail.inbox.length, { timeout: 20_000 }).toBe(1);
  expect(mail.inbox[0]).toContain('visitors.jpg');
  const filed = await originals(backend);
  expect(filed.map((line) => line.replace(/\/local\/.*/, '')).toSorted()).toEqual([
    'analyzed/failure',
    'analyzed/success',
    'analyzed/success',
    'rejected',
  ]);

  // Renamed, copied, and the agent's database lost: nothing is sent, nobody is told again.
  await rename(join(photos, 'visitors.jpg'), join(photos, 'guests.jpg'));
  await copyFile(join(photos, 'terrier.jpg'), join(photos, 'terrier again.jpg'));
  const second = await start(cloud, 'data of another installation');
  second.onEvent((event) => event.kind === 'alertRaised' && raised.push('told again'));
  await second.handlers.addFolder({ path: photos });
  await second.untilIdle();
  expect((await second.handlers.status({})).files).toMatchObject({ searchable: 4, rejected: 1 });
  const { items } = await second.handlers.alerts({ cursor: null, limit: 10 });
  expect(items.map(({ fileName, seen }) => [fileName, seen]).toSorted()).toEqual([
    ['guests.jpg', true],
    ['paper.jpg', true],
  ]);
  expect(await originals(backend)).toEqual(filed);
  expect(raised).toHaveLength(2);
  expect(mail.inbox).toHaveLength(1);
});

test('killed again and again on its way, the program finishes all the same and touches no photo', async () => {
  const files = await Promise.all([...['02', '11'].map(async (n) => shrunk(await readFile(things(n)))), smallSample(3), smallSample(6)]);
  for (const [i, file] of files.entries()) await writeFile(join(photos, `${i}.jpg`), file);
  const stamps = async () => Promise.all((await readdir(photos)).map(async (name) => [name, (await stat(join(photos, name))).ctimeMs]));
  const before = await stamps();
  const run = () => spawn(process.execPath, [launcher, 'watch', photos, '--until-idle', '--json', '--data', join(dir, 'data')]);

  for (const wait of [1_500, 4_000, 6_500]) {
    const killed = run();
    await sleep(wait);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
  }
  const last = run();
  const printed: string[] = [];
  last.stdout.on('data', (data) => printed.push(String(data)));
  const [code] = await once(last, 'exit');
  expect(code).toBe(0);
  expect(JSON.parse(printed.join('').trim().split('\n').at(-1) ?? '')).toMatchObject({ files: { searchable: files.length }, failed: [] });
  expect(await stamps()).toEqual(before);
}, 180_000);
