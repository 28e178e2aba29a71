/**
 * How an image file looked when it was imported: its length and a hash of its ends. One that was replaced since is told from it, and what was
 * computed from the old picture goes. Null for images that were imported before this was noted.
 */
export const version = 12
export const sql = `
ALTER TABLE images ADD COLUMN print TEXT;
`
