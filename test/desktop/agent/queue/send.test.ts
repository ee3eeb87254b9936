import { appendFile, copyFile, mkdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { countFiles } from '../../../../desktop/agent/db/fileStates.ts';
import { systemClock } from '../../../../shared/clock.ts';
import { originalMetadata } from '../../../../shared/keys.ts';
import type { AssetId } from '../../../../shared/model/asset.ts';
import { keyOf, mebibyte, photo, type Sending, startSending, until } from './sending.ts';

const keysIn = async ({ store }: Sending) => [...(await store.objects()).keys()].toSorted();
/** Requests that carry an original's bytes. */
const sends = ({ store }: Sending) => store.line.requests(/^PUT \/pixwatch-input/);
const analysing = { kind: 'analysing', reason: null };

describe('what is sent', () => {
  test('small and large files are in the store under their content, with their name and time', async () => {
    const sending = await startSending();
    const keys = [
      await sending.put('größer.jpg', photo()),
      await sending.put('b.PNG', photo(8 * mebibyte)),
      await sending.put('c.mp4', photo(8 * mebibyte + 1)),
      await sending.put('d.mov', photo(20 * mebibyte)),
    ];
    await sending.untilIdle();
    expect(await keysIn(sending)).toEqual(keys.toSorted());
    expect(sending.states()).toEqual({ 'größer.jpg': analysing, 'b.PNG': analysing, 'c.mp4': analysing, 'd.mov': analysing });
    const head = await sending.store.direct.send(new HeadObjectCommand({ Bucket: 'pixwatch-input', Key: keys[0] }));
    const { name, modified } = originalMetadata.read(head.Metadata);
    expect(name).toBe('größer.jpg');
    expect(Math.abs(Date.parse(modified ?? '') - Date.parse(String(head.LastModified)))).toBeLessThan(60_000);
    expect(sends(sending)).toBe(2 + 2 + 3);
    expect(await sending.store.openUploads()).toBe(0);
    expect(sending.errors).toEqual([]);
  });

  test('a restart, copies, renamed files and folders send nothing, nor do names of which only the case changes', async () => {
    const before = await startSending();
    const content = photo();
    await mkdir(join(before.folder, 'trip'));
    await before.put('a.jpg', content);
    await before.put('trip/b.jpg', photo());
    await before.untilIdle();
    await before.watch.close();
    await before.queue.close();

    const after = await startSending({ db: before.db, store: before.store, folder: before.folder });
    await after.untilIdle();
    await copyFile(join(after.folder, 'a.jpg'), join(after.folder, 'copy.jpg'));
    await rename(join(after.folder, 'a.jpg'), join(after.folder, 'renamed.jpg'));
    await rename(join(after.folder, 'trip'), join(after.folder, 'journey'));
    await until(() => expect(after.states()).toEqual({ 'copy.jpg': analysing, 'renamed.jpg': analysing, 'journey/b.jpg': analysing }));
    await rename(join(after.folder, 'renamed.jpg'), join(after.folder, 'Renamed.JPG'));
    await rename(join(after.folder, 'journey'), join(after.folder, 'Journey'));
    await until(() => expect(after.states()).toEqual({ 'copy.jpg': analysing, 'Renamed.JPG': analysing, 'Journey/b.jpg': analysing }));
    await after.untilIdle();
    expect(sends(after)).toBe(2);
  });

  test('an edited file is a new asset, and the path points at it', async () => {
    const sending = await startSending();
    const old = await sending.put('a.jpg', photo());
    await sending.untilIdle();
    const content = photo();
    const edited = await sending.put('a.jpg', content);
    await until(async () => expect(await keysIn(sending)).toEqual([old, edited].toSorted()));
    await sending.untilIdle();
    const row = sending.db.prepare('SELECT id FROM local_file JOIN asset ON n = local_file.asset').get();
    expect(edited).toContain(row?.['id']);
    expect(sending.db.prepare('SELECT count(*) AS n FROM asset WHERE uploaded = 1').get()).toEqual({ n: 2 });
  });

  test('equal files at the same moment are sent once', async () => {
    const sending = await startSending();
    const content = photo(100_000);
    for (let i = 0; i < 20; i++) await sending.put(`${i}.jpg`, content);
    await sending.untilIdle();
    expect(Object.values(sending.states())).toEqual(Array(20).fill(analysing));
    expect(sends(sending)).toBe(1);
  });

  test('an empty file waits until there is something in it', async () => {
    const sending = await startSending();
    await sending.put('a.jpg', Buffer.alloc(0));
    await until(() => expect(sending.states()).toEqual({ 'a.jpg': { kind: 'skipped', reason: 'It is empty (0 bytes).' } }));
    await appendFile(join(sending.folder, 'a.jpg'), photo());
    await until(() => expect(sending.states()).toEqual({ 'a.jpg': analysing }));
  });

  test('hundreds of files', async () => {
    const sending = await startSending();
    for (let i = 0; i < 400; i++) await sending.put(`${i}.jpg`, photo());
    await sending.untilIdle();
    expect(await keysIn(sending)).toHaveLength(400);
    expect(sends(sending)).toBe(400);
    // Asked for many at a time, not one by one; how many depends on how fast the files are found.
    expect(sending.store.line.requests(/^POST \/ /)).toBeLessThan(100);
  });
});

test.each([
  ['a quick line: many small files at a time', 0],
  ['a slow line: eight', 1000],
])('%s', async (_, msPerLook) => {
  let now = systemClock.now();
  const clock = { now: () => (now += msPerLook) };
  let most = 0;
  const onChange = () => {
    const row = sending.db.prepare(`SELECT count(*) AS n FROM upload_job WHERE state = 'uploading'`).get();
    most = Math.max(most, Number(row?.['n']));
  };
  const sending = await startSending({ clock, onChange });
  sending.queue.pause();
  for (let i = 0; i < 100; i++) await sending.put(`${i}.jpg`, photo());
  await until(() => expect(countFiles(sending.db).queued).toBe(100));
  sending.queue.resume();
  await sending.untilIdle();
  expect(sends(sending)).toBe(100);
  if (msPerLook === 0) expect(most).toBeGreaterThan(8);
  else expect(most).toBe(8);
});

describe('what the cloud has already', () => {
  test.each([1000, 9 * mebibyte])('what the library holds is not sent (%i bytes)', async (bytes) => {
    const sending = await startSending();
    sending.queue.pause();
    const content = photo(bytes);
    const key = await sending.put('a.jpg', content);
    await until(() => expect(sending.states()).toEqual({ 'a.jpg': { kind: 'queued', reason: null } }));
    await sending.store.recordAnalysed(key.slice('inbox/local/'.length, -'.jpg'.length) as AssetId);
    sending.queue.resume();
    await sending.untilIdle();
    expect(sending.states()).toEqual({ 'a.jpg': analysing });
    expect(sends(sending)).toBe(0);
  });

  test.each([1000, 9 * mebibyte])('what waits in the inbox is not replaced, and a large one not sent (%i bytes)', async (bytes) => {
    const sending = await startSending();
    sending.queue.pause();
    const content = photo(bytes);
    const Key = await sending.put('a.jpg', content);
    await sending.store.direct.send(new PutObjectCommand({ Bucket: 'pixwatch-input', Key, Body: content, Metadata: { name: 'first' } }));
    sending.queue.resume();
    await sending.untilIdle();
    expect(sending.states()).toEqual({ 'a.jpg': analysing });
    const head = await sending.store.direct.send(new HeadObjectCommand({ Bucket: 'pixwatch-input', Key }));
    expect(head.Metadata).toEqual({ name: 'first' });
    expect(sends(sending)).toBe(bytes === 1000 ? 1 : 0);
  });

  test('a deleted database: a rescan finds everything again and sends nothing that the library holds', async () => {
    const before = await startSending();
    const keys = [await before.put('a.jpg', photo()), await before.put('b.mp4', photo(9 * mebibyte))];
    await before.untilIdle();
    const sent = sends(before);
    for (const key of keys) await before.store.recordAnalysed(key.slice('inbox/local/'.length, -'.jpg'.length) as AssetId);
    await before.watch.close();
    await before.queue.close();
    const after = await startSending({ store: before.store, folder: before.folder });
    await until(() => expect(after.states()).toEqual({ 'a.jpg': analysing, 'b.mp4': analysing }));
    expect(sends(after)).toBe(sent);
  });
});

describe('offline, pause, failures', () => {
  test('a cloud that answered too late is not called away when nothing is left to be sent', async () => {
    const sending = await startSending();
    sending.queue.pause();
    const key = await sending.put('a.jpg', photo());
    await until(() => expect(sending.states()).toEqual({ 'a.jpg': { kind: 'queued', reason: null } }));
    await sending.store.recordAnalysed(key.slice('inbox/local/'.length, -'.jpg'.length) as AssetId);
    sending.store.line.inject(/^POST \/ /, { kind: 'answer', status: '503 Service Unavailable', body: '{}' });
    sending.queue.resume();
    await until(() => expect(sending.states()).toEqual({ 'a.jpg': analysing }));
    await until(() => expect(sending.queue.offline()).toBeNull());
  });

  test('offline: everything waits with the reason; online again: everything goes on by itself', async () => {
    const sending = await startSending();
    sending.store.line.goDown();
    const keys = await Promise.all([1, 2, 3, 4].map((n) => sending.put(`${n}.jpg`, photo())));
    await until(() => expect(sending.queue.offline()).toMatch(/The cloud does not answer. Check the internet connection/));
    const kinds = () => Object.values(sending.states()).map(({ kind }) => kind);
    await until(() => expect(kinds()).toEqual(['queued', 'queued', 'queued', 'queued']));
    sending.store.line.goUp();
    await sending.untilIdle();
    expect(await keysIn(sending)).toEqual(keys.toSorted());
    expect(sending.queue.offline()).toBeNull();
  });

  test('the line breaks while files are on their way: none is lost, none is stored twice', async () => {
    const sending = await startSending();
    const keys = await Promise.all(Array.from({ length: 30 }, (_, n) => sending.put(`${n}.jpg`, photo(200_000))));
    keys.push(await sending.put('large.mp4', photo(20 * mebibyte)));
    for (let i = 0; i < 5; i++) {
      await until(() => expect(sending.queue.progress().bytesSent).toBeGreaterThan(0)).catch(() => undefined);
      sending.store.line.goDown();
      await until(() => expect(sending.queue.offline()).not.toBeNull()).catch(() => undefined);
      sending.store.line.goUp();
      if (sending.queue.isIdle()) break;
    }
    await sending.untilIdle();
    expect(await keysIn(sending)).toEqual(keys.toSorted());
  });

  test('paused: nothing begins, also after a restart', async () => {
    const before = await startSending();
    before.queue.pause();
    const key = await before.put('a.jpg', photo());
    await until(() => expect(before.states()).toEqual({ 'a.jpg': { kind: 'queued', reason: null } }));
    await before.watch.close();
    await before.queue.close();
    const after = await startSending({ db: before.db, store: before.store, folder: before.folder });
    expect(after.queue.isPaused()).toBe(true);
    await until(() => expect(after.watch.isIdle()).toBe(true));
    expect(after.queue.isIdle()).toBe(false);
    expect(sends(after)).toBe(0);
    after.queue.resume();
    await after.untilIdle();
    expect(await keysIn(after)).toEqual([key]);
  });

  test('paused in the middle of a large file: it goes on from there and sends nothing twice', async () => {
    const sending = await startSending();
    const size = 36 * mebibyte;
    sending.store.line.hold(mebibyte);
    const key = await sending.put('a.mp4', photo(size));
    await until(() => expect(sending.store.line.bytesUp()).toBeGreaterThan(mebibyte));
    sending.queue.pause();
    sending.store.line.release();
    await until(async () => {
      const before = sends(sending);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(sends(sending)).toBe(before);
    });
    expect(sends(sending)).toBeLessThan(5);
    expect(sending.states()).toMatchObject({ 'a.mp4': { kind: 'uploading', total: size } });
    sending.queue.resume();
    await sending.untilIdle();
    expect(await keysIn(sending)).toEqual([key]);
    expect(sends(sending)).toBe(5);
  });

  test('a clock that is set back keeps nothing waiting, neither the cloud as a whole nor a single file', async () => {
    let ahead = 2 * 60 * 60_000;
    const sending = await startSending({ clock: { now: () => systemClock.now() + ahead } });
    const body = '<Error><Code>SlowDown</Code><Message>Slow down.</Message></Error>';
    sending.store.line.inject(/^PUT \/pixwatch-input/, { kind: 'answer', status: '503 Slow Down', body });
    const key = await sending.put('a.jpg', photo());
    await until(() => expect(sending.queue.offline()).not.toBeNull());
    ahead = 0;
    await sending.untilIdle();
    expect(await keysIn(sending)).toEqual([key]);
  });

  test('what the cloud refuses for good fails with the reason; its neighbours go on; a retry sends it', async () => {
    const sending = await startSending();
    const body = '<Error><Code>InvalidRequest</Code><Message>This cannot be stored.</Message></Error>';
    sending.store.line.inject(/^PUT \/pixwatch-input/, { kind: 'answer', status: '400 Bad Request', body });
    const key = await sending.put('a.jpg', photo());
    await until(() =>
      expect(sending.states()).toEqual({ 'a.jpg': { kind: 'failed', reason: 'The cloud refuses it: This cannot be stored.' } }),
    );
    const other = await sending.put('b.jpg', photo());
    await sending.untilIdle();
    expect(await keysIn(sending)).toEqual([other]);
    await sending.queue.retry(join(sending.folder, 'b.jpg'));
    expect(sending.states()).toMatchObject({ 'a.jpg': { kind: 'failed' } });
    await sending.queue.retry(join(sending.folder, 'a.jpg'));
    await sending.untilIdle();
    expect(await keysIn(sending)).toEqual([key, other].toSorted());
    expect(sending.states()).toEqual({ 'a.jpg': analysing, 'b.jpg': analysing });
  });

  test('what waits of a folder that is removed is not sent, and what comes after it is', async () => {
    let isRemoved = false;
    const sending = await startSending({ abandonAfterMs: 100, onStored: () => isRemoved || queue.pause() });
    const { folder, queue, watch } = sending;
    queue.pause();
    await Promise.all(Array.from({ length: 40 }, (_, i) => sending.put(`wrong ${i}.jpg`, photo())));
    await until(() => expect(Object.values(sending.states()).filter(({ kind }) => kind === 'queued')).toHaveLength(40));
    queue.resume();
    await until(() => expect(queue.isPaused()).toBe(true));
    const id = sending.db.prepare('SELECT id FROM watched_folder').get()?.['id'] as number;
    await watch.remove(id);
    isRemoved = true;
    const right = join(dirname(folder), 'right');
    await mkdir(right);
    const keys = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const content = photo();
        await writeFile(join(right, `${i}.jpg`), content);
        return keyOf(content);
      }),
    );
    const sent = await keysIn(sending);
    await watch.add(right);
    queue.resume();
    await until(async () => expect(await keysIn(sending)).toEqual(expect.arrayContaining(keys)));
    // Those under way at the moment of the removal may have arrived.
    expect((await keysIn(sending)).length).toBeLessThanOrEqual(sent.length + keys.length + 8);
    expect(sent.length).toBeLessThan(30);
  });

  test('progress of the burst, and zeros after it', async () => {
    const sending = await startSending();
    sending.queue.pause();
    for (let i = 0; i < 3; i++) await sending.put(`${i}.jpg`, photo(100_000));
    await until(() => expect(sending.queue.progress()).toMatchObject({ filesDone: 0, filesTotal: 3, bytesSent: 0, bytesTotal: 300_000 }));
    sending.queue.resume();
    await sending.untilIdle();
    expect(sending.queue.progress()).toMatchObject({ filesDone: 0, filesTotal: 0, bytesTotal: 0 });
  });

  test('a full disk under the database is reported and survived', async () => {
    const sending = await startSending({ restAfterFaultMs: 100 });
    const pages = Number(sending.db.prepare('PRAGMA page_count').get()?.['page_count']);
    sending.db.exec(`PRAGMA max_page_count = ${pages}`);
    for (let i = 0; i < 100; i++) await sending.put(`${i}.jpg`, photo());
    await until(() => expect(sending.errors).toContainEqual(expect.objectContaining({ message: 'database or disk is full' })));
    sending.db.exec('PRAGMA max_page_count = 1000000');
    await until(() => expect(Object.keys(sending.states())).toHaveLength(100), 25_000);
  });

  test('a disk that stays full, so that not even a file can be put back into the queue, is waited for', async () => {
    const sending = await startSending({ restAfterFaultMs: 20 });
    sending.db.exec(`
      CREATE TEMP TRIGGER full_on_update BEFORE UPDATE ON upload_job WHEN old.state = 'uploading' BEGIN SELECT RAISE(ABORT, 'disk is full'); END;
      CREATE TEMP TRIGGER full_on_delete BEFORE DELETE ON upload_job WHEN old.state = 'uploading' BEGIN SELECT RAISE(ABORT, 'disk is full'); END`);
    const key = await sending.put('a.jpg', photo());
    await until(() => expect(sending.errors.length).toBeGreaterThan(3));
    expect(sending.errors).toContainEqual(expect.objectContaining({ message: 'disk is full' }));
    sending.db.exec('DROP TRIGGER full_on_update; DROP TRIGGER full_on_delete');
    await sending.untilIdle();
    expect([await keysIn(sending), sending.states()['a.jpg']?.kind]).toEqual([[key], 'analysing']);
  });
});

test('no file of the person is changed, and none is missing', async () => {
  const sending = await startSending();
  const contents = new Map(await Promise.all(['a.jpg', 'b.jpg'].map(async (name) => [name, photo()] as const)));
  for (const [name, content] of contents) await writeFile(join(sending.folder, name), content);
  await sending.untilIdle();
  await unlink(join(sending.folder, 'a.jpg'));
  await until(() => expect(Object.keys(sending.states())).toEqual(['b.jpg']));
  expect(await keysIn(sending)).toHaveLength(2);
  await rm(join(sending.folder, 'b.jpg'));
  expect(sending.db.prepare('SELECT count(*) AS n FROM asset').get()).toEqual({ n: 2 });
});
