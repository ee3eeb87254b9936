/**
 * The agent's database, one string a schema version; `openDatabase` applies those it lacks. Never edit a published one: add the next.
 * All of it can be rebuilt from the watched folders and the cloud.
 */
export const migrations = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE watched_folder (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    device TEXT,                           -- where its files were last seen; tells an empty folder from a drive that was taken off
    problem TEXT
  );

  -- One content. n: small key for the joins below; never given twice, as work under way may hold that of a row that was removed.
  CREATE TABLE asset (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    ext TEXT NOT NULL,
    size INTEGER NOT NULL,
    uploaded INTEGER NOT NULL DEFAULT 0,   -- 1: the cloud has the bytes (Complete acknowledged, or a record pulled)
    taken_at TEXT,                         -- ISO, UTC; set once the asset is in the library: analysed or kept. The following come from the record
    kind TEXT,                             -- photo | video
    revision INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,                          -- Outcome.kind
    reason TEXT,
    record TEXT                            -- AssetRecord as JSON
  );
  -- Search walks this index, newest first, and needs the rows themselves for one page only.
  CREATE INDEX asset_newest ON asset (taken_at DESC, n DESC, kind) WHERE taken_at IS NOT NULL;
  -- What the cloud is analysing: sent, and no answer yet.
  CREATE INDEX asset_analysing ON asset (n) WHERE uploaded = 1 AND outcome IS NULL;
  -- What the cloud gave up and may be asked to try again.
  CREATE INDEX asset_failed ON asset (n) WHERE outcome = 'failed';

  -- A path in a watched folder and what it held when last looked at.
  CREATE TABLE local_file (
    path TEXT PRIMARY KEY,
    folder INTEGER NOT NULL REFERENCES watched_folder (id) ON DELETE CASCADE,
    size INTEGER NOT NULL,
    stamp TEXT NOT NULL,                   -- size, mtime, ctime, inode: same stamp, same content
    asset INTEGER REFERENCES asset (n),    -- null until hashed
    kind TEXT NOT NULL CHECK (kind IN ('settling', 'known', 'skipped', 'unreachable')),
    reason TEXT,
    changed_at TEXT NOT NULL,              -- ISO, UTC: when its state last changed
    state TEXT NOT NULL DEFAULT 'settling' -- FileState.kind; the triggers below keep it
  );
  CREATE INDEX local_file_folder ON local_file (folder);
  CREATE INDEX local_file_asset ON local_file (asset);
  CREATE INDEX local_file_state ON local_file (state, changed_at, path);

  -- An asset on its way to the cloud; gone once uploaded. It is read from any local file that is known to hold it.
  CREATE TABLE upload_job (
    asset INTEGER PRIMARY KEY REFERENCES asset (n),
    size INTEGER NOT NULL,                 -- the asset's, here so that what is left can be summed up in no time
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'uploading', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try_at INTEGER NOT NULL DEFAULT 0, -- ms since 1970
    reason TEXT,
    upload_id TEXT,                        -- multipart in progress
    part_size INTEGER
  );
  CREATE INDEX upload_job_due ON upload_job (state, next_try_at, size);
  -- A part that S3 acknowledged, and the CRC-32 of what was sent.
  CREATE TABLE upload_part (
    asset INTEGER NOT NULL REFERENCES upload_job (asset) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    etag TEXT NOT NULL,
    crc32 INTEGER NOT NULL,
    PRIMARY KEY (asset, number)
  ) WITHOUT ROWID;

  -- The one state of every local file, and how many files are in each, kept up to date so that neither has to be looked for.
  CREATE VIEW file_state AS
    SELECT path, CASE
      WHEN local_file.kind <> 'known' THEN local_file.kind
      WHEN uploaded = 0 THEN coalesce(upload_job.state, 'queued')
      WHEN coalesce(outcome, 'pending') = 'pending' THEN 'analysing'
      WHEN outcome = 'analysed' THEN 'searchable'
      ELSE outcome
    END AS state
    FROM local_file LEFT JOIN asset ON n = local_file.asset LEFT JOIN upload_job ON upload_job.asset = n;
  CREATE TABLE file_count (state TEXT PRIMARY KEY, files INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TRIGGER file_state_new AFTER INSERT ON local_file BEGIN
    INSERT INTO file_count VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET files = files + 1;
    UPDATE local_file SET state = (SELECT state FROM file_state WHERE path = NEW.path) WHERE path = NEW.path;
  END;
  CREATE TRIGGER file_state_of_file AFTER UPDATE OF kind, asset ON local_file BEGIN
    UPDATE local_file SET state = (SELECT state FROM file_state WHERE path = NEW.path) WHERE path = NEW.path;
  END;
  CREATE TRIGGER file_state_of_asset AFTER UPDATE OF uploaded, outcome ON asset BEGIN
    UPDATE local_file SET state = (SELECT state FROM file_state WHERE path = local_file.path) WHERE asset = NEW.n;
  END;
  CREATE TRIGGER file_state_of_new_job AFTER INSERT ON upload_job BEGIN
    UPDATE local_file SET state = (SELECT state FROM file_state WHERE path = local_file.path) WHERE asset = NEW.asset;
  END;
  CREATE TRIGGER file_state_of_job AFTER UPDATE OF state ON upload_job BEGIN
    UPDATE local_file SET state = (SELECT state FROM file_state WHERE path = local_file.path) WHERE asset = NEW.asset;
  END;
  CREATE TRIGGER file_count_moved AFTER UPDATE OF state ON local_file WHEN NEW.state <> OLD.state BEGIN
    UPDATE file_count SET files = files - 1 WHERE state = OLD.state;
    INSERT INTO file_count VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET files = files + 1;
  END;
  CREATE TRIGGER file_count_removed AFTER DELETE ON local_file BEGIN
    UPDATE file_count SET files = files - 1 WHERE state = OLD.state;
  END;

  CREATE TABLE label (
    n INTEGER PRIMARY KEY,
    normalised TEXT NOT NULL UNIQUE,       -- normaliseLabel(name)
    name TEXT NOT NULL,
    assets INTEGER NOT NULL DEFAULT 0      -- how many have it; the triggers below keep it
  );
  CREATE TABLE asset_label (
    label INTEGER NOT NULL REFERENCES label (n),
    asset INTEGER NOT NULL REFERENCES asset (n) ON DELETE CASCADE,
    confidence REAL NOT NULL,
    PRIMARY KEY (label, asset)
  ) WITHOUT ROWID;
  CREATE INDEX asset_label_asset ON asset_label (asset);
  CREATE TRIGGER asset_label_added AFTER INSERT ON asset_label BEGIN
    UPDATE label SET assets = assets + 1 WHERE n = NEW.label;
  END;
  CREATE TRIGGER asset_label_removed AFTER DELETE ON asset_label BEGIN
    UPDATE label SET assets = assets - 1 WHERE n = OLD.label;
  END;
  -- Free text; rowid = asset.n.
  CREATE VIRTUAL TABLE asset_text USING fts5 (labels, paths, content='', contentless_delete=1, prefix='2 3', tokenize="unicode61 remove_diacritics 2");

  -- Assets whose free text is older than their local files; search/indexText.ts brings it up to date. The triggers miss no way a path changes.
  CREATE TABLE text_due (asset INTEGER PRIMARY KEY);
  CREATE TRIGGER local_file_added AFTER INSERT ON local_file WHEN NEW.asset IS NOT NULL BEGIN
    INSERT INTO text_due VALUES (NEW.asset) ON CONFLICT DO NOTHING;
  END;
  CREATE TRIGGER local_file_edited AFTER UPDATE OF asset ON local_file WHEN OLD.asset IS NOT NEW.asset BEGIN
    INSERT INTO text_due SELECT asset FROM (SELECT OLD.asset AS asset UNION SELECT NEW.asset) WHERE asset IS NOT NULL ON CONFLICT DO NOTHING;
  END;
  CREATE TRIGGER local_file_removed AFTER DELETE ON local_file WHEN OLD.asset IS NOT NULL BEGIN
    INSERT INTO text_due VALUES (OLD.asset) ON CONFLICT DO NOTHING;
  END;

  CREATE TABLE rule (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,                    -- Rule as JSON
    pushed INTEGER NOT NULL                -- 0: edited here, the cloud does not have this revision yet
  ) WITHOUT ROWID;
  CREATE TABLE alert (
    asset INTEGER NOT NULL REFERENCES asset (n),
    rule TEXT NOT NULL,
    rule_name TEXT NOT NULL,
    because TEXT NOT NULL,
    at TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (asset, rule)
  ) WITHOUT ROWID;
  CREATE INDEX alert_newest ON alert (at DESC);
  `,
  `
  -- The outcome is known, but the original still waits in the inbox, in the dead letters: why.
  ALTER TABLE asset ADD COLUMN unfiled TEXT;
  DROP INDEX asset_failed;
  CREATE INDEX asset_failed ON asset (n) WHERE outcome = 'failed' OR unfiled IS NOT NULL;

  DROP VIEW file_state;
  CREATE VIEW file_state AS
    SELECT path, CASE
      WHEN local_file.kind <> 'known' THEN local_file.kind
      WHEN uploaded = 0 THEN coalesce(upload_job.state, 'queued')
      WHEN coalesce(outcome, 'pending') = 'pending' THEN 'analysing'
      WHEN outcome = 'analysed' THEN iif(unfiled IS NULL, 'searchable', 'failed')
      ELSE outcome
    END AS state
    FROM local_file LEFT JOIN asset ON n = local_file.asset LEFT JOIN upload_job ON upload_job.asset = n;
  DROP TRIGGER file_state_of_asset;
  CREATE TRIGGER file_state_of_asset AFTER UPDATE OF uploaded, outcome, unfiled ON asset BEGIN
    UPDATE local_file SET state = (SELECT state FROM file_state WHERE path = local_file.path) WHERE asset = NEW.n;
  END;
  `,
  `
  -- 1: somebody was notified, or need not be. Written after that, so that an alert outlives a process that dies before.
  ALTER TABLE alert ADD COLUMN told INTEGER NOT NULL DEFAULT 1;
  CREATE INDEX alert_untold ON alert (at) WHERE told = 0;
  `,
  `
  -- Small files and large ones are looked for apart, so the size comes before the turn.
  DROP INDEX upload_job_due;
  CREATE INDEX upload_job_due ON upload_job (state, size, next_try_at);
  `,
  `
  -- The text in pictures is searched too. The rows are made anew from the records: search/indexText.ts works off what is due.
  DROP TABLE asset_text;
  CREATE VIRTUAL TABLE asset_text USING fts5 (labels, paths, text, content='', contentless_delete=1, prefix='2 3', tokenize="unicode61 remove_diacritics 2");
  INSERT INTO text_due SELECT n FROM asset WHERE taken_at IS NOT NULL ON CONFLICT DO NOTHING;
  -- Those with moderation labels. Queries repeat the condition word by word.
  CREATE INDEX asset_flagged ON asset (n) WHERE json_array_length(record -> '$.moderation') > 0;
  `,
  `
  -- What was sent since somebody approved what it costs. Emptied by the next approval.
  CREATE TABLE sent (ext TEXT PRIMARY KEY, files INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
  `,
  `
  -- When the cloud is asked what has become of an asset that it has not answered; ms since 1970, null: not decided yet.
  ALTER TABLE asset ADD COLUMN ask_at INTEGER;
  -- Queries repeat the condition word by word.
  CREATE INDEX asset_unanswered ON asset (ask_at) WHERE uploaded = 1 AND (outcome IS NULL OR outcome = 'waiting');
  `,
  `
  -- Globs of what a person wants left out of a folder, as a JSON array.
  ALTER TABLE watched_folder ADD COLUMN ignored TEXT NOT NULL DEFAULT '[]';
  `,
  `
  -- Videos that were only stored, and that another look may find more in. Queries repeat the condition word by word.
  CREATE INDEX asset_kept ON asset (n)
    WHERE outcome = 'kept' AND kind = 'video' AND record ->> '$.outcome.final' IS NULL AND record ->> '$.pipelineVersion' > 0;
  `,
  `
  -- Whether a local file is at hand that a job can read, kept up to date so that nobody has to look through all that wait for a drive:
  -- ready: one is; away: there are some, and none can be read at the moment; gone: there is none; overdue: there has been none for a while.
  ALTER TABLE upload_job ADD COLUMN source TEXT NOT NULL DEFAULT 'gone' CHECK (source IN ('ready', 'away', 'gone', 'overdue'));
  CREATE VIEW job_source AS
    SELECT asset, CASE
      WHEN EXISTS (SELECT 1 FROM local_file WHERE asset = upload_job.asset AND kind = 'known') THEN 'ready'
      WHEN EXISTS (SELECT 1 FROM local_file WHERE asset = upload_job.asset) THEN 'away'
      ELSE 'gone'
    END AS source
    FROM upload_job;
  UPDATE upload_job SET source = (SELECT source FROM job_source WHERE asset = upload_job.asset);
  CREATE TRIGGER job_source_new AFTER INSERT ON upload_job BEGIN
    UPDATE upload_job SET source = (SELECT source FROM job_source WHERE asset = NEW.asset) WHERE asset = NEW.asset;
  END;
  CREATE TRIGGER job_source_of_new_file AFTER INSERT ON local_file WHEN NEW.asset IS NOT NULL BEGIN
    UPDATE upload_job SET source = (SELECT source FROM job_source WHERE asset = NEW.asset) WHERE asset = NEW.asset;
  END;
  CREATE TRIGGER job_source_of_file AFTER UPDATE OF kind, asset ON local_file BEGIN
    UPDATE upload_job SET source = (SELECT source FROM job_source WHERE asset = upload_job.asset) WHERE asset IN (OLD.asset, NEW.asset);
  END;
  CREATE TRIGGER job_source_of_removed_file AFTER DELETE ON local_file WHEN OLD.asset IS NOT NULL BEGIN
    UPDATE upload_job SET source = (SELECT source FROM job_source WHERE asset = OLD.asset) WHERE asset = OLD.asset;
  END;
  DROP INDEX upload_job_due;
  CREATE INDEX upload_job_due ON upload_job (source, state, size, next_try_at);
  -- The files of a folder in a state, without reading the rows.
  DROP INDEX local_file_folder;
  CREATE INDEX local_file_folder ON local_file (folder, state);
  CREATE INDEX alert_unseen ON alert (at) WHERE seen = 0;
  -- What waits to be sent and what the library holds, summed up by type: what they cost is asked for every few seconds.
  CREATE TABLE queued_size (ext TEXT PRIMARY KEY, files INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO queued_size SELECT ext, count(*), sum(upload_job.size) FROM upload_job JOIN asset ON n = asset GROUP BY ext;
  CREATE TRIGGER queued_size_added AFTER INSERT ON upload_job BEGIN
    INSERT INTO queued_size SELECT ext, 1, NEW.size FROM asset WHERE n = NEW.asset
    ON CONFLICT (ext) DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER queued_size_removed AFTER DELETE ON upload_job BEGIN
    UPDATE queued_size SET files = files - 1, bytes = bytes - OLD.size WHERE ext = (SELECT ext FROM asset WHERE n = OLD.asset);
  END;
  CREATE INDEX asset_size ON asset (ext, outcome, size);
  -- \`mergeTexts\` does it, a little at a time.
  INSERT INTO asset_text (asset_text, rank) VALUES ('automerge', 0), ('crisismerge', 1000);
  `,
  `
  -- Those that are to be looked at again have no answer, either.
  DROP INDEX asset_unanswered;
  CREATE INDEX asset_unanswered ON asset (ask_at)
    WHERE uploaded = 1 AND (outcome IS NULL OR outcome = 'waiting' OR (outcome = 'kept' AND record ->> '$.pipelineVersion' = 0));
  `,
  `
  -- Drives inside watched folders: what is left of one that was taken off is an empty folder, or none.
  CREATE TABLE mount_point (
    path TEXT PRIMARY KEY,
    folder INTEGER NOT NULL REFERENCES watched_folder (id) ON DELETE CASCADE,
    device TEXT NOT NULL
  ) WITHOUT ROWID;
  `,
];
