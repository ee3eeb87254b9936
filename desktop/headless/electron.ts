import { existsSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

/** `missing`: why there can be no window, for people. */
export type Electron = { readonly binary: string } | { readonly missing: string };

/**
 * Finds what the window needs: a display and Electron's binary, which npm does not bring.
 * Only looks at files: asking the `electron` package itself would start a download.
 */
export function findElectron(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): Electron {
  if (platform === 'linux' && !env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return { missing: 'There is no display.' };
  const binary = binaryPath(env, platform);
  return binary ? { binary } : { missing: 'Electron’s program is not installed ("npx install-electron --no" fetches it).' };
}

const names: Partial<Record<NodeJS.Platform, string>> = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' };

function binaryPath(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | null {
  const manifest = findPackageJSON('electron', import.meta.url);
  const dist = env['ELECTRON_OVERRIDE_DIST_PATH'] || (manifest && join(dirname(manifest), 'dist'));
  const binary = dist ? join(dist, names[platform] ?? 'electron') : null;
  return binary && existsSync(binary) ? binary : null;
}
