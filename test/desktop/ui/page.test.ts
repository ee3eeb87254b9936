import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { uiDir } from '../../../desktop/headless/context.ts';
import { type PageServer, servePage } from '../../../desktop/headless/serve.ts';
import { pixwatchModelsDir } from '../../../desktop/host/dataDir.ts';
import { type App, startApp } from '../../../desktop/host/startApp.ts';
import { drawnText, smallSample } from '../../cloud/local/rekognition/photos.ts';
import { startTestCloud, type TestCloud } from '../agent/testAgent.ts';
import { launchChromium } from './chromium.ts';

/** One person's afternoon with the page, in a real Chromium on the real agent, local cloud and models. Each step goes on from the last. */

const screenshots = fileURLToPath(new URL('../../../dist/screenshots/', import.meta.url));
const hostileName = '<img src=x onerror=document.title=`taken`>.jpg';

let dir: string;
let photos: string;
let app: App;
let server: PageServer;
let browser: Browser;
let page: Page;
/** Stands for a backend on AWS. */
let aws: TestCloud;
const complaints: string[] = [];

function awsFile(): string {
  const { library: _, ...place } = aws.connection;
  const signIn = { userPool: 'us-east-1_Example01', userPoolClient: 'client1', identityPool: 'us-east-1:0a' };
  return JSON.stringify({ version: 1, name: 'family', ...place, signIn });
}

const serve = (port = 0) => servePage({ handlers: app.handlers, onEvent: app.agent.onEvent, port, uiDir });
const addPhoto = async (n: number, name = `people ${n}.jpg`) => writeFile(join(photos, name), await smallSample(n));
const eventually = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 20_000 });
const shoot = (name: string) => page.screenshot({ path: join(screenshots, `${name}.png`), animations: 'disabled' });
const goTo = (view: string) => page.getByRole('navigation').getByRole('link', { name: view }).click();
const tiles = () => page.getByRole('list', { name: 'Photos, newest first' }).getByRole('button');
const search = (text: string) => page.getByRole('combobox', { name: 'Search your photos' }).fill(text);

