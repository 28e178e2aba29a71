/** The lines of a run's folder, whatever the database last heard of them. */
import type { MetricRow } from '../../../shared/domain.ts'
import type { Db } from '../../store/db.ts'
import { readLines } from '../../train/files.ts'
import type { RunPaths } from '../../train/run-folder.ts'
import { putMetrics } from './rows.ts'

/** Makes the database's metrics those of the folder, up to a step. Returns all rows taken. */
export async function readMetricsBack(db: Db, runId: string, paths: RunPaths, untilStep = Infinity): Promise<MetricRow[]> {
  const rows = (await readLines<MetricRow>(paths.metrics)).filter((row) => row.step <= untilStep)
  db.transaction(() => {
    db.run('DELETE FROM metrics WHERE run_id = ?', runId)
    putMetrics(db, runId, rows)
  })
  return rows
}
