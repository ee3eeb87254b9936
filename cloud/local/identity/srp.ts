import { createHash, createHmac, getDiffieHellman, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * The server's half of SRP-6a as Cognito does it: the password proves itself and is neither sent nor stored.
 * RFC 5054 (its 3072-bit prime, which RFC 3526 calls group 15) with SHA-256, the generator 2, and a key by HKDF with Cognito's own info.
 */

const prime = BigInt(`0x${getDiffieHellman('modp15').getPrime('hex')}`);
const generator = 2n;
const keyInfo = 'Caldera Derived Key';
const keyBytes = 16;

/** What is kept of a password. */
export interface Verifier {
  readonly salt: bigint;
  readonly verifier: bigint;
}

/** One attempt to sign in, as the server remembers it between the two requests of which it consists. */
export interface Attempt {
  /** SRP's A, of the client. */
  readonly clientPublic: bigint;
  /** SRP's b. */
  readonly secret: bigint;
  /** SRP's B. */
  readonly serverPublic: bigint;
}

/** What the client signs with the key that both sides come to. */
export interface Claim {
  /** The part of the user pool's id behind the region. */
  readonly pool: string;
  readonly user: string;
  readonly secretBlock: Buffer;
  readonly timestamp: string;
  readonly signature: Buffer;
}

/** @param pool the part of the user pool's id behind the region */
export function makeVerifier(pool: string, user: string, password: string): Verifier {
  const salt = numberOf(randomBytes(16));
  const identity = createHash('sha256').update(`${pool}${user}:${password}`).digest();
  return { salt, verifier: power(generator, hash(padded(salt), identity)) };
}

/** What stands for the id and the verifier of a user that is not there, always the same for a name: nobody can tell the difference. */
export function makeDecoy(key: Buffer, user: string): Verifier & { readonly srpUser: string } {
  const bytes = (use: string, length: number) => Buffer.from(hkdfSync('sha256', key, user, `decoy ${use}`, length));
  // A square, as the verifiers of users are: 2 is one in this group.
  return { srpUser: uuidOf(bytes('id', 16)), salt: numberOf(bytes('salt', 16)), verifier: numberOf(bytes('verifier', 384)) ** 2n % prime };
}

/**
 * Answers a client's public number.
 * @returns null when that number would give the key away
 */
export function beginAttempt({ verifier }: Verifier, clientPublic: bigint): Attempt | null {
  if (clientPublic % prime === 0n) return null;
  const secret = numberOf(randomBytes(32));
  const multiplier = hash(padded(prime), padded(generator));
  return { clientPublic, secret, serverPublic: (multiplier * verifier + power(generator, secret)) % prime };
}

/** Whether the client knows the password. */
export function isProven({ verifier }: Verifier, { clientPublic, secret, serverPublic }: Attempt, claim: Claim): boolean {
  const scramble = hash(padded(clientPublic), padded(serverPublic));
  if (scramble === 0n) return false;
  const shared = power(clientPublic * power(verifier, scramble), secret);
  const key = Buffer.from(hkdfSync('sha256', padded(shared), padded(scramble), keyInfo, keyBytes));
  const signed = [Buffer.from(claim.pool), Buffer.from(claim.user), claim.secretBlock, Buffer.from(claim.timestamp)];
  const wanted = createHmac('sha256', key).update(Buffer.concat(signed)).digest();
  return claim.signature.length === wanted.length && timingSafeEqual(claim.signature, wanted);
}

/** A random UUID's form (RFC 9562, version 4). */
function uuidOf(bytes: Buffer): string {
  bytes[6] = (Number(bytes[6]) & 0x0f) | 0x40;
  bytes[8] = (Number(bytes[8]) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const numberOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const hash = (...parts: Buffer[]) => numberOf(createHash('sha256').update(Buffer.concat(parts)).digest());

/** A number as its shortest bytes, with a zero byte in front where the first bit would read as a sign. */
function padded(value: bigint): Buffer {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex');
}

/** base ^ exponent modulo the prime. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % prime;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}
