import { createHash, createHmac } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { systemClock } from '../../../../shared/clock.ts';

/** A client of our own, so that tests can send what no SDK would: it signs as AWS describes it, and lets a test bend every step. */

export const credentials = { accessKeyId: 'PIXWATCHTEST', secretAccessKey: 'a secret only of the tests' };
export const region = 'us-east-1';

export interface RawRequest {
  readonly endpoint: string;
  readonly method?: string;
  /** Sent as it is: percent-encoded, with the query. */
  readonly path: string;
  readonly service?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Of `x-amz-content-sha256`; the body's hash when absent, no such header when null. */
  readonly payloadHash?: string | null;
  readonly keys?: typeof credentials;
  readonly region?: string;
  /** Milliseconds since 1970 that the request says it was signed at. */
  readonly signedAt?: number;
  /** Added after signing. */
  readonly unsignedHeaders?: Readonly<Record<string, string>>;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');
export const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest();

export interface Signing {
  readonly key: Buffer;
  readonly scope: string;
  readonly timestamp: string;
}

/** What a request of this time and service is signed with. */
export function signingOf({ keys = credentials, service = 's3', signedAt = systemClock.now(), ...raw }: RawRequest): Signing {
  const timestamp = new Date(signedAt).toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${timestamp.slice(0, 8)}/${raw.region ?? region}/${service}/aws4_request`;
  const key = scope.split('/').reduce<Buffer>((parent, part) => hmac(parent, part), Buffer.from(`AWS4${keys.secretAccessKey}`));
  return { key, scope, timestamp };
}

/** The headers of a signed request, and its signature. */
export function sign(raw: RawRequest): { headers: Record<string, string>; signature: string } {
  const { key, scope, timestamp } = signingOf(raw);
  const payloadHash = raw.payloadHash === undefined ? sha256(raw.body ?? '') : raw.payloadHash;
  const headers: Record<string, string> = { host: new URL(raw.endpoint).host, 'x-amz-date': timestamp, ...raw.headers };
  if (payloadHash !== null) headers['x-amz-content-sha256'] = payloadHash;
  const signature = signatureOf(raw, headers, payloadHash ?? sha256(raw.body ?? ''), { key, scope, timestamp });
  const names = Object.keys(headers).sort().join(';');
  const credential = `${(raw.keys ?? credentials).accessKeyId}/${scope}`;
  headers['authorization'] = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return { headers: { ...headers, ...raw.unsignedHeaders }, signature };
}

/** The path of a presigned request that is valid for `expires` seconds. */
export function presign(raw: RawRequest, expires: number): string {
  const signing = signingOf(raw);
  const { scope, timestamp } = signing;
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`${(raw.keys ?? credentials).accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${timestamp}`,
    `X-Amz-Expires=${expires}`,
    'X-Amz-SignedHeaders=host',
  ].join('&');
  const path = `${raw.path}${raw.path.includes('?') ? '&' : '?'}${query}`;
  const signature = signatureOf({ ...raw, path }, { host: new URL(raw.endpoint).host }, 'UNSIGNED-PAYLOAD', signing);
  return `${path}&X-Amz-Signature=${signature}`;
}

function signatureOf(raw: RawRequest, headers: Record<string, string>, payloadHash: string, { key, scope, timestamp }: Signing): string {
  const [path = '', query = ''] = raw.path.split('?');
  const names = Object.keys(headers).sort();
  const byName = (a: string, b: string) => (`${a.split('=')[0]}` < `${b.split('=')[0]}` ? -1 : 1);
  const canonical = [
    raw.method ?? 'GET',
    raw.service === undefined || raw.service === 's3' ? path : path.split('/').map(encodeURIComponent).join('/'),
    query
      .split('&')
      .filter(Boolean)
      .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
      .sort(byName)
      .join('&'),
    ...names.map((name) => `${name}:${headers[name]?.trim()}`),
    '',
    names.join(';'),
    payloadHash,
  ].join('\n');
  return hmac(key, ['AWS4-HMAC-SHA256', timestamp, scope, sha256(canonical)].join('\n')).toString('hex');
}

/** Signs and sends a request. */
export const send = (raw: RawRequest): Promise<RawAnswer> => sendAsIs(raw, sign(raw).headers);

/** Sends a request with exactly these headers. */
export function sendAsIs({ endpoint, method, path, body = '' }: RawRequest, headers: Record<string, string>): Promise<RawAnswer> {
  const { hostname, port } = new URL(endpoint);
  const framing = 'transfer-encoding' in headers ? {} : { 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method: method ?? 'GET', path, headers: { ...framing, ...headers }, agent: false };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole, text: whole.toString() });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
