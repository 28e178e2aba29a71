/**
 * After a start: what the runs' folders hold is the truth, and the database follows. A run that was under way when the engine
 * died is stopped (its process notices, saves what it can and ends), keeps its place and can be resumed; one that waited still waits.
 */
import { existsSync } from 'node:fs'
import type { EngineContext } from '../../engine/context.ts'
import { toErrorData } from '../../../shared/errors.ts'
import { runPaths } from '../../train/run-folder.ts'
import { oldWorkerGone } from './old-worker.ts'
import { queued } from './queue.ts'
import { isAhead, readBack } from './read-back.ts'
import { finishRemovals, isPutAside, removeAll } from './remove.ts'
import { trialsLeft } from './trial-job.ts'
import { OPEN_STATES, type RunRow, setState, toRun } from './rows.ts'

type Context = Pick<EngineContext, 'db' | 'project' | 'events'>

/**
 * Marks at once what no process trains any more, before a new run can begin; what is returned then reads the folders, once the
 * process of a killed engine has written its last.
 */
export function recoverRuns(context: Context): (signal?: AbortSignal) => Promise<void> {
  const { db } = context
  const states = OPEN_STATES.filter((state) => state !== 'waiting').map((state) => `'${state}'`).join(', ')
  const cut = new Set(db.all<{ id: string }>(`SELECT id FROM runs WHERE state IN (${states})`).map((row) => row.id))
  db.run(`UPDATE runs SET state = iif(state = 'pausing', 'paused', 'stopped'), seconds_left = NULL, samples_per_second = NULL WHERE state IN (${states})`)
  const ids = db.all<{ id: string }>('SELECT id FROM runs ORDER BY number').map((row) => row.id)
  const finish = finishRemovals(context)
  const trials = trialsLeft(context.project.cacheDir)
  return (signal) => readFolders(context, { ids, cut, tidy: async () => (await finish(), removeAll(trials)) }, signal)
}

interface Found {
  readonly ids: readonly string[]
  /** Runs that were under way. */
  readonly cut: ReadonlySet<string>
  /** Removes the folders that were left. */
  readonly tidy: () => Promise<void>
}

async function readFolders(context: Context, { ids, cut, tidy }: Found, signal?: AbortSignal): Promise<void> {
  const { db, project, events } = context
  if (cut.size > 0) await oldWorkerGone(project.cacheDir, null, { end: false, ...(signal ? { signal } : {}) })
  await tidy()
  let found = false
  for (const id of ids) {
    if (signal?.aborted) return
    const run = db.get<RunRow>('SELECT * FROM runs WHERE id = ?', id)
    // One that was resumed meanwhile read its folder itself.
    if (!run || (run.state !== 'waiting' && (OPEN_STATES as readonly string[]).includes(run.state))) continue
    if (isPutAside(project.fromStored(run.folder))) continue
    if (!existsSync(runPaths(project.fromStored(run.folder)).config)) {
      const error = { code: 'not-found', message: 'The folder of this run is gone or was never finished.', cure: 'Start it again from its dataset.' }
      if (run.state !== 'failed') db.run("UPDATE runs SET state = 'failed', error = ? WHERE id = ?", JSON.stringify(error), id)
      continue
    }
    if (run.state === 'waiting') continue // it reads its folder when its turn comes
    try {
      if (!cut.has(id) && !(await isAhead(context, run))) continue
      await readBack(context, run)
      found = true
      const after = db.get<RunRow>('SELECT * FROM runs WHERE id = ?', id)!
      // It did all its steps; only the word of it was lost.
      const done = after.state === 'stopped' && after.last_saved_step === after.total_steps
      events.emit({ type: 'run.progressed', run: done ? setState(db, id, 'finished') : toRun(after) })
    } catch (error) {
      console.error(`The folder of ${run.name} could not be read: ${toErrorData(error).message}`)
    }
  }
  if (found) events.emit({ type: 'checkpoints.changed' })
}

/** Takes up the queue that an engine left behind, in its order. */
export async function takeUpQueue({ db }: Pick<EngineContext, 'db'>, resume: (run: { readonly id: string }) => unknown): Promise<void> {
  for (const { id, name } of queued(db).filter((run) => run.state === 'waiting')) {
    try {
      await resume({ id })
    } catch (error) {
      console.error(`${name} could not be taken up: ${toErrorData(error).message}`)
    }
  }
}
