import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Service } from '../../../cloud/local/gateway/service.ts';
import { startGateway } from '../../../cloud/local/gateway/startGateway.ts';
import { region } from '../../../cloud/local/names.ts';
import { systemClock } from '../../../shared/clock.ts';

/** What an SDK client needs to reach the services under test. */
export interface Access {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A folder that is removed when the test is over. */
export async function scratchDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'pixwatch-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Puts services behind a gateway for the length of the test. */
export async function serve(services: Readonly<Record<string, Service>>): Promise<Access> {
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'for tests only' };
  const options = { port: 0, credentials, region, services, clock: systemClock, log: (line: string) => console.error(line) };
  const { endpoint, close } = await startGateway(options);
  onTestFinished(close);
  return { endpoint, region, credentials };
}

/** Waits until `look` answers something else than null, undefined or false. */
export async function eventually<T>(look: () => Promise<T> | T, withinMs = 15_000): Promise<Exclude<T, null | undefined | false>> {
  for (let waited = 0; ; waited += 25) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found as Exclude<T, null | undefined | false>;
    if (waited > withinMs) throw new Error(`it did not happen within ${withinMs} ms: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
