/** Rows of the runs table. */
import type { MetricRow, Run } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Db } from '../../store/db.ts'
import type { TrainProgress } from '../../train/run-events.ts'

export interface RunRow {
  readonly id: string
  readonly number: number
  readonly name: string
  readonly preset: string
  readonly dataset_id: string
  readonly view_id: string | null
  readonly start_checkpoint_id: string | null
  readonly state: string
  /** Relative to the project's folder. */
  readonly folder: string
  readonly config: string
  readonly step: number
  readonly total_steps: number
  readonly epoch: number
  readonly elapsed_seconds: number
  readonly seconds_left: number | null
  readonly samples_per_second: number | null
  readonly data_wait_share: number | null
  readonly last_saved_step: number | null
  readonly created_at: string
  readonly error: string | null
  readonly queue_place: number | null
  readonly note: string
  readonly tags: string
}

/** States in which a job holds the run. */
export const OPEN_STATES = ['waiting', 'starting', 'training', 'pausing', 'stopping'] as const

export function toRun(row: RunRow): Run {
  return {
    id: row.id, number: row.number, name: row.name, preset: row.preset, datasetId: row.dataset_id, viewId: row.view_id, startCheckpointId: row.start_checkpoint_id,
    state: row.state as Run['state'], step: row.step, totalSteps: row.total_steps, epoch: row.epoch, elapsedSeconds: row.elapsed_seconds, secondsLeft: row.seconds_left,
    samplesPerSecond: row.samples_per_second, dataWaitShare: row.data_wait_share, createdAt: row.created_at,
    error: row.error === null ? null : (JSON.parse(row.error) as Run['error']), config: JSON.parse(row.config) as Run['config'], lastSavedStep: row.last_saved_step,
    queuePlace: row.queue_place, note: row.note, tags: JSON.parse(row.tags) as string[],
  }
}

export function requireRun(db: Db, id: string): RunRow {
  const row = db.get<RunRow>('SELECT * FROM runs WHERE id = ?', id)
  if (!row) throw new AppError('not-found', 'This run is not in the project.', 'Reload the list of runs.', id)
  return row
}

/** What has ended gives up its place in the queue, unless it is to be kept. */
export function setState(db: Db, id: string, state: Run['state'], error: Run['error'] = null, keepsPlace = false): Run {
  const ended = !keepsPlace && (state === 'stopped' || state === 'finished' || state === 'failed')
  db.run(
    'UPDATE runs SET state = ?, error = ?, seconds_left = NULL, samples_per_second = NULL, data_wait_share = NULL, queue_place = iif(?, NULL, queue_place) WHERE id = ?',
    state, error ? JSON.stringify(error) : null, ended ? 1 : 0, id,
  )
  return toRun(requireRun(db, id))
}

export function putProgress(db: Db, id: string, progress: TrainProgress): Run {
  db.run(
    'UPDATE runs SET step = ?, total_steps = ?, epoch = ?, elapsed_seconds = ?, seconds_left = ?, samples_per_second = ?, data_wait_share = ?, last_saved_step = coalesce(?, last_saved_step) WHERE id = ?',
    progress.step, progress.totalSteps, progress.epoch, progress.elapsedSeconds, progress.secondsLeft, progress.samplesPerSecond, progress.dataWaitShare, progress.lastSavedStep, id,
  )
  return toRun(requireRun(db, id))
}

export function putMetrics(db: Db, id: string, rows: readonly MetricRow[]): void {
  db.transaction(() => {
    for (const row of rows) db.run('INSERT OR REPLACE INTO metrics (run_id, step, seconds, "values", wait) VALUES (?, ?, ?, ?, ?)', id, row.step, row.seconds, JSON.stringify(row.values), row.wait ?? null)
  })
}

export function metricsAfter(db: Db, id: string, step: number): MetricRow[] {
  const rows = db.all<{ step: number; seconds: number; values: string; wait: number | null }>('SELECT step, seconds, "values", wait FROM metrics WHERE run_id = ? AND step > ? ORDER BY step', id, step)
  return rows.map((row) => ({ step: row.step, seconds: row.seconds, ...(row.wait === null ? {} : { wait: row.wait }), values: JSON.parse(row.values) as Record<string, number> }))
}
