import { existsSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

/** `absent`: why there can be no window, for people. */
export type Electron = { readonly kind: 'found'; readonly binary: string } | { readonly kind: 'absent'; readonly why: string };

interface System {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** The user's number; undefined on Windows. */
  readonly uid: number | undefined;
}

/**
 * Finds what the window needs: a display and Electron's binary, which npm does not bring.
 * Only looks at files: asking the `electron` package itself would start a download.
 */
export function findElectron({ env, platform, uid }: System): Electron {
  if (platform === 'linux' && !env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return { kind: 'absent', why: 'there is no display' };
  if (platform === 'linux' && uid === 0) return { kind: 'absent', why: 'Electron does not run as root' };
  const binary = binaryPath(env, platform);
  if (!binary) return { kind: 'absent', why: 'Electron’s binary is not installed ("npx install-electron --no" gets it)' };
  return { kind: 'found', binary };
}

const names: Partial<Record<NodeJS.Platform, string>> = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' };

function binaryPath(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | null {
  const manifest = findPackageJSON('electron', import.meta.url);
  const dist = env['ELECTRON_OVERRIDE_DIST_PATH'] || (manifest && join(dirname(manifest), 'dist'));
  const binary = dist ? join(dist, names[platform] ?? 'electron') : null;
  return binary && existsSync(binary) ? binary : null;
}
