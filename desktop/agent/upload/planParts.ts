import { Permanent } from '../../../shared/errors.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const maxParts = 10_000;
const maxObjectBytes = 5 * 1024 ** 4;
const mebibyte = 1024 ** 2;

/** Files up to this size are sent in one request. Larger ones are sent in parts of this size, or larger when there would be too many. */
export const smallestPart = 8 * mebibyte;

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly start: number;
  readonly length: number;
}

/**
 * The size of the parts of a file, in bytes.
 * @throws Permanent when S3 could not hold the file
 */
export function partSizeFor(size: number): number {
  if (size > maxObjectBytes) throw new Permanent('It is larger than 5 TB, the most that S3 can hold in one object.');
  return Math.max(smallestPart, Math.ceil(size / maxParts / mebibyte) * mebibyte);
}

/** The parts of a file, in order; all but the last are `partSize` bytes long. */
export function planParts(size: number, partSize: number): Part[] {
  return Array.from({ length: Math.ceil(size / partSize) }, (_, i) => ({
    number: i + 1,
    start: i * partSize,
    length: Math.min(partSize, size - i * partSize),
  }));
}
