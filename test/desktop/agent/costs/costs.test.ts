import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { expect, onTestFinished, test } from 'vitest';
import { connectCommands } from '../../../../desktop/agent/commands.ts';
import { createCosts } from '../../../../desktop/agent/costs/costs.ts';
import { keptVideosSize, lookAtKept } from '../../../../desktop/agent/costs/keptVideos.ts';
import { queuedSize, wholeSize } from '../../../../desktop/agent/costs/librarySize.ts';
import { transaction } from '../../../../desktop/agent/db/openDatabase.ts';
import { markStored } from '../../../../desktop/agent/queue/jobs.ts';
import { applyRecord } from '../../../../desktop/agent/sync/applyRecord.ts';
import { emptyLibrary } from '../../../../shared/forecast.ts';
import type { Outcome } from '../../../../shared/model/asset.ts';
import { mediaOf, memoryDatabase, recordOf } from '../search/library.ts';
import { startTestAgent, startTestCloud, type TestCloud } from '../testAgent.ts';

const soon = { timeout: 20_000, interval: 50 };

async function openCloud(settings: Parameters<typeof startTestCloud>[1]): Promise<TestCloud> {
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-costs-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const cloud = await startTestCloud(dir, settings);
  onTestFinished(() => cloud.stop());
  return cloud;
}

test('where it costs, nothing is sent before somebody has seen what and approved it; later photos are', async () => {
  const cloud = await openCloud({ priceRegion: 'eu-central-1', capPerMonth: 5 });
  const photos = join(cloud.dir, 'photos');
  await mkdir(photos);
  await writeFile(join(photos, 'a.jpg'), 'a');
  await writeFile(join(photos, 'b.mp4'), 'b');
  const agent = await startTestAgent(cloud, join(cloud.dir, 'data'));
  onTestFinished(() => agent.close());
  const { handlers } = agent;
  await handlers.addFolder({ path: photos });
  await agent.untilIdle();
  expect(await handlers.status({})).toMatchObject({ costs: 'unapproved', paused: false, files: { queued: 2 } });
  const { paid } = await handlers.costs({});
  expect(paid).toMatchObject({
    approved: false,
    cap: 5,
    spent: 0,
    waiting: 0,
    forecast: { photos: 1, videos: 1, videoMinutes: 1, isGuess: false },
  });
  expect(paid?.forecast.once.usd).toBeGreaterThan(0.002);
  expect(await cloud.originals()).toEqual([]);

  await handlers.approveCosts({});
  await expect.poll(() => cloud.originals(), soon).toHaveLength(2);
  await writeFile(join(photos, 'c.jpg'), 'c');
  await expect.poll(() => cloud.originals(), soon).toHaveLength(3);
  expect(await handlers.status({})).toMatchObject({ costs: 'approved' });
});

test('when it cannot be asked what it costs, nothing is sent, and it says why', async () => {
  const cloud = await openCloud({});
  const photos = join(cloud.dir, 'photos');
  await mkdir(photos);
  await writeFile(join(photos, 'a.jpg'), 'a');
  const wrong = { ...cloud, connection: { ...cloud.connection, commandsFunction: 'no-such-function' } };
  const agent = await startTestAgent(wrong, join(cloud.dir, 'data'));
  onTestFinished(() => agent.close());
  expect(await agent.handlers.status({})).toMatchObject({ problem: null });
  await agent.handlers.addFolder({ path: photos });
  await expect
    .poll(async () => (await agent.handlers.status({})).problem, soon)
    .toMatch(/^Nothing is sent before .* The cloud lacks what this connection names/);
  expect(await agent.states()).toEqual({ 'a.jpg': 'queued' });
});

test('where it costs nothing, there is nothing to approve', async () => {
  const cloud = await openCloud({});
  const agent = await startTestAgent(cloud, join(cloud.dir, 'data'));
  onTestFinished(() => agent.close());
  expect(await agent.handlers.costs({})).toEqual({ paid: null });
  await expect.poll(async () => (await agent.handlers.status({})).costs, soon).toBe('free');
  await expect(agent.handlers.approveCosts({})).rejects.toThrow(/costs nothing/);
});

