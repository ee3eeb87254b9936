/** Reflected CRCs of 32 or 64 bits whose register begins and ends inverted, as S3's checksums are. */

export interface CrcKind {
  readonly width: 32 | 64;
  /** Reversed. */
  readonly polynomial: bigint;
}

export const crc32: CrcKind = { width: 32, polynomial: 0xedb88320n };
export const crc32c: CrcKind = { width: 32, polynomial: 0x82f63b78n };
export const crc64nvme: CrcKind = { width: 64, polynomial: 0x9a6c9329ac4bc9b5n };

export interface Crc {
  update(bytes: Uint8Array): void;
  /** Big-endian. */
  digest(): Buffer;
}

/**
 * Computes a CRC eight bytes at a time ("slicing by 8"). The register is held in two halves of 32 bits, of which a narrow CRC leaves the
 * high one at zero; DataView is twice as fast here as typed arrays, BigInt some hundred times slower.
 */
export function makeCrc(kind: CrcKind): Crc {
  const { low, high } = tablesOf(kind);
  let registerLow = -1;
  let registerHigh = kind.width === 64 ? -1 : 0;
  return {
    update(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      let l = registerLow;
      let h = registerHigh;
      let at = 0;
      for (; at + 8 <= bytes.length; at += 8) {
        l ^= view.getInt32(at, true);
        h ^= view.getInt32(at + 4, true);
        const [a, b, c, d] = [slot(7, l), slot(6, l >>> 8), slot(5, l >>> 16), slot(4, l >>> 24)];
        const [e, f, g, i] = [slot(3, h), slot(2, h >>> 8), slot(1, h >>> 16), slot(0, h >>> 24)];
        l = pick(low, a) ^ pick(low, b) ^ pick(low, c) ^ pick(low, d) ^ pick(low, e) ^ pick(low, f) ^ pick(low, g) ^ pick(low, i);
        h = pick(high, a) ^ pick(high, b) ^ pick(high, c) ^ pick(high, d) ^ pick(high, e) ^ pick(high, f) ^ pick(high, g) ^ pick(high, i);
      }
      for (; at < bytes.length; at++) {
        const entry = slot(0, l ^ view.getUint8(at));
        l = ((l >>> 8) | (h << 24)) ^ pick(low, entry);
        h = (h >>> 8) ^ pick(high, entry);
      }
      registerLow = l;
      registerHigh = h;
    },
    digest() {
      const value = Buffer.alloc(8);
      value.writeInt32BE(~registerHigh);
      value.writeInt32BE(~registerLow, 4);
      return value.subarray(8 - kind.width / 8);
    },
  };
}

/** Halves of what a byte followed by `zeros` zero bytes leaves in the register, for 8 × 256 of them. */
interface Tables {
  readonly low: DataView;
  readonly high: DataView;
}

/** Where the entry of the lowest byte of `value`, followed by `zeros` zero bytes, is in a table. */
const slot = (zeros: number, value: number) => (zeros * 256 + (value & 255)) * 4;
const pick = (table: DataView, at: number) => table.getInt32(at, true);

const madeTables = new Map<CrcKind, Tables>();

function tablesOf(kind: CrcKind): Tables {
  const tables = madeTables.get(kind) ?? makeTables(kind.polynomial);
  madeTables.set(kind, tables);
  return tables;
}

function makeTables(polynomial: bigint): Tables {
  const low = new DataView(new ArrayBuffer(8 * 256 * 4));
  const high = new DataView(new ArrayBuffer(8 * 256 * 4));
  for (let byte = 0; byte < 256; byte++) {
    let register = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) register = timesX(register, polynomial);
    low.setInt32(slot(0, byte), Number(BigInt.asIntN(32, register)), true);
    high.setInt32(slot(0, byte), Number(BigInt.asIntN(32, register >> 32n)), true);
  }
  for (let at = slot(1, 0); at < low.byteLength; at += 4) {
    const [l, h] = [pick(low, at - slot(1, 0)), pick(high, at - slot(1, 0))];
    low.setInt32(at, ((l >>> 8) | (h << 24)) ^ pick(low, slot(0, l)), true);
    high.setInt32(at, (h >>> 8) ^ pick(high, slot(0, l)), true);
  }
  return { low, high };
}

/** Multiplies a polynomial by x, modulo the CRC's; its coefficients are in reversed order. */
const timesX = (value: bigint, polynomial: bigint) => (value & 1n ? (value >> 1n) ^ polynomial : value >> 1n);

/**
 * The CRC of a whole out of those of its consecutive pieces, without their bytes: appending n bytes multiplies the CRC before them by
 * x^(8n). The method is that of zlib's `crc32_combine`.
 * @param pieces each with its CRC, big-endian, and its length in bytes
 */
export function combineCrcs(kind: CrcKind, pieces: readonly { crc: Buffer; bytes: number }[]): Buffer {
  // Nearly all parts of an upload have the same length.
  const powers = new Map<number, bigint>();
  let whole = 0n;
  for (const { crc, bytes } of pieces) {
    const power = powers.get(bytes) ?? powerOfX(kind, bytes * 8);
    powers.set(bytes, power);
    whole = multiply(kind, whole, power) ^ BigInt(`0x${crc.toString('hex')}`);
  }
  return Buffer.from(whole.toString(16).padStart(kind.width / 4, '0'), 'hex');
}

function multiply({ width, polynomial }: CrcKind, a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let coefficient = 1n << BigInt(width - 1); coefficient > 0n; coefficient >>= 1n) {
    if (a & coefficient) product ^= shifted;
    shifted = timesX(shifted, polynomial);
  }
  return product;
}

function powerOfX(kind: CrcKind, exponent: number): bigint {
  let power = 1n << BigInt(kind.width - 1);
  let square = power >> 1n;
  for (let left = BigInt(exponent); left > 0n; left >>= 1n) {
    if (left & 1n) power = multiply(kind, power, square);
    square = multiply(kind, square, square);
  }
  return power;
}
