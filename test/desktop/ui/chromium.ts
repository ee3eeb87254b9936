import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';

const cacheDir = fileURLToPath(new URL('../../../node_modules/.cache/', import.meta.url));
const home = join(cacheDir, 'chromium');
const binary = join(home, 'chromium');
const installed = [
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
];

// The package's own file names folders under /tmp. Without any font Chromium ends at the first text field.
const fontsConf = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">.</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`;

/**
 * Starts a real Chromium: the one that `@sparticuz/chromium` carries (Linux x64), else an installed Chrome.
 * The page's own rules (same origin, CSP) stay on: the package's recommended flags would switch them off.
 */
export async function launchChromium(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'];
  if (process.platform === 'linux' && process.arch === 'x64') {
    await inflateOnce();
    // The package brings the libraries that a bare machine lacks (NSS, NSPR, expat) as an Amazon Linux layer.
    const env = {
      ...process.env,
      LD_LIBRARY_PATH: join(home, 'al2023', 'lib'),
      FONTCONFIG_PATH: join(home, 'fonts'),
      XDG_CACHE_HOME: home,
    };
    return chromium.launch({ executablePath: binary, args, env });
  }
  for (const executablePath of installed) if (await exists(executablePath)) return chromium.launch({ executablePath, args });
  throw new Error(`no Chromium for this system: install Google Chrome (looked for ${installed.join(', ')})`);
}

/** Unpacks beside the final place and renames, so that neither a crash nor a second test run sees half a browser. */
async function inflateOnce(): Promise<void> {
  if (await exists(binary)) return;
  await mkdir(cacheDir, { recursive: true });
  const work = await mkdtemp(join(cacheDir, 'chromium-'));
  const script = `
    import { inflate } from '@sparticuz/chromium';
    const parts = ['chromium.br', 'fonts.tar.br', 'al2023.tar.br'];
    await Promise.all(parts.map((part) => inflate('node_modules/@sparticuz/chromium/bin/' + part)));`;
  try {
    // The package can only unpack into the system's temporary folder, which others share: give it a private one.
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: fileURLToPath(new URL('../../../', import.meta.url)),
      env: { ...process.env, TMPDIR: work },
    });
    await writeFile(join(work, 'fonts', 'fonts.conf'), fontsConf);
    await rename(work, home);
  } catch (thrown) {
    await rm(work, { recursive: true, force: true });
    if (!(await exists(binary))) throw thrown;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
