/** Outlines beside the boxes: JSON, one flat polygon [x1,y1,x2,y2,...] a box, [] for a box without one; [] when no box has one. */
export const version = 4
export const sql = "ALTER TABLE regions ADD COLUMN outlines TEXT NOT NULL DEFAULT '[]'"
