import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import type { Clock } from '../../../shared/clock.ts';
import type { Credentials } from '../../../shared/connection.ts';
import { InvalidInput } from '../../../shared/errors.ts';
import { asServiceError, dialectOf, SignatureRefused, sendError } from './errors.ts';
import type { Guests } from './guests.ts';
import { bytesOf, drain, openPayload, type Payload, readAll } from './payload.ts';
import { type Principal, type Service, ServiceError, type SignedRequest } from './service.ts';
import { readSignature, type Signature, signingKey, verifySignature } from './signature.ts';

export interface Gateway {
  /** Like `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  /** Takes no more requests, waits up to 5 s for those under way, then ends them. */
  close(): Promise<void>;
}

export interface GatewayOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** The owner's keys, with which everything may be done. */
  readonly credentials: Credentials;
  /** Absent: nobody but the owner may ask. */
  readonly guests?: Guests;
  readonly region: string;
  /** By the service name in the signature's credential scope: s3, dynamodb, sns, rekognition, states, sqs, lambda. */
  readonly services: Readonly<Record<string, Service>>;
  readonly clock: Clock;
  /** Gets a text for each request that failed for a reason that is ours. */
  log(line: string): void;
}

/** Idle connections stay open longer than any client keeps them: a client that reuses one while we close it sees a reset. */
const keepAliveMs = 75_000;
/** A client that stops sending or reading for so long is gone. Longer than any answer takes to begin. */
const stalledMs = 10 * 60_000;
const closeGraceMs = 5_000;
/** Services without `x-amz-content-sha256` sign the whole body, so it is held in memory; DynamoDB has the largest. */
const maxHeldBytes = 16 << 20;

/**
 * Listens on 127.0.0.1 and gives every request with a valid AWS signature (version 4, in the header or presigned) to its service, and those
 * without one that guests may make. What guests sign is judged first.
 * @throws InvalidInput when the port is taken or may not be used
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  // No limit on the time of a whole request: a large upload over a slow line takes as long as it takes.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: keepAliveMs }, (message, response) => {
    void answer(options, message, response);
  });
  server.setTimeout(stalledMs);
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, close: () => close(server) };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = { EADDRINUSE: 'is in use by another program', EACCES: 'may not be used by this account' }[error.code ?? ''];
      const text = `Port ${port} ${reason}. Choose another port, or leave the choice to Pixwatch by giving none.`;
      reject(reason ? new InvalidInput(text, { cause: error }) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  // Connections that are kept alive become idle only when their request is over.
  const whenIdle = setInterval(() => server.closeIdleConnections(), 50);
  const deadline = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await closed;
  clearInterval(whenIdle);
  clearTimeout(deadline);
}

async function answer(options: GatewayOptions, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = randomBytes(8).toString('hex').toUpperCase();
  response.setHeader('x-amz-request-id', id);
  response.setHeader('x-amzn-requestid', id);
  // SDKs correct their clock by this header, so it must be the one that signatures are judged by.
  response.setHeader('date', new Date(options.clock.now()).toUTCString());
  let serviceName: string | undefined;
  try {
    const { rawPath, rawQuery, query } = readTarget(message.url ?? '');
    const open = isSigned(message, query) ? null : options.guests?.openService(String(message.headers['x-amz-target']));
    const signature = open ? null : readSignature(message, query);
    serviceName = open ?? signature?.service ?? '';
    const { payload, principal } = signature
      ? await openVerified(options, message, signature, { rawPath, rawQuery, query })
      : { payload: { body: bytesOf(message), trailers: new Map() }, principal: anyone };
    const service = Object.hasOwn(options.services, serviceName) ? options.services[serviceName] : undefined;
    if (!service) throw unknownService(serviceName, options.services);
    const request: SignedRequest = {
      principal,
      message,
      method: message.method ?? '',
      headers: message.headers,
      rawPath,
      rawQuery,
      query,
      id,
      body: payload.body,
      trailer: (name) => payload.trailers.get(name),
      readBody: (maxBytes) => readAll(payload.body, maxBytes),
    };
    const admitted = principal.kind === 'identity' && options.guests ? await options.guests.admit(serviceName, request) : request;
    await service(admitted, response);
  } catch (thrown) {
    await answerFailure(options, message, response, thrown, serviceName);
  }
}

const owner: Principal = { kind: 'owner' };
const anyone: Principal = { kind: 'anyone' };

const isSigned = (message: IncomingMessage, query: Target['query']) =>
  message.headers.authorization !== undefined || query.has('X-Amz-Algorithm');

interface Target {
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly query: ReadonlyMap<string, string>;
}

function readTarget(url: string): Target {
  const [, rawPath, rawQuery = ''] = /^(\/[^?]*)(?:\?(.*))?$/.exec(url) ?? [];
  if (rawPath === undefined) throw new ServiceError('InvalidURI', 'The request must begin with a path.');
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(rawQuery)) if (!query.has(name)) query.set(name, value);
  return { rawPath, rawQuery, query };
}

/** What a request is signed with. */
interface Key {
  readonly secretAccessKey: string;
  readonly expiresAt: number;
  readonly principal: Principal;
}

