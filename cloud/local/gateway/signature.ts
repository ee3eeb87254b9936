import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { SignatureRefused } from './errors.ts';

/** AWS Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */

/** What a request says about its own signature. */
export interface Signature {
  readonly accessKeyId: string;
  /** `<yyyymmdd>/<region>/<service>/aws4_request`. */
  readonly scope: string;
  readonly region: string;
  readonly service: string;
  /** Like `20260131T235959Z`. */
  readonly timestamp: string;
  /** Lower-case names. */
  readonly signedHeaders: readonly string[];
  /** 64 hexadecimal digits. */
  readonly signature: string;
  /** Seconds a presigned request is valid; null when the signature came in the header. */
  readonly expires: number | null;
}

/** The parts of a request that are signed besides its headers. */
export interface SignedParts {
  readonly rawPath: string;
  readonly rawQuery: string;
  /** Value of `x-amz-content-sha256`, or what stands for it. */
  readonly payloadHash: string;
}

const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** S3 accepts 15 minutes either way and presigned requests of up to 7 days. */
const maxSkew = 15 * 60_000;
const maxExpires = 7 * 24 * 3600;

/**
 * Reads the signature out of the `Authorization` header or, presigned, the query.
 * @throws SignatureRefused when there is none or it is not well-formed
 */
export function readSignature(message: IncomingMessage, query: ReadonlyMap<string, string>): Signature {
  const header = message.headers.authorization;
  if (query.has('X-Amz-Algorithm')) return fromQuery(query);
  if (header === undefined) throw new SignatureRefused('missing', 'This request has no AWS signature.');
  const [, credential, signedHeaders, signature] =
    /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([^,\s]+)\s*$/.exec(header) ?? [];
  return checked(credential, signedHeaders, signature, headerOf(message, 'x-amz-date'), null);
}

function fromQuery(query: ReadonlyMap<string, string>): Signature {
  const expires = query.get('X-Amz-Expires') ?? '';
  if (query.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') throw malformed('X-Amz-Algorithm must be AWS4-HMAC-SHA256.');
  if (!/^\d{1,6}$/.test(expires) || Number(expires) > maxExpires) throw malformed(`X-Amz-Expires must be 0 to ${maxExpires} seconds.`);
  const part = (name: string) => query.get(`X-Amz-${name}`);
  return checked(part('Credential'), part('SignedHeaders'), part('Signature'), part('Date'), Number(expires));
}

function checked(credential = '', headers = '', signature = '', timestamp = '', expires: number | null): Signature {
  const [, accessKeyId = '', scope = '', date, region = '', service = ''] =
    /^([^/]+)\/((\d{8})\/([^/]+)\/([^/]+)\/aws4_request)$/.exec(credential) ?? [];
  if (!scope) throw malformed('The credential must be <key>/<date>/<region>/<service>/aws4_request.');
  if (!/^\d{8}T\d{6}Z$/.test(timestamp)) throw malformed('x-amz-date is missing or not like 20260131T235959Z.');
  if (!timestamp.startsWith(`${date}T`)) throw malformed('The date of the credential is not that of the request.');
  if (!/^[0-9a-f]{64}$/.test(signature)) throw malformed('The signature must be 64 hexadecimal digits.');
  const signedHeaders = headers.split(';');
  if (!signedHeaders.includes('host')) throw malformed('The host header must be signed.');
  return { accessKeyId, scope, region, service, timestamp, signedHeaders, signature, expires };
}

const malformed = (text: string) => new SignatureRefused('malformed', text);

/**
 * Checks that the signature is by this secret, fresh, and of exactly this request.
 * @param now milliseconds since 1970
 * @throws SignatureRefused saying which of these it is not
 */
export function verifySignature(
  signature: Signature,
  message: IncomingMessage,
  parts: SignedParts,
  trusted: { secretAccessKey: string; region: string; now: number },
): void {
  if (signature.region !== trusted.region) {
    throw malformed(`The region '${signature.region}' is wrong; expecting '${trusted.region}'.`);
  }
  checkAge(signature, trusted.now);
  const unsigned = Object.keys(message.headers).filter((name) => name.startsWith('x-amz-') && !signature.signedHeaders.includes(name));
  if (unsigned.length > 0) throw new SignatureRefused('denied', `There were headers which were not signed: ${unsigned.join(', ')}`);
  const stringToSign = ['AWS4-HMAC-SHA256', signature.timestamp, signature.scope, sha256(canonicalRequest(signature, message, parts))];
  const wanted = hmac(signingKey(trusted.secretAccessKey, signature.scope), stringToSign.join('\n')).toString('hex');
  if (!equalInConstantTime(signature.signature, wanted)) {
    throw new SignatureRefused('mismatch', 'The signature does not match. Check the secret access key and how the request was signed.');
  }
}

/** Whether two signatures are equal, in a time that does not tell where they differ. */
export function equalInConstantTime(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function checkAge({ timestamp, expires }: Signature, now: number): void {
  const signedAt = Date.parse(timestamp.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(signedAt)) throw malformed('x-amz-date is no date.');
  if (now < signedAt - maxSkew || (expires === null && now > signedAt + maxSkew)) {
    throw new SignatureRefused('skewed', 'The time of the request and the time of this computer differ by more than 15 minutes.');
  }
  if (expires !== null && now > signedAt + expires * 1000) throw new SignatureRefused('expired', 'The presigned request has expired.');
}

const signingKeys = new Map<string, Buffer>();
const maxSigningKeys = 100;

/** The key that signs a scope; chunks of a signed aws-chunked body are signed with it too. The same few are asked for all day. */
export function signingKey(secret: string, scope: string): Buffer {
  const name = `${secret}/${scope}`;
  const key = signingKeys.get(name) ?? scope.split('/').reduce<Buffer>((parent, part) => hmac(parent, part), Buffer.from(`AWS4${secret}`));
  if (signingKeys.size >= maxSigningKeys) signingKeys.clear();
  signingKeys.set(name, key);
  return key;
}

function canonicalRequest(signature: Signature, message: IncomingMessage, { rawPath, rawQuery, payloadHash }: SignedParts): string {
  const path = percentEncode(rawPath, '/');
  const headers = signature.signedHeaders.map((name) => `${name}:${headerOf(message, name).trim().replace(/ +/g, ' ')}\n`);
  return [
    message.method,
    // Every service but S3 signs the path encoded once more than it is sent.
    signature.service === 's3' ? path : percentEncode(path.replaceAll('%', '%25'), '/'),
    canonicalQuery(rawQuery),
    headers.join(''),
    signature.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

function canonicalQuery(rawQuery: string): string {
  const pairs = rawQuery.split('&').flatMap((pair): [string, string][] => {
    const [name = '', ...value] = pair.replaceAll('+', '%20').split('=');
    return pair === '' || name === 'X-Amz-Signature' ? [] : [[percentEncode(name), percentEncode(value.join('='))]];
  });
  const order = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  return pairs
    .sort((a, b) => order(a[0], b[0]) || order(a[1], b[1]))
    .map((pair) => pair.join('='))
    .join('&');
}

const headerOf = (message: IncomingMessage, name: string) => message.headersDistinct[name]?.join(',') ?? '';

/** Percent-encoded text in the one form that is signed: all but unreserved characters and `keep` encoded, digits in upper case. */
function percentEncode(encoded: string, keep = ''): string {
  return encoded.replace(/%[0-9a-fA-F]{2}|[^A-Za-z0-9\-._~]/g, (part) => {
    if (keep.includes(part)) return part;
    const byte = part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0);
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9\-._~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
