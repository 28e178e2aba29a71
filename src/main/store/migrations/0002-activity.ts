/** Jobs that ended, so that the Library can say what happened in earlier starts too. job: JSON of the contract's job. */
export const version = 2
export const sql = `
CREATE TABLE activity (id TEXT PRIMARY KEY, ended_at TEXT NOT NULL, job TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX activity_by_time ON activity(ended_at);
`
