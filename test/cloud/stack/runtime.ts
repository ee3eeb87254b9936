import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundling, entryOf, projectRoot } from '../../../cloud/stack/bundling.ts';
import { type FunctionName, functions } from '../../../cloud/stack/functions.ts';
import type { BackendNames } from '../../../cloud/steps/backend.ts';
import type { Access } from '../local/serve.ts';

/**
 * Bundles functions as the stack does, all in one go.
 * @returns their sizes in bytes, by name; the files are `<name>.mjs` in `outdir`
 */
export async function bundle(names: readonly FunctionName[], outdir: string): Promise<ReadonlyMap<FunctionName, number>> {
  const { format, target, mainFields, minify, sourceMap: sourcemap, sourcesContent, banner } = bundling;
  const { metafile } = await build({
    ...{ format, target, mainFields: [...mainFields], minify, sourcemap, sourcesContent, banner: { js: banner } },
    entryPoints: names.map((name) => ({ in: entryOf(name), out: name })),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    external: names.flatMap((name) => functions[name].native ?? []),
    metafile: true,
    logLevel: 'warning',
  });
  // Where the native modules are, which on AWS lie beside the bundle.
  await symlink(join(projectRoot, 'node_modules'), join(outdir, 'node_modules'));
  return new Map(
    names.map((name) => [name, Object.entries(metafile.outputs).find(([file]) => file.endsWith(`/${name}.mjs`))?.[1].bytes ?? 0]),
  );
}

/** What a call came to: a result, or the error as Lambda tells it. */
export interface Invoked {
  readonly result?: unknown;
  readonly error?: { readonly errorType: string; readonly errorMessage: string };
  readonly ms: number;
  /** The most memory that the process ever had, in MB; 0 where the system does not tell. */
  readonly peak: number;
}

/** A function in a process of its own, as Lambda runs it. */
export interface RunningFunction {
  /** From the start of its bundle until it can be invoked, in ms. */
  readonly loadMs: number;
  invoke(event: unknown, context?: object): Promise<Invoked>;
  stop(): void;
}

/** Starts a bundle as Lambda does. Its environment is Lambda's, and the endpoint of a local cloud. */
export async function startFunction(
  file: string,
  { endpoint, region, credentials }: Access,
  names: BackendNames,
  settings: object = {},
): Promise<RunningFunction> {
  const child = fork(fileURLToPath(new URL('./runtimeProcess.ts', import.meta.url)), [file], {
    execArgv: ['--enable-source-maps'],
    env: {
      // Beside the bundles, which the next run makes anew.
      NODE_COMPILE_CACHE: join(dirname(file), 'compiled'),
      PIXWATCH_NAMES: JSON.stringify(names),
      PIXWATCH_SETTINGS: JSON.stringify(settings),
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  });
  const { loadMs } = await answerOf<{ loadMs: number }>(child);
  return {
    loadMs,
    invoke(event, context = {}) {
      child.send({ event: JSON.stringify(event), context });
      return answerOf<Invoked>(child);
    },
    stop: () => void child.kill(),
  };
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const over = new AbortController();
  const ended = (code: number | null) => over.abort(new Error(`the function's process ended with ${code}`));
  child.once('exit', ended);
  const [answer] = await once(child, 'message', { signal: over.signal });
  child.off('exit', ended);
  return answer as T;
}
