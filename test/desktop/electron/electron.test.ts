import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
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

  const trayLines = () =>
    app.evaluate(() => {
      const menu = Reflect.get(globalThis, 'trayMenu') as Electron.Menu | undefined;
      return menu?.items.map(({ label }) => label).filter((label) => label !== '');
    });
  const clickInTray = async (label: string) => {
    await expect.poll(trayLines).toContain(label);
    await app.evaluate((_, label) => {
      const menu = Reflect.get(globalThis, 'trayMenu') as Electron.Menu;
      menu.items.find((item) => item.label === label)?.click();
    }, label);
  };

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

  test('tells of a new photo that a rule was waiting for, once, and finds it', async () => {
    await app.evaluate(({ Notification }) => {
      // A display for tests has nothing that would show them.
      const shown: { title: string; body: string }[] = [];
      Object.assign(globalThis, { shown });
      Notification.isSupported = () => true;
      Notification.prototype.show = function () {
        shown.push({ title: this.title, body: this.body });
      };
    });
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

    const shown = await app.evaluate(() => Reflect.get(globalThis, 'shown'));
    expect(shown).toEqual([{ title: 'Any dog', body: expect.stringMatching(/^Dog \d+ %: terrier\.jpg$/) }]);

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

  test('its part in the background starts again when it dies, and adds no folder that a person has removed since', async () => {
    const folder = page
      .getByRole('main')
      .getByRole('listitem')
      .filter({ hasText: join(dir, 'photos') });
    await folder.getByRole('button', { name: 'Remove' }).click();
    await folder.getByRole('button', { name: 'Stop watching' }).click();
    await folder.waitFor({ state: 'detached' });
    const agentPid = () => app.evaluate(({ app }) => app.getAppMetrics().find(({ name }) => name === 'Pixwatch agent')?.pid ?? 0);
    const before = await agentPid();
    process.kill(before, 'SIGKILL');
    await expect.poll(agentPid, { timeout: 20_000 }).toSatisfy((pid) => pid !== 0 && pid !== before);
    await page.reload();
    await page.getByText(join(dir, 'more photos')).waitFor();
    expect(await folder.count()).toBe(0);
  });

  test('beside a Pixwatch without a window it ends with a sentence', async () => {
    const data = join(dir, 'data of another');
    await writeFile(join(dir, 'no models'), '');
    const env = { ...process.env, PIXWATCH_MODELS: join(dir, 'no models') };
    const headless = spawn(
      process.execPath,
      [join(root, 'bin/pixwatch.mjs'), '--headless', '--folder', join(dir, 'more photos'), '--data', data],
      { env },
    );
    await once(headless.stdout, 'data');
    const second = await _electron.launch({ executablePath: binary, args: [...flags, root, `--data=${data}`] });
    const ended = once(second.process(), 'exit');
    const said: string[] = [];
    second.process().stderr?.on('data', (text) => said.push(String(text)));
    // The box would wait for somebody to close it.
    await second.evaluate(({ dialog }) => {
      dialog.showErrorBox = (title, content) => console.error(`${title}: ${content}`);
    });
    expect((await ended)[0]).toBe(1);
    expect(said.join('')).toMatch(
      /^Pixwatch cannot start: Pixwatch is already running on this data folder\. Close it, or choose another with --data\.$/m,
    );
    headless.kill('SIGTERM');
    await once(headless, 'exit');
  });

  test('the tray says how it stands, and pauses and resumes', async () => {
    // Where no desktop shows a tray, its menu is looked at as it is set.
    await app.evaluate(({ Tray }) => {
      Tray.prototype.setContextMenu = (menu) => void Reflect.set(globalThis, 'trayMenu', menu);
    });
    await goTo('Activity');
    await page.getByRole('button', { name: 'Pause' }).click();
    await expect.poll(trayLines).toEqual([expect.stringMatching(/^Paused: /), 'Open Pixwatch', 'Resume uploading', 'Quit Pixwatch']);
    await clickInTray('Resume uploading');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await expect.poll(trayLines).toContain('Pause uploading');
    await clickInTray('Pause uploading');
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    await clickInTray('Resume uploading');
  });

  test('quits, with nothing left running, and the pictures were drawn without complaints', async () => {
    const main = app.process();
    const ended = once(main, 'exit');
    await clickInTray('Quit Pixwatch');
    await ended;
    expect(printed.join('')).not.toMatch(/GLib|CRITICAL|Error:/);
    const again = await _electron.launch({ executablePath: binary, args });
    await (await again.firstWindow()).getByRole('button', { name: 'terrier.jpg' }).waitFor();
    await again.close();
  });
});
