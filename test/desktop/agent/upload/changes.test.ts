import { appendFile, chmod, mkdir, open, rename, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { endIdleReaders } from '../../../../desktop/agent/queue/hashFile.ts';
import { becomeOrdinaryUser } from '../ordinaryUser.ts';
import { keyOf, mebibyte, photo, type Sending, startSending, until } from '../queue/sending.ts';

/** Four parts are under way at a time, so that one is not sent yet in the middle of it. */
const size = 36 * mebibyte;
const parts = 5;
const putPart = /^PUT .*partNumber=/;
const then = new Date(2020, 1, 1);

/** Begins to send a large file and stops in the middle of it. */
async function stopInTheMiddle(content: Buffer): Promise<Sending & { path: string }> {
  const sending = await startSending({ abandonAfterMs: 500 });
  const path = join(sending.folder, 'a.mp4');
  sending.store.line.hold(mebibyte);
  await writeFile(path, content);
  await utimes(path, then, then);
  await until(() => expect(sending.store.line.bytesUp()).toBeGreaterThan(mebibyte));
  sending.queue.pause();
  sending.store.line.release();
  return { ...sending, path };
}

async function expectStored(sending: Sending, ...keys: string[]): Promise<void> {
  await until(async () => expect([...(await sending.store.objects()).keys()].toSorted()).toEqual(keys.toSorted()));
  await sending.untilIdle();
  await until(async () => expect(await sending.store.openUploads()).toBe(0));
  expect(sending.errors).toEqual([]);
}

describe('a file that changes while it is sent is never stored as a mixture', () => {
  test.each<[string, (path: string, content: Buffer) => Promise<Buffer>]>([
    [
      'appended',
      async (path, content) => {
        const more = photo();
        await appendFile(path, more);
        return Buffer.concat([content, more]);
      },
    ],
    [
      'truncated',
      async (path, content) => {
        await truncate(path, 30 * mebibyte);
        return content.subarray(0, 30 * mebibyte);
      },
    ],
    [
      'overwritten in place in a part that was sent, size and time kept',
      async (path, content) => {
        const file = await open(path, 'r+');
        await file.write('other', 100);
        await file.close();
        await utimes(path, then, then);
        return Buffer.concat([content.subarray(0, 100), Buffer.from('other'), content.subarray(105)]);
      },
    ],
    [
      'overwritten in place in a part that was not sent yet, size and time kept',
      async (path, content) => {
        const at = size - 5;
        const file = await open(path, 'r+');
        await file.write('other', at);
        await file.close();
        await utimes(path, then, then);
        return Buffer.concat([content.subarray(0, at), Buffer.from('other')]);
      },
    ],
    [
      'replaced by another file',
      async (path) => {
        const other = photo(9 * mebibyte);
        await writeFile(`${path}.tmp`, other);
        await rename(`${path}.tmp`, path);
        return other;
      },
    ],
  ])('%s', async (_, change) => {
    const content = photo(size);
    const sending = await stopInTheMiddle(content);
    const changed = await change(sending.path, content);
    sending.queue.resume();
    await expectStored(sending, keyOf(changed, 'mp4'));
    expect(sending.states()).toEqual({ 'a.mp4': { kind: 'analysing', reason: null } });
  });

  test('a small file that changed after it was hashed', async () => {
    const sending = await startSending();
    sending.queue.pause();
    await sending.put('a.jpg', photo());
    await until(() => expect(sending.states()).toEqual({ 'a.jpg': { kind: 'queued', reason: null } }));
    const file = await open(join(sending.folder, 'a.jpg'), 'r+');
    sending.queue.resume();
    await file.write('other', 100);
    await file.close();
    await sending.untilIdle();
    // What was there first may have been stored before the change; nothing in between can have been: `objects` checks every one.
    expect((await sending.store.objects()).size).toBeGreaterThan(0);
  });
});

test('touched while it is sent: the content is the same, and nothing is sent again', async () => {
  const content = photo(size);
  const sending = await stopInTheMiddle(content);
  await utimes(sending.path, new Date(), new Date());
  sending.queue.resume();
  await expectStored(sending, keyOf(content, 'mp4'));
  expect(sending.store.line.requests(putPart)).toBe(parts);
});

test('renamed while it is sent: it goes on from where it was', async () => {
  const content = photo(size);
  const sending = await stopInTheMiddle(content);
  await rename(sending.path, join(sending.folder, 'b.mp4'));
  await until(() => expect(Object.keys(sending.states())).toEqual(['b.mp4']));
  sending.queue.resume();
  await expectStored(sending, keyOf(content, 'mp4'));
  // What was under way when it was noticed is sent again.
  expect(sending.store.line.requests(putPart)).toBeLessThanOrEqual(parts + 4);
});

test('deleted while it is sent: it is broken off, and the cloud forgets its parts', async () => {
  const sending = await stopInTheMiddle(photo(size));
  await unlink(sending.path);
  await until(() => expect(sending.states()).toEqual({}));
  sending.queue.resume();
  await expectStored(sending);
  expect(sending.store.line.requests(putPart)).toBeLessThan(parts);
  const left = sending.db.prepare('SELECT (SELECT count(*) FROM upload_job) AS jobs, (SELECT count(*) FROM asset) AS assets');
  await until(() => expect(left.get()).toEqual({ jobs: 0, assets: 0 }));
});

test('deleted, and there is a copy: the copy is sent', async () => {
  const content = photo(size);
  const sending = await stopInTheMiddle(content);
  await sending.put('copy.mp4', content);
  await until(() => expect(sending.states()).toMatchObject({ 'copy.mp4': { kind: 'uploading' } }));
  await unlink(sending.path);
  await until(() => expect(Object.keys(sending.states())).toEqual(['copy.mp4']));
  sending.queue.resume();
  await expectStored(sending, keyOf(content, 'mp4'));
});

test('closing does not wait until a large file is hashed', async () => {
  const sending = await startSending();
  const film = await open(join(sending.folder, 'a.mp4'), 'w');
  // Minutes of hashing, and no room on the disk.
  await film.truncate(300_000 * mebibyte);
  await film.close();
  await until(() => expect(sending.states()).toEqual({ 'a.mp4': { kind: 'settling' } }));
  await sleep(500);
  await sending.watch.close();
  await endIdleReaders();
  expect(sending.states()).toEqual({ 'a.mp4': { kind: 'settling' } });
  expect(sending.errors).toEqual([]);
});

test('the folder stops being watched: what was queued is not sent', async () => {
  const sending = await startSending({ abandonAfterMs: 200 });
  sending.queue.pause();
  await sending.put('a.jpg', photo());
  await until(() => expect(sending.states()).toEqual({ 'a.jpg': { kind: 'queued', reason: null } }));
  await sending.watch.remove(1);
  sending.queue.resume();
  await until(() => expect(sending.db.prepare('SELECT count(*) AS n FROM upload_job').get()).toEqual({ n: 0 }));
  expect(await sending.store.objects()).toEqual(new Map());
});

test('the drive is taken off while it is sent: it waits, and goes on when it is back', async () => {
  const content = photo(size);
  const sending = await stopInTheMiddle(content);
  const small = await sending.put('b.jpg', photo());
  await until(() => expect(sending.states()).toMatchObject({ 'b.jpg': { kind: 'queued' } }));
  await rename(sending.folder, `${sending.folder}-away`);
  await until(() => expect(sending.db.prepare('SELECT problem FROM watched_folder').get()?.['problem']).toMatch(/cannot be found/));
  sending.queue.resume();
  const unreachable = { kind: 'unreachable', reason: expect.stringMatching(/If it is on a drive, connect it/) };
  await until(() => expect(sending.states()).toMatchObject({ 'b.jpg': unreachable }));
  await until(() => expect([sending.watch.isIdle(), sending.queue.isIdle()]).toEqual([true, true]));
  await rename(`${sending.folder}-away`, sending.folder);
  await expectStored(sending, keyOf(content, 'mp4'), small);
  expect(sending.store.line.requests(putPart)).toBeLessThanOrEqual(parts + 4);
});

test.skipIf(process.platform === 'win32')('what may not be read says so and keeps nothing waiting; once it may, it is sent', async () => {
  const sending = await startSending();
  const { folder, watch, queue, states, put } = sending;
  const first = await put('first.jpg', photo());
  await sending.untilIdle();
  queue.pause();
  await mkdir(join(folder, 'closed'));
  const inside = await put('closed/a.jpg', photo());
  await until(() => expect(states()).toMatchObject({ 'closed/a.jpg': { kind: 'queued' } }));
  becomeOrdinaryUser(dirname(folder), dirname(String(sending.db.location())), sending.store.dir);
  const secret = await put('secret.jpg', photo());
  await until(() => expect(states()).toMatchObject({ 'secret.jpg': { kind: 'queued' } }));
  await until(() => expect(watch.isIdle()).toBe(true));
  for (const name of ['closed', 'secret.jpg']) await chmod(join(folder, name), 0);
  queue.resume();

  const unreachable = { kind: 'unreachable', reason: 'Pixwatch may not read it. Change its permissions and it is taken up again.' };
  await until(() => expect(states()).toMatchObject({ 'closed/a.jpg': unreachable, 'secret.jpg': unreachable }));
  await until(() => expect([watch.isIdle(), queue.isIdle()]).toEqual([true, true]));
  expect(watch.unread()).toEqual([`${folder}: ${folder}/closed cannot be read. ${unreachable.reason}`]);

  for (const name of ['closed', 'secret.jpg']) await chmod(join(folder, name), 0o700);
  // As the next scan would: minutes later where something cannot be read.
  for (const name of ['closed/a.jpg', 'secret.jpg']) watch.recheck(join(folder, name));
  await expectStored(sending, first, inside, secret);
});
