import type { BigIntStats } from 'node:fs';

/**
 * What tells one content of a file from another without reading it. ctime is in it because a rewrite can keep size and mtime
 * (`touch -r`, `cp -p` over it), and the inode because a replaced file can keep all three.
 */
export function stampOf(stats: BigIntStats): string {
  return `${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}:${stats.ino}`;
}

/** What ISO 8601 has four digits for, in milliseconds since 1970. Btrfs, ZFS and NFS hold times that no `Date` does, and a file may have any. */
const [earliest, latest] = [Date.parse('0000-01-01T00:00:00.000Z'), Date.parse('9999-12-31T23:59:59.999Z')];

/** The modification time that is in a stamp, as ISO 8601; the nearest of the years 0 to 9999. */
export function modifiedAt(stamp: string): string {
  const [, mtimeNs = '0'] = stamp.split(':');
  const time = Number(BigInt(mtimeNs) / 1_000_000n);
  return new Date(Math.min(latest, Math.max(earliest, time))).toISOString();
}

/** When a file was last changed, in milliseconds since 1970, as its file system says. */
export function lastChange({ mtimeMs, ctimeMs }: BigIntStats): number {
  return Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs);
}
