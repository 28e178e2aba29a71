/** A region's place in the stack of its image's phrases: a higher one is drawn over a lower one; 0 where nobody has moved it. */
export const version = 11
export const sql = 'ALTER TABLE regions ADD COLUMN z INTEGER NOT NULL DEFAULT 0;'
