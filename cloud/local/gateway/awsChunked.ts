import { createHash, createHmac } from 'node:crypto';
import { ServiceError } from './service.ts';
import { equalInConstantTime } from './signature.ts';

/**
 * The framing of streamed uploads, `Content-Encoding: aws-chunked`:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */

export interface ChunkedBody {
  readonly data: AsyncIterable<Buffer>;
  /** By lower-case name; filled once `data` was read to its end. */
  readonly trailers: ReadonlyMap<string, string>;
}

export interface ChunkedOptions {
  /** Signs the chunks; null when they are not signed. */
  readonly signer: ChunkSigner | null;
  /** Bytes that `data` must have. */
  readonly length: number;
  /** Names of the trailers that must come; empty when none may. */
  readonly trailers: readonly string[];
}

/** What each chunk's signature is computed from. */
export interface ChunkSigner {
  readonly key: Buffer;
  readonly timestamp: string;
  readonly scope: string;
  /** Signature of the request itself, in hexadecimal: the first link of the chain. */
  readonly seed: string;
}

/** Longest line of framing or trailers; S3's own are far shorter. */
const maxLine = 8192;
const newline = Buffer.from('\r\n');

/** Decodes an aws-chunked body. Reading `data` throws `ServiceError` when the framing is torn or a signature is wrong. */
export function decodeAwsChunked(source: AsyncIterable<Buffer>, options: ChunkedOptions): ChunkedBody {
  const trailers = new Map<string, string>();
  return { data: chunks(new ByteReader(source), options, trailers), trailers };
}

async function* chunks(reader: ByteReader, options: ChunkedOptions, trailers: Map<string, string>): AsyncGenerator<Buffer> {
  try {
    const check = options.signer && signatureChain(options.signer);
    let total = 0;
    for (let header = chunkHeader(await reader.line()); ; header = chunkHeader(await reader.line())) {
      total += header.size;
      if (total > options.length) throw incomplete('There is more data than x-amz-decoded-content-length says.');
      yield* chunk(reader, header, check);
      if (header.size === 0) break;
    }
    if (total < options.length) throw incomplete('There is less data than x-amz-decoded-content-length says.');
    await readTrailers(reader, options.trailers, check, trailers);
  } finally {
    await reader.release();
  }
}

async function* chunk(reader: ByteReader, { size, signature }: ChunkHeader, check: CheckLink | null): AsyncGenerator<Buffer> {
  const hash = check && createHash('sha256');
  for (let left = size; left > 0; ) {
    const piece = await reader.take(left);
    left -= piece.length;
    hash?.update(piece);
    yield piece;
  }
  if (hash) check('AWS4-HMAC-SHA256-PAYLOAD', `${sha256('')}\n${hash.digest('hex')}`, signature);
  if (size > 0 && (await reader.line()) !== '') throw incomplete('A chunk is longer than it says.');
}

interface ChunkHeader {
  readonly size: number;
  readonly signature: string | undefined;
}

function chunkHeader(line: string): ChunkHeader {
  const [, size, signature] = /^([0-9a-fA-F]{1,10})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line) ?? [];
  if (size === undefined) throw incomplete('A chunk does not begin with its size.');
  return { size: Number.parseInt(size, 16), signature };
}

async function readTrailers(reader: ByteReader, wanted: readonly string[], check: CheckLink | null, trailers: Map<string, string>) {
  let signed = '';
  let signature: string | undefined;
  for (let line = await reader.lineOrEnd(); line; line = await reader.lineOrEnd()) {
    const [, name = '', value = ''] = /^([^:]+):(.*)$/.exec(line) ?? [];
    if (name.toLowerCase() === 'x-amz-trailer-signature') {
      signature = value.trim();
      continue;
    }
    trailers.set(name.toLowerCase().trim(), value.trim());
    signed += `${name.toLowerCase().trim()}:${value.trim()}\n`;
  }
  const missing = wanted.filter((name) => !trailers.has(name));
  if (missing.length > 0 || trailers.size !== wanted.length) {
    throw new ServiceError('MalformedTrailerError', 'The trailers of the body are not those that x-amz-trailer names.');
  }
  if (wanted.length > 0) check?.('AWS4-HMAC-SHA256-TRAILER', sha256(signed), signature);
}

const incomplete = (text: string) => new ServiceError('IncompleteBody', `The body is not well-formed aws-chunked. ${text}`);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

type CheckLink = (algorithm: string, what: string, signature: string | undefined) => void;

/** Checks signatures that each cover the one before, from the request's own on. */
function signatureChain({ key, timestamp, scope, seed }: ChunkSigner): CheckLink {
  let previous = seed;
  return (algorithm, what, signature = '') => {
    const wanted = createHmac('sha256', key).update([algorithm, timestamp, scope, previous, what].join('\n')).digest('hex');
    if (!equalInConstantTime(signature, wanted)) {
      throw new ServiceError('SignatureDoesNotMatch', 'The signature of a chunk does not match.', 403);
    }
    previous = wanted;
  };
}

/** Lines and counted bytes out of a stream of buffers. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Lets go of the source, so that what is left of it can be drained. */
  async release(): Promise<void> {
    await this.#source.return?.();
  }

  /** 1 to `max` bytes. */
  async take(max: number): Promise<Buffer> {
    if (this.#rest.length === 0 && !(await this.#more())) throw incomplete('It ends early.');
    const piece = this.#rest.subarray(0, max);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  async line(): Promise<string> {
    const line = await this.lineOrEnd();
    if (line === null) throw incomplete('It ends early.');
    return line;
  }

  /** The next line without its CR LF; null at the end. */
  async lineOrEnd(): Promise<string | null> {
    for (;;) {
      const end = this.#rest.indexOf(newline);
      if (end >= 0) {
        const line = this.#rest.toString('latin1', 0, end);
        this.#rest = this.#rest.subarray(end + newline.length);
        return line;
      }
      if (this.#rest.length > maxLine) throw incomplete('A line of it is too long.');
      if (!(await this.#more())) {
        if (this.#rest.length > 0) throw incomplete('It ends within a line.');
        return null;
      }
    }
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#source.next();
    if (done) return false;
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
    return true;
  }
}
