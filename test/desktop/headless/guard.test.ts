import { describe, expect, test } from 'vitest';
import { guardRequest, guardUpgrade, type Visit } from '../../../desktop/headless/guard.ts';

const own = { origin: 'http://127.0.0.1:8080', token: 'kZ3-secret_token' };
const asset = 'a'.repeat(64);
const visit = (change: Partial<Visit> = {}): Visit => ({ method: 'GET', url: '/', host: '127.0.0.1:8080', origin: undefined, ...change });
const media = `/media/${asset}/thumb`;

describe('a plain request', () => {
  test('for the page passes without a token: the page holds no secret', () => {
    expect(guardRequest(visit(), own)).toEqual({ kind: 'file', path: '/' });
    expect(guardRequest(visit({ url: '/assets/a.js?x=1', method: 'HEAD' }), own)).toEqual({ kind: 'file', path: '/assets/a.js' });
  });

  test('for a picture passes with the token', () => {
    const verdict = guardRequest(visit({ url: `${media}?token=${own.token}`, origin: own.origin }), own);
    expect(verdict).toEqual({ kind: 'media', asset, rendition: 'thumb' });
  });

  test.each([
    ['no token', media],
    ['an empty token', `${media}?token=`],
    ['a wrong token', `${media}?token=kZ3-secret_tokem`],
    ['the beginning of the token', `${media}?token=kZ3`],
    ['more than the token', `${media}?token=${own.token}x`],
    ['the token behind another', `${media}?token=x&token=${own.token}`],
  ])('for a picture with %s is refused', (_, url) => {
    expect(guardRequest(visit({ url }), own)).toMatchObject({ kind: 'refused', status: 403 });
  });

  test.each([
    '127.0.0.1.evil.example:8080',
    'evil.example',
    'evil.example:8080',
    'localhost:8080',
    '127.0.0.1',
    '127.0.0.1:8081',
    '127.1:8080',
    '[::1]:8080',
    'user@127.0.0.1:8080',
    '127.0.0.1:8080, evil.example',
    '',
    undefined,
  ])('with Host %j is refused: DNS rebinding', (host) => {
    expect(guardRequest(visit({ host, url: `${media}?token=${own.token}` }), own)).toMatchObject({ status: 403, reason: 'wrong Host' });
    expect(guardRequest(visit({ host }), own)).toMatchObject({ status: 403 });
  });

  test.each([
    'http://evil.example',
    'http://127.0.0.1.evil.example:8080',
    'http://127.0.0.1:8081',
    'https://127.0.0.1:8080',
    'http://localhost:8080',
    'http://127.0.0.1:8080/',
    'HTTP://127.0.0.1:8080',
    'null',
    '',
  ])('from Origin %j is refused: a foreign page', (origin) => {
    expect(guardRequest(visit({ origin, url: `${media}?token=${own.token}` }), own)).toMatchObject({ status: 403, reason: 'wrong Origin' });
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', undefined])('with method %s is refused', (method) => {
    expect(guardRequest(visit({ method }), own)).toMatchObject({ kind: 'refused', status: 405 });
  });

  test.each(['//evil.example/', '/\\evil.example/', 'http://evil.example/', '\\\\evil.example/', '*', '', undefined])(
    'for the address %j is refused',
    (url) => {
      expect(guardRequest(visit({ url }), own)).toMatchObject({ kind: 'refused', status: 400 });
    },
  );

  test('never leads out of its folder', () => {
    expect(guardRequest(visit({ url: '/../../etc/passwd' }), own)).toEqual({ kind: 'file', path: '/etc/passwd' });
    expect(guardRequest(visit({ url: '/assets/%2e%2e/%2e%2e/secret' }), own)).toEqual({ kind: 'file', path: '/secret' });
    const url = `/media/${asset}/thumb/../../x?token=${own.token}`;
    expect(guardRequest(visit({ url }), own)).toMatchObject({ status: 404 });
  });
});

describe('a WebSocket upgrade', () => {
  const upgrade = visit({ url: '/socket', origin: own.origin });
  const protocols = `pixwatch, token.${own.token}`;

  test('passes from our own page with the token', () => {
    expect(guardUpgrade(upgrade, protocols, own)).toEqual({ kind: 'socket' });
  });

  test.each([
    ['a foreign page', { origin: 'http://evil.example' }, 'wrong Origin'],
    ['a page that hides its origin', { origin: 'null' }, 'wrong Origin'],
    ['no page at all', { origin: undefined }, 'missing Origin'],
    ['a rebound name', { host: '127.0.0.1.evil.example:8080' }, 'wrong Host'],
  ])('from %s is refused although the token is right', (_, change, reason) => {
    expect(guardUpgrade({ ...upgrade, ...change }, protocols, own)).toMatchObject({ status: 403, reason });
  });

  test.each([undefined, '', 'pixwatch', 'pixwatch, token.', 'pixwatch, token.wrong', own.token, `pixwatch, Token.${own.token}`])(
    'with the protocols %j is refused',
    (wrong) => {
      expect(guardUpgrade(upgrade, wrong, own)).toMatchObject({ kind: 'refused', status: 403 });
    },
  );

  test('is not helped by a token in the address', () => {
    expect(guardUpgrade({ ...upgrade, url: `/socket?token=${own.token}` }, 'pixwatch', own)).toMatchObject({ status: 403 });
  });

  test('to another path is refused', () => {
    expect(guardUpgrade({ ...upgrade, url: '/' }, protocols, own)).toMatchObject({ status: 404 });
  });
});
