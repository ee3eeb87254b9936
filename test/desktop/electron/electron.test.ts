import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findElectron } from '../../../desktop/headless/electron.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const photosOfAnimals = join(dirname(findPackageJSON('apeman-asset-images', import.meta.url) ?? ''), 'dist/dummy');
const found = findElectron(process.env);
if ('missing' in found) console.warn(`SKIPPED: the tests of the desktop shell did not run. ${found.missing}`);

// Chromium's sandbox cannot run as root, which containers and CI often are.
const flags = ['--no-sandbox', '--disable-gpu'];

describe.skipIf('missing' in found)('the desktop shell', () => {
  const binary = 'binary' in found ? found.binary : '';
  let dir: string;
  let args: string[];
  let app: ElectronApplication;
  let page: Page;
  const printed: string[] = [];

  const goTo = (view: string) => page.getByRole('navigation').getByRole('link', { name: view }).click();
  const isVisible = () => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible());

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'pixwatch-electron-'));
    await mkdir(join(dir, 'photos'));
    args = [...flags, root, `--data=${join(dir, 'data')}`, `--folder=${join(dir, 'photos')}`];
    await mkdir(join(root, 'dist/screenshots'), { recursive: true });
    app = await _electron.launch({ executablePath: binary, args });
    for (const stream of [app.process().stdout, app.process().stderr]) stream?.on('data', (data) => printed.push(String(data)));
    page = await app.firstWindow();
  });
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  test('opens with a page that has no way out of its sandbox', async () => {
    await page.getByRole('heading', { name: 'Library' }).waitFor();
    expect(await page.evaluate(() => 'require' in window || 'process' in window)).toBe(false);
    expect(await page.evaluate(() => fetch('/media/../../package.json').then((answer) => answer.status))).toBe(404);
    expect(await page.evaluate(() => fetch('/..%2f..%2fpackage.json').then((answer) => answer.status))).toBe(404);
  });

  test('tells of a new photo that a rule was waiting for, and finds it', async () => {
    await goTo('Rules');
    await page.getByRole('button', { name: 'New rule' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'What it shows' }).fill('Dog');
    await dialog.getByRole('slider').fill('50');
    await dialog.getByRole('textbox', { name: 'Name of the rule' }).fill('Any dog');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('listitem').filter({ hasText: 'Any dog' }).waitFor();

    await copyFile(join(photosOfAnimals, '04.jpg'), join(dir, 'photos', 'terrier.jpg'));
    await goTo('Alerts');
    await page.getByRole('main').getByRole('listitem').filter({ hasText: 'terrier.jpg' }).waitFor({ timeout: 120_000 });

    await goTo('Library');
    await page.getByRole('combobox', { name: 'Search your photos' }).fill('dog ');
    await page.getByRole('button', { name: 'terrier.jpg' }).waitFor();
    await expect.poll(() => page.evaluate(() => [...document.images].every((image) => image.naturalWidth > 0))).toBe(true);
    await page.screenshot({ path: join(root, 'dist/screenshots/electron.png') });
  });

  test('closing the window hides it, and a second start shows it again, hands its folder over and ends', async () => {
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
    await expect.poll(isVisible).toBe(false);
    const more = join(dir, 'more photos');
    await mkdir(more);
    const [code] = await once(spawn(binary, [...args.slice(0, -1), `--folder=${more}`], { stdio: 'ignore' }), 'exit');
    expect(code).toBe(0);
    await expect.poll(isVisible).toBe(true);
    await goTo('Folders');
    await page.getByText(more).waitFor();
    expect(app.windows()).toHaveLength(1);
  });

  test('quits, with nothing left running, and the pictures were drawn without complaints', async () => {
    const main = app.process();
    const ended = once(main, 'exit');
    await app.evaluate(({ app }) => app.quit());
    await ended;
    expect(printed.join('')).not.toMatch(/GLib|CRITICAL|Error:/);
    const again = await _electron.launch({ executablePath: binary, args });
    await (await again.firstWindow()).getByRole('button', { name: 'terrier.jpg' }).waitFor();
    await again.close();
  });
});
