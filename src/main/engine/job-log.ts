/** Ended jobs in the project's database: the newest fifty. */
import type { Job } from '../../shared/domain.ts'
import type { Db } from '../store/db.ts'
import type { JobLog } from './jobs.ts'

const KEPT = 50

export function createJobLog(db: Db): JobLog {
  return {
    save: (job) =>
      db.transaction(() => {
        db.run('INSERT OR REPLACE INTO activity (id, ended_at, job) VALUES (?, ?, ?)', job.id, job.updatedAt, JSON.stringify(job))
        db.run('DELETE FROM activity WHERE id NOT IN (SELECT id FROM activity ORDER BY ended_at DESC, id DESC LIMIT ?)', KEPT)
      }),
    load: () => db.all<{ job: string }>('SELECT job FROM activity ORDER BY ended_at DESC, id DESC LIMIT ?', KEPT).map((row) => JSON.parse(row.job) as Job),
  }
}
