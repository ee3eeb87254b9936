import { execFileSync, spawn } from 'node:child_process';
import { mkdir, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listFolders } from '../../../../desktop/agent/watch/folders.ts';
import { InvalidInput } from '../../../../shared/errors.ts';
import { scratchDir } from '../db/scratch.ts';
import { aWhile, photo, startWatching, until, untilTaken } from './watching.ts';

describe('folders', () => {
  test('a folder that goes away is unreachable, not empty, and comes back by itself', async () => {
    const watching = await startWatching({ fill: (folder) => writeFile(join(folder, 'a.jpg'), photo()) });
    await untilTaken(watching, 'a.jpg');
    await aWhile();
    await rename(watching.folder, `${watching.folder}-away`);
    await until(() => expect(listFolders(watching.db)[0]?.problem).toMatch(/cannot be found/));
    expect(watching.rows()).toEqual({ 'a.jpg': 'known' });
    expect(watching.gone).toEqual([]);
    await rename(`${watching.folder}-away`, watching.folder);
    await until(() => expect(listFolders(watching.db)[0]?.problem).toBeNull());
    expect(watching.taken).toEqual(['a.jpg']);
  });

  test('an empty mount point is unreachable; a folder that was emptied is empty', async () => {
    const watching = await startWatching({ fill: (folder) => writeFile(join(folder, 'a.jpg'), photo()) });
    await untilTaken(watching, 'a.jpg');
    await aWhile();
    // What is left of a mount point is on another device than the drive was.
    watching.db.exec(`UPDATE watched_folder SET device = 'the drive'`);
    await unlink(join(watching.folder, 'a.jpg'));
    await until(() => expect(listFolders(watching.db)[0]?.problem).toMatch(/If it is on a drive, connect it/));
    expect(watching.rows()).toEqual({ 'a.jpg': 'known' });
    await writeFile(join(watching.folder, 'b.jpg'), photo());
    await until(() => expect(listFolders(watching.db)[0]?.problem).toBeNull());
    await until(() => expect(watching.rows()).toEqual({ 'b.jpg': 'known' }));
    await unlink(join(watching.folder, 'b.jpg'));
    await until(() => expect(watching.rows()).toEqual({}));
    expect(listFolders(watching.db)[0]?.problem).toBeNull();
  });

  test('a place inside that cannot be read is named, what was known of it stays, and the rest goes on', async () => {
    const deep = `${'x'.repeat(250)}/`.repeat(16).slice(0, -1);
    const tooDeep = `${deep}/${'y'.repeat(250)}`;
    const watching = await startWatching({
      async fill(folder) {
        // Longer than the system takes in one piece: refused to everybody, also to root, whom permissions do not stop.
        const script = 'for (const name of process.argv[1].split("/")) { fs.mkdirSync(name); process.chdir(name); }';
        execFileSync(process.execPath, ['-e', script, tooDeep], { cwd: folder });
        onTestFinished(() => void execFileSync('rm', ['-r', folder]));
      },
    });
    const { db, folder } = watching;
    const id = listFolders(db)[0]?.id ?? 0;
    db.prepare(`INSERT INTO local_file (path, folder, size, stamp, kind, changed_at) VALUES (?, ?, 0, '', 'known', '')`).run(
      `${folder}/${tooDeep}/a.jpg`,
      id,
    );
    await writeFile(join(folder, 'b.jpg'), photo());
    await until(() => expect(listFolders(db)[0]?.problem).toMatch(/y{250} cannot be read\. .*ENAMETOOLONG/));
    await untilTaken(watching, 'b.jpg');
    expect(watching.rows()).toEqual({ [`${tooDeep}/a.jpg`]: 'known', 'b.jpg': 'known' });
  });

  test('stops watching: rows go, nothing else', async () => {
    const watching = await startWatching({ fill: (folder) => writeFile(join(folder, 'a.jpg'), photo()) });
    await untilTaken(watching, 'a.jpg');
    const [folder] = listFolders(watching.db);
    await watching.watch.remove(folder?.id ?? 0);
    expect(watching.rows()).toEqual({});
    expect(watching.gone).toEqual(['a.jpg']);
    await writeFile(join(watching.folder, 'b.jpg'), photo());
    await aWhile();
    expect(watching.rows()).toEqual({});
    expect(listFolders(watching.db)).toEqual([]);
  });

  test('one that is watched again while its removal is under way is watched', async () => {
    const watching = await startWatching({ fill: (folder) => writeFile(join(folder, 'a.jpg'), photo()) });
    await untilTaken(watching, 'a.jpg');
    const [before] = listFolders(watching.db);
    // So many that they are not forgotten in one go.
    const known = watching.db.prepare(
      `INSERT INTO local_file (path, folder, size, stamp, kind, changed_at) VALUES (?, ?, 0, '', 'known', '')`,
    );
    for (let i = 0; i < 5000; i++) known.run(`${watching.folder}/${i}.jpg`, before?.id ?? 0);
    const removed = watching.watch.remove(before?.id ?? 0);
    await watching.watch.add(watching.folder);
    await removed;
    await untilTaken(watching, 'a.jpg', 'a.jpg');
    expect(listFolders(watching.db)).toMatchObject([{ path: watching.folder, files: 1 }]);
    expect(watching.errors).toEqual([]);
  });

  test('is added once, and not inside or around another', async () => {
    const { watch, folder, db } = await startWatching({ fill: (path) => mkdir(join(path, 'inner')) });
    await watch.add(`${folder}/../photos/`);
    await symlink(folder, `${folder}-link`);
    await watch.add(`${folder}-link`);
    expect(listFolders(db)).toHaveLength(1);
    await expect(watch.add(join(folder, 'inner'))).rejects.toThrow(InvalidInput);
    await expect(watch.add(join(folder, 'inner'))).rejects.toThrow(/is in .*, which is watched already/);
    await expect(watch.add(join(folder, '..'))).rejects.toThrow(/contains .*, which is watched already/);
    await expect(watch.add('/no/such/folder')).rejects.toThrow(/^Cannot watch \/no\/such\/folder: It cannot be found/);
    await writeFile(join(folder, 'a.jpg'), photo());
    await expect(watch.add(join(folder, 'a.jpg'))).rejects.toThrow(/is not a folder/);
    expect(listFolders(db)).toHaveLength(1);
  });
});

