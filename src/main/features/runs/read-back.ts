/** What a run's folder holds, whatever the database last heard of it. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import type { EngineContext } from '../../engine/context.ts'
import type { MetricRow } from '../../../shared/domain.ts'
import type { CheckpointRow } from '../../store/checkpoint-rows.ts'
import { readJson, readLines } from '../../train/files.ts'
import { runPaths, savedStepOf, type RunPaths } from '../../train/run-folder.ts'
import { registerCheckpoint } from '../register-checkpoint.ts'
import { putMetrics, type RunRow } from './rows.ts'

type Context = Pick<EngineContext, 'project' | 'db'>

/** Brings the database up to what the folder holds: curves up to a step, the step that was saved last, and the checkpoints. */
export async function readBack(context: Context, run: RunRow, untilStep = Infinity): Promise<void> {
  const { db, project } = context
  const paths = runPaths(project.fromStored(run.folder))
  const rows = (await readLines<MetricRow>(paths.metrics)).filter((row) => row.step <= untilStep)
  const last = rows.at(-1)
  const saved = savedStepOf(paths)
  db.transaction(() => {
    db.run('DELETE FROM metrics WHERE run_id = ?', run.id)
    putMetrics(db, run.id, rows)
    db.run('UPDATE runs SET step = ?, elapsed_seconds = ?, last_saved_step = ? WHERE id = ?', Math.max(last?.step ?? 0, saved), last?.seconds ?? 0, saved || null, run.id)
  })
  const best = await readJson<{ step: number }>(paths.best)
  for (const step of await unlisted(context, run, paths)) {
    const values = rows.find((row) => row.step === step)?.values ?? {}
    const metrics = Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith('val.')))
    await registerRunCheckpoint(context, run, { path: paths.checkpoint(step), step, best: best?.step === step, metrics })
  }
}

/** Whether the folder holds what the database does not know; without reading all of it. */
export async function isAhead(context: Context, run: RunRow): Promise<boolean> {
  const { db, project } = context
  const paths = runPaths(project.fromStored(run.folder))
  const saved = savedStepOf(paths)
  if (saved !== (run.last_saved_step ?? 0)) return true
  const measured = db.get<{ step: number | null }>('SELECT max(step) AS step FROM metrics WHERE run_id = ?', run.id)?.step ?? 0
  return measured < saved || (await unlisted(context, run, paths)).length > 0
}

/** Steps of checkpoint files that are not in the list. */
async function unlisted({ db }: Context, run: RunRow, paths: RunPaths): Promise<number[]> {
  const listed = new Set(db.all<{ step: number }>('SELECT step FROM checkpoints WHERE run_id = ?', run.id).map((row) => row.step))
  const names = await readdir(paths.checkpoints).catch(() => [])
  const steps = names.flatMap((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? []).map(Number)
  return steps.filter((step) => !listed.has(step)).sort((a, b) => a - b)
}

/** Lists a checkpoint of a run, and forgets those whose files the run has cleared away. */
export async function registerRunCheckpoint(
  { project, db }: Context, run: RunRow, { path, step, best, metrics }: { path: string; step: number; best: boolean; metrics: Readonly<Record<string, number>> },
): Promise<void> {
  if (!existsSync(path)) return
  await registerCheckpoint(project, { path, name: `${run.name}, step ${step.toLocaleString('en')}`, origin: 'run', runId: run.id, step, metrics, best })
  for (const row of db.all<CheckpointRow>('SELECT * FROM checkpoints WHERE run_id = ?', run.id)) {
    const file = project.fromStored(row.path)
    if (!existsSync(file) && basename(file).startsWith('step-')) db.run('DELETE FROM checkpoints WHERE id = ?', row.id)
  }
}
