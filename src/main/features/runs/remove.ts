/** Taking a run away with its folder, and what its folder takes. */
import { existsSync, readdirSync, renameSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { EngineContext } from '../../engine/context.ts'
import { AppError } from '../../../shared/errors.ts'
import { runPaths } from '../../train/run-folder.ts'
import { requireRun, type RunRow } from './rows.ts'

type Context = Pick<EngineContext, 'db' | 'project'>

export interface RunDisk {
  readonly bytes: number
  readonly checkpoints: number
  readonly checkpointBytes: number
  readonly stateBytes: number
  /** Older checkpoints that made room, and about what that freed. */
  readonly cleared: number
  readonly clearedBytes: number
}

/** Of a folder that something else was renamed to, to be removed. */
const GOING = '.removed'

export async function diskOf({ project }: Context, run: RunRow): Promise<RunDisk> {
  const paths = runPaths(project.fromStored(run.folder))
  const [all, checkpoints, states] = await Promise.all([filesIn(paths.dir), filesIn(paths.checkpoints), filesIn(paths.states)])
  const sum = (files: readonly SizedFile[]): number => files.reduce((total, file) => total + file.bytes, 0)
  const kept = checkpoints.filter((file) => file.name.endsWith('.safetensors'))
  const written = validationsUntil(Math.min(run.step, run.last_saved_step ?? 0), JSON.parse(run.config) as Record<string, unknown>, run.total_steps)
  const cleared = written.filter((step) => !kept.some((file) => file.name === `step-${step}.safetensors`)).length
  return {
    bytes: sum(all), checkpoints: kept.length, checkpointBytes: sum(kept), stateBytes: sum(states),
    // All checkpoints of a run are of one size.
    cleared: kept.length > 0 ? cleared : 0, clearedBytes: kept.length > 0 ? cleared * Math.round(sum(kept) / kept.length) : 0,
  }
}

/** Steps at which a run has written a checkpoint by itself. */
function validationsUntil(step: number, config: Readonly<Record<string, unknown>>, totalSteps: number): number[] {
  const every = Number(config['validation.every'] ?? 0)
  const steps = every > 0 ? Array.from({ length: Math.floor(step / every) }, (_, i) => (i + 1) * every) : []
  return step === totalSteps && step % Math.max(1, every) !== 0 ? [...steps, step] : steps
}

interface SizedFile {
  readonly name: string
  readonly bytes: number
}

async function filesIn(folder: string): Promise<SizedFile[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  const sized = await Promise.all(entries.filter((entry) => entry.isFile()).map(async (entry) => {
    const size = await stat(join(entry.parentPath, entry.name)).then((one) => one.size, () => 0) // cleared away meanwhile
    return { name: entry.name, bytes: size }
  }))
  return sized
}

/**
 * Removes a run that nothing holds: its rows, its checkpoints with their scores, its folder.
 * @param isHeld whether a job has it: asked again after what takes its time, for it may have been taken up meanwhile
 * @returns bytes freed
 * @throws AppError 'busy' when it is in the queue or under way, or when another run still has to begin from one of its checkpoints
 */
export async function removeRun(context: Context, run: RunRow, isHeld: (runId: string) => boolean): Promise<number> {
  const { db, project } = context
  const { bytes } = await diskOf(context, run)
  // From here to the end of the transaction nothing else has its turn.
  if (isHeld(run.id)) throw new AppError('busy', `${run.name} is in the queue or under way.`, 'Stop it first.', run.id)
  requireRun(db, run.id)
  const user = db.get<{ name: string }>(
    `SELECT u.name FROM runs u JOIN checkpoints c ON c.id = u.start_checkpoint_id
     WHERE c.run_id = ? AND u.id <> ? AND u.last_saved_step IS NULL AND u.state IN ('waiting', 'starting', 'training', 'pausing', 'paused', 'stopping')`, run.id, run.id,
  )
  if (user) throw new AppError('busy', `The run ${user.name} is to start from a checkpoint of ${run.name}.`, `Take ${user.name} out of the queue first.`, run.id)
  const folder = project.fromStored(run.folder)
  // A project from elsewhere could name any folder.
  if (dirname(folder) !== project.runsDir) throw new AppError('forbidden', 'The folder of this run lies outside the project, so it is not removed.', '', folder)
  // Out of the way first: were the rows gone and the folder left, nobody would ever see it again.
  if (existsSync(folder)) renameSync(folder, folder + GOING)
  try {
    db.transaction(() => {
      db.run('DELETE FROM checkpoints WHERE run_id = ?', run.id)
      db.run('DELETE FROM runs WHERE id = ?', run.id)
    })
  } catch (error) {
    if (existsSync(folder + GOING)) renameSync(folder + GOING, folder)
    throw error
  }
  await rm(folder + GOING, { recursive: true, force: true })
  return bytes
}

/**
 * Folders whose removal was cut off. Called when a project is opened and before anything new begins: a run that is still in the database gets
 * its folder back at once; the others are listed, and removed by what is returned.
 */
export function finishRemovals({ db, project }: Context): () => Promise<void> {
  const known = new Set(db.all<{ folder: string }>('SELECT folder FROM runs').map((run) => project.fromStored(run.folder)))
  const going: string[] = []
  for (const name of readdirSync(project.runsDir).filter((one) => one.endsWith(GOING))) {
    const place = join(project.runsDir, name)
    const before = place.slice(0, -GOING.length)
    if (!known.has(before) || existsSync(before)) {
      going.push(place)
      continue
    }
    try {
      renameSync(place, before)
    } catch (error) {
      // Something holds it; the project opens all the same.
      console.error(`${place} could not be put back yet; the next start tries again:`, error)
    }
  }
  return () => removeAll(going)
}

/** Its folder waits under its other name to be put back. */
export const isPutAside = (folder: string): boolean => existsSync(folder + GOING)

export async function removeAll(folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true }).catch((error: unknown) => console.error(`${folder} could not be removed yet:`, error))
}
