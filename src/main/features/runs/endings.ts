/**
 * How runs ended. A full disk may refuse to note it just then: it is shown all the same, and written as soon as there is room, so
 * that a run never looks alive that nothing trains.
 */
import { setImmediate } from 'node:timers/promises'
import type { EngineContext } from '../../engine/context.ts'
import type { Run } from '../../../shared/domain.ts'
import { toErrorData } from '../../../shared/errors.ts'
import { readBack } from './read-back.ts'
import { OPEN_STATES, requireRun, setState, toRun } from './rows.ts'

export interface Ending {
  readonly state: 'paused' | 'stopped' | 'finished' | 'failed'
  readonly error?: Run['error']
  /** Steps done and saved, where the process told. */
  readonly step?: number
  /** It was the engine that ended: taken up again it stands where it stood. */
  readonly keepsPlace?: boolean
  /** Some of its curves could not be stored: they are read from the folder. */
  readonly behind?: boolean
}

export interface Endings {
  /** Notes how a run ended and tells the pages. */
  end(runId: string, ending: Ending): Run
  /** A run as it is, whatever the database could take. */
  shown(run: Run): Run
  /** It is taken up again: what was not written has no meaning any more. */
  forget(runId: string): void
}

const RETRY_MS = 3000

export function createEndings(context: Pick<EngineContext, 'db' | 'project' | 'events'>, isHeld: (runId: string) => boolean, retryMs = RETRY_MS): Endings {
  const { db, events } = context
  const owed = new Map<string, Ending>()
  let timer: NodeJS.Timeout | null = null

  const write = (runId: string, { state, error, step, keepsPlace = false }: Ending): Run =>
    db.transaction(() => {
      if (step !== undefined) db.run('UPDATE runs SET step = ?, last_saved_step = ? WHERE id = ?', step, step || null, runId)
      return setState(db, runId, state, error ?? null, keepsPlace)
    })
  const announce = (run: Run): Run => {
    events.emit({ type: 'run.progressed', run })
    return run
  }
  const shown = (run: Run): Run => {
    const ending = owed.get(run.id)
    const rest = { secondsLeft: null, samplesPerSecond: null, dataWaitShare: null }
    if (ending) return { ...run, ...rest, state: ending.state, error: ending.error ?? null, ...(ending.step === undefined ? {} : { step: ending.step, lastSavedStep: ending.step || null }) }
    // One that waits waits, whether an engine that takes up the queue is there or not.
    return run.state !== 'waiting' && (OPEN_STATES as readonly string[]).includes(run.state) && !isHeld(run.id) ? { ...run, ...rest, state: 'stopped' } : run
  }
  const readFolder = async (runId: string): Promise<void> => {
    try {
      await setImmediate() // the job that ended lets go of the run
      if (isHeld(runId)) return
      await readBack(context, requireRun(db, runId))
      announce(shown(toRun(requireRun(db, runId))))
      events.emit({ type: 'checkpoints.changed' })
    } catch (error) {
      console.error(`The folder of a run could not be read; the next start does it: ${toErrorData(error).message}`)
    }
  }
  const retry = (): void => {
    timer = null
    for (const [runId, ending] of owed) {
      try {
        announce(write(runId, ending))
        owed.delete(runId)
        void readFolder(runId)
      } catch (error) {
        const { code } = toErrorData(error)
        if (code !== 'disk-full' && code !== 'locked') owed.delete(runId) // the project was closed: the next start reads the folder
      }
    }
    soon()
  }
  const soon = (): void => {
    if (owed.size > 0) timer ??= setTimeout(retry, retryMs).unref()
  }

  return {
    shown,
    forget: (runId) => void owed.delete(runId),
    end: (runId, ending) => {
      try {
        const run = write(runId, ending)
        if (ending.behind) void readFolder(runId)
        return announce(run)
      } catch (error) {
        console.error(`How a run ended could not be noted yet: ${toErrorData(error).message}`)
        owed.set(runId, ending)
        soon()
        return announce(shown(toRun(requireRun(db, runId))))
      }
    },
  }
}
