/** One run in the queue: its compute call, and what it tells written into the database as it comes. */
import type { EngineContext } from '../../engine/context.ts'
import type { MetricRow, Run } from '../../../shared/domain.ts'
import { AppError, toErrorData } from '../../../shared/errors.ts'
import type { ComputeEvent } from '../../compute/protocol.ts'
import { placeRun, runPaths, savedStepOf } from '../../train/run-folder.ts'
import { tellHeld } from '../held-checkpoints.ts'
import { createEndings, type Ending, type Endings } from './endings.ts'
import { noteWorker, oldWorkerGone } from './old-worker.ts'
import { readBack, registerRunCheckpoint } from './read-back.ts'
import { takePlace } from './queue.ts'
import { putMetrics, putProgress, requireRun, type RunRow, setState } from './rows.ts'

/** Curves are drawn a few times a second; each step of a small model would be too many messages and transactions. */
const FLUSH_EVERY_MS = 400
/** Reason of a job's signal when the engine ends. */
const CLOSING = 'closing'

export interface Training {
  /** Puts the run into the queue, at its place or at the end. */
  queue(run: RunRow, resume: boolean): Run
  /** Stops it if it runs or waits; false when no job holds it. */
  stop(runId: string): boolean
  /** Holds it where it is: it saves, lets others train and keeps its place. False when no job holds it. */
  pause(runId: string): boolean
  /** Whether a job trains it or has it in the queue. */
  holds(runId: string): boolean
  /** A run as it is, whatever the database could take. */
  shown(run: Run): Run
}

export function createTraining(context: EngineContext): Training {
  const { db, jobs, events } = context
  const jobOf = new Map<string, string>()
  const holds = (runId: string): boolean => jobOf.has(runId)
  const endings = createEndings(context, holds)
  /** Runs that were asked to pause, not to stop. */
  const pausing = new Set<string>()
  const announce = (run: Run): Run => {
    events.emit({ type: 'run.progressed', run })
    return run
  }
  return {
    holds,
    shown: endings.shown,
    queue: (row, resume) => {
      const waiting = db.transaction(() => {
        takePlace(db, row.id)
        return setState(db, row.id, 'waiting') // first: what cannot be noted is not begun
      })
      endings.forget(row.id)
      const job = jobs.add({
        kind: 'train', title: row.name, lane: 'compute', unit: 'steps', total: row.total_steps, about: { datasetId: row.dataset_id, runId: row.id },
        place: () => db.get<{ place: number | null }>('SELECT queue_place AS place FROM runs WHERE id = ?', row.id)?.place ?? Infinity,
        work: async ({ signal, progress }) => {
          try {
            const end = (runId: string, ending: Ending): Run => {
              const paused = ending.state === 'stopped' && pausing.has(runId)
              return endings.end(runId, { ...ending, ...(paused ? { state: 'paused' } : {}), keepsPlace: signal.reason === CLOSING })
            }
            return await train(context, end, row.id, resume, signal, announce, (run) => progress({ done: run.step, total: run.totalSteps, secondsLeft: run.secondsLeft }))
          } finally {
            jobOf.delete(row.id)
            pausing.delete(row.id)
          }
        },
        onSkipped: (closing) => {
          jobOf.delete(row.id)
          // One that waits when the engine ends goes on waiting: the next engine takes it up.
          if (!closing) endings.end(row.id, { state: pausing.has(row.id) ? 'paused' : 'stopped' })
          pausing.delete(row.id)
        },
      })
      jobOf.set(row.id, job.id)
      return announce(waiting)
    },
    stop: (runId) => {
      const jobId = jobOf.get(runId)
      if (jobId === undefined) return false
      if (jobs.get(jobId).state !== 'waiting') tryTo('That a run is stopping', () => announce(setState(db, runId, 'stopping')))
      pausing.delete(runId)
      jobs.cancel(jobId)
      return true
    },
    pause: (runId) => {
      const jobId = jobOf.get(runId)
      if (jobId === undefined) return false
      pausing.add(runId)
      if (jobs.get(jobId).state !== 'waiting') tryTo('That a run is pausing', () => announce(setState(db, runId, 'pausing')))
      jobs.cancel(jobId)
      return true
    },
  }
}

