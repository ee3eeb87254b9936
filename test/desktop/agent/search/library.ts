import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase, transaction } from '../../../../desktop/agent/db/openDatabase.ts';
import { applyRecord } from '../../../../desktop/agent/sync/applyRecord.ts';
import { systemClock } from '../../../../shared/clock.ts';
import type { AssetId, AssetRecord, LibraryId } from '../../../../shared/model/asset.ts';
import type { Label, TextLine } from '../../../../shared/model/label.ts';

export const library = 'local' as LibraryId;

/** The agent's real database, in memory. */
export function memoryDatabase(): DatabaseSync {
  return openDatabase(':memory:', { clock: systemClock }).db;
}

/** An id as a content would have it: always the same for the same name. */
export const idOf = (name: string) => createHash('sha256').update(name).digest('hex') as AssetId;

export const labelOf = (name: string, confidence = 90): Label => ({ name, confidence, parents: [], categories: [], instances: [] });

export const lineOf = (text: string): TextLine => ({ text, confidence: 95, box: { left: 0, top: 0, width: 0.1, height: 0.1 } });

/** The finished record of a photo called `name`. */
export function recordOf(name: string, rest: Partial<AssetRecord> = {}): AssetRecord {
  return {
    library,
    asset: idOf(name),
    ext: 'jpg',
    name,
    revision: 1,
    changedAt: '2025-01-01T00:00:00.000Z',
    pipelineVersion: 1,
    outcome: { kind: 'analysed', category: 'failure' },
    media: mediaOf(),
    labels: [],
    faces: null,
    text: null,
    moderation: null,
    renditions: ['thumb', 'preview'],
    matches: [],
    ...rest,
  };
}

export function mediaOf(rest: Partial<NonNullable<AssetRecord['media']>> = {}): NonNullable<AssetRecord['media']> {
  return {
    kind: 'photo',
    type: 'image/jpeg',
    bytes: 1000,
    width: 640,
    height: 480,
    animated: false,
    durationMs: null,
    takenAt: '2024-06-15T12:00:00.000Z',
    camera: null,
    place: null,
    ...rest,
  };
}

/** Puts a record into the index, as a pull does. @returns asset.n */
export function apply(db: DatabaseSync, record: AssetRecord): number {
  const applied = transaction(db, () => applyRecord(db, record));
  if (!applied) throw new Error(`${record.name}: this revision is there already`);
  return applied.n;
}

/** A generator of numbers 0 ≤ x < 1 that gives the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Lets a local file hold an asset, as the watcher does. */
export function linkFile(db: DatabaseSync, n: number, path: string): void {
  db.prepare("INSERT INTO watched_folder (id, path) VALUES (1, '/photos') ON CONFLICT DO NOTHING").run();
  db.prepare(
    `INSERT INTO local_file (path, folder, size, stamp, asset, kind, changed_at) VALUES (?, 1, 1000, 'stamp', ?, 'known', '2025-01-01T00:00:00.000Z')
     ON CONFLICT (path) DO UPDATE SET asset = excluded.asset`,
  ).run(path, n);
}
