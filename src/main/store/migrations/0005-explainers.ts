/**
 * Heatmaps of explainers other than the usual one, beside those of the usual one, which stay as they are; and what was measured of how far an
 * explanation can be trusted. explainer: the key of shared/explainers.ts. result: JSON of the contract's trust result, the newest of each subject.
 */
export const version = 5
export const sql = `
CREATE TABLE other_heatmaps (
  checkpoint_id TEXT NOT NULL REFERENCES checkpoints(id) ON DELETE CASCADE, image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE, phrase TEXT NOT NULL, explainer TEXT NOT NULL,
  width INTEGER NOT NULL, height INTEGER NOT NULL, grid BLOB NOT NULL, peak_x REAL NOT NULL, peak_y REAL NOT NULL, match_probability REAL NOT NULL, layer INTEGER NOT NULL,
  mask_size INTEGER NOT NULL, tokens TEXT NOT NULL, truncated INTEGER NOT NULL, used_at TEXT NOT NULL,
  PRIMARY KEY (checkpoint_id, image_id, phrase, explainer)
) STRICT, WITHOUT ROWID;
CREATE INDEX other_heatmaps_by_image ON other_heatmaps(image_id);
CREATE INDEX other_heatmaps_by_use ON other_heatmaps(used_at);

CREATE TABLE trust (
  checkpoint_id TEXT NOT NULL REFERENCES checkpoints(id) ON DELETE CASCADE, dataset_id TEXT NOT NULL REFERENCES datasets(id) ON DELETE CASCADE,
  subject TEXT NOT NULL, explainer TEXT NOT NULL, measured_at TEXT NOT NULL, result TEXT NOT NULL,
  PRIMARY KEY (checkpoint_id, dataset_id, subject, explainer)
) STRICT, WITHOUT ROWID;
CREATE INDEX trust_by_dataset ON trust(dataset_id);
`
