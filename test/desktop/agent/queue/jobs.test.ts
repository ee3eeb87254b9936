import type { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { queuedSize, wholeSize } from '../../../../desktop/agent/costs/librarySize.ts';
import { dropAbandoned, dueJobs, hasAbandoned, hasQueued, markOverdue, overdueJobs } from '../../../../desktop/agent/queue/jobs.ts';
import { memoryDatabase } from '../search/library.ts';

/** Files `/photos/<n>.jpg` or .mp4 that hold asset n, of n bytes, and a job for each asset. */
function queueOf(...exts: readonly string[]): DatabaseSync {
  const db = memoryDatabase();
  db.exec("INSERT INTO watched_folder (id, path) VALUES (1, '/photos')");
  for (const [i, ext] of exts.entries()) {
    const n = i + 1;
    db.prepare('INSERT INTO asset (n, id, ext, size) VALUES (?, ?, ?, ?)').run(n, `id ${n}`, ext, n);
    addFile(db, `/photos/${n}.${ext}`, n);
    db.prepare('INSERT INTO upload_job (asset, size) VALUES (?, ?)').run(n, n);
  }
  return db;
}

const addFile = (db: DatabaseSync, path: string, n: number) =>
  db
    .prepare("INSERT INTO local_file (path, folder, size, stamp, asset, kind, changed_at) VALUES (?, 1, 1, '', ?, 'known', '')")
    .run(path, n);
const due = (db: DatabaseSync) => dueJobs(db, 'small', 1, 100).map(({ n, path }) => [n, path]);
const overdue = (db: DatabaseSync) => overdueJobs(db).map(({ n }) => n);

test('a job is due while one of its files can be read, and only then', () => {
  const db = queueOf('jpg', 'jpg');
  addFile(db, '/photos/copy of 1.jpg', 1);
  db.exec("UPDATE local_file SET kind = 'unreachable' WHERE path = '/photos/1.jpg'");
  expect(due(db)).toEqual([
    [1, '/photos/copy of 1.jpg'],
    [2, '/photos/2.jpg'],
  ]);
  db.exec("UPDATE local_file SET kind = 'unreachable'");
  expect([due(db), hasQueued(db), hasAbandoned(db)]).toEqual([[], false, false]);
  db.exec("UPDATE local_file SET kind = 'known' WHERE path = '/photos/1.jpg'");
  expect(due(db)).toEqual([[1, '/photos/1.jpg']]);
  // It holds something else now.
  db.exec("UPDATE local_file SET asset = 2 WHERE path = '/photos/1.jpg'");
  expect(due(db)).toEqual([[2, '/photos/1.jpg']]);
});

test('a job whose file is gone waits for it to turn up, for as long as from one look to the next', async () => {
  const db = queueOf('jpg', 'jpg');
  db.exec('DELETE FROM local_file');
  expect([hasAbandoned(db), overdue(db)]).toEqual([true, []]);
  await markOverdue(db);
  expect(overdue(db)).toEqual([1, 2]);
  addFile(db, '/photos/moved/2.jpg', 2);
  expect([due(db), overdue(db)]).toEqual([[[2, '/photos/moved/2.jpg']], [1]]);
  for (const n of [1, 2]) dropAbandoned(db, n);
  expect(due(db)).toHaveLength(1);
  // Gone again, it waits anew.
  db.exec('DELETE FROM local_file');
  expect(overdue(db)).toEqual([]);
});

test('what waits is summed up by type without looking at it', () => {
  const db = queueOf('jpg', 'png', 'mp4', 'jpg');
  expect(queuedSize(db)).toMatchObject({ photos: 3, photoBytes: 7, videos: 1, videoBytes: 3 });
  db.exec('DELETE FROM upload_job WHERE asset IN (1, 3); INSERT INTO upload_job (asset, size) VALUES (4, 9) ON CONFLICT DO NOTHING');
  expect(queuedSize(db)).toMatchObject({ photos: 2, photoBytes: 6, videos: 0, videoBytes: 0, videoMinutes: 0 });
  expect(wholeSize(db)).toMatchObject({ photos: 3, videos: 1 });
});

/** How SQLite gets at the rows of a statement; a scan would look at all that wait for a drive. */
test.each([
  ["SELECT 1 FROM upload_job WHERE source = 'ready' AND state = 'queued' LIMIT 1", /SEARCH upload_job USING COVERING INDEX upload_job_due/],
  ["SELECT asset FROM upload_job WHERE source = 'gone' LIMIT 1", /SEARCH upload_job USING (COVERING )?INDEX upload_job_due/],
  ['SELECT ext, outcome, count(*), sum(size) FROM asset GROUP BY ext, outcome', /USING COVERING INDEX asset_size/],
  ['SELECT state, count(*) FROM local_file WHERE folder = 1 GROUP BY state', /USING COVERING INDEX local_file_folder/],
  ['SELECT count(*) FROM alert WHERE seen = 0', /USING (COVERING )?INDEX alert_unseen/],
])('%s', (sql, plan) => {
  const details = memoryDatabase()
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map(({ detail }) => detail);
  expect(details.join()).toMatch(plan);
});
