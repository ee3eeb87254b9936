import type { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { countFiles, filesOf, listFiles } from '../../../../desktop/agent/db/fileStates.ts';
import type { FileState } from '../../../../shared/model/localFile.ts';
import { scratchDatabase } from './scratch.ts';

const nothingSent = () => 0;

interface File {
  kind?: string;
  reason?: string;
  asset?: { uploaded?: number; outcome?: string; reason?: string; unfiled?: string };
  job?: { state: string; reason?: string };
}

async function databaseWith(files: Record<string, File>): Promise<DatabaseSync> {
  const db = await scratchDatabase();
  db.exec(`INSERT INTO watched_folder (id, path) VALUES (1, '/photos')`);
  for (const [i, [name, { kind = 'known', reason = null, asset, job }]] of Object.entries(files).entries()) {
    if (asset) {
      db.prepare('INSERT INTO asset (n, id, ext, size) VALUES (?, ?, ?, 1000)').run(i, `id-${name}`, 'jpg');
    }
    const insert = `INSERT INTO local_file (path, folder, size, stamp, asset, kind, reason, changed_at) VALUES (?, 1, 1000, '', ?, ?, ?, ?)`;
    db.prepare(insert).run(`/photos/${name}`, asset ? i : null, kind, reason, `2026-01-01T00:00:0${i % 10}.000Z`);
    if (job) db.prepare('INSERT INTO upload_job (asset, size) VALUES (?, 1000)').run(i);
    if (job) db.prepare('UPDATE upload_job SET state = ?, reason = ? WHERE asset = ?').run(job.state, job.reason ?? null, i);
    const { uploaded = 0, outcome = null, reason: why = null, unfiled = null } = asset ?? {};
    db.prepare('UPDATE asset SET uploaded = ?, outcome = ?, reason = ?, unfiled = ? WHERE n = ?').run(uploaded, outcome, why, unfiled, i);
  }
  return db;
}

test.each<[string, File, FileState]>([
  ['settling', { kind: 'settling' }, { kind: 'settling' }],
  ['changed, and settling again', { kind: 'settling', asset: { uploaded: 1, outcome: 'analysed' } }, { kind: 'settling' }],
  ['skipped', { kind: 'skipped', reason: 'empty' }, { kind: 'skipped', reason: 'empty' }],
  ['unreachable', { kind: 'unreachable', reason: 'no rights' }, { kind: 'unreachable', reason: 'no rights' }],
  ['queued', { asset: {}, job: { state: 'queued' } }, { kind: 'queued', reason: null }],
  ['tried before', { asset: {}, job: { state: 'queued', reason: 'busy' } }, { kind: 'queued', reason: 'busy' }],
  ['uploading', { asset: {}, job: { state: 'uploading' } }, { kind: 'uploading', sent: 600, total: 1000 }],
  ['given up', { asset: {}, job: { state: 'failed', reason: 'too large' } }, { kind: 'failed', reason: 'too large' }],
  ['sent', { asset: { uploaded: 1 } }, { kind: 'analysing', reason: null }],
  ['asked about', { asset: { uploaded: 1, reason: 'It takes long.' } }, { kind: 'analysing', reason: 'It takes long.' }],
  ['claimed by the pipeline', { asset: { uploaded: 1, outcome: 'pending' } }, { kind: 'analysing', reason: null }],
  ['analysed', { asset: { uploaded: 1, outcome: 'analysed' } }, { kind: 'searchable' }],
  [
    'analysed, not filed',
    { asset: { uploaded: 1, outcome: 'analysed', unfiled: 'No rights.' } },
    { kind: 'failed', reason: 'It can be searched, but the cloud could not finish with its original: No rights.' },
  ],
  ['kept', { asset: { uploaded: 1, outcome: 'kept', reason: 'a video' } }, { kind: 'kept', reason: 'a video' }],
  ['waiting', { asset: { uploaded: 1, outcome: 'waiting', reason: 'no budget' } }, { kind: 'waiting', reason: 'no budget' }],
  ['rejected', { asset: { uploaded: 1, outcome: 'rejected', reason: 'damaged' } }, { kind: 'rejected', reason: 'damaged' }],
  ['dead letter', { asset: { uploaded: 1, outcome: 'failed', reason: 'tried 3 times' } }, { kind: 'failed', reason: 'tried 3 times' }],
])('the state of a file: %s', async (_, file, state) => {
  const db = await databaseWith({ 'a.jpg': file });
  expect(listFiles(db, { kinds: [], cursor: null, limit: 10 }, () => 600).items.map((item) => item.state)).toEqual([state]);
  expect(countFiles(db)).toMatchObject({ [state.kind]: 1 });
  expect(Object.values(countFiles(db)).reduce((a, b) => a + b)).toBe(1);
});

test('counts follow every change of a file, its asset and its job', async () => {
  const db = await databaseWith({ a: { asset: {}, job: { state: 'queued' } }, b: { kind: 'settling' }, c: { asset: { uploaded: 1 } } });
  const counted = () => Object.fromEntries(Object.entries(countFiles(db)).filter(([, n]) => n > 0));
  expect(counted()).toEqual({ queued: 1, settling: 1, analysing: 1 });
  db.exec(`UPDATE upload_job SET state = 'uploading'`);
  expect(counted()).toEqual({ uploading: 1, settling: 1, analysing: 1 });
  db.exec('UPDATE asset SET uploaded = 1; DELETE FROM upload_job');
  expect(counted()).toEqual({ settling: 1, analysing: 2 });
  db.exec(`UPDATE asset SET outcome = 'analysed' WHERE n = 2`);
  expect(counted()).toEqual({ settling: 1, analysing: 1, searchable: 1 });
  db.exec(`UPDATE local_file SET asset = 2, kind = 'known' WHERE path = '/photos/b'`);
  expect(counted()).toEqual({ analysing: 1, searchable: 2 });
  db.exec(`DELETE FROM local_file WHERE path = '/photos/a'`);
  expect(counted()).toEqual({ searchable: 2 });
  db.exec('DELETE FROM watched_folder');
  expect(counted()).toEqual({});
});

test('pages hold every file once, latest change first, also those of the same moment', async () => {
  const names = Array.from({ length: 25 }, (_, i) => `${String.fromCharCode(97 + i)}.jpg`);
  const db = await databaseWith(Object.fromEntries(names.map((name, i) => [name, { kind: i % 3 ? 'settling' : 'skipped', reason: 'r' }])));
  const walk = (kinds: ('settling' | 'skipped')[], limit: number) => {
    const paths: string[] = [];
    for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
      const page = listFiles(db, { kinds, cursor, limit }, nothingSent);
      expect(page.items.length).toBeLessThanOrEqual(limit);
      paths.push(...page.items.map(({ path }) => path));
      cursor = page.next;
    }
    return paths;
  };
  const expected = db
    .prepare('SELECT path FROM local_file ORDER BY changed_at DESC, path DESC')
    .all()
    .map((row) => row['path']);
  expect(walk([], 4)).toEqual(expected);
  expect(walk([], 25)).toEqual(expected);
  expect(walk(['settling', 'skipped', 'settling'], 7)).toEqual(expected);
  expect(walk(['skipped'], 2)).toHaveLength(9);
});

test('the files of one asset', async () => {
  const db = await databaseWith({ 'a.jpg': { asset: { uploaded: 1 } }, 'copy.jpg': { kind: 'settling' } });
  db.exec(`UPDATE local_file SET asset = 0, kind = 'known' WHERE path = '/photos/copy.jpg'`);
  expect(filesOf(db, 0, nothingSent)).toEqual([
    { path: '/photos/a.jpg', asset: 'id-a.jpg', bytes: 1000, state: { kind: 'analysing', reason: null } },
    { path: '/photos/copy.jpg', asset: 'id-a.jpg', bytes: 1000, state: { kind: 'analysing', reason: null } },
  ]);
});
