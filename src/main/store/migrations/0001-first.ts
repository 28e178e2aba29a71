/**
 * The first schema. Times are ISO strings in UTC, lists are JSON, boxes are JSON [[x1,y1,x2,y2],...] in image pixels. Paths are
 * relative to the project folder where they lie inside it ('shipped:NAME' for files that come with the program), so that moving
 * the folder moves the project. Indices are made for a million regions: every sort of the queue walks one of them.
 */
export const version = 1
export const sql = `
CREATE TABLE project (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- 'importing' until its last row is in: a dataset in that state is invisible, and what a killed import left is removed at the next start.
CREATE TABLE datasets (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, format TEXT NOT NULL, source TEXT NOT NULL, created_at TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('importing', 'ready', 'removing'))
) STRICT;
CREATE TABLE skipped (
  id INTEGER PRIMARY KEY, dataset_id TEXT NOT NULL REFERENCES datasets(id) ON DELETE CASCADE,
  file TEXT NOT NULL, line INTEGER, reason TEXT NOT NULL
) STRICT;
CREATE INDEX skipped_by_dataset ON skipped(dataset_id);

CREATE TABLE images (
  id TEXT PRIMARY KEY, dataset_id TEXT NOT NULL REFERENCES datasets(id) ON DELETE CASCADE,
  name TEXT NOT NULL, path TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
  orientation INTEGER NOT NULL, bytes INTEGER NOT NULL, split TEXT NOT NULL, kind TEXT, concepts TEXT, position INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX images_by_path ON images(dataset_id, path);
CREATE INDEX images_by_split ON images(dataset_id, split);
CREATE INDEX images_by_position ON images(dataset_id, position);

CREATE TABLE regions (
  id TEXT PRIMARY KEY, image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE, dataset_id TEXT NOT NULL REFERENCES datasets(id) ON DELETE CASCADE,
  position INTEGER NOT NULL, split TEXT NOT NULL, phrase TEXT NOT NULL, boxes TEXT NOT NULL, box_count INTEGER NOT NULL, status TEXT NOT NULL,
  tags TEXT NOT NULL, note TEXT NOT NULL, deleted INTEGER NOT NULL, revision INTEGER NOT NULL, flags TEXT NOT NULL, concepts TEXT, source TEXT
) STRICT;
CREATE INDEX regions_by_image ON regions(image_id, position);
-- Carries status and split, so that counting a queue reads the index alone.
CREATE INDEX regions_by_position ON regions(dataset_id, deleted, position, status, split);
CREATE INDEX regions_by_status ON regions(dataset_id, deleted, status, position);
CREATE INDEX regions_by_split ON regions(dataset_id, deleted, split, position);
CREATE INDEX regions_by_phrase ON regions(dataset_id, deleted, phrase COLLATE NOCASE, position);

-- Written from the first edit of a region on; what an import brought in is its revision 1.
CREATE TABLE revisions (
  region_id TEXT NOT NULL REFERENCES regions(id) ON DELETE CASCADE, revision INTEGER NOT NULL, at TEXT NOT NULL, actor TEXT NOT NULL,
  label TEXT NOT NULL, edit_id TEXT, fields TEXT NOT NULL, PRIMARY KEY (region_id, revision)
) STRICT, WITHOUT ROWID;

-- The undo ledger: value-based diffs, so that undo survives a restart. changes: [{regionId, diff}].
CREATE TABLE edits (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, dataset_id TEXT NOT NULL REFERENCES datasets(id) ON DELETE CASCADE,
  at TEXT NOT NULL, actor TEXT NOT NULL, label TEXT NOT NULL, changes TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('done', 'undone', 'dropped'))
) STRICT;
CREATE INDEX edits_by_state ON edits(state, seq);
CREATE INDEX edits_by_dataset ON edits(dataset_id);

CREATE TABLE views (
  id TEXT PRIMARY KEY, dataset_id TEXT NOT NULL REFERENCES datasets(id) ON DELETE CASCADE, name TEXT NOT NULL, filter TEXT NOT NULL,
  sort TEXT NOT NULL, descending INTEGER NOT NULL
) STRICT;
CREATE INDEX views_by_dataset ON views(dataset_id);

-- The samples of a run are frozen in its folder, so it outlives its dataset.
CREATE TABLE runs (
  id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, name TEXT NOT NULL, preset TEXT NOT NULL, dataset_id TEXT NOT NULL,
  start_checkpoint_id TEXT, state TEXT NOT NULL, folder TEXT NOT NULL, config TEXT NOT NULL, step INTEGER NOT NULL, total_steps INTEGER NOT NULL, epoch REAL NOT NULL,
  elapsed_seconds REAL NOT NULL, seconds_left REAL, samples_per_second REAL, data_wait_share REAL, last_saved_step INTEGER, created_at TEXT NOT NULL, error TEXT
) STRICT;
CREATE TABLE metrics (
  run_id TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, step INTEGER NOT NULL, seconds REAL NOT NULL, "values" TEXT NOT NULL,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, origin TEXT NOT NULL, run_id TEXT REFERENCES runs(id) ON DELETE SET NULL, step INTEGER, path TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL, model_name TEXT NOT NULL, model_config TEXT NOT NULL, parameters INTEGER NOT NULL, size_bytes INTEGER NOT NULL, created_at TEXT NOT NULL,
  metrics TEXT NOT NULL, best INTEGER NOT NULL, key_report TEXT
) STRICT;
CREATE INDEX checkpoints_by_run ON checkpoints(run_id, step);

-- A score belongs to one revision of a region: after an edit of its boxes or phrase it is recomputed from the stored heatmap or dropped.
CREATE TABLE scores (
  checkpoint_id TEXT NOT NULL REFERENCES checkpoints(id) ON DELETE CASCADE, region_id TEXT NOT NULL REFERENCES regions(id) ON DELETE CASCADE, protocol TEXT NOT NULL,
  dataset_id TEXT NOT NULL, revision INTEGER NOT NULL, pointing_hit INTEGER NOT NULL, inside_energy REAL NOT NULL, mean_margin REAL NOT NULL, max_margin REAL NOT NULL,
  amc_mean REAL NOT NULL, amc_max REAL NOT NULL, soft_iou REAL NOT NULL, uncertain INTEGER NOT NULL, match_probability REAL NOT NULL,
  PRIMARY KEY (checkpoint_id, protocol, region_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX scores_by_energy ON scores(dataset_id, checkpoint_id, protocol, inside_energy, pointing_hit);
CREATE INDEX scores_by_match ON scores(dataset_id, checkpoint_id, protocol, match_probability);
CREATE INDEX scores_by_region ON scores(region_id);

-- Raw grids as little-endian float32. A cache: the oldest are dropped when it grows too large.
CREATE TABLE heatmaps (
  checkpoint_id TEXT NOT NULL REFERENCES checkpoints(id) ON DELETE CASCADE, image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE, phrase TEXT NOT NULL,
  width INTEGER NOT NULL, height INTEGER NOT NULL, grid BLOB NOT NULL, peak_x REAL NOT NULL, peak_y REAL NOT NULL, match_probability REAL NOT NULL, layer INTEGER NOT NULL,
  mask_size INTEGER NOT NULL, tokens TEXT NOT NULL, truncated INTEGER NOT NULL, used_at TEXT NOT NULL,
  PRIMARY KEY (checkpoint_id, image_id, phrase)
) STRICT, WITHOUT ROWID;
CREATE INDEX heatmaps_by_image ON heatmaps(image_id);
CREATE INDEX heatmaps_by_use ON heatmaps(used_at);
`
