import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type ChunkSigner, decodeAwsChunked } from './awsChunked.ts';
import { ServiceError } from './service.ts';

/** The bytes of a request's payload, which end only when they are what was signed, and its trailers. */
export interface Payload {
  readonly body: AsyncIterable<Buffer>;
  readonly trailers: ReadonlyMap<string, string>;
}

/**
 * Opens the payload of a request whose signature covers `payloadHash`: a SHA-256 in hexadecimal, or one of S3's words for other ways.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 * @throws ServiceError when the way is none that we know
 */
export function openPayload(message: IncomingMessage, payloadHash: string, signer: ChunkSigner): Payload {
  const bytes = bytesOf(message);
  const chunked = (signed: boolean) => {
    const trailers = headerList(message.headers['x-amz-trailer']);
    const { data, trailers: sent } = decodeAwsChunked(bytes, { signer: signed ? signer : null, length: decodedLength(message), trailers });
    return { body: data, trailers: sent };
  };
  switch (payloadHash) {
    case 'UNSIGNED-PAYLOAD':
      return { body: bytes, trailers: new Map() };
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return chunked(false);
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return chunked(true);
    default:
      if (!/^[0-9a-f]{64}$/.test(payloadHash)) {
        throw new ServiceError('InvalidArgument', `x-amz-content-sha256 is neither a SHA-256 nor a way of signing that is known here.`);
      }
      return { body: verified(bytes, payloadHash), trailers: new Map() };
  }
}

/** The request's bytes as they come. Stopping early leaves the rest to be drained, so that the connection can carry an answer. */
export function bytesOf(message: IncomingMessage): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => message.iterator({ destroyOnReturn: false }) };
}

async function* verified(bytes: AsyncIterable<Buffer>, sha256: string): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== sha256) {
    throw new ServiceError('XAmzContentSHA256Mismatch', 'The body is not the one that x-amz-content-sha256 was computed of.');
  }
}

function decodedLength(message: IncomingMessage): number {
  const length = message.headers['x-amz-decoded-content-length'];
  if (typeof length !== 'string' || !/^\d{1,15}$/.test(length)) {
    throw new ServiceError('MissingContentLength', 'You must provide x-amz-decoded-content-length with an aws-chunked body.', 411);
  }
  return Number(length);
}

const headerList = (value: string | string[] | undefined) =>
  String(value ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);

/**
 * Reads a whole body into memory.
 * @throws ServiceError when it is longer than `maxBytes`
 */
export async function readAll(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new ServiceError('RequestEntityTooLarge', `The body is longer than ${maxBytes} bytes.`, 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/**
 * Reads the rest of a body and forgets it: a client that is still sending would see a broken connection instead of the answer.
 * Also ends when the client goes away.
 */
export function drain(message: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    if (message.readableEnded || message.destroyed) return resolve();
    message.once('end', resolve).once('close', resolve).resume();
  });
}
