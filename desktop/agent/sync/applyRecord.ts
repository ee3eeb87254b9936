import type { DatabaseSync } from 'node:sqlite';
import { InvalidInput } from '../../../shared/errors.ts';
import type { AssetRecord } from '../../../shared/model/asset.ts';
import { normaliseLabel } from '../../../shared/model/label.ts';
import { prepare } from '../db/openDatabase.ts';
import { indexText } from '../search/indexText.ts';

/**
 * Puts a record into the local index: the asset, its labels and its free text. To be called in a transaction.
 * An asset that no local file holds (it came from another device) is added. A revision that is not higher than the one held changes nothing.
 * @param again takes the revision that is held, too: what an earlier version of Pixwatch did not know of it is not in the index
 * @returns asset.n, and whether an earlier revision was replaced; null when nothing changed
 * @throws InvalidInput when the record's time cannot be read
 */
export function applyRecord(db: DatabaseSync, record: AssetRecord, { again = false } = {}): { n: number; replaced: boolean } | null {
  const held = prepare(db, 'SELECT n, revision FROM asset WHERE id = ?').get(record.asset);
  const heldRevision = (held?.['revision'] ?? 0) as number;
  if (record.revision < heldRevision || (record.revision === heldRevision && !again)) return null;

  const { outcome, media } = record;
  const inLibrary = media !== null && (outcome.kind === 'analysed' || outcome.kind === 'kept');
  const row = prepare(
    db,
    `INSERT INTO asset (id, ext, size, uploaded, taken_at, kind, revision, outcome, reason, unfiled, record)
       VALUES (:id, :ext, :size, 1, :takenAt, :kind, :revision, :outcome, :reason, :unfiled, :record)
       ON CONFLICT (id) DO UPDATE SET uploaded = 1, taken_at = excluded.taken_at, kind = excluded.kind, revision = excluded.revision,
         outcome = excluded.outcome, reason = excluded.reason, unfiled = excluded.unfiled, record = excluded.record
       RETURNING n`,
  ).get({
    id: record.asset,
    ext: record.ext,
    size: media?.bytes ?? 0,
    takenAt: inLibrary ? sortableTime(media.takenAt) : null,
    kind: media?.kind ?? null,
    revision: record.revision,
    outcome: outcome.kind,
    reason: 'reason' in outcome ? outcome.reason : null,
    unfiled: record.unfiled ?? null,
    record: JSON.stringify(record),
  });
  const n = row?.['n'] as number;
  replaceLabels(db, n, (inLibrary && record.labels) || []);
  indexText(db, n);
  return { n, replaced: heldRevision > 0 && record.revision > heldRevision };
}

/** Names that differ only in what `normaliseLabel` levels out are one label, with the highest of their confidences. */
function replaceLabels(db: DatabaseSync, asset: number, labels: NonNullable<AssetRecord['labels']>): void {
  prepare(db, 'DELETE FROM asset_label WHERE asset = ?').run(asset);
  const list = JSON.stringify(labels.map(({ name, confidence }) => ({ name, confidence, normalised: normaliseLabel(name) })));
  prepare(
    db,
    `INSERT INTO label (normalised, name) SELECT value ->> '$.normalised', value ->> '$.name' FROM json_each(?) WHERE true
     ON CONFLICT (normalised) DO NOTHING`,
  ).run(list);
  prepare(
    db,
    `INSERT INTO asset_label (label, asset, confidence)
     SELECT label.n, ?, max(value ->> '$.confidence') FROM json_each(?) JOIN label ON label.normalised = value ->> '$.normalised' GROUP BY label.n`,
  ).run(asset, list);
}

/** The same moment in the one form whose text sorts by time. */
function sortableTime(time: string): string {
  const milliseconds = Date.parse(time);
  if (Number.isNaN(milliseconds)) throw new InvalidInput(`takenAt is no time: ${JSON.stringify(time)}`);
  return new Date(milliseconds).toISOString();
}
