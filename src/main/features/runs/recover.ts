/**
 * After a start: what the runs' folders hold is the truth, and the database follows. A run that was under way when the engine
 * died is stopped (its process ended with the engine, having saved what it could) and can be resumed; one that waited waits no more.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineContext } from '../../engine/context.ts'
import type { MetricRow } from '../../../shared/domain.ts'
import { toErrorData } from '../../../shared/errors.ts'
import { readJson, readLines } from '../../train/files.ts'
import { runPaths } from '../../train/run-folder.ts'
import { OPEN_STATES, putMetrics, type RunRow } from './rows.ts'
import { registerRunCheckpoint } from './train-job.ts'

export async function recoverRuns(context: EngineContext): Promise<void> {
  const { db, project, events } = context
  const states = OPEN_STATES.map((state) => `'${state}'`).join(', ')
  const cut = db.all<RunRow>(`SELECT * FROM runs WHERE state IN (${states})`)
  // First of all, so that nobody sees a run as training that no process trains.
  db.run(`UPDATE runs SET state = 'stopped', seconds_left = NULL, samples_per_second = NULL WHERE state IN (${states})`)
  for (const run of cut) {
    try {
      await readBack(context, run)
    } catch (error) {
      console.error(`The folder of ${run.name} could not be read: ${toErrorData(error).message}`)
    }
  }
  for (const { id, folder } of db.all<RunRow>('SELECT * FROM runs')) {
    if (existsSync(runPaths(project.fromStored(folder)).config)) continue
    const error = { code: 'not-found', message: 'The folder of this run is gone or was never finished.', cure: 'Start it again from its dataset.' }
    db.run("UPDATE runs SET state = 'failed', error = ? WHERE id = ?", JSON.stringify(error), id)
  }
  if (cut.length > 0) events.emit({ type: 'checkpoints.changed' })
}

async function readBack(context: EngineContext, run: RunRow): Promise<void> {
  const { db, project } = context
  const paths = runPaths(project.fromStored(run.folder))
  const rows = await readLines<MetricRow>(paths.metrics)
  putMetrics(db, run.id, rows)
  const last = rows.at(-1)
  if (last) db.run('UPDATE runs SET step = ?, elapsed_seconds = ? WHERE id = ?', last.step, last.seconds, run.id)
  const best = await readJson<{ step: number }>(paths.best)
  const listed = new Set(db.all<{ step: number }>('SELECT step FROM checkpoints WHERE run_id = ?', run.id).map((row) => row.step))
  for (const { step, values } of rows) {
    const path = join(paths.checkpoints, `step-${step}.safetensors`)
    if (listed.has(step) || !existsSync(path)) continue
    const metrics = Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith('val.')))
    await registerRunCheckpoint(context, run, { path, step, best: best?.step === step, metrics })
  }
}
