import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { protocol } from 'electron';
import type { agentMethods } from '../../shared/contract.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Client } from '../../shared/rpc.ts';

const scheme = 'pixwatch';
export const pageUrl = `${scheme}://app/index.html`;
const uiDir = fileURLToPath(new URL('../../dist/ui/', import.meta.url));
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};
const contentSecurityPolicy = "default-src 'self'; img-src 'self'; style-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'";

/** Must run before the app is ready: makes `pixwatch://app` an origin of its own, with the rights of https. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } }]);
}

/** Serves the page, and renditions as `/media/<asset>/<rendition>`; the agent's schema checks both parts. */
export function servePage(agent: () => Pick<Client<typeof agentMethods>, 'media'>): void {
  protocol.handle(scheme, async (request) => {
    const { host, pathname } = new URL(request.url);
    if (host !== 'app' || request.method !== 'GET') return new Response('not found', { status: 404 });
    const [, first, asset, rendition, ...rest] = pathname.split('/');
    if (first === 'media' && asset && rendition && rest.length === 0) {
      try {
        const { path, type, isLasting } = await agent().media({ asset, rendition: rendition as 'thumb' });
        return await fileResponse(path, { 'content-type': type, 'cache-control': isLasting ? 'max-age=31536000, immutable' : 'no-store' });
      } catch (thrown) {
        // The page shows a placeholder for a picture that cannot be had right now; the text helps whoever looks.
        return new Response(messageOf(thrown), { status: 404 });
      }
    }
    const path = normalize(join(uiDir, decodeURIComponent(pathname)));
    const type = types[extname(path)];
    if (!path.startsWith(uiDir.endsWith(sep) ? uiDir : uiDir + sep) || !type) return new Response('not found', { status: 404 });
    return fileResponse(path, { 'content-type': type, 'content-security-policy': contentSecurityPolicy }).catch(
      (thrown) => new Response(messageOf(thrown), { status: 404 }),
    );
  });
}

async function fileResponse(path: string, headers: Record<string, string>): Promise<Response> {
  const { size } = await stat(path);
  const body = Readable.toWeb(createReadStream(path)) as ReadableStream;
  return new Response(body, { headers: { ...headers, 'content-length': String(size), 'x-content-type-options': 'nosniff' } });
}