function findKey({ credentials, guests }: GatewayOptions, { accessKeyId }: Signature, message: IncomingMessage, target: Target): Key {
  if (accessKeyId === credentials.accessKeyId) {
    return { secretAccessKey: credentials.secretAccessKey, expiresAt: Number.POSITIVE_INFINITY, principal: owner };
  }
  const token = message.headers['x-amz-security-token'] ?? target.query.get('X-Amz-Security-Token');
  if (token === undefined) throw new SignatureRefused('unknownKey', 'The access key id is not that of this local cloud.');
  const key = guests?.findKey(accessKeyId, String(token));
  if (!key) throw new SignatureRefused('badToken', 'The security token included in the request is invalid.');
  return key;
}

interface Verified {
  readonly payload: Payload;
  readonly principal: Principal;
}

/** The payload of a request, once its signature is found to be good, and whose signature it is. */
async function openVerified(options: GatewayOptions, message: IncomingMessage, signature: Signature, target: Target): Promise<Verified> {
  const { region, clock } = options;
  const { secretAccessKey, expiresAt, principal } = findKey(options, signature, message, target);
  const declared = message.headers['x-amz-content-sha256'] ?? target.query.get('X-Amz-Content-Sha256');
  const verify = (payloadHash: string) => {
    verifySignature(signature, message, { ...target, payloadHash }, { secretAccessKey, region, now: clock.now() });
    if (expiresAt <= clock.now()) throw new SignatureRefused('tokenExpired', 'The security token included in the request is expired.');
  };
  if (declared === undefined && signature.service !== 's3') {
    const held = await readAll(bytesOf(message), maxHeldBytes);
    verify(createHash('sha256').update(held).digest('hex'));
    return { payload: { body: Readable.from([held]), trailers: new Map() }, principal };
  }
  if (declared === undefined && signature.expires === null) {
    throw new ServiceError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  const payloadHash = String(declared ?? 'UNSIGNED-PAYLOAD');
  verify(payloadHash);
  const payload = openPayload(message, payloadHash, {
    key: signingKey(secretAccessKey, signature.scope),
    timestamp: signature.timestamp,
    scope: signature.scope,
    seed: signature.signature,
  });
  return { payload, principal };
}

function unknownService(name: string, services: GatewayOptions['services']): ServiceError {
  const known = Object.keys(services).sort().join(', ');
  return new ServiceError('UnknownServiceException', `The local cloud has no service '${name}'. It has: ${known}.`, 404);
}

async function answerFailure(
  { log }: GatewayOptions,
  message: IncomingMessage,
  response: ServerResponse,
  thrown: unknown,
  serviceName: string | undefined,
): Promise<void> {
  if (message.socket.destroyed) return;
  const dialect = dialectOf(message, serviceName);
  const error = asServiceError(thrown, dialect, serviceName);
  if (error.status >= 500 && error.status !== 501) {
    const why = thrown instanceof ServiceError ? thrown.message : inspect(thrown);
    log(`${serviceName} ${message.method} ${message.url?.split('?')[0]} failed: ${why}`);
  }
  // An answer that began cannot become an error any more; cutting it short is the only way to say that it is not whole.
  if (response.headersSent) return void response.destroy();
  await drain(message);
  sendError(message, response, error, dialect);
}
