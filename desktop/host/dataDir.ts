import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * The folder that holds all of one profile: `chosen` (the `--data` argument), else PIXWATCH_DATA, else the system's
 * application-data folder. Absolute; it need not exist yet.
 */
export function pixwatchDataDir(env: NodeJS.ProcessEnv, chosen?: string, platform: NodeJS.Platform = process.platform): string {
  const named = chosen || env['PIXWATCH_DATA'];
  return named ? resolve(typedIn(env), named) : join(applicationData(env, platform), 'pixwatch');
}

/** The folder that holds the vision models for all profiles: PIXWATCH_MODELS, else in the usual data folder. Absolute. */
export function pixwatchModelsDir(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  const named = env['PIXWATCH_MODELS'];
  return named ? resolve(typedIn(env), named) : join(applicationData(env, platform), 'pixwatch', 'models');
}

/** What a relative path is meant from: npm runs scripts in the project's folder, and this is the one that it was typed in. */
export function typedIn(env: NodeJS.ProcessEnv): string {
  const folder = env['npm_lifecycle_event'] ? env['INIT_CWD'] : undefined;
  return folder ?? process.cwd();
}

function applicationData(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const home = env['HOME'] || homedir();
  if (platform === 'win32') return env['APPDATA'] || join(home, 'AppData', 'Roaming');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support');
  return env['XDG_DATA_HOME'] || join(home, '.local', 'share');
}
