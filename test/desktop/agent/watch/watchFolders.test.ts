import { execFileSync } from 'node:child_process';
import { appendFile, cp, link, mkdir, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { listFolders } from '../../../../desktop/agent/watch/folders.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { scratchDir } from '../db/scratch.ts';
import { aWhile, photo, settleMs, startWatching, until, untilTaken } from './watching.ts';

describe('what is there at the start', () => {
  test('photos and videos are handed on, the rest has a reason, system files are not mentioned', async () => {
    const watching = await startWatching({
      async fill(folder) {
        await mkdir(join(folder, 'deep/er'), { recursive: true });
        await mkdir(join(folder, '@eaDir'));
        await mkdir(join(folder, '.trash'));
        for (const name of ['a.JPG', 'deep/er/b.mov', 'notes.txt', 'Makefile', '.DS_Store', 'Thumbs.db', '@eaDir/a.jpg', '.trash/b.jpg']) {
          await writeFile(join(folder, name), photo());
        }
      },
    });
    await untilTaken(watching, 'a.JPG', 'deep/er/b.mov');
    expect(watching.rows()).toEqual({
      'a.JPG': 'known',
      'deep/er/b.mov': 'known',
      Makefile: 'skipped: Not a photo or video Pixwatch knows.',
      'notes.txt': 'skipped: Not a photo or video Pixwatch knows (.txt).',
    });
    await until(() => expect(watching.watch.isIdle()).toBe(true));
    expect(listFolders(watching.db)).toMatchObject([{ path: watching.folder, files: 4, problem: null }]);
  });

  test("other programs' libraries, bins and unfinished downloads are not looked at, unless they are watched by themselves", async () => {
    const apple = 'Photos Library.photoslibrary';
    const inside = [`${apple}/resources/derivatives`, `${apple}/originals/1`, 'Catalog Previews.lrdata', '#recycle', 'lost+found'];
    const watching = await startWatching({
      async fill(folder) {
        for (const name of inside) {
          await mkdir(join(folder, name), { recursive: true });
          await writeFile(join(folder, name, 'a.jpg'), photo());
        }
        for (const name of ['b.jpg.part', 'b.jpg.crdownload', 'c.jpg']) await writeFile(join(folder, name), photo());
      },
    });
    // Its originals are photos that nobody else may keep.
    await untilTaken(watching, 'c.jpg', `${apple}/originals/1/a.jpg`);
    await aWhile();
    expect(watching.rows()).toEqual({ 'c.jpg': 'known', [`${apple}/originals/1/a.jpg`]: 'known' });
    const own = await startWatching({ folder: join(watching.folder, 'Catalog Previews.lrdata') });
    await untilTaken(own, 'a.jpg');
  });

  test('what a person ignores is left out with its reason, and an ignored folder is not looked into', async () => {
    const watching = await startWatching({
      ignored: ['*.png', 'private', '2019/raw'],
      async fill(folder) {
        for (const name of ['2019/raw', 'raw', 'a/private']) await mkdir(join(folder, name), { recursive: true });
        for (const name of ['a.jpg', 'b.png', '2019/raw/c.jpg', 'raw/d.jpg', 'a/private/e.jpg'])
          await writeFile(join(folder, name), photo());
      },
    });
    await untilTaken(watching, 'a.jpg', 'raw/d.jpg');
    await aWhile();
    await writeFile(join(watching.folder, 'a/private/f.jpg'), photo());
    await writeFile(join(watching.folder, 'g.jpg'), photo());
    await untilTaken(watching, 'a.jpg', 'raw/d.jpg', 'g.jpg');
    await aWhile();
    const reason = 'skipped: You left it out: it fits “*.png”.';
    expect(watching.rows()).toEqual({ 'a.jpg': 'known', 'b.png': reason, 'g.jpg': 'known', 'raw/d.jpg': 'known' });
    expect(listFolders(watching.db)).toMatchObject([{ ignored: ['*.png', 'private', '2019/raw'] }]);
  });

  test('the next start hands on what is new, changed or was left unsettled, and nothing else', async () => {
    const names = ['same.jpg', 'changed.jpg', 'unsettled.jpg', 'gone.jpg'];
    const before = await startWatching({
      async fill(folder) {
        for (const name of names) await writeFile(join(folder, name), photo());
      },
    });
    await untilTaken(before, ...names);
    await before.watch.close();
    const { db, folder } = before;
    db.exec(`UPDATE local_file SET kind = 'settling' WHERE path LIKE '%/unsettled.jpg'`);
    await appendFile(join(folder, 'changed.jpg'), photo());
    await writeFile(join(folder, 'new.jpg'), photo());
    await unlink(join(folder, 'gone.jpg'));

    const after = await startWatching({ db, folder });
    await untilTaken(after, 'changed.jpg', 'new.jpg', 'unsettled.jpg');
    await until(() => expect(after.watch.isIdle()).toBe(true));
    expect(after.taken).toHaveLength(3);
    expect(after.gone).toEqual(['gone.jpg']);
  });

  test('symbolic links are not followed, loops neither', async () => {
    const outside = await scratchDir();
    await writeFile(join(outside, 'secret.jpg'), photo());
    const watching = await startWatching({
      async fill(folder) {
        await writeFile(join(folder, 'a.jpg'), photo());
        await symlink(outside, join(folder, 'elsewhere'));
        await symlink(join(outside, 'secret.jpg'), join(folder, 'link.jpg'));
        await symlink(folder, join(folder, 'loop'));
      },
    });
    await untilTaken(watching, 'a.jpg');
    await writeFile(join(outside, 'more.jpg'), photo());
    await aWhile();
    expect(Object.keys(watching.rows())).toEqual(['a.jpg']);
  });

  test('excluded folders are not entered', async () => {
    const dir = await scratchDir();
    await mkdir(join(dir, 'pixwatch/thumbs'), { recursive: true });
    await writeFile(join(dir, 'pixwatch/thumbs/a.jpg'), photo());
    const { watch, rows } = await startWatching({ excluded: [join(dir, 'pixwatch')] });
    await watch.add(dir);
    await aWhile();
    await writeFile(join(dir, 'pixwatch/thumbs/b.jpg'), photo());
    await aWhile();
    expect(rows()).toEqual({});
  });

  test('the same name in composed and decomposed form is two files', async () => {
    const names = ['é.jpg'.normalize('NFC'), 'é.jpg'.normalize('NFD')];
    const watching = await startWatching({
      async fill(folder) {
        for (const name of names) await writeFile(join(folder, name), photo());
      },
    });
    await untilTaken(watching, ...names);
  });

  test('a name that is no UTF-8 is reported', async () => {
    const watching = await startWatching({
      async fill(folder) {
        await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe]), Buffer.from('.jpg')]), photo());
        await writeFile(join(folder, 'true\uFFFD.jpg'), photo());
      },
    });
    await untilTaken(watching, 'true\uFFFD.jpg');
    expect(watching.rows()).toMatchObject({ '\uFFFD\uFFFD.jpg': expect.stringMatching(/^skipped: Its name is no valid text/) });
  });

  test('a folder whose name is no UTF-8 is reported, the rest goes on', async () => {
    const watching = await startWatching({
      async fill(folder) {
        const latin1 = Buffer.from(`${folder}/\u00dcbung`, 'latin1');
        await mkdir(latin1);
        await writeFile(Buffer.concat([latin1, Buffer.from('/a.jpg')]), photo());
        await writeFile(join(folder, 'b.jpg'), photo());
      },
    });
    await untilTaken(watching, 'b.jpg');
    await until(() =>
      expect(listFolders(watching.db)[0]?.problem).toBe(
        `${watching.folder}/\uFFFDbung cannot be read. Its name is no valid text (UTF-8). Rename it so that Pixwatch can read it.`,
      ),
    );
  });
});

