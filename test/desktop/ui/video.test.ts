import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { uiDir } from '../../../desktop/headless/context.ts';
import { servePage } from '../../../desktop/headless/serve.ts';
import { inboxKey } from '../../../shared/keys.ts';
import { idOf, labelOf, mediaOf } from '../agent/search/library.ts';
import { startTestAgent, startTestCloud, type TestCloud } from '../agent/testAgent.ts';
import { noBackends } from '../headless/noBackends.ts';
import { launchChromium } from './chromium.ts';

const screenshots = fileURLToPath(new URL('../../../dist/screenshots/', import.meta.url));
const samples = join(dirname(findPackageJSON('@vladmandic/face-api', import.meta.url) ?? ''), 'demo');

const keptReason = 'Kept safely; looking for labels in videos is switched off.';

/** A photo, a video that was looked at, one that was kept with its still, and one of which nothing is known but its type. */
async function finishLibrary(cloud: TestCloud): Promise<void> {
  const still = (n: number) =>
    sharp(join(samples, `sample${n}.jpg`))
      .resize(640, 360)
      .webp()
      .toBuffer();
  const video = (durationMs: number | null) =>
    mediaOf({ kind: 'video', type: 'video/mp4', bytes: 19e6, width: 640, height: 360, durationMs });
  await cloud.finish(
    'photo.jpg',
    { labels: [labelOf('Dog', 80)], text: [], media: mediaOf({ takenAt: '2024-01-01T00:00:00.000Z' }) },
    await still(1),
  );
  const often = Array.from({ length: 20 }, (_, i) => 5_000 + i * 183_400);
  await cloud.finish(
    'birthday.mp4',
    {
      ext: 'mp4',
      media: video(3_723_400),
      labels: [
        { ...labelOf('Person', 99.2), times: often },
        { ...labelOf('Cake', 91), parents: ['Food', 'Dessert'], times: [12_000, 40_000] },
      ],
    },
    await still(2),
  );
  await cloud.finish('beach.mov', { ext: 'mov', media: video(12_300), outcome: { kind: 'kept', reason: keptReason } }, await still(3));
  const unknown = { media: video(null), outcome: { kind: 'kept', reason: 'It cannot be decoded.' } } as const;
  await cloud.finish('old.mkv', { ext: 'mkv', ...unknown, renditions: [] });
}

test('videos in the page: how long they are, a still, what is seen in them and when, and why there is no more', async () => {
  await mkdir(screenshots, { recursive: true });
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-video-page-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const cloud = await startTestCloud(dir);
  onTestFinished(() => cloud.stop());
  await finishLibrary(cloud);
  const folder = join(dir, 'videos');
  await mkdir(folder);
  for (const name of ['photo.jpg', 'birthday.mp4', 'beach.mov', 'old.mkv']) await writeFile(join(folder, name), name);
  const agent = await startTestAgent(cloud, join(dir, 'data'));
  onTestFinished(() => agent.close());
  await agent.handlers.addFolder({ path: folder });
  await expect.poll(() => agent.states(), { timeout: 20_000 }).toMatchObject({ 'photo.jpg': 'searchable', 'old.mkv': 'kept' });
  const server = await servePage({ handlers: { ...agent.handlers, ...noBackends }, onEvent: agent.onEvent, port: 0, uiDir });
  onTestFinished(() => server.close());
  const browser = await launchChromium();
  onTestFinished(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  const shoot = (name: string) => page.screenshot({ path: join(screenshots, `${name}.png`), animations: 'disabled' });
  const tiles = page.getByRole('list', { name: 'Photos, newest first' }).getByRole('button');
  const dialog = page.getByRole('dialog');
  const fact = (name: string) => dialog.locator('.facts > div').filter({ hasText: name }).locator('dd').textContent();
  const still = dialog.locator('.frame img').last();
  const hasStill = () => expect.poll(() => still.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(640);
  const open = async (name: RegExp) => {
    await page.getByRole('button', { name }).click();
    await dialog.getByText('Facts').waitFor();
  };
  const close = async () => {
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  };

  await page.goto(server.url);
  await page.getByText('4 photos and videos').waitFor();
  await page.getByRole('button', { name: /^birthday\.mp4, .*, video of 1:02:03$/ }).waitFor();
  await page.getByRole('button', { name: /^old\.mkv, .*, video$/ }).waitFor();
  expect(await tiles.locator('.mark-video').allTextContents()).toEqual(expect.arrayContaining(['1:02:03', '0:12', '']));
  await expect.poll(() => page.evaluate(() => [...document.images].every((image) => image.naturalWidth > 0))).toBe(true);
  await shoot('videos');

  await page.getByRole('combobox', { name: 'Search your photos' }).fill('is:video');
  await page.getByText('3 videos', { exact: true }).waitFor();
  await page.getByRole('combobox', { name: 'Search your photos' }).fill('cake');
  await page.getByText('1 video', { exact: true }).waitFor();

  await open(/^birthday/);
  await dialog.getByText('at 0:12, 0:40', { exact: true }).waitFor();
  await dialog.getByText(/^at 0:05, 3:08, .* 58:10$/).waitFor();
  expect(await fact('Duration')).toBe('1:02:03');
  await hasStill();
  // What a video never has is neither offered nor called a failure.
  await dialog.getByText('There is no copy with pixelated faces').waitFor();
  await dialog.getByText('In videos neither text nor faces').waitFor();
  expect(await dialog.getByRole('radio').count()).toBe(0);
  expect(await dialog.getByText('that failed').count()).toBe(0);
  await shoot('detail-video');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot('detail-video-dark');
  await page.setViewportSize({ width: 400, height: 800 });
  await shoot('detail-video-narrow-dark');
  await close();
  await page.getByRole('combobox', { name: 'Search your photos' }).fill('');
  await page.getByText('4 photos and videos').waitFor();
  await shoot('videos-narrow-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 800 });

  await open(/^beach/);
  await dialog.getByText(keptReason, { exact: true }).waitFor();
  expect(await fact('Duration')).toBe('0:12');
  await hasStill();
  await shoot('detail-video-kept');
  await close();
  await open(/^old/);
  await dialog.getByText('There is no picture to show.').waitFor();
  expect(await fact('Duration')).toBe('not known');
  await close();
  await open(/^photo/);
  expect(await dialog.getByText('Duration').count()).toBe(0);
  await close();

  // Of two that were only stored one still has its original in the inbox.
  const { endpoint = '', region, library, inputBucket } = cloud.connection;
  const s3 = new S3Client({ endpoint, region, credentials: { ...cloud.credentials } });
  onTestFinished(() => s3.destroy());
  const Key = inboxKey({ library, asset: idOf('beach.mov'), ext: 'mov' });
  await s3.send(new PutObjectCommand({ Bucket: inputBucket, Key, Body: 'beach.mov' }));
  await page.getByRole('navigation').getByRole('link', { name: 'Activity' }).click();
  await page.getByText('2 videos were only stored').waitFor();
  await page.getByRole('button', { name: 'Look at them…' }).click();
  await page.getByText('It costs nothing here').waitFor();
  await shoot('kept-videos');
  await page.getByRole('button', { name: 'Look at them', exact: true }).click();
  await page.getByText('1 video is looked at again').waitFor();
  await page.getByText('1 video was only stored').waitFor();
  expect(complaints).toEqual([]);
}, 120_000);
