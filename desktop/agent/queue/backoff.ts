/** A number from 0 (included) to 1 (excluded). */
export type Rand = () => number;

export interface Backoff {
  readonly firstMs: number;
  /** Short enough that a connection that comes back is noticed within a minute, long enough to be kept up for days. */
  readonly longestMs: number;
}

export const defaultBackoff: Backoff = { firstMs: 1000, longestMs: 60_000 };

/**
 * How long to wait before the next try, in milliseconds: doubled with every failure, half of it random, so that many clients that failed
 * together do not come back together.
 * @param failures how many there were in a row, from 1
 */
export function backoffMs(failures: number, { firstMs, longestMs }: Backoff, random: Rand): number {
  const whole = Math.min(longestMs, firstMs * 2 ** (failures - 1));
  return whole / 2 + (random() * whole) / 2;
}