describe('changes', () => {
  test('a new file is handed on once it is complete', async () => {
    const watching = await startWatching();
    for (let i = 0; i < 8; i++) {
      await appendFile(join(watching.folder, 'slow.jpg'), photo(i));
      await sleep(settleMs / 2);
      expect(watching.taken).toEqual([]);
    }
    await untilTaken(watching, 'slow.jpg');
  });

  test('a writer that pauses longer than the settle time: the file is handed on again', async () => {
    const watching = await startWatching();
    await writeFile(join(watching.folder, 'a.jpg'), photo());
    await untilTaken(watching, 'a.jpg');
    await appendFile(join(watching.folder, 'a.jpg'), photo());
    await untilTaken(watching, 'a.jpg', 'a.jpg');
  });

  test('a clock that is set back while a file settles makes it wait no longer', async () => {
    let ahead = 2 * 60 * 60_000;
    const clock = { now: () => systemClock.now() + ahead };
    const watching = await startWatching({
      clock,
      async fill(folder) {
        await writeFile(join(folder, 'a.jpg'), photo());
        await utimes(join(folder, 'a.jpg'), clock.now() / 1000, clock.now() / 1000);
      },
    });
    await until(() => expect(watching.rows()).toEqual({ 'a.jpg': 'settling' }));
    ahead = 0;
    await untilTaken(watching, 'a.jpg');
  });

  test('same size and modification time but other bytes', async () => {
    const then = new Date(2020, 1, 1);
    const watching = await startWatching({
      async fill(folder) {
        await writeFile(join(folder, 'a.jpg'), photo(1));
        await utimes(join(folder, 'a.jpg'), then, then);
      },
    });
    await untilTaken(watching, 'a.jpg');
    await writeFile(join(watching.folder, 'a.jpg'), photo(2));
    await utimes(join(watching.folder, 'a.jpg'), then, then);
    await untilTaken(watching, 'a.jpg', 'a.jpg');
  });

  test('renamed and removed files and folders', async () => {
    const watching = await startWatching({
      async fill(folder) {
        await mkdir(join(folder, 'one/two'), { recursive: true });
        for (const name of ['a.jpg', 'one/b.jpg', 'one/two/c.jpg', 'one.jpg']) await writeFile(join(folder, name), photo());
      },
    });
    await untilTaken(watching, 'a.jpg', 'one/b.jpg', 'one/two/c.jpg', 'one.jpg');
    await rename(join(watching.folder, 'a.jpg'), join(watching.folder, 'A.jpg'));
    await rename(join(watching.folder, 'one'), join(watching.folder, 'uno'));
    await until(() => expect(Object.keys(watching.rows())).toEqual(['A.jpg', 'one.jpg', 'uno/b.jpg', 'uno/two/c.jpg']));
    expect(watching.gone.toSorted()).toEqual(['a.jpg', 'one/b.jpg', 'one/two/c.jpg']);
    await rm(join(watching.folder, 'uno'), { recursive: true });
    await unlink(join(watching.folder, 'one.jpg'));
    await until(() => expect(Object.keys(watching.rows())).toEqual(['A.jpg']));
  });

  test('a folder that is moved in is found with all that is in it', async () => {
    const watching = await startWatching();
    const outside = await scratchDir();
    await mkdir(join(outside, 'trip/day 1/raw'), { recursive: true });
    for (const name of ['trip/a.jpg', 'trip/day 1/b.jpg', 'trip/day 1/raw/c.dng']) await writeFile(join(outside, name), photo());
    await aWhile();
    await rename(join(outside, 'trip'), join(watching.folder, 'trip'));
    await untilTaken(watching, 'trip/a.jpg', 'trip/day 1/b.jpg', 'trip/day 1/raw/c.dng');
  });

  test('a file of the place of a folder, and a folder in that of a file', async () => {
    const watching = await startWatching({
      async fill(folder) {
        await mkdir(join(folder, 'a.jpg'));
        await writeFile(join(folder, 'a.jpg/b.jpg'), photo());
        await writeFile(join(folder, 'c.jpg'), photo());
      },
    });
    await untilTaken(watching, 'a.jpg/b.jpg', 'c.jpg');
    await rm(join(watching.folder, 'a.jpg'), { recursive: true });
    await writeFile(join(watching.folder, 'a.jpg'), photo());
    await rm(join(watching.folder, 'c.jpg'));
    await mkdir(join(watching.folder, 'c.jpg'));
    await until(() => expect(watching.rows()).toEqual({ 'a.jpg': 'known' }));
  });

  test('a file that is written and removed again leaves nothing', async () => {
    const watching = await startWatching();
    await writeFile(join(watching.folder, 'a.jpg'), photo());
    await until(() => expect(watching.rows()).toEqual({ 'a.jpg': 'settling' }));
    await unlink(join(watching.folder, 'a.jpg'));
    await until(() => expect(watching.rows()).toEqual({}));
    expect(watching.taken).toEqual([]);
    expect(watching.watch.isIdle()).toBe(true);
  });

  test('a thousand files at once', async () => {
    const watching = await startWatching();
    const outside = await scratchDir();
    const names = Array.from({ length: 1000 }, (_, i) => `IMG_${i}.jpg`);
    await Promise.all(names.map((name) => writeFile(join(outside, name), photo())));
    await cp(outside, join(watching.folder, 'card'), { recursive: true });
    // A copy that pauses for longer than the settle time is rightly taken twice.
    const wanted = new Set(names.map((name) => `card/${name}`));
    await until(() => expect(new Set(watching.taken)).toEqual(wanted));
  });
});

