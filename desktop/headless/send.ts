import { open, readdir, readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { agentMethods } from '../../shared/contract.ts';
import { messageOf, Permanent, Transient } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import type { Handlers } from '../../shared/rpc.ts';
import type { Refusal } from './guard.ts';

/** The built page, by path: read once, so that no request ever becomes a path on the disk. */
export type Page = ReadonlyMap<string, { readonly body: Buffer; readonly type: string }>;

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** @throws Permanent when the page is not built */
export async function readPage(uiDir: string): Promise<Page> {
  const page = new Map<string, { body: Buffer; type: string }>();
  const names = await readdir(uiDir, { recursive: true }).catch((cause) => {
    throw new Permanent(`The page is not built (looked in ${uiDir}). Run "npm run build" first.`, { cause });
  });
  for (const name of names) {
    const type = types[extname(name)];
    if (type) page.set(`/${name.split(sep).join('/')}`, { body: await readFile(join(uiDir, name)), type });
  }
  const index = page.get('/index.html');
  if (!index) throw new Permanent(`The page is not built (no index.html in ${uiDir}). Run "npm run build" first.`);
  return page.set('/', index);
}

const safeHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/** Nothing but our own files: no inline script or style, no frames, no forms, and only our own socket. */
const policyFor = (origin: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${origin.replace('http', 'ws')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** Answers with a file of the page; 404 for any other path. */
export function sendPage(page: Page, path: string, origin: string, response: ServerResponse): void {
  const file = page.get(path);
  if (!file) {
    sendText(response, 404, 'not found');
    return;
  }
  response.writeHead(200, {
    ...safeHeaders,
    'content-type': file.type,
    'content-length': file.body.length,
    'content-security-policy': policyFor(origin),
    // Vite puts a hash of the content into the names under assets/.
    'cache-control': path.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache',
  });
  response.end(file.body);
}

/** Answers with a rendition of an asset: 404 when there is none, 503 when it cannot be had right now. */
export async function sendMedia(
  handlers: Pick<Handlers<typeof agentMethods>, 'media'>,
  wanted: { asset: string; rendition: string },
  response: ServerResponse,
): Promise<void> {
  try {
    const { path, type, isLasting } = await handlers.media(parse(agentMethods.media.input, wanted, 'picture'));
    await sendFile(
      path,
      { 'content-type': type, 'cache-control': isLasting ? 'private, max-age=31536000, immutable' : 'no-store' },
      response,
    );
  } catch (thrown) {
    // Once the head is sent, the page only sees the connection end early: an image that fails to load.
    if (response.headersSent) response.destroy();
    else sendText(response, thrown instanceof Transient ? 503 : 404, messageOf(thrown));
  }
}

async function sendFile(path: string, headers: Record<string, string>, response: ServerResponse): Promise<void> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    response.writeHead(200, { ...safeHeaders, ...headers, 'content-length': size });
    await pipeline(file.createReadStream({ autoClose: false }), response);
  } finally {
    await file.close();
  }
}

export function sendRefusal({ status, reason }: Refusal, response: ServerResponse): void {
  sendText(response, status, reason);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...safeHeaders, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }).end(text);
}
