import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect, onTestFinished, test } from 'vitest';
import { monthOf } from '../../../cloud/steps/usage.ts';
import { uiDir } from '../../../desktop/headless/context.ts';
import { servePage } from '../../../desktop/headless/serve.ts';
import { systemClock } from '../../../shared/clock.ts';
import { usageItem } from '../../../shared/keys.ts';
import { startTestAgent, startTestCloud, type TestCloud } from '../agent/testAgent.ts';
import { noBackends } from '../headless/noBackends.ts';
import { launchChromium } from './chromium.ts';

const screenshots = fileURLToPath(new URL('../../../dist/screenshots/', import.meta.url));

/** So many US dollars were spent on Rekognition this month. */
async function spend({ connection, credentials }: TestCloud, usd: number): Promise<void> {
  const { endpoint = '', region, table } = connection;
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region, credentials: { ...credentials } }));
  await documents.send(new PutCommand({ TableName: table, Item: { ...usageItem(monthOf(systemClock)), spent: usd * 1e6 } }));
  documents.destroy();
}

test('the page shows what it will cost before anything is sent, what was spent, and what waits', async () => {
  await mkdir(screenshots, { recursive: true });
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-costs-page-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const cloud = await startTestCloud(dir, { priceRegion: 'us-east-1', capPerMonth: 20 });
  onTestFinished(() => cloud.stop());
  await spend(cloud, 19.4);
  const photos = join(dir, 'photos');
  await mkdir(photos);
  for (const name of ['a', 'b', 'c']) await writeFile(join(photos, `${name}.jpg`), name);
  await writeFile(join(photos, 'film.mp4'), 'film');
  const agent = await startTestAgent(cloud, join(dir, 'data'));
  onTestFinished(() => agent.close());
  await cloud.finish('waits', { outcome: { kind: 'waiting', reason: 'The budget of this month is used up.' } });
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
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);

  await page.goto(server.url);
  const main = page.getByRole('main');
  await page.getByRole('navigation').getByRole('link', { name: 'Costs' }).click();
  await main.getByText('Nothing waits to be sent yet').waitFor();
  await main.getByRole('button', { name: 'Add a folder' }).click();
  await page.getByRole('heading', { level: 1, name: 'Folders' }).waitFor();
  await agent.handlers.addFolder({ path: photos });
  await page.getByText('Nothing is sent yet: this cloud costs money.').waitFor();
  await page.getByRole('button', { name: 'See what it will cost' }).click();
  await main.getByText('3 photos and 1 video wait to be sent.').waitFor();
  await main.getByText('1 minute is guessed from the sizes of the files, at 60 MB a minute').waitFor();
  await main.getByRole('row', { name: /Rekognition/ }).waitFor();
  await shoot('costs-before');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 400, height: 800 });
  expect(await fits()).toBe(true);
  await shoot('costs-narrow-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 800 });
  expect(await cloud.originals()).toEqual([]);

  await main.getByRole('button', { name: 'Approve and start' }).click();
  await expect.poll(() => cloud.originals(), { timeout: 20_000 }).toHaveLength(4);
  await main.getByText('The cap is $20.00 a month').waitFor();
  await main.getByText('97 % of the cap is used.').waitFor();
  await main.getByRole('button', { name: 'Approve and start' }).waitFor({ state: 'detached' });
  await writeFile(join(photos, 'waits.jpg'), 'waits');
  await main.getByText('1 file waits for budget.').waitFor({ timeout: 40_000 });
  await main.getByRole('button', { name: 'Try again now' }).click();
  await main.getByText('There is no budget for them yet.').waitFor();
  await shoot('costs');
  expect(complaints).toEqual([]);
}, 120_000);