describe('what is ignored', () => {
  test('can be changed at any time; what is ignored no longer is taken up again', async () => {
    const names = ['a.jpg', 'b.png', 'raw/c.jpg', 'raw/deep/d.jpg'];
    const watching = await startWatching({
      async fill(folder) {
        await mkdir(join(folder, 'raw/deep'), { recursive: true });
        for (const name of names) await writeFile(join(folder, name), photo());
      },
    });
    await untilTaken(watching, ...names);
    const { db, watch, folder } = watching;
    const id = listFolders(db)[0]?.id ?? 0;
    await watch.ignore(id, ['raw', '*.png']);
    // At once, and not only with the next scan.
    expect(watching.rows()).toMatchObject({
      'a.jpg': 'known',
      'b.png': expect.stringContaining('skipped: You left it out: it fits “*.png”'),
    });
    expect(watching.gone.toSorted()).toEqual(names.slice(1));
    await until(() => expect(Object.keys(watching.rows())).toEqual(['a.jpg', 'b.png']));
    await aWhile();
    await writeFile(join(folder, 'raw/e.jpg'), photo());
    // As when something in it was being sent and is not what it was.
    watch.recheck(join(folder, 'raw/deep/d.jpg'));
    await writeFile(join(folder, 'f.jpg'), photo());
    await untilTaken(watching, ...names, 'f.jpg');
    expect(Object.keys(watching.rows())).toEqual(['a.jpg', 'b.png', 'f.jpg']);

    await watch.add(folder, ['raw/deep']);
    await untilTaken(watching, ...names, 'f.jpg', 'b.png', 'raw/c.jpg', 'raw/e.jpg');
    await aWhile();
    await writeFile(join(folder, 'raw/late.jpg'), photo());
    await untilTaken(watching, ...names, 'f.jpg', 'b.png', 'raw/c.jpg', 'raw/e.jpg', 'raw/late.jpg');
    await watch.add(folder);
    expect(listFolders(db)).toMatchObject([{ ignored: ['raw/deep'] }]);
  });

  test('is not taken when it was ignored while it settled', async () => {
    const watching = await startWatching({ settleMs: 1000, fill: (folder) => writeFile(join(folder, 'a.jpg'), photo()) });
    await until(() => expect(watching.rows()).toEqual({ 'a.jpg': 'settling' }));
    await watching.watch.ignore(listFolders(watching.db)[0]?.id ?? 0, ['a.*']);
    await until(() => expect(watching.watch.isIdle()).toBe(true));
    expect(watching.taken).toEqual([]);
  });
});

