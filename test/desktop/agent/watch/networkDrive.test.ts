import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { listFolders } from '../../../../desktop/agent/watch/folders.ts';
import { isMountedFromAfar, isNetworkType, isOnNetwork } from '../../../../desktop/agent/watch/networkDrive.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { scratchDir } from '../db/scratch.ts';
import { settleMs, startWatching } from './watching.ts';

test('network file systems are told from local ones', async () => {
  const [nfs, cifs, smb2, ninep] = [0x6969, 0xff534d42, 0xfe534d42, 0x01021997];
  const [ext4, btrfs, tmpfs, fuse] = [0xef53, 0x9123683e, 0x01021994, 0x65735546];
  const [disk, noDisk] = [0x811n, 0x27n];
  expect([nfs, cifs, cifs | 0, smb2, ninep, fuse].map((type) => isNetworkType(type, noDisk))).toEqual(Array(6).fill(true));
  expect([ext4, btrfs, tmpfs].map((type) => isNetworkType(type, noDisk))).toEqual([false, false, false]);
  // ntfs-3g, on a disk of this computer.
  expect(isNetworkType(fuse, disk)).toBe(false);
  expect(await isOnNetwork(tmpdir())).toBe(false);
});

test("a Mac's list of mounts says what is local", () => {
  const mounts = `/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
//anna@nas._smb._tcp.local/photos on /Volumes/photos (smbfs, nodev, nosuid, mounted by anna)
anna@nas:/photos on /Users/anna/Our (old) photos (macfuse, nodev, nosuid, synchronous, mounted by anna)
/dev/disk4s2 on /Volumes/photos 2 (hfs, local, nodev, nosuid)
`;
  const from = (folder: string) => isMountedFromAfar(mounts, folder);
  expect(['/Volumes/photos', '/Volumes/photos/2019', '/Users/anna/Our (old) photos/a'].map(from)).toEqual([true, true, true]);
  expect(['/Users/anna/Pictures', '/Volumes/photos 2', '/Users/anna/Our'].map(from)).toEqual([false, false, false]);
});

const sftpServer = '/usr/lib/openssh/sftp-server';
const missing = whatIsMissing();
if (missing) console.warn(`SKIPPED: a real network drive was not watched. ${missing}`);

function whatIsMissing(): string | null {
  if (!existsSync('/usr/bin/sshfs') || !existsSync(sftpServer)) return 'It needs sshfs and openssh-sftp-server.';
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return null;
  } catch {
    return 'It needs /dev/fuse.';
  }
}

/** Serves a folder by SFTP and mounts it from there; no sooner than asked is anything read anew. */
async function mountByNetwork(folder: string, mount: string): Promise<void> {
  const server = createServer((socket) => {
    const { stdin, stdout } = spawn(sftpServer, { stdio: ['pipe', 'pipe', 'ignore'] });
    socket.pipe(stdin);
    stdout.pipe(socket);
    socket.on('error', () => stdin.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const fresh = 'dir_cache=no,entry_timeout=0,attr_timeout=0,negative_timeout=0';
  const client = spawn('sshfs', ['-f', '-o', `directport=${port},${fresh}`, `127.0.0.1:${folder}`, mount], { stdio: 'inherit' });
  onTestFinished(async () => {
    const ended = once(client, 'exit');
    execFileSync('fusermount3', ['-u', mount]);
    await ended;
    server.close();
  });
  await expect.poll(() => isOnNetwork(mount), { timeout: 5000 }).toBe(true);
}

test.skipIf(missing)('what another computer puts on a network drive is found within minutes', async () => {
  const dir = await realpath(await scratchDir());
  const [theirs, drive] = [join(dir, 'theirs'), join(dir, 'drive')];
  await mkdir(theirs);
  await mkdir(drive);
  await writeFile(join(theirs, 'before.jpg'), 'a photo');
  await mountByNetwork(theirs, drive);
  let passed = 0;
  const watching = await startWatching({ folder: drive, clock: { now: () => systemClock.now() + passed } });
  await expect.poll(() => watching.rows(), { timeout: 5000 }).toEqual({ 'before.jpg': 'known' });
  expect(listFolders(watching.db)).toMatchObject([{ problem: expect.stringContaining('network drive') }]);
  await sleep(settleMs + 500);
  await writeFile(join(theirs, 'theirs.jpg'), 'a photo');
  await sleep(settleMs + 500);
  expect(watching.rows()).toEqual({ 'before.jpg': 'known' });
  passed = 5 * 60_000;
  await expect.poll(() => watching.rows(), { timeout: 5000 }).toEqual({ 'before.jpg': 'known', 'theirs.jpg': 'known' });
  await writeFile(join(drive, 'ours.jpg'), 'a photo');
  await expect.poll(() => watching.taken, { timeout: 5000 }).toContain('ours.jpg');
});
