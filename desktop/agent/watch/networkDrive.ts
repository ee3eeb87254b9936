import { statfs } from 'node:fs/promises';
import { platform } from 'node:process';

/**
 * Linux's numbers of file systems that other computers write to without this one being told: NFS, SMB (three), Ceph, AFS, 9P and Coda. Not FUSE, as
 * which sshfs comes, but local NTFS drives too. https://man7.org/linux/man-pages/man2/statfs.2.html
 */
const networkTypes = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x00c36400, 0x5346414f, 0x01021997, 0x73757245]);

/** Whether a folder is on a network drive, as far as the system tells: by type on Linux, by path on Windows; elsewhere never. */
export async function isOnNetwork(folder: string): Promise<boolean> {
  if (platform === 'win32') return folder.startsWith('\\\\');
  return platform === 'linux' && isNetworkType((await statfs(folder)).type);
}

/** @param type of statfs on Linux */
export function isNetworkType(type: number): boolean {
  // Some systems give the number with a sign.
  return networkTypes.has(type >>> 0);
}

export const polled = 'It is on a network drive: what other computers put there is found every few minutes.';
