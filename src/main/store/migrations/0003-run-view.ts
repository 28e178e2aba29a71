/** The saved view a run was started on, so that a copy of its settings can name it. Null: the whole dataset. */
export const version = 3
export const sql = 'ALTER TABLE runs ADD COLUMN view_id TEXT'