/** A queue on an AWS backend whose content a test decides on. */
async function openQueue() {
  const { connection, credentials } = await openCloud({ priceRegion: 'us-east-1' });
  const { endpoint = '', region } = connection;
  const lambda = new LambdaClient({ endpoint, region, credentials });
  onTestFinished(() => lambda.destroy());
  const db = memoryDatabase();
  const commands = connectCommands(lambda, connection);
  const costs = createCosts({ db, commands, onChange() {}, onError: (thrown) => expect.fail(String(thrown)) });
  onTestFinished(() => costs.close());
  let last = 0;
  return {
    costs,
    isApproved: async () => (await costs.read()).paid?.approved,
    /** So many photos of 4 MB wait, and nothing else. */
    queue(photos: number): void {
      const asset = db.prepare("INSERT INTO asset (n, id, ext, size) VALUES (?, ?, 'jpg', 4000000)");
      const job = db.prepare('INSERT INTO upload_job (asset, size) VALUES (?, 4000000)');
      transaction(db, () => {
        db.exec('DELETE FROM upload_job');
        for (const n of Array.from({ length: photos }, () => ++last)) {
          asset.run(n, `id ${n}`);
          job.run(n);
        }
      });
    },
    /** All that waits is sent. */
    drain(): void {
      const jobs = db.prepare('SELECT asset FROM upload_job').all();
      transaction(db, () => {
        for (const { asset } of jobs) markStored(db, Number(asset), '');
      });
    },
  };
}

test('an approval is used up: many small lots are asked for again as one large lot is', async () => {
  const { costs, isApproved, queue, drain } = await openQueue();
  queue(10);
  await costs.approve();
  drain();
  let sent = 10;
  while (sent < 6000) {
    queue(150);
    if (!(await isApproved())) break;
    drain();
    sent += 150;
  }
  // A dollar and a half of what was approved: some two hundred photos.
  expect(sent).toBeLessThan(500);
  expect(costs.state()).toBe('unapproved');
  await costs.approve();
  expect(await isApproved()).toBe(true);
  drain();
  // As much again.
  queue(150);
  expect(await isApproved()).toBe(true);
});

test('is asked again when far more waits than was approved, and once for all of a library', async () => {
  const { costs, isApproved, queue } = await openQueue();

  expect(await isApproved()).toBe(false);
  queue(10);
  expect(await isApproved()).toBe(false);
  expect(costs.state()).toBe('unapproved');
  await costs.approve();
  expect(costs.state()).toBe('approved');
  // A dollar more than was approved does not matter.
  queue(200);
  expect(await isApproved()).toBe(true);
  queue(3000);
  expect(await isApproved()).toBe(false);
  await costs.approve();
  queue(4000);
  expect(await isApproved()).toBe(true);
});

test('the minutes of videos are guessed from their sizes, of those formats that are paid for', () => {
  const db = memoryDatabase();
  const add = (id: string, ext: string, size: number) => {
    db.prepare('INSERT INTO asset (id, ext, size) VALUES (?, ?, ?)').run(id, ext, size);
    db.prepare('INSERT INTO upload_job (asset, size) SELECT n, size FROM asset WHERE id = ?').run(id);
  };
  for (const [n, size] of [200e6, 300e6, 100e6].entries()) add(`long ${n}`, 'mp4', size);
  for (let n = 0; n < 10; n++) add(`short ${n}`, 'mov', 5e6);
  add('mkv', 'mkv', 1e9);
  add('photo', 'jpg', 4e6);
  // 600 MB are ten minutes, and half a minute comes to each of three; ten short ones are paid as a minute each.
  const all = { photos: 1, photoBytes: 4e6, keptPhotos: 0, keptPhotoBytes: 0, videos: 14, videoBytes: 1.65e9, videoMinutes: 12 + 10 };
  expect(queuedSize(db)).toEqual({ ...all, keptVideos: 1, keptVideoBytes: 1e9 });
  // Nobody knows yet which of the others can be looked at, and so will be archived.
  expect(wholeSize(db)).toEqual({ ...all, keptVideos: 14, keptVideoBytes: 1.65e9 });
});