async function train(
  context: EngineContext, end: Endings['end'], runId: string, resume: boolean, signal: AbortSignal, announce: (run: Run) => Run, onProgress: (run: Run) => void,
): Promise<{ state: Run['state']; step: number }> {
  const { db, project, worker } = context
  const row = requireRun(db, runId)
  const heard = listen(context, row, announce, onProgress)
  try {
    announce(setState(db, runId, 'starting'))
    tellHeld(context) // the file may be of an earlier engine
    if (!(await oldWorkerGone(project.cacheDir, worker.pid(), { signal })) && signal.aborted) throw new AppError('cancelled', 'Stopped before it began.')
    // The folder knows what was saved last; what was measured after that will be measured again.
    if (resume) {
      await readBack(context, row, savedStepOf(runPaths(project.fromStored(row.folder))))
      await findPlaces(context, row)
    }
    await worker.start()
    noteWorker(project.cacheDir, worker.pid())
    const result = await worker.call('train', { runDir: project.fromStored(row.folder), resume }, { signal, onEvent: heard.onEvent })
    const behind = await heard.finish()
    return { state: end(runId, { ...result, behind }).state, step: result.step }
  } catch (error) {
    const data = toErrorData(error)
    const behind = await heard.finish()
    if (data.code === 'cancelled') return { state: end(runId, { state: 'stopped', behind }).state, step: requireRun(db, runId).step }
    end(runId, { state: 'failed', behind, error: { code: data.code, message: data.message, cure: data.cure || 'Resume the run: it goes on from the last saved step.' } })
    throw error
  } finally {
    noteWorker(project.cacheDir, null)
  }
}

/** The project may lie elsewhere than when the run was frozen, and so may its images. */
async function findPlaces({ db, project }: EngineContext, row: RunRow): Promise<void> {
  const start = row.start_checkpoint_id === null ? undefined : db.get<{ path: string }>('SELECT path FROM checkpoints WHERE id = ?', row.start_checkpoint_id)
  const placeOf = (imageId: string): string | null => {
    const image = db.get<{ path: string }>('SELECT path FROM images WHERE id = ?', imageId)
    return image ? project.fromStored(image.path) : null
  }
  await placeRun(project.fromStored(row.folder), placeOf, start ? project.fromStored(start.path) : null)
}

/** What the process tells, into the database. Nothing of it may fail the run: its folder has it all. */
function listen(context: EngineContext, row: RunRow, announce: (run: Run) => Run, onProgress: (run: Run) => void) {
  const { db, events } = context
  let metrics: MetricRow[] = []
  let progress: Extract<ComputeEvent, { type: 'train.progress' }>['progress'] | null = null
  let timer: NodeJS.Timeout | null = null
  let registering = Promise.resolve()
  let begun = false
  let missed = false
  const flush = (): void => {
    if (timer) clearTimeout(timer)
    timer = null
    if (metrics.length > 0) {
      putMetrics(db, row.id, metrics)
      events.emit({ type: 'run.measured', runId: row.id, rows: metrics })
      metrics = []
    }
    if (!progress) return
    const run = putProgress(db, row.id, progress)
    progress = null
    announce(run)
    onProgress(run)
  }
  const tryFlush = (): boolean => tryTo('What a run measured', flush)
  return {
    onEvent: (event: ComputeEvent): void => {
      begun ||= tryTo('That a run trains', () => announce(setState(db, row.id, 'training')))
      if (event.type === 'train.metrics') metrics.push(...event.rows)
      else if (event.type === 'train.progress') progress = event.progress
      else if (event.type === 'train.checkpoint') {
        registering = registering.then(() => registerOf(context, row, event)).catch((error: unknown) => {
          missed = true
          console.error('A checkpoint could not be listed yet:', error)
        })
      }
      timer ??= setTimeout(tryFlush, FLUSH_EVERY_MS)
    },
    /** Stores what is left. True when something could not be stored: the folder must be read. */
    finish: async (): Promise<boolean> => {
      const stored = tryFlush()
      if (timer) clearTimeout(timer)
      await registering
      return missed || !stored
    },
  }
}

/** For what may wait: a full disk is told, and the work goes on. */
function tryTo(what: string, work: () => unknown): boolean {
  try {
    work()
    return true
  } catch (error) {
    console.error(`${what} could not be stored yet: ${toErrorData(error).message}`)
    return false
  }
}

async function registerOf({ project, db, events }: EngineContext, run: RunRow, event: Extract<ComputeEvent, { type: 'train.checkpoint' }>): Promise<void> {
  await registerRunCheckpoint({ project, db }, run, event)
  events.emit({ type: 'checkpoints.changed' })
}
