import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../../../../desktop/agent/db/openDatabase.ts';
import { idOf, labelOf, mediaOf, randomOf, recordOf } from './library.ts';

/**
 * Fills a new database with analysed assets: ten labels each out of a thousand, some very frequent. Written with plain SQL, as applying so many records
 * takes a while.
 * @param every one of so many has a local file; the others come from other devices
 */
export function fill(db: DatabaseSync, assets: number, every = 20): void {
  // Room for all that is written, only while it is.
  db.exec('PRAGMA cache_size = -400000');
  transaction(db, () => write(db, assets, every));
  // As it comes to be by itself when they come in small numbers.
  db.exec("INSERT INTO asset_text (asset_text, rank) VALUES ('merge', 1000000)");
  db.exec('PRAGMA cache_size = -2000');
}

function write(db: DatabaseSync, assets: number, every: number): void {
  const random = randomOf(1);
  const names = Array.from({ length: 1000 }, (_, i) => ['Person', 'Dog', 'Cat', 'Car'][i] ?? `Label${i} Thing`);
  const insertLabel = db.prepare('INSERT INTO label (n, normalised, name) VALUES (?, ?, ?)');
  for (const [i, name] of names.entries()) insertLabel.run(i + 1, name.toLowerCase(), name);
  const insertAsset = db.prepare(
    "INSERT INTO asset (n, id, ext, size, uploaded, taken_at, kind, revision, outcome, record) VALUES (?, ?, 'jpg', 1, 1, ?, ?, 1, 'analysed', ?)",
  );
  const insertAssetLabel = db.prepare('INSERT INTO asset_label (label, asset, confidence) VALUES (?, ?, ?)');
  const insertText = db.prepare('INSERT INTO asset_text (rowid, labels, paths) VALUES (?, ?, ?)');
  const insertFile = db.prepare(
    "INSERT INTO local_file (path, folder, size, stamp, asset, kind, changed_at) VALUES (?, 1, 1, '', ?, 'known', '')",
  );
  db.exec("INSERT INTO watched_folder (id, path) VALUES (1, '/home/ann/Pictures')");
  for (let n = 1; n <= assets; n++) {
    const chosen = new Set(Array.from({ length: 10 }, () => Math.floor(random() ** 3 * 1000)));
    const labels = [...chosen].map((i) => names[i] as string);
    const takenAt = new Date(1.2e12 + random() * 5e11).toISOString();
    const kind = random() < 0.05 ? 'video' : 'photo';
    const record = recordOf(`${n}`, { labels: labels.map((name) => labelOf(name)), media: mediaOf({ takenAt, kind }) });
    insertAsset.run(n, idOf(`${n}`), takenAt, kind, JSON.stringify(record));
    for (const i of chosen) insertAssetLabel.run(i + 1, n, Math.floor(random() * 100));
    const path = `/home/ann/Pictures/${2000 + Math.floor(random() * 25)}/event ${Math.floor(random() * 500)}/IMG_${n}.jpg`;
    if (n % every === 0) insertFile.run(path, n);
    insertText.run(n, labels.join('\n'), path);
  }
}
