import type { BigIntStats } from 'node:fs';

/**
 * What tells one content of a file from another without reading it. ctime is in it because a rewrite can keep size and mtime
 * (`touch -r`, `cp -p` over it), and the inode because a replaced file can keep all three.
 */
export function stampOf(stats: BigIntStats): string {
  return `${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}:${stats.ino}`;
}

/** The modification time that is in a stamp, as ISO 8601. */
export function modifiedAt(stamp: string): string {
  const [, mtimeNs = '0'] = stamp.split(':');
  return new Date(Number(BigInt(mtimeNs) / 1_000_000n)).toISOString();
}

/** When a file was last changed, in milliseconds since 1970, as its file system says. */
export function lastChange({ mtimeMs, ctimeMs }: BigIntStats): number {
  return Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs);
}
