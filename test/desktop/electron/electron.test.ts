import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findElectron } from '../../../desktop/headless/electron.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const found = findElectron(process.env);
if ('missing' in found) console.warn(`\nSKIPPED: the Electron tests did not run. ${found.missing}\n`);

describe.skipIf('missing' in found)('the desktop shell', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pixwatch-electron-'));
  const screenshots = join(root, 'dist/screenshots');
  let app: ElectronApplication;
  let page: Page;
  // Chromium's sandbox cannot run as root, which containers and CI often are.
  const flags = ['--no-sandbox', '--disable-gpu'];

  beforeAll(async () => {
    if ('missing' in found) return;
    app = await _electron.launch({ executablePath: found.binary, args: [...flags, root, `--data=${dataDir}`, '--try-out'] });
    page = await app.firstWindow();
  });
  afterAll(async () => {
    await app?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('finds the try-out library by label', async () => {
    await page.getByRole('searchbox').fill('dog');
    await page
      .getByRole('button', { name: /dog|jpg/i })
      .first()
      .waitFor({ timeout: 120_000 });
    await page.screenshot({ path: join(screenshots, 'electron-search.png') });
    expect(await page.evaluate(() => 'require' in window || 'process' in window)).toBe(false);
  });

  test('a second start shows the first window and ends', async () => {
    if ('missing' in found) return;
    const second = spawn(found.binary, [...flags, root, `--data=${dataDir}`], { stdio: 'ignore' });
    const code = await new Promise((resolve) => second.once('exit', resolve));
    expect(code).toBe(0);
    expect(app.windows()).toHaveLength(1);
  });

  test('closing the window hides it; quitting ends every process', async () => {
    const visible = () => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible());
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
    expect(await visible()).toBe(false);
    const pid = app.process().pid ?? 0;
    await app.close();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});
