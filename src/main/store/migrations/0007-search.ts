/**
 * Search in phrases, tags and notes, and the size of boxes. The search table holds its index only (contentless_delete), under the
 * row numbers of regions; VACUUM keeps those, because the table has indices. area: share of the image under the boxes, each counted
 * by itself, at most 1; null until a row is in the search. Triggers keep both, except while an import brings rows in: there the
 * index is made when they are all there, which is several times faster.
 */
export const version = 7
/** Of the row that is updated; `new` cannot be handed to json_each. */
export const AREA = `(SELECT min(1.0, total(
    1.0 * max(0, json_extract(b.value, '$[2]') - json_extract(b.value, '$[0]')) * max(0, json_extract(b.value, '$[3]') - json_extract(b.value, '$[1]')) / max(1, i.width * i.height)
  )) FROM images i, json_each(regions.boxes) b WHERE i.id = regions.image_id)`

export const sql = `
ALTER TABLE regions ADD COLUMN area REAL;
CREATE VIRTUAL TABLE region_search USING fts5(phrase, tags, note, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');

UPDATE regions SET area = ${AREA};
INSERT INTO region_search (rowid, phrase, tags, note) SELECT rowid, phrase, tags, note FROM regions;

CREATE TRIGGER region_search_insert AFTER INSERT ON regions WHEN (SELECT state FROM datasets WHERE id = new.dataset_id) = 'ready' BEGIN
  UPDATE regions SET area = ${AREA} WHERE rowid = new.rowid;
  INSERT INTO region_search (rowid, phrase, tags, note) VALUES (new.rowid, new.phrase, new.tags, new.note);
END;
CREATE TRIGGER region_search_boxes AFTER UPDATE OF boxes ON regions WHEN new.area IS NOT NULL AND new.boxes IS NOT old.boxes BEGIN
  UPDATE regions SET area = ${AREA} WHERE rowid = new.rowid;
END;
CREATE TRIGGER region_search_words AFTER UPDATE OF phrase, tags, note ON regions
WHEN new.area IS NOT NULL AND (new.phrase IS NOT old.phrase OR new.tags IS NOT old.tags OR new.note IS NOT old.note) BEGIN
  UPDATE region_search SET phrase = new.phrase, tags = new.tags, note = new.note WHERE rowid = new.rowid;
END;
CREATE TRIGGER region_search_delete AFTER DELETE ON regions BEGIN
  DELETE FROM region_search WHERE rowid = old.rowid;
END;
`
