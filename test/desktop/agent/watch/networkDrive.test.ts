import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { isNetworkType, isOnNetwork } from '../../../../desktop/agent/watch/networkDrive.ts';

test('network file systems are told from local ones', async () => {
  const [nfs, cifs, smb2] = [0x6969, 0xff534d42, 0xfe534d42];
  const [ext4, btrfs, tmpfs, fuse] = [0xef53, 0x9123683e, 0x01021994, 0x65735546];
  expect([nfs, cifs, cifs | 0, smb2].map(isNetworkType)).toEqual([true, true, true, true]);
  expect([ext4, btrfs, tmpfs, fuse].map(isNetworkType)).toEqual([false, false, false, false]);
  expect(await isOnNetwork(tmpdir())).toBe(false);
});
