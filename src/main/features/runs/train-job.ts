/** One run in the queue: its compute call, and what it tells written into the database as it comes. */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import type { EngineContext } from '../../engine/context.ts'
import type { MetricRow, Run } from '../../../shared/domain.ts'
import { toErrorData } from '../../../shared/errors.ts'
import type { ComputeEvent } from '../../compute/protocol.ts'
import type { CheckpointRow } from '../../store/checkpoint-rows.ts'
import { runPaths, savedStepOf } from '../../train/run-folder.ts'
import { registerCheckpoint } from '../register-checkpoint.ts'
import { readMetricsBack } from './metrics-back.ts'
import { noteWorker, oldWorkerGone } from './old-worker.ts'
import { putMetrics, putProgress, requireRun, type RunRow, setState } from './rows.ts'

/** Curves are drawn a few times a second; each step of a small model would be too many messages and transactions. */
const FLUSH_EVERY_MS = 400

export interface Training {
  /** Puts the run into the queue. */
  queue(run: RunRow, resume: boolean): Run
  /** Stops it if it runs or waits; false when no job holds it. */
  stop(runId: string): boolean
}

export function createTraining(context: EngineContext): Training {
  const { db, jobs, events } = context
  const jobOf = new Map<string, string>()
  const announce = (run: Run): Run => {
    events.emit({ type: 'run.progressed', run })
    return run
  }
  return {
    queue: (row, resume) => {
      const job = jobs.add({
        kind: 'train', title: row.name, lane: 'compute', unit: 'steps', total: row.total_steps,
        work: async ({ signal, progress }) => {
          try {
            return await train(context, row.id, resume, signal, announce, (run) => progress({ done: run.step, total: run.totalSteps, secondsLeft: run.secondsLeft }))
          } finally {
            jobOf.delete(row.id)
          }
        },
        onSkipped: () => {
          jobOf.delete(row.id)
          announce(setState(db, row.id, 'stopped'))
        },
      })
      jobOf.set(row.id, job.id)
      return announce(setState(db, row.id, 'waiting'))
    },
    stop: (runId) => {
      const jobId = jobOf.get(runId)
      if (jobId === undefined) return false
      const waiting = jobs.get(jobId).state === 'waiting'
      if (!waiting) announce(setState(db, runId, 'stopping'))
      jobs.cancel(jobId)
      return true
    },
  }
}

async function train(
  context: EngineContext, runId: string, resume: boolean, signal: AbortSignal, announce: (run: Run) => Run, onProgress: (run: Run) => void,
): Promise<{ state: Run['state']; step: number }> {
  const { db, project, worker, events } = context
  const row = requireRun(db, runId)
  announce(setState(db, runId, 'starting'))
  await oldWorkerGone(project.cacheDir, worker.pid())
  if (resume) {
    // The folder knows what was saved last; what was measured after that will be measured again.
    const paths = runPaths(project.fromStored(row.folder))
    const step = savedStepOf(paths)
    await readMetricsBack(db, runId, paths, step)
    db.run('UPDATE runs SET step = ?, last_saved_step = ? WHERE id = ?', step, step || null, runId)
  }
  let metrics: MetricRow[] = []
  let progress: Extract<ComputeEvent, { type: 'train.progress' }>['progress'] | null = null
  let timer: NodeJS.Timeout | null = null
  let registering = Promise.resolve()
  const flush = (): void => {
    if (timer) clearTimeout(timer)
    timer = null
    if (metrics.length > 0) {
      putMetrics(db, runId, metrics)
      events.emit({ type: 'run.measured', runId, rows: metrics })
      metrics = []
    }
    if (!progress) return
    const run = putProgress(db, runId, progress)
    progress = null
    announce(run)
    onProgress(run)
  }
  const onEvent = (event: ComputeEvent): void => {
    if (requireRun(db, runId).state === 'starting') announce(setState(db, runId, 'training'))
    if (event.type === 'train.metrics') metrics.push(...event.rows)
    else if (event.type === 'train.progress') progress = event.progress
    else if (event.type === 'train.checkpoint') registering = registering.then(() => registerOf(context, row, event)).catch((error: unknown) => console.error('A checkpoint could not be listed:', error))
    timer ??= setTimeout(() => {
      try {
        flush()
      } catch (error) {
        console.error('Metrics could not be stored; they are in the folder of the run:', error) // a full disk: the next start reads them from there
      }
    }, FLUSH_EVERY_MS)
  }
  try {
    await worker.start()
    noteWorker(project.cacheDir, worker.pid())
    const result = await worker.call('train', { runDir: project.fromStored(row.folder), resume }, { signal, onEvent })
    flush()
    await registering
    db.run('UPDATE runs SET step = ?, last_saved_step = ? WHERE id = ?', result.step, result.step, runId)
    announce(setState(db, runId, result.state))
    return result
  } catch (error) {
    const data = toErrorData(error)
    try {
      flush()
    } catch {
      // The reason itself matters more.
    }
    await registering
    if (data.code === 'cancelled') return { state: announce(setState(db, runId, 'stopped')).state, step: requireRun(db, runId).step }
    announce(setState(db, runId, 'failed', { code: data.code, message: data.message, cure: data.cure || 'Resume the run: it goes on from the last saved step.' }))
    throw error
  } finally {
    if (timer) clearTimeout(timer)
    noteWorker(project.cacheDir, null)
  }
}

async function registerOf({ project, db, events }: EngineContext, run: RunRow, event: Extract<ComputeEvent, { type: 'train.checkpoint' }>): Promise<void> {
  await registerRunCheckpoint({ project, db }, run, event)
  events.emit({ type: 'checkpoints.changed' })
}

/** Lists a checkpoint of a run, and forgets those whose files the run has cleared away. */
export async function registerRunCheckpoint(
  { project, db }: Pick<EngineContext, 'project' | 'db'>, run: RunRow, { path, step, best, metrics }: { path: string; step: number; best: boolean; metrics: Readonly<Record<string, number>> },
): Promise<void> {
  if (!existsSync(path)) return
  await registerCheckpoint(project, { path, name: `${run.name}, step ${step.toLocaleString('en')}`, origin: 'run', runId: run.id, step, metrics, best })
  for (const row of db.all<CheckpointRow>('SELECT * FROM checkpoints WHERE run_id = ?', run.id)) {
    const file = project.fromStored(row.path)
    if (!existsSync(file) && basename(file).startsWith('step-')) db.run('DELETE FROM checkpoints WHERE id = ?', row.id)
  }
}