test('a drive that is taken off and connected again is watched as before', async ({ skip }) => {
  const script = join(import.meta.dirname, 'watchMounted.ts');
  const child = spawn('unshare', ['-Urm', process.execPath, script, await scratchDir()], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, failure] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (/unshare|mount/i.test(failure)) skip('this system lets a process mount nothing');
  expect(failure).toBe('');
  expect(JSON.parse(said)).toEqual({
    away: expect.stringMatching(/If it is on a drive, connect it/),
    back: null,
    taken: ['first.jpg', 'second.jpg', 'third.jpg', '0.jpg', '2.jpg'],
    // Connected again, the drive is empty: now they are gone.
    inside: [
      { problem: expect.stringMatching(/The drive at .*card cannot be found/), isKnown: 'known' },
      { problem: null, isKnown: null },
      { problem: expect.stringMatching(/The drive at .*anna\/card cannot be found/), isKnown: 'known' },
      { problem: null, isKnown: null },
    ],
  });
});

test('without room for more watches the folder says so, and scans find the files', async ({ skip }) => {
  const folder = await scratchDir();
  await mkdir(join(folder, 'a/b/c/d'), { recursive: true });
  const limited = 'echo 3 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"';
  const script = join(import.meta.dirname, 'watchWithLimit.ts');
  const child = spawn('unshare', ['-Ur', 'sh', '-c', limited, process.execPath, script, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, failure] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (/unshare|cannot create/i.test(failure)) skip('this system gives no limit of its own to a process');
  expect(failure).toBe('');
  const { problem, taken } = JSON.parse(said);
  expect(problem).toMatch(/limit of watched folders is reached.*sudo sysctl fs\.inotify\.max_user_watches=/);
  expect(taken).toEqual(['late.jpg']);
});
