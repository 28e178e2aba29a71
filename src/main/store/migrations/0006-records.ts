/**
 * What a format's own records hold beyond our fields, as JSON, so that what nobody touched goes back as it came; and what is needed to read a
 * source again: where its images were looked for, whether it is watched, and how it looked when it was last read.
 */
export const version = 6
export const sql = `
ALTER TABLE regions ADD COLUMN raw TEXT;
ALTER TABLE images ADD COLUMN raw TEXT;
ALTER TABLE datasets ADD COLUMN raw TEXT;
ALTER TABLE datasets ADD COLUMN images_dir TEXT;
ALTER TABLE datasets ADD COLUMN watch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE datasets ADD COLUMN stamp TEXT;
`
