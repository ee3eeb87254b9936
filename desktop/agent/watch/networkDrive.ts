import { execFile } from 'node:child_process';
import { stat, statfs } from 'node:fs/promises';
import { platform } from 'node:process';
import { promisify } from 'node:util';

/**
 * Linux's numbers of file systems that are written to without this system being told: NFS, SMB (three), Ceph, AFS, 9P, Coda and VirtualBox's.
 * https://man7.org/linux/man-pages/man2/statfs.2.html
 */
const networkTypes = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x00c36400, 0x5346414f, 0x01021997, 0x73757245, 0x786f4256]);
/** A program answers for it: sshfs, rclone, davfs2, GNOME's and virtual machines' shares; but also ntfs-3g. */
const fuse = 0x65735546;
const mountMs = 5000;

/**
 * Whether a folder is on a drive that other computers may write to, which no system tells of. Where it cannot be known it is taken for local.
 * @param folder absolute and real: on Windows that turns the letter of a network drive into the \\server\share that it stands for
 * @throws the system's error when the folder is not there
 */
export async function isOnNetwork(folder: string): Promise<boolean> {
  switch (platform) {
    case 'linux': {
      const [{ type }, { dev }] = await Promise.all([statfs(folder), stat(folder, { bigint: true })]);
      return isNetworkType(type, dev);
    }
    // What statfs says on a Mac is a number that differs from one Mac to the next.
    case 'darwin':
      return isMountedFromAfar((await promisify(execFile)('/sbin/mount', { timeout: mountMs })).stdout, folder);
    case 'win32':
      return folder.startsWith('\\\\');
    default:
      return false;
  }
}

/**
 * @param type of statfs on Linux
 * @param device of stat
 */
export function isNetworkType(type: number, device: bigint): boolean {
  // Some systems give the number with a sign.
  if (type >>> 0 === fuse) return majorOf(device) === 0n;
  return networkTypes.has(type >>> 0);
}

/** 0 where no disk is behind it. Of its twelve lower bits, which is all that Linux uses. */
const majorOf = (device: bigint) => (device >> 8n) & 0xfffn;

/** @param mounts what /sbin/mount prints on a Mac, e.g. "//anna@nas/photos on /Volumes/photos (smbfs, nodev, mounted by anna)" */
export function isMountedFromAfar(mounts: string, folder: string): boolean {
  const points = [...mounts.matchAll(/^.+? on (\/.*) \((.*)\)$/gm)].map(([, point = '', words = '']) => ({
    point,
    words: words.split(', '),
  }));
  const above = points.filter(({ point }) => folder === point || folder.startsWith(point === '/' ? point : `${point}/`));
  const [nearest] = above.sort((a, b) => b.point.length - a.point.length);
  return nearest !== undefined && !nearest.words.includes('local');
}

export const polled = 'It is on a network drive: what other computers put there is found every few minutes.';
