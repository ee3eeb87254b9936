import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InvalidInput } from '../../../../shared/errors.ts';

/** Options of pacote: what it needs to reach a registry, with tokens. Never logged. */
export type NpmSettings = Readonly<Record<string, string | boolean>>;

/**
 * The registry, proxy, certificates and tokens that npm itself would use, since pacote reads no settings of its own: the global and the
 * user's `.npmrc`, then `npm_config_*` variables, which npm sets for its scripts.
 * @param home where `.npmrc` is looked for
 * @throws InvalidInput when a settings or certificate file is there but cannot be read
 */
export function readNpmSettings(env: NodeJS.ProcessEnv, home: string = homedir()): NpmSettings {
  const settings = new Map([
    ...npmrc(env['npm_config_globalconfig'], env),
    ...npmrc(env['npm_config_userconfig'] || join(home, '.npmrc'), env),
    ...fromEnvironment(env),
  ]);
  const named = (name: string, option: string) => (settings.get(name) ? { [option]: settings.get(name) as string } : {});
  const strict = settings.get('strict-ssl');
  const cafile = settings.get('cafile');
  return {
    ...Object.fromEntries([...settings].filter(([key]) => /^(\/\/|@[^:]+:registry$)/.test(key))),
    ...named('registry', 'registry'),
    ...named('proxy', 'proxy'),
    ...named('https-proxy', 'httpsProxy'),
    ...named('noproxy', 'noProxy'),
    // npm writes `false` into the environment as an empty string.
    ...(strict === undefined ? {} : { strictSSL: strict === 'true' }),
    ...(cafile ? { ca: read(cafile) ?? '' } : {}),
  };
}

function fromEnvironment(env: NodeJS.ProcessEnv): [key: string, value: string][] {
  return Object.entries(env).flatMap(([name, value]) => {
    const [, key] = /^npm_config_([a-z].*)$/i.exec(name) ?? [];
    return key === undefined || value === undefined ? [] : [[key.toLowerCase().replaceAll('_', '-'), value]];
  });
}

/** The lines `key = value` of an `.npmrc`, with `${NAME}` replaced as npm does. None when there is no such file. */
function npmrc(path: string | undefined, env: NodeJS.ProcessEnv): [key: string, value: string][] {
  const lines = path === undefined ? [] : (read(path) ?? '').split(/\r?\n/);
  return lines.flatMap((line) => {
    const [, key, value] = /^\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === undefined || value === undefined) return [];
    const plain = value.replace(/^(["'])(.*)\1$/, '$2');
    return [[key, plain.replace(/\$\{([^}]+)\}/g, (whole, name: string) => env[name] ?? whole)]];
  });
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new InvalidInput(`npm's settings name ${path}, which cannot be read. Mend its permissions or npm's settings.`, { cause: error });
  }
}
