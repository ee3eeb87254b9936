import { createHash, timingSafeEqual } from 'node:crypto';

/** What of a request decides whether it may pass: the request line and headers, as they came. */
export interface Visit {
  readonly method: string | undefined;
  /** Path and query. */
  readonly url: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/** What the guard compares with: our own origin, e.g. `http://127.0.0.1:8080`, and this start's token. */
export interface Own {
  readonly origin: string;
  readonly token: string;
}

export interface Refusal {
  readonly kind: 'refused';
  readonly status: 400 | 403 | 404 | 405;
  readonly reason: string;
}
export type RequestVerdict =
  | Refusal
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'media'; readonly asset: string; readonly rendition: string };
export type UpgradeVerdict = Refusal | { readonly kind: 'socket' };

/** The page's WebSocket asks for this subprotocol and for `token.<token>`: a browser cannot send other headers with an upgrade. */
export const subprotocol = 'pixwatch';
export const tokenPrefix = 'token.';

const refuse = (status: Refusal['status'], reason: string): Refusal => ({ kind: 'refused', status, reason });

/**
 * Judges a plain request. Every site a person visits can reach 127.0.0.1 through their browser, so Host must be our address
 * (else DNS rebinding), Origin ours when there is one, and whoever wants more than the empty page must know the token.
 */
export function guardRequest(visit: Visit, own: Own): RequestVerdict {
  const url = ownUrl(visit, own);
  if (url instanceof URL === false) return url;
  if (visit.method !== 'GET' && visit.method !== 'HEAD') return refuse(405, 'only GET and HEAD');
  const [, first, asset, rendition, ...rest] = url.pathname.split('/');
  if (first !== 'media') return { kind: 'file', path: url.pathname };
  if (!sameToken(url.searchParams.get('token'), own)) return refuse(403, 'wrong token');
  return asset && rendition && rest.length === 0 ? { kind: 'media', asset, rendition } : refuse(404, 'no such picture');
}

/**
 * Judges a WebSocket upgrade. The same-origin policy does not cover WebSockets, so here Origin is required.
 * @param protocols the `Sec-WebSocket-Protocol` header
 */
export function guardUpgrade(visit: Visit, protocols: string | undefined, own: Own): UpgradeVerdict {
  const url = ownUrl(visit, own);
  if (url instanceof URL === false) return url;
  if (visit.origin === undefined) return refuse(403, 'missing Origin');
  if (url.pathname !== '/socket') return refuse(404, 'no such socket');
  const offered = (protocols ?? '').split(',').map((protocol) => protocol.trim());
  const given = offered.find((protocol) => protocol.startsWith(tokenPrefix))?.slice(tokenPrefix.length);
  return sameToken(given, own) ? { kind: 'socket' } : refuse(403, 'wrong token');
}

/** The address that was asked for, when Host and Origin are ours and it lies on our origin (`//evil.example/` does not). */
function ownUrl({ url, host, origin }: Visit, own: Own): URL | Refusal {
  if (host !== new URL(own.origin).host) return refuse(403, 'wrong Host');
  if (origin !== undefined && origin !== own.origin) return refuse(403, 'wrong Origin');
  const parsed = url?.startsWith('/') ? URL.parse(url, own.origin) : null;
  return parsed?.origin === own.origin ? parsed : refuse(400, 'not an address of this server');
}

/** Compares hashes, so that neither content nor length shows in the time it takes. */
function sameToken(given: string | null | undefined, { token }: Own): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given ?? ''), hash(token));
}
