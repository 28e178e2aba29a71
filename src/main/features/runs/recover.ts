/**
 * After a start: what the runs' folders hold is the truth, and the database follows. A run that was under way when the engine
 * died is stopped (its process ended with the engine, having saved what it could) and can be resumed; one that waited waits no more.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineContext } from '../../engine/context.ts'
import { toErrorData } from '../../../shared/errors.ts'
import { readJson } from '../../train/files.ts'
import { runPaths, savedStepOf } from '../../train/run-folder.ts'
import { readMetricsBack } from './metrics-back.ts'
import { OPEN_STATES, type RunRow } from './rows.ts'
import { registerRunCheckpoint } from './train-job.ts'

/** Marks at once what no process trains any more, before a new run can begin; what is returned then reads the folders. */
export function recoverRuns(context: EngineContext): () => Promise<void> {
  const { db } = context
  const states = OPEN_STATES.map((state) => `'${state}'`).join(', ')
  const cut = db.all<RunRow>(`SELECT * FROM runs WHERE state IN (${states})`)
  db.run(`UPDATE runs SET state = 'stopped', seconds_left = NULL, samples_per_second = NULL WHERE state IN (${states})`)
  const before = db.all<RunRow>('SELECT * FROM runs')
  return () => readFolders(context, cut, before)
}

async function readFolders(context: EngineContext, cut: readonly RunRow[], all: readonly RunRow[]): Promise<void> {
  const { db, project, events } = context
  for (const run of cut) {
    try {
      await readBack(context, run)
    } catch (error) {
      console.error(`The folder of ${run.name} could not be read: ${toErrorData(error).message}`)
    }
  }
  for (const { id, folder } of all) {
    if (existsSync(runPaths(project.fromStored(folder)).config)) continue
    const error = { code: 'not-found', message: 'The folder of this run is gone or was never finished.', cure: 'Start it again from its dataset.' }
    db.run("UPDATE runs SET state = 'failed', error = ? WHERE id = ?", JSON.stringify(error), id)
  }
  if (cut.length > 0) events.emit({ type: 'checkpoints.changed' })
}

async function readBack(context: EngineContext, run: RunRow): Promise<void> {
  const { db, project } = context
  const paths = runPaths(project.fromStored(run.folder))
  const rows = await readMetricsBack(db, run.id, paths)
  const last = rows.at(-1)
  db.run('UPDATE runs SET step = ?, elapsed_seconds = ?, last_saved_step = ? WHERE id = ?', last?.step ?? 0, last?.seconds ?? 0, savedStepOf(paths) || null, run.id)
  const best = await readJson<{ step: number }>(paths.best)
  const listed = new Set(db.all<{ step: number }>('SELECT step FROM checkpoints WHERE run_id = ?', run.id).map((row) => row.step))
  for (const { step, values } of rows) {
    const path = join(paths.checkpoints, `step-${step}.safetensors`)
    if (listed.has(step) || !existsSync(path)) continue
    const metrics = Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith('val.')))
    await registerRunCheckpoint(context, run, { path, step, best: best?.step === step, metrics })
  }
}
