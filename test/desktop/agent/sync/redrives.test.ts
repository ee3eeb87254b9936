import { LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { connectCommands } from '../../../../desktop/agent/commands.ts';
import { listFiles } from '../../../../desktop/agent/db/fileStates.ts';
import { startRedrives } from '../../../../desktop/agent/sync/redrives.ts';
import { inboxKey } from '../../../../shared/keys.ts';
import { scratchDatabase, scratchDir } from '../db/scratch.ts';
import { idOf, library } from '../search/library.ts';
import { startTestCloud } from '../testAgent.ts';

const hourMs = 60 * 60_000;
const soon = { timeout: 20_000, interval: 50 };

/** A library in which a photo was sent, and what asks for it at a time. */
async function open() {
  const cloud = await startTestCloud(await scratchDir());
  onTestFinished(cloud.stop);
  const { endpoint = '', region, inputBucket } = cloud.connection;
  const config = { endpoint, region, credentials: { ...cloud.credentials } };
  const s3 = new S3Client(config);
  const lambda = new LambdaClient(config);
  onTestFinished(() => [s3, lambda].forEach((client) => void client.destroy()));
  const asset = idOf('a dog');
  await s3.send(new PutObjectCommand({ Bucket: inputBucket, Key: inboxKey({ library, asset, ext: 'jpg' }), Body: 'a dog' }));

  const db = await scratchDatabase();
  db.exec(`INSERT INTO watched_folder (id, path) VALUES (1, '/photos')`);
  db.prepare(`INSERT INTO asset (n, id, ext, size, uploaded) VALUES (1, ?, 'jpg', 5, 1)`).run(asset);
  db.exec(
    `INSERT INTO local_file (path, folder, size, stamp, asset, kind, changed_at) VALUES ('/photos/dog.jpg', 1, 5, '', 1, 'known', '2026')`,
  );
  const { redrive } = connectCommands(lambda, cloud.connection);
  const asked: number[] = [];
  const errors: unknown[] = [];
  const commands = {
    redrive: async (input: Parameters<typeof redrive>[0]) => {
      asked.push(input.originals?.length ?? 0);
      return redrive(input);
    },
  };
  /** Looks once, at this time, as an agent that is started then does. */
  const lookAt = async (now: number) => {
    const before = asked.length;
    let changes = 0;
    let times = 0;
    const clock = {
      now: () => {
        times++;
        return now;
      },
    };
    const onError = (thrown: unknown) => void errors.push(thrown);
    const redrives = startRedrives({ db, clock, commands, ready: Promise.resolve(), onError, onChange: () => changes++ });
    // Once to give what is new its day, once to see what is due; that is asked for at once.
    await vi.waitFor(() => expect(times).toBeGreaterThan(1), soon);
    if (asked.length > before) await vi.waitFor(() => expect(changes).toBeGreaterThan(0), soon);
    await redrives.close();
  };
  const state = () => listFiles(db, { kinds: [], cursor: null, limit: 1 }, () => 0).items[0]?.state;
  return { cloud, db, asked, errors, lookAt, state };
}

test('what is not answered within a day is asked about, once a day, and says so', async () => {
  const { asked, errors, lookAt, state } = await open();
  const sentAt = Date.UTC(2026, 0, 1);
  await lookAt(sentAt);
  await lookAt(sentAt + 23 * hourMs);
  expect(asked).toEqual([]);
  expect(state()).toEqual({ kind: 'analysing', reason: null });

  await lookAt(sentAt + 25 * hourMs);
  expect(asked).toEqual([1]);
  expect(state()).toEqual({ kind: 'analysing', reason: expect.stringMatching(/takes longer than usual/) });
  await lookAt(sentAt + 26 * hourMs);
  expect(asked).toEqual([1]);
  await lookAt(sentAt + 50 * hourMs);
  expect(asked).toEqual([1, 1]);
  expect(errors).toEqual([]);
});

test('a kept video that is to be looked at again is asked about after a day, and shown until then', async () => {
  const { cloud, db, asked, lookAt, state } = await open();
  const again = { outcome: { kind: 'kept', reason: 'Again.' }, pipelineVersion: 0 } as const;
  db.prepare("UPDATE asset SET outcome = 'kept', reason = 'Again.', record = ?").run(JSON.stringify(again));
  await cloud.finish('a dog', again);
  const sentAt = Date.UTC(2026, 0, 1);
  await lookAt(sentAt);
  expect(asked).toEqual([]);
  // Its note is lost, so that it is taken up.
  await lookAt(sentAt + 25 * hourMs);
  expect(asked).toEqual([1]);
  expect(state()).toEqual({ kind: 'kept', reason: 'Again.' });
  await lookAt(sentAt + 26 * hourMs);
  expect(asked).toEqual([1]);
});

test('what waits for budget is asked about once a week; what nobody knows of any more is taken up', async () => {
  const { cloud, db, asked, lookAt, state } = await open();
  db.exec(`UPDATE asset SET outcome = 'waiting', reason = 'No budget.', ask_at = 0`);
  await cloud.finish('a dog', { outcome: { kind: 'waiting', reason: 'No budget.' } });
  const now = Date.UTC(2026, 0, 1);
  await lookAt(now);
  expect(asked).toEqual([1]);
  // The record says that it waits, but there is no note of it.
  expect(state()).toEqual({ kind: 'analysing', reason: null });
});