test('what is only kept is counted by its name, and by what became of it once that is known', () => {
  const db = memoryDatabase();
  const add = (id: string, ext: string, outcome: string | null) =>
    db.prepare('INSERT INTO asset (id, ext, size, outcome) VALUES (?, ?, 1000000, ?)').run(id, ext, outcome);
  add('a photo', 'jpg', null);
  add('a phone’s', 'heic', null);
  add('one that can be read, whatever its name', 'heic', 'analysed');
  add('a damaged one', 'jpg', 'rejected');
  add('H.264', 'mov', 'analysed');
  add('H.265', 'mov', 'kept');
  expect(wholeSize(db)).toMatchObject({ photos: 4, photoBytes: 4e6, keptPhotos: 2, keptPhotoBytes: 2e6 });
  expect(wholeSize(db)).toMatchObject({ videos: 2, videoBytes: 2e6, keptVideos: 1, keptVideoBytes: 1e6 });
  db.exec('INSERT INTO upload_job (asset, size) SELECT n, size FROM asset WHERE outcome IS NULL');
  expect(queuedSize(db)).toMatchObject({ photos: 2, photoBytes: 2e6, keptPhotos: 1, keptPhotoBytes: 1e6 });
});

test('kept videos that another look may find more in are counted, and asked for a hundred at a time', async () => {
  const db = memoryDatabase();
  const add = (n: number, ext: string, bytes: number, outcome: object, more: object = {}) =>
    applyRecord(db, recordOf(`film ${n}`, { ext, media: mediaOf({ kind: 'video', bytes }), outcome: outcome as Outcome, ...more }));
  const kept = { kind: 'kept', reason: 'Videos are not analysed yet.' };
  for (let n = 0; n < 150; n++) add(n, 'mp4', 90e6, kept);
  add(200, 'mov', 1e6, kept, { media: mediaOf({ kind: 'video', bytes: 1e6, durationMs: 61_000 }) });
  add(201, 'avi', 1e6, kept);
  add(202, 'mp4', 1e6, { ...kept, final: true });
  add(203, 'mp4', 1e6, kept, { pipelineVersion: 0 });
  add(204, 'mp4', 1e6, { kind: 'analysed', category: 'failure' });
  add(205, 'jpg', 1e6, kept, { media: mediaOf({ kind: 'photo' }) });
  expect(keptVideosSize(db)).toEqual({
    ...emptyLibrary,
    ...{ videos: 152, videoBytes: 150 * 90e6 + 2e6, keptVideos: 1, keptVideoBytes: 1e6, videoMinutes: 150 * 2 + 2 },
  });
  const calls: number[] = [];
  const lookAgain = async ({ assets }: { assets: readonly string[] }) => {
    calls.push(assets.length);
    return { asked: assets.length };
  };
  expect(await lookAtKept(db, { lookAgain })).toBe(152);
  expect(calls).toEqual([100, 52]);
});

test('no minute of video is forecast where labels are not looked for in videos', async () => {
  const cloud = await openCloud({
    priceRegion: 'us-east-1',
    detectors: { labels: true, text: true, faces: true, moderation: true, videoLabels: false },
  });
  const folder = join(cloud.dir, 'videos');
  await mkdir(folder);
  await writeFile(join(folder, 'film.mp4'), 'film');
  const agent = await startTestAgent(cloud, join(cloud.dir, 'data'));
  onTestFinished(() => agent.close());
  await agent.handlers.addFolder({ path: folder });
  await agent.untilIdle();
  expect((await agent.handlers.costs({})).paid?.forecast).toMatchObject({ videos: 1, videoMinutes: null });
});
