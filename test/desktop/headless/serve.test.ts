import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type PageServer, servePage } from '../../../desktop/headless/serve.ts';
import { InvalidInput, Permanent } from '../../../shared/errors.ts';
import { idOf } from '../agent/search/library.ts';
import { startTestAgent, startTestCloud, type TestAgent, type TestCloud } from '../agent/testAgent.ts';
import { noBackends } from './noBackends.ts';

let dir: string;
let uiDir: string;
let cloud: TestCloud;
let agent: TestAgent;
let page: PageServer;
let origin: string;
let token: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pixwatch-serve-'));
  uiDir = await mkdtemp(join(dir, 'ui-'));
  await writeFile(join(uiDir, 'index.html'), '<!doctype html>the page');
  await writeFile(join(dir, 'secret.html'), 'beside the page');
  cloud = await startTestCloud(dir);
  agent = await startTestAgent(cloud, join(dir, 'data'));
  page = await servePage({ handlers: { ...agent.handlers, ...noBackends }, onEvent: agent.onEvent, port: 0, uiDir });
  const url = new URL(page.url);
  origin = url.origin;
  token = new URLSearchParams(url.hash.slice(1)).get('token') ?? '';
});
afterAll(async () => {
  await page.close();
  await agent.close();
  await cloud.stop();
  await rm(dir, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request as an attacker can send it: the path goes out as it is written, and any header may be set. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers, agent: false }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    });
    sent.on('error', reject).end();
  });
}

describe('over HTTP', () => {
  test('serves the page, and tells browsers to run nothing but it', async () => {
    const { status, headers, body } = await ask('/');
    expect([status, body]).toEqual([200, '<!doctype html>the page']);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-cache',
    });
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|data:/);
  });

  test.each([
    '/../secret.html',
    '/..%2fsecret.html',
    '/%2e%2e/secret.html',
    '/....//secret.html',
    '/index.html/../../secret.html',
    '/nothing',
  ])('has nothing at %s', async (path) => {
    const { status, body } = await ask(path);
    expect(status).toBe(404);
    expect(body).not.toContain('beside');
  });

  test.each([[{ host: '127.0.0.1.evil.example' }], [{ host: 'evil.example' }], [{ origin: 'http://evil.example' }], [{ origin: 'null' }]])(
    'refuses %j',
    async (headers) => {
      expect(await ask('/', headers)).toMatchObject({ status: 403 });
      expect(await ask(`/media/${idOf('a dog')}/thumb?token=${token}`, headers)).toMatchObject({ status: 403 });
    },
  );

  test('refuses every method that could change something, with no CORS permission', async () => {
    const answer = await ask('/', { 'access-control-request-method': 'POST' }, 'OPTIONS');
    expect(answer.status).toBe(405);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(await ask('/socket', {}, 'POST')).toMatchObject({ status: 405 });
  });

  test('shows a picture to whoever has the token', async () => {
    await cloud.finish('a dog');
    const path = `/media/${idOf('a dog')}/thumb`;
    expect(await ask(`${path}?token=${token}`)).toMatchObject({
      status: 200,
      body: 'thumb of a dog',
      headers: { 'content-type': 'image/webp', 'x-content-type-options': 'nosniff', 'cache-control': expect.stringContaining('immutable') },
    });
    expect(await ask(path)).toMatchObject({ status: 403, body: 'wrong token' });
    expect(await ask(`${path}?token=${token.slice(1)}`)).toMatchObject({ status: 403 });
  });

  test('lets no browser keep a copy with faces hidden: the next record may have found another face', async () => {
    await cloud.put('a dog', 'pixelated', 'a pixelated dog');
    expect(await ask(`/media/${idOf('a dog')}/pixelated?version=1&token=${token}`)).toMatchObject({
      body: 'a pixelated dog',
      headers: { 'cache-control': 'no-store' },
    });
  });

  test('says that a picture does not exist', async () => {
    expect((await ask(`/media/${idOf('no dog')}/thumb?token=${token}`)).status).toBe(404);
    expect((await ask(`/media/${idOf('a dog')}/original?token=${token}`)).status).toBe(404);
    expect((await ask(`/media/..%2f..%2fagent.db/thumb?token=${token}`)).status).toBe(404);
  });
});

/** Opens a socket as a page of `from` would. */
function connect(from: string | undefined, protocols: string[], path = '/socket'): WebSocket {
  return new WebSocket(`${origin.replace('http', 'ws')}${path}`, protocols, from === undefined ? {} : { origin: from });
}
const ours = () => ['pixwatch', `token.${token}`];

