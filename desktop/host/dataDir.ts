import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * The folder that holds all of one profile: `chosen` (the `--data` argument), else PIXWATCH_DATA, else the system's
 * application-data folder. Absolute; it need not exist yet.
 */
export function pixwatchDataDir(env: NodeJS.ProcessEnv, chosen?: string, platform: NodeJS.Platform = process.platform): string {
  const named = chosen || env['PIXWATCH_DATA'];
  return named ? resolve(named) : join(applicationData(env, platform), 'pixwatch');
}

function applicationData(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const home = env['HOME'] || homedir();
  if (platform === 'win32') return env['APPDATA'] || join(home, 'AppData', 'Roaming');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support');
  return env['XDG_DATA_HOME'] || join(home, '.local', 'share');
}
