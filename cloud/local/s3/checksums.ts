import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ServiceError, type SignedRequest } from '../gateway/service.ts';
import * as crc from './crc.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
export type Algorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';

/** Of the bytes of a whole object, or of the checksums of its parts. */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

export interface Checksum {
  readonly algorithm: Algorithm;
  /** Base64; a composite one ends in `-<number of parts>`. */
  readonly value: string;
  readonly type: ChecksumType;
}

interface Hasher {
  update(bytes: Buffer): void;
  digest(): Buffer;
}

const hashers: Readonly<Record<Algorithm, () => Hasher>> = {
  CRC32: () => {
    let value = 0;
    return {
      update(bytes) {
        value = crc32(bytes, value);
      },
      digest() {
        const digest = Buffer.alloc(4);
        digest.writeUInt32BE(value);
        return digest;
      },
    };
  },
  CRC32C: () => crc.makeCrc(crc.crc32c),
  CRC64NVME: () => crc.makeCrc(crc.crc64nvme),
  SHA1: () => createHash('sha1'),
  SHA256: () => createHash('sha256'),
};
const digestBytes: Readonly<Record<Algorithm, number>> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };
/** Those whose value for a whole follows from those of its parts. */
const combinable: Readonly<Partial<Record<Algorithm, crc.CrcKind>>> = { CRC32: crc.crc32, CRC32C: crc.crc32c, CRC64NVME: crc.crc64nvme };

/**
 * Reads the name of an algorithm as a client gave it; null for none.
 * @throws ServiceError for one that is not known here
 */
export function readAlgorithm(name: string | undefined): Algorithm | null {
  if (name === undefined) return null;
  const upper = name.toUpperCase();
  if (!Object.hasOwn(hashers, upper)) {
    throw invalid(
      `Checksum algorithm provided is unsupported. Please try again with any of the valid types: ${Object.keys(hashers).join(', ')}`,
    );
  }
  return upper as Algorithm;
}

/** What the payload of a request must hash to, as its headers or trailers say. */
export interface Expected {
  /** Null when the client sends no checksum. */
  readonly algorithm: Algorithm | null;
  /**
   * Compares what was received with what was announced; the trailers must have been read.
   * @throws ServiceError when they differ
   */
  check(digests: Digests): void;
}

/** Computes a checksum and expects nothing. */
export const anyDigests = (algorithm: Algorithm | null): Expected => ({ algorithm, check: () => undefined });

/** @throws ServiceError when the headers contradict each other or announce what is not known here */
export function expectedDigests(request: SignedRequest): Expected {
  const md5 = request.headers['content-md5'];
  if (md5 !== undefined && Buffer.from(String(md5), 'base64').length !== 16) {
    throw new ServiceError('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  const name = checksumName(request);
  const algorithm = readAlgorithm(name?.slice(prefix.length));
  const declared = request.headers['x-amz-sdk-checksum-algorithm'];
  if (declared !== undefined && String(declared).toUpperCase() !== algorithm) {
    throw invalid('x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.');
  }
  return {
    algorithm,
    check(digests) {
      if (md5 !== undefined && digests.md5.toString('base64') !== md5) {
        throw new ServiceError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
      }
      if (name === undefined || algorithm === null) return;
      const value = String(request.headers[name] ?? request.trailer(name) ?? '');
      if (Buffer.from(value, 'base64').length !== digestBytes[algorithm]) throw invalid(`Value for ${name} header is invalid.`);
      if (digests.checksum?.value !== value) {
        throw new ServiceError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
      }
    },
  };
}

const prefix = 'x-amz-checksum-';
const notValues = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-mode', 'x-amz-checksum-type']);

/** The name of the one header or trailer that carries a checksum. */
function checksumName({ headers }: SignedRequest): string | undefined {
  const announced = String(headers['x-amz-trailer'] ?? '')
    .toLowerCase()
    .split(',');
  const names = [...Object.keys(headers), ...announced.map((name) => name.trim())];
  const values = names.filter((name) => name.startsWith(prefix) && !notValues.has(name));
  if (values.length > 1) throw invalid('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  return values[0];
}

export interface Digests {
  readonly md5: Buffer;
  /** Null when none was asked for. */
  readonly checksum: Checksum | null;
}

/** Hashes bytes as they pass: MD5 because the ETag is made of it, and what else is asked for. */
export function startDigests(algorithm: Algorithm | null): { update(chunk: Buffer): void; finish(): Digests } {
  const md5 = createHash('md5');
  const hasher = algorithm && hashers[algorithm]();
  return {
    update(chunk) {
      md5.update(chunk);
      hasher?.update(chunk);
    },
    finish: () => ({
      md5: md5.digest(),
      checksum: algorithm && hasher && { algorithm, value: hasher.digest().toString('base64'), type: 'FULL_OBJECT' },
    }),
  };
}

/**
 * The type of checksum that an upload in parts ends with.
 * @throws ServiceError when there is no such type for the algorithm
 */
export function checksumTypeOf(algorithm: Algorithm, wanted: string | undefined): ChecksumType {
  const type = wanted ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  const possible = type === 'COMPOSITE' ? algorithm !== 'CRC64NVME' : type === 'FULL_OBJECT' && combinable[algorithm] !== undefined;
  if (!possible) throw invalid(`The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`);
  return type as ChecksumType;
}

/** The checksum of an object from those of its parts, `value` in base64 and `size` in bytes. */
export function combineChecksums(algorithm: Algorithm, type: ChecksumType, parts: readonly { value: string; size: number }[]): Checksum {
  const kind = combinable[algorithm];
  const values = parts.map((part) => ({ crc: Buffer.from(part.value, 'base64'), bytes: part.size }));
  if (type === 'FULL_OBJECT' && kind) return { algorithm, type, value: crc.combineCrcs(kind, values).toString('base64') };
  const hasher = hashers[algorithm]();
  for (const value of values) hasher.update(value.crc);
  return { algorithm, type: 'COMPOSITE', value: `${hasher.digest().toString('base64')}-${parts.length}` };
}

/** Header that carries a checksum, and the name of its XML element. */
export const checksumHeader = (algorithm: Algorithm) => `${prefix}${algorithm.toLowerCase()}`;
export const checksumElement = (algorithm: Algorithm) => `Checksum${algorithm}`;

const invalid = (text: string) => new ServiceError('InvalidRequest', text);