/** @returns the messages that arrive, growing */
async function opened(socket: WebSocket): Promise<unknown[]> {
  const messages: unknown[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return messages;
}

/** Events come between the answers whenever the agent has something to tell. */
const answersAmong = (messages: unknown[]) => messages.filter((message) => (message as { kind: string }).kind !== 'event');

const closed = (socket: WebSocket) => new Promise<number>((resolve) => socket.once('close', resolve));

describe('over a WebSocket', () => {
  test('answers calls and pushes events', async () => {
    const socket = connect(origin, ours());
    const messages = await opened(socket);
    expect(socket.protocol).toBe('pixwatch');
    socket.send(JSON.stringify({ kind: 'call', id: 7, method: 'status', input: {} }));
    await vi.waitFor(() => expect(messages).toContainEqual({ kind: 'result', id: 7, output: expect.objectContaining({ paused: false }) }));
    await agent.handlers.pause({});
    await vi.waitFor(() =>
      expect(messages).toContainEqual({
        kind: 'event',
        event: { kind: 'statusChanged', status: expect.objectContaining({ paused: true }) },
      }),
    );
    await agent.handlers.resume({});
    socket.close();
  });

  test.each([
    ['a foreign page', () => connect('http://evil.example', ours())],
    ['no page', () => connect(undefined, ours())],
    ['a page without the token', () => connect(origin, ['pixwatch'])],
    ['a page with a wrong token', () => connect(origin, ['pixwatch', 'token.wrong'])],
    ['our page at another path', () => connect(origin, ours(), '/')],
  ])('refuses %s', async (_, open) => {
    await expect(opened(open())).rejects.toThrow(/Unexpected server response: 40[34]/);
  });

  test('checks what it is asked', async () => {
    const socket = connect(origin, ours());
    const messages = await opened(socket);
    socket.send(JSON.stringify({ kind: 'call', id: 1, method: '__proto__', input: {} }));
    socket.send(JSON.stringify({ kind: 'call', id: 2, method: 'addFolder', input: { path: 7 } }));
    socket.send(JSON.stringify({ kind: 'nonsense' }));
    await vi.waitFor(() => expect(answersAmong(messages)).toHaveLength(2));
    expect(answersAmong(messages)).toEqual([
      { kind: 'failure', id: 1, error: 'InvalidInput', text: expect.stringContaining('no call named') },
      { kind: 'failure', id: 2, error: 'InvalidInput', text: expect.stringContaining('path') },
    ]);
    socket.close();
  });

  test('ends a connection that does not speak JSON or speaks too long, and no other', async () => {
    const [good, garbled, long] = [connect(origin, ours()), connect(origin, ours()), connect(origin, ours())];
    const [messages] = await Promise.all([opened(good), opened(garbled), opened(long)]);
    garbled.send('{');
    long.send('x'.repeat(2 << 20));
    expect(await Promise.all([closed(garbled), closed(long)])).toEqual([1007, 1009]);
    good.send(JSON.stringify({ kind: 'call', id: 1, method: 'status', input: {} }));
    await vi.waitFor(() => expect(answersAmong(messages)).toHaveLength(1));
    good.close();
  });
});

describe('servePage', () => {
  const serveAgain = (options: { port?: number; uiDir?: string } = {}) =>
    servePage({ handlers: { ...agent.handlers, ...noBackends }, onEvent: agent.onEvent, port: 0, uiDir, ...options });

  test('makes a new token at every start', async () => {
    const second = await serveAgain();
    expect(new URL(second.url).hash).not.toBe(new URL(page.url).hash);
    expect(token).toMatch(/^[\w-]{43}$/);
    await second.close();
  });

  test('says that a port is taken', async () => {
    const port = Number(new URL(origin).port);
    await expect(serveAgain({ port })).rejects.toThrow(InvalidInput);
    await expect(serveAgain({ port })).rejects.toThrow(`Port ${port} cannot be used: another program uses it. Choose another`);
  });

  test('says that the page is not built', async () => {
    await expect(serveAgain({ uiDir: join(dir, 'none') })).rejects.toThrow(Permanent);
    await expect(serveAgain({ uiDir: join(dir, 'none') })).rejects.toThrow('npm run build');
  });

  test('closing ends open connections', async () => {
    const second = await serveAgain();
    const { origin: itsOrigin, hash } = new URL(second.url);
    const protocols = ['pixwatch', `token.${new URLSearchParams(hash.slice(1)).get('token')}`];
    const socket = new WebSocket(`${itsOrigin.replace('http', 'ws')}/socket`, protocols, { origin: itsOrigin });
    await opened(socket);
    await Promise.all([second.close(), closed(socket)]);
    await expect(fetch(itsOrigin)).rejects.toThrow();
  });
});
