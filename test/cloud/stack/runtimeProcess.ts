import { readFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';
import { lambdaError } from '../../../cloud/local/lambda.ts';

/** Run as a process of its own, this loads the bundle in its argument and calls its handler for each message, as Lambda's runtime does. */

const start = performance.now();
const { handler } = await import(pathToFileURL(process.argv[2] ?? '').href);
process.send?.({ loadMs: performance.now() - start });
// It may be killed before it could be kept for the next start.
flushCompileCache();

process.on('message', async ({ event, context }: { event: string; context: object }) => {
  const began = performance.now();
  const answered = await answer(event, context);
  const ms = performance.now() - began;
  process.send?.({ ...answered, ms, peak: await peak() });
});

/** In MB; on Linux only. `resourceUsage` would tell of the process that forked this one, too. */
async function peak(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

async function answer(event: string, context: object) {
  try {
    return { result: await handler(JSON.parse(event), context) };
  } catch (thrown) {
    return { error: lambdaError(thrown) };
  }
}
