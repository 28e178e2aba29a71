/** The place of a run in the queue, what people write about it, and how long each step waited for its images. */
export const version = 9
export const sql = `
ALTER TABLE runs ADD COLUMN queue_place INTEGER;
ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE metrics ADD COLUMN wait REAL;
UPDATE runs SET queue_place = number WHERE state = 'waiting';
`