describe('what is handed on', () => {
  test('a file that changed while it was read must be still again; one that cannot be read waits', async () => {
    const answers = ['changed', 'taken'] as const;
    const tries: string[] = [];
    const watching = await startWatching({
      fill: (folder) => writeFile(join(folder, 'a.jpg'), photo()),
      take: async (path) => (path.endsWith('b.jpg') ? 'later' : (answers[tries.push(path) - 1] ?? 'taken')),
    });
    await until(() => expect(tries).toHaveLength(2));
    await until(() => expect(watching.watch.isIdle()).toBe(true));
    expect(tries).toHaveLength(2);
    await writeFile(join(watching.folder, 'b.jpg'), photo());
    await until(() => expect(watching.rows()).toHaveProperty(['b.jpg']));
    await until(() => expect(watching.watch.isIdle()).toBe(true));
  });

  test('an error is reported and stops nothing', async () => {
    const watching = await startWatching({
      async fill(folder) {
        for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) await writeFile(join(folder, name), photo());
      },
      async take(path) {
        if (path.endsWith('b.jpg')) throw new Error('database or disk is full');
        return 'taken';
      },
    });
    await until(() => expect(watching.errors).toMatchObject([{ message: 'database or disk is full' }]));
    await until(() => expect(watching.watch.isIdle()).toBe(true));
  });

  test('at most sixteen at a time', async () => {
    let running = 0;
    let most = 0;
    const { watch } = await startWatching({
      async fill(folder) {
        for (let i = 0; i < 50; i++) await writeFile(join(folder, `${i}.jpg`), photo());
      },
      async take() {
        most = Math.max(most, ++running);
        await sleep(5);
        running -= 1;
        return 'taken';
      },
    });
    await until(() => expect(most).toBe(16));
    await until(() => expect(watch.isIdle()).toBe(true));
    expect(most).toBe(16);
  });
});

test('nothing of the person is written to or moved', async () => {
  const watching = await startWatching({
    async fill(folder) {
      await writeFile(join(folder, 'a.jpg'), photo());
      await link(join(folder, 'a.jpg'), join(folder, 'hard link.jpg'));
    },
  });
  const listing = () => execFileSync('find', [watching.folder, '-printf', '%p %s %T@ %C@ %i %n\n'], { encoding: 'utf8' });
  const before = listing();
  await untilTaken(watching, 'a.jpg', 'hard link.jpg');
  expect(listing()).toBe(before);
});

test.each([
  ['an hour later', 60 * 60_000],
  ['a clock that was set back', -24 * 60 * 60_000],
])('changes the system does not tell of are found by the hourly scan: %s', async (_, step) => {
  let passed = 0;
  const watching = await startWatching({ clock: { now: () => systemClock.now() + passed } });
  await aWhile();
  const { db, folder } = watching;
  await writeFile(join(folder, 'a.jpg'), photo());
  await untilTaken(watching, 'a.jpg');
  // Forgotten behind its back, as if the event had never come.
  db.exec('DELETE FROM local_file');
  await aWhile();
  expect(watching.rows()).toEqual({});
  passed += step;
  await until(() => expect(watching.rows()).toEqual({ 'a.jpg': 'known' }));
});
