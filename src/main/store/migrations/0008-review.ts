/**
 * Review by several people, and edits of many regions. review: {by, at} of the decision that stands; second: a second person's
 * decision beside it, {status, by, at, iou, samePhrase}. Edits of many regions keep their diffs in edit_changes, one row each, in
 * the order they were made. open_edits: an edit or a step that is being written in parts; what is left of one when a project is opened
 * is taken back.
 */
export const version = 8
export const sql = `
ALTER TABLE regions ADD COLUMN assignee TEXT;
ALTER TABLE regions ADD COLUMN review TEXT;
ALTER TABLE regions ADD COLUMN second TEXT;
CREATE INDEX regions_by_review ON regions(dataset_id, json_extract(review, '$.by'), json_extract(review, '$.at')) WHERE review IS NOT NULL;
CREATE INDEX regions_by_second ON regions(dataset_id) WHERE second IS NOT NULL;

CREATE TABLE edit_changes (
  edit_id TEXT NOT NULL, n INTEGER NOT NULL, region_id TEXT NOT NULL, diff TEXT NOT NULL,
  PRIMARY KEY (edit_id, n)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER edit_changes_with_edit AFTER DELETE ON edits BEGIN DELETE FROM edit_changes WHERE edit_id = old.id; END;
CREATE TABLE open_edits (
  edit_id TEXT PRIMARY KEY, dataset_id TEXT NOT NULL, label TEXT NOT NULL, direction TEXT NOT NULL CHECK (direction IN ('apply', 'undo', 'redo')), done INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`