beforeAll(async () => {
  await mkdir(screenshots, { recursive: true });
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-page-'));
  photos = join(dir, 'Holiday photos');
  await mkdir(photos);
  const start = await startApp({
    dataDir: join(dir, 'data'),
    modelsDir: pixwatchModelsDir(process.env),
    onModelProgress: () => {},
    log: (line) => console.info(line),
  });
  if (start.kind !== 'started') throw new Error('another Pixwatch has this fresh folder');
  app = start.app;
  server = await serve();
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  aws = await startTestCloud(join(dir, 'aws'));
  const { accessKeyId, secretAccessKey } = aws.credentials;
  await writeFile(join(dir, 'profiles'), `[family]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(dir, 'profiles'));
  vi.stubEnv('AWS_CONFIG_FILE', join(dir, 'no profiles'));
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await aws?.stop();
  await browser?.close();
  await server?.close();
  await app?.close();
  await rm(dir, { recursive: true });
});
// The browser complains of whatever the content security policy stops, of missing files and of our own mistakes.
afterEach(() => expect(complaints.splice(0)).toEqual([]));

describe('an empty library', () => {
  test('says how to begin; the token does not stay in the address', async () => {
    await page.goto(server.url);
    await page.getByRole('heading', { name: 'No photos yet' }).waitFor();
    expect(page.url()).not.toContain('token');
    await shoot('empty');
    await page.reload();
    await page.getByRole('heading', { name: 'No photos yet' }).waitFor();
  });

  test('a folder that does not exist is refused with a sentence', async () => {
    await page.getByRole('button', { name: 'Add a folder' }).click();
    await page.getByRole('textbox', { name: 'Folder' }).fill(join(dir, 'nowhere'));
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText(join(dir, 'nowhere')).waitFor();
    await shoot('error');
  });
});

describe('a first folder', () => {
  test('is watched, and its photos show as work to be done', async () => {
    for (const n of [1, 2, 3, 4]) await addPhoto(n);
    await addPhoto(5, hostileName);
    await drawnText('INVOICE 2024').toFile(join(photos, 'paper.jpg'));
    await writeFile(join(photos, 'damaged.jpg'), 'no picture at all');
    await writeFile(join(photos, 'notes.txt'), 'no photo');
    await page.getByRole('textbox', { name: 'Folder' }).fill(photos);
    await page.getByRole('button', { name: 'Add folder' }).click();
    await page.getByRole('listitem').filter({ hasText: photos }).waitFor();
    await goTo('Activity');
    await page.getByRole('main').getByRole('progressbar', { name: 'Progress' }).waitFor();
    await shoot('activity-working');
  });

  test('every file ends in a state with a reason', { timeout: 240_000 }, async () => {
    const row = (name: string) => page.getByRole('listitem').filter({ hasText: name });
    await row('people 1.jpg').getByText('Searchable', { exact: true }).waitFor({ timeout: 180_000 });
    await row('damaged.jpg').getByText('Could not be processed').waitFor({ timeout: 60_000 });
    await row('notes.txt').getByText('Left out').waitFor();
    await row(hostileName).getByText('Searchable', { exact: true }).waitFor({ timeout: 60_000 });
    await row('paper.jpg').getByText('Searchable', { exact: true }).waitFor({ timeout: 60_000 });
    await page.getByRole('heading', { name: 'Everything is up to date' }).waitFor({ timeout: 60_000 });
    await shoot('activity');
    await page.getByRole('radio', { name: 'Not searchable' }).check({ force: true });
    await row('people 1.jpg').waitFor({ state: 'detached' });
    expect(await page.getByRole('main').getByRole('listitem').count()).toBe(2);
  });
});

describe('what is left out of a folder', () => {
  test('is edited as patterns; a wrong one is refused with a sentence', async () => {
    await goTo('Folders');
    await page.getByRole('button', { name: 'Leave out…' }).click();
    const patterns = page.getByRole('dialog').getByRole('textbox', { name: 'Patterns, one on each line' });
    await patterns.fill('*.{txt,png}');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').getByText('Write one pattern for each').waitFor();
    await shoot('leave-out');
    await patterns.fill('notes.*\n\nraw/old');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('listitem').getByText('Leaves out notes.*, raw/old').waitFor();
    await shoot('folders');
    await goTo('Activity');
    await page.getByRole('listitem').filter({ hasText: 'notes.txt' }).getByText('You left it out: it fits “notes.*”').waitFor();
  });
});

describe('the library', () => {
  test('shows every photo, and a name is never taken for HTML', async () => {
    await goTo('Library');
    await eventually(() => tiles().count()).toBe(6);
    await page.getByRole('button', { name: hostileName }).waitFor();
    await eventually(() => page.evaluate(() => [...document.images].every((image) => image.naturalWidth > 0))).toBe(true);
    expect(await page.title()).toBe('Library – Pixwatch');
    await shoot('library');
  });

  test('completes a label and finds by it', async () => {
    await search('pers');
    await page.getByRole('option', { name: 'Person' }).waitFor();
    await shoot('completion');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('combobox').inputValue()).toBe('label:Person ');
    await page.getByRole('list', { name: 'Most frequent labels' }).waitFor({ state: 'detached' });
    await eventually(() => tiles().count()).toBeGreaterThan(0);
    await shoot('search');
  });

  test('says that nothing was found, and what of the search was not understood', async () => {
    await search('zebra colour:blue');
    await page.getByRole('heading', { name: 'No photo matches' }).waitFor();
    await page.getByRole('alert').getByText('“colour:” is not known').waitFor();
    await shoot('no-result');
  });
});

describe('a photo', () => {
  test('opens with the keyboard, with its labels and where they are', async () => {
    await search('label:person');
    await eventually(() => page.getByRole('status').textContent()).toMatch(/^[2-9] photos$/);
    await tiles().first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    const label = dialog.getByRole('button', { name: /^Person .*%$/ });
    await label.hover();
    const box = dialog.locator('.box').first();
    await box.waitFor();
    const [boxed, picture] = [await box.boundingBox(), await dialog.locator('.frame').boundingBox()];
    expect(boxed && picture && boxed.x >= picture.x - 4 && boxed.x + boxed.width <= picture.x + picture.width + 4).toBe(true);
    await dialog.getByText(photos).waitFor();
    await shoot('detail');
  });

  test('shows what happened to it', async () => {
    const dialog = page.getByRole('dialog');
    await dialog.getByText('What happened').click();
    await dialog.getByText('Faces pixelated: done').waitFor();
    await dialog.getByText('Original filed: done').waitFor();
  });

  test('has a copy with pixelated faces', async () => {
    const picture = page.getByRole('dialog').locator('.frame img').last();
    const original = await picture.getAttribute('src');
    await page.getByRole('radio', { name: 'Faces pixelated' }).check({ force: true });
    await eventually(() => picture.getAttribute('src')).not.toBe(original);
    await eventually(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
    await shoot('pixelated');
  });

  test('is a mosaic of as many blocks as wanted, which can be saved in the size of the photo', async () => {
    await page.getByRole('radio', { name: 'Mosaic' }).check({ force: true });
    await page.getByRole('radio', { name: '32', exact: true }).check({ force: true });
    const shown = page.locator('.frame-mosaic img:visible');
    await expect.poll(() => shown.evaluate((img) => (img as HTMLImageElement).naturalWidth)).toBe(32);
    await shoot('mosaic');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save in full size' }).click();
    const file = await (await download).path();
    expect((await download).suggestedFilename()).toMatch(/-mosaic-32\.png$/);
    const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(info.width).toBe(640);
    expect(new Set(Array.from({ length: info.width }, (_, x) => data.subarray(x * 3, x * 3 + 3).toString('hex'))).size).toBeLessThanOrEqual(
      32,
    );
  });

  test('leads to the next, and gives the focus back when it closes', async () => {
    const title = page.getByRole('dialog').getByRole('heading', { level: 2 });
    const before = await title.textContent();
    await page.getByRole('button', { name: 'Previous photo' }).click();
    await eventually(() => title.textContent()).not.toBe(before);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-index'))).toBe('1');
  });

  test('shows the text in it, and where', async () => {
    await search('text:invoice');
    await eventually(() => tiles().count()).toBe(1);
    await tiles().first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: /INVOICE.* %$/ }).hover();
    await dialog.locator('.box').first().waitFor();
    await shoot('detail-text');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });
});

describe('a rule', () => {
  test('shows what it would have matched before it is made', async () => {
    await goTo('Rules');
    await page.getByRole('button', { name: 'New rule' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'What it shows' }).fill('Person');
    await dialog.getByRole('slider').fill('50');
    await dialog.getByText(/Would have matched [1-9]\d* photos?\./).waitFor();
    await dialog.getByRole('textbox', { name: 'Name of the rule' }).fill('Visitors');
    await shoot('rule');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('listitem').filter({ hasText: 'Visitors' }).getByText('Person, at least 50 % sure').waitFor();
  });

  test('can look for text, a flag, a place, days and hours, and several of them at once', async () => {
    await page.getByRole('button', { name: 'New rule' }).click();
    const dialog = page.getByRole('dialog');
    const kind = dialog.getByRole('combobox', { name: 'Kind of condition' });
    for (const [option, field] of [
      ['is flagged as unsuitable', 'As what'],
      ['was taken near a place', 'Latitude'],
      ['was taken on certain days', 'Until, with that day'],
      ['was taken at certain hours', 'Until'],
      ['has certain words in it', 'These words, in this order'],
    ] as const) {
      await kind.selectOption(option);
      await dialog.getByText(field, { exact: true }).waitFor();
    }
    await dialog.getByText('Fill this in to see what would have matched.').waitFor();
    await dialog.getByRole('textbox', { name: 'These words, in this order' }).fill('invoice 2024');
    await dialog.getByText('Would have matched 1 photo.').waitFor();
    await dialog.getByRole('button', { name: 'Add another condition' }).click();
    await kind.last().selectOption('was taken on certain days');
    await dialog.getByText('Would have matched 1 photo.').waitFor();
    await dialog.getByLabel('Until, with that day').fill('1999-12-31');
    await dialog.getByText('No photo of your library would have matched.').waitFor();
    await shoot('rule-several');
    await dialog.getByRole('button', { name: 'Remove' }).last().click();
    await dialog.getByText('Would have matched 1 photo.').waitFor();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('listitem').filter({ hasText: 'invoice 2024' }).getByText('Text “invoice 2024”').waitFor();
  });

  test('tells somebody by e-mail of this rule only', async () => {
    await page.getByRole('textbox', { name: 'E-mail address' }).fill('anna@example.org');
    await page.getByRole('combobox', { name: 'About' }).selectOption('Visitors');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('listitem').filter({ hasText: 'anna@example.org' }).getByText('only about Visitors').waitFor();
    await shoot('rules');
  });

  test('raises an alert for a new photo, once', async () => {
    await addPhoto(6);
    await page
      .getByText(/^Visitors/)
      .and(page.locator('.toast *'))
      .first()
      .waitFor({ timeout: 120_000 });
    const [toast, main] = [await page.locator('.toast').boundingBox(), await page.getByRole('main').boundingBox()];
    expect(toast && main && toast.y >= main.y + main.height, 'it covers nothing').toBe(true);
    await goTo('Alerts');
    const alerts = page.getByRole('main').getByRole('listitem');
    await alerts.filter({ hasText: 'people 6.jpg' }).waitFor();
    expect(await alerts.count()).toBe(1);
    await shoot('alerts');
    await page.getByRole('button', { name: 'Mark all as seen' }).click();
    await page.getByRole('main').getByText('new', { exact: true }).waitFor({ state: 'detached' });
  });
});

describe('a photo that is on this computer no more', () => {
  test('can be saved again', async () => {
    const home = process.env['HOME'];
    onTestFinished(() => {
      process.env['HOME'] = home;
    });
    process.env['HOME'] = dir;
    await rm(join(photos, 'people 2.jpg'));
    await goTo('Library');
    await search('people 2');
    await eventually(() => tiles().count()).toBe(1);
    await tiles().first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Save a copy' }).click();
    await dialog.getByText(`Saved as ${join(dir, 'Downloads', 'people 2.jpg')}`).waitFor();
    await shoot('detail-gone');
    expect(await readFile(join(dir, 'Downloads', 'people 2.jpg'))).toEqual(await smallSample(2));
    await page.keyboard.press('Escape');
    await search('');
  });
});

describe('the backend', () => {
  const place = (name: string) => page.getByRole('region', { name, exact: true });

  test('is this computer until somebody chooses, which is said calmly', async () => {
    await goTo('Library');
    const hint = page.getByRole('complementary', { name: 'Backend' });
    await hint.getByText('Photos are looked at on this computer.').waitFor();
    await hint.getByRole('button', { name: 'Use AWS instead' }).click();
    await page.getByRole('heading', { level: 1, name: 'Backend' }).waitFor();
    await place('This computer').getByText('In use').waitFor();
    await shoot('backend');
  });

  test('a file that is no connection file is refused before anything is typed', async () => {
    const text = page.getByRole('textbox', { name: 'Or paste its text' });
    await text.fill(JSON.stringify({ ...JSON.parse(awsFile()), endpoint: 'http://127.0.0.1@evil.example' }));
    await page.getByText('“endpoint” must be https, or http to 127.0.0.1').waitFor();
    await shoot('backend-bad-file');
    expect(await page.getByRole('button', { name: 'Sign in' }).count()).toBe(0);
  });

  test('a chosen file leads to the sign-in, which says what went wrong', async () => {
    await page
      .getByLabel('Connection file')
      .setInputFiles({ name: 'aws.json', mimeType: 'application/json', buffer: Buffer.from(awsFile()) });
    await page.getByText('Backend family in us-east-1. Sign in to use it.').waitFor();
    await page.getByRole('textbox', { name: 'User name or e-mail' }).fill('anna');
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await shoot('backend-sign-in');
    await page.getByRole('radio', { name: 'AWS profile' }).check({ force: true });
    await page.getByRole('textbox', { name: 'Name of the profile' }).fill('nobody');
    await page.keyboard.press('Enter');
    await page.getByText('The AWS profile “nobody” gives no keys').waitFor();
    await shoot('backend-error');
  });

  test('changes to AWS and back; index, rules and folders stay', async () => {
    await page.getByRole('textbox', { name: 'Name of the profile' }).fill('family');
    await page.keyboard.press('Enter');
    await place('AWS').getByText('In use').waitFor();
    await place('AWS').getByText('By the AWS profile family').waitFor();
    await shoot('backend-aws');
    await goTo('Library');
    await eventually(() => tiles().count()).toBe(7);
    expect(await page.getByRole('complementary', { name: 'Backend' }).count()).toBe(0);
    await goTo('Rules');
    await page.getByRole('main').getByRole('listitem').filter({ hasText: 'Visitors' }).waitFor();
    await goTo('Backend');
    await page.getByRole('button', { name: 'Use this computer' }).click();
    await place('This computer').getByText('In use').waitFor();
    await page.getByRole('button', { name: 'Use this backend' }).waitFor();
  });
});

describe('in the dark and on a narrow screen', () => {
  test('everything fits and can be reached', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await goTo('Library');
    await eventually(() => tiles().count()).toBe(7);
    await shoot('library-dark');
    await page.setViewportSize({ width: 400, height: 800 });
    for (const view of ['Library', 'Activity', 'Folders', 'Rules', 'Alerts', 'Backend']) {
      await goTo(view);
      await page.getByRole('heading', { level: 1, name: view }).waitFor();
      const scroller = await page.getByRole('main').evaluate((main) => ({ content: main.scrollWidth, width: main.clientWidth }));
      expect(scroller.content, view).toBeLessThanOrEqual(scroller.width);
      await shoot(`${view.toLowerCase()}-narrow-dark`);
    }
    await goTo('Rules');
    await page.getByRole('button', { name: 'New rule' }).click();
    await page.getByRole('combobox', { name: 'Kind of condition' }).selectOption('was taken near a place');
    await shoot('rule-narrow-dark');
    await page.keyboard.press('Escape');
    await page.emulateMedia({ colorScheme: 'light' });
    await goTo('Library');
    await tiles().first().click();
    await page.getByRole('dialog').getByText('Facts').waitFor();
    await shoot('detail-narrow');
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 1280, height: 800 });
  });
});

describe('a lost connection', () => {
  test('is said, and an outdated link too', async () => {
    const port = Number(new URL(server.url).port);
    await server.close();
    await page.getByText('Connection to Pixwatch lost').waitFor();
    await shoot('lost');
    server = await serve(port);
    await page.getByRole('heading', { name: 'This link is no longer valid' }).waitFor();
    await page.goto(server.url);
    await eventually(() => tiles().count()).toBe(7);
    // The browser notes the failed connections, which were the point here.
    complaints.splice(0);
  });
});
