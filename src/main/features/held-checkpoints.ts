/**
 * Checkpoints that somebody waits for or looks at are not cleared away by the run that made them, though it keeps only the newest:
 * those of scoring jobs that wait or run, and the few whose heat was asked for last. Jobs live in memory, and so does this; the
 * process that trains reads it from a file in the run's folder.
 */
import { renameSync, writeFileSync } from 'node:fs'
import type { EngineContext } from '../engine/context.ts'
import { toErrorData } from '../../shared/errors.ts'
import type { Db } from '../store/db.ts'
import { runPaths } from '../train/run-folder.ts'

type Context = Pick<EngineContext, 'db' | 'jobs' | 'project'>

/** As many as a screen shows side by side. */
const LOOKED_AT = 4
const looked = new WeakMap<Db, readonly string[]>()

/** Tells the runs that go on which of their checkpoints are held now. */
export function tellHeld({ db, jobs, project }: Context): void {
  const scored = jobs.list().flatMap(({ kind, state, about }) => (kind === 'score' && (state === 'waiting' || state === 'running') ? (about?.checkpointId ?? []) : []))
  const held = new Set([...scored, ...(looked.get(db) ?? [])])
  for (const run of db.all<{ id: string; folder: string }>("SELECT id, folder FROM runs WHERE state IN ('starting', 'training', 'pausing', 'stopping')")) {
    const own = db.all<{ id: string; step: number }>('SELECT id, step FROM checkpoints WHERE run_id = ? AND step IS NOT NULL ORDER BY step', run.id)
    const { held: path } = runPaths(project.fromStored(run.folder))
    try {
      writeFileSync(`${path}.tmp`, JSON.stringify(own.filter(({ id }) => held.has(id)).map(({ step }) => step)))
      renameSync(`${path}.tmp`, path)
    } catch (error) {
      console.error(`Which checkpoints are in use could not be noted: ${toErrorData(error).message}`) // what was asked for goes on
    }
  }
}

/** Its heat was asked for. */
export function noteLooked(context: Context, checkpointId: string): void {
  const before = looked.get(context.db) ?? []
  const isKnown = before.includes(checkpointId)
  looked.set(context.db, [...before.filter((id) => id !== checkpointId), checkpointId].slice(-LOOKED_AT))
  if (!isKnown) tellHeld(context)
}
