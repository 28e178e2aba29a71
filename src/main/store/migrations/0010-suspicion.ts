/**
 * How far a score is to be trusted, for the queue of suspects: trust is 1 - the probability that the region is wrong. A score that comes
 * in is given a trust by its share inside alone, in the lower half of the suspicions, until it is judged; evidence (JSON: the strength of
 * each reason) is null until then, whoever writes the score. Decisions teach which reasons are right; one whose edit is undone does not count.
 */
export const version = 10
export const sql = `
ALTER TABLE scores ADD COLUMN trust REAL NOT NULL DEFAULT -1;
ALTER TABLE scores ADD COLUMN evidence TEXT;
UPDATE scores SET trust = 0.5 + 0.5 * inside_energy;
CREATE INDEX scores_by_trust ON scores(dataset_id, checkpoint_id, protocol, trust);
CREATE INDEX scores_unjudged ON scores(dataset_id, checkpoint_id, region_id) WHERE evidence IS NULL;
CREATE TRIGGER scores_before_judging AFTER INSERT ON scores WHEN new.trust < 0 BEGIN
  UPDATE scores SET trust = 0.5 + 0.5 * new.inside_energy WHERE checkpoint_id = new.checkpoint_id AND protocol = new.protocol AND region_id = new.region_id;
END;

-- What is usual in a dataset by a checkpoint (data: JSON), taken from so many scores, with which other checkpoints; walked_to: images before this position are judged by it, null when all are.
CREATE TABLE suspect_baselines (
  dataset_id TEXT NOT NULL REFERENCES datasets(id) ON DELETE CASCADE, checkpoint_id TEXT NOT NULL REFERENCES checkpoints(id) ON DELETE CASCADE,
  scores INTEGER NOT NULL, peers TEXT NOT NULL, data TEXT NOT NULL, walked_to INTEGER, PRIMARY KEY (dataset_id, checkpoint_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE suspect_decisions (
  edit_id TEXT NOT NULL PRIMARY KEY REFERENCES edits(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, region_id TEXT NOT NULL, evidence TEXT NOT NULL, agreed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`
