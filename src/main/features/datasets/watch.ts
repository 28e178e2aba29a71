/**
 * Looks now and then whether the source of a watched dataset has changed, and then reads it again. Polled rather than told by the system: that works on
 * network folders too. A source is read when two looks in a row find it alike, so that no file is read while it is being written.
 */
import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { EngineContext } from '../../engine/context.ts'
import { toErrorData } from '../../../shared/errors.ts'
import { startUpdate } from './start-update.ts'

interface Watched {
  readonly id: string
  readonly source: string
  readonly stamp: string | null
}

/** A change that could not be brought in. */
interface Failure {
  readonly stamp: string
  readonly times: number
  /** Not before; Infinity: not before the source changes again. */
  readonly againMs: number
}

const LONGEST_WAIT_MS = 3_600_000
const IMAGE = /\.(jpe?g|png|webp|bmp|gif|tiff?|avif)$/i

/** Ends when the signal fires. */
export async function watchSources(context: EngineContext, everyMs: number, signal: AbortSignal): Promise<void> {
  const { db, project, jobs } = context
  const seen = new Map<string, string>()
  const failures = new Map<string, Failure>()
  /** A change counts as read when it was: after a failure it is tried again, at longer and longer intervals, and by the next engine. */
  const update = async (id: string, stamp: string): Promise<void> => {
    const { state } = await jobs.ended(startUpdate(context, { id }).id)
    if (signal.aborted) return
    if (state === 'done') {
      failures.delete(id)
      db.run('UPDATE datasets SET stamp = ? WHERE id = ? AND watch = 1', stamp, id)
      return
    }
    const before = failures.get(id)
    const times = before?.stamp === stamp ? before.times + 1 : 1
    failures.set(id, { stamp, times, againMs: state === 'cancelled' ? Infinity : Date.now() + Math.min(LONGEST_WAIT_MS, everyMs * 2 ** times) })
  }
  while (!signal.aborted) {
    await setTimeout(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
    if (signal.aborted) return
    try {
      for (const { id, source, stamp } of db.all<Watched>("SELECT id, source, stamp FROM datasets WHERE watch = 1 AND state = 'ready'")) {
        const now = await stampOf(project.fromStored(source))
        if (signal.aborted) return
        const before = seen.get(id)
        if (now !== null) seen.set(id, now)
        if (now === null || now === stamp || now !== before) continue
        // Looking takes its time: meanwhile an update may have ended, or nobody watches any more.
        if (!db.get('SELECT 1 FROM datasets WHERE id = ? AND watch = 1 AND stamp IS ?', id, stamp)) continue
        const busy = jobs.list().some((job) => job.about?.datasetId === id && job.kind === 'import' && (job.state === 'waiting' || job.state === 'running'))
        const failure = failures.get(id)
        if (busy || (failure?.stamp === now && Date.now() < failure.againMs)) continue
        if (stamp === null) db.run('UPDATE datasets SET stamp = ? WHERE id = ?', now, id)
        else update(id, now).catch((error: unknown) => signal.aborted || console.error(`That a watched source was read could not be noted yet: ${toErrorData(error).message}`))
      }
    } catch (error) {
      if (!signal.aborted) console.error(`A watched source could not be looked at: ${toErrorData(error).message}`)
    }
  }
}

/**
 * How a file or folder looks from outside: sizes and times of its files, and for images their names alone. Null when it cannot be looked at just now.
 */
export async function stampOf(path: string): Promise<string | null> {
  const hash = createHash('sha256')
  const add = async (file: string, name: string): Promise<void> => {
    const info = await stat(file)
    hash.update(`${name}\0${info.size}\0${info.mtimeMs}\n`)
  }
  try {
    if ((await stat(path)).isFile()) await add(path, '')
    else {
      const entries = await readdir(path, { recursive: true, withFileTypes: true })
      const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort()
      for (const name of names) {
        if (IMAGE.test(name)) hash.update(`${name}\n`)
        else await add(name, name)
      }
    }
  } catch {
    return null
  }
  return hash.digest('hex')
}
