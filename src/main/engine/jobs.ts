/**
 * Long work: waits its turn in a lane, tells its progress, can be cancelled. Jobs live in memory; what must survive a crash lies
 * in the database or in a run's folder and is taken up from there.
 */
import type { Job } from '../../shared/domain.ts'
import { AppError, toErrorData } from '../../shared/errors.ts'
import { newId } from '../store/ids.ts'
import type { Events } from './events.ts'

/** One job at a time in each: work on files does not wait for hours of training. */
export type Lane = 'files' | 'compute'

export interface JobProgress {
  readonly done?: number
  readonly total?: number
  readonly unit?: string
  readonly message?: string
  /** Known better by the work itself than by the rate so far. */
  readonly secondsLeft?: number | null
}

export interface NewJob {
  readonly kind: Job['kind']
  readonly title: string
  readonly lane: Lane
  readonly unit?: string
  readonly total?: number
  readonly about?: Job['about']
  /** Nobody waits for it: it stops for any other job of its lane and is taken up after it. Its work must go on where it ended. */
  readonly background?: boolean
  /** Runs when its turn comes; the result is kept. Must end soon after the signal fires, by throwing or by returning what it has. The reason of the signal is CLOSING when the engine ends. */
  readonly work: (job: { readonly id: string; readonly signal: AbortSignal; readonly progress: (progress: JobProgress) => void }) => Promise<unknown>
  /**
   * Its place among the waiting jobs that have one, in rising order; asked anew each time a turn comes, so that a queue can be put in
   * another order. The turns of such jobs stay what they are, only who takes which changes.
   */
  readonly place?: () => number
  /** Called when it is cancelled before its turn; `closing` when that is because the engine ends. */
  readonly onSkipped?: (closing: boolean) => void
}

export interface Jobs {
  add(job: NewJob): Job
  list(): Job[]
  /** @throws AppError 'not-found' */
  get(id: string): Job
  cancel(id: string): Job
  /** Resolves when the job has ended, however it ended. */
  ended(id: string): Promise<Job>
  /** Cancels everything and waits for it. */
  close(): Promise<void>
}

interface Entry {
  job: Job
  readonly spec: NewJob
  abort: AbortController
  /** Stopped for a job that somebody waits for. */
  yielded: boolean
  readonly end: PromiseWithResolvers<Job>
  startedMs: number
  publishedMs: number
  timer: NodeJS.Timeout | null
}

/** Reason of a job's signal when the engine ends. */
const CLOSING = 'closing'
const PUBLISH_EVERY_MS = 150
const KEPT = 50

/** Where ended jobs are kept beyond the process. */
export interface JobLog {
  save(job: Job): void
  /** Newest first. */
  load(): Job[]
}

export function createJobs(events: Events, log: JobLog = { save: () => undefined, load: () => [] }): Jobs {
  const entries = new Map<string, Entry>()
  const busy = new Set<Lane>()
  let closing = false

  const keep = (job: Job): void => {
    try {
      log.save(job)
    } catch (error) {
      console.error(`What happened could not be noted: ${toErrorData(error).message}`) // a full disk must not fail the job itself
    }
  }
  const publish = (entry: Entry): void => {
    if (entry.timer) clearTimeout(entry.timer)
    entry.timer = null
    entry.publishedMs = Date.now()
    events.emit({ type: 'job.progressed', job: entry.job })
  }
  const update = (entry: Entry, change: Partial<Job>): void => {
    entry.job = { ...entry.job, ...change, updatedAt: new Date().toISOString() }
    if (change.state) return publish(entry)
    const wait = entry.publishedMs + PUBLISH_EVERY_MS - Date.now()
    if (wait <= 0) publish(entry)
    else entry.timer ??= setTimeout(() => publish(entry), wait)
  }
  const find = (id: string): Entry => {
    const entry = entries.get(id)
    if (!entry) throw new AppError('not-found', 'This job is not known (any more).', 'Look at the list of jobs.')
    return entry
  }

  async function run(entry: Entry): Promise<void> {
    const { spec } = entry
    const abort = (entry.abort = new AbortController())
    entry.yielded = false
    busy.add(spec.lane)
    entry.startedMs = Date.now()
    update(entry, { state: 'running' })
    const progress = (next: JobProgress): void => {
      const done = next.done ?? entry.job.done
      const total = next.total ?? entry.job.total
      const seconds = (Date.now() - entry.startedMs) / 1000
      const guess = done > 0 && total > done && seconds > 0.5 ? (seconds / done) * (total - done) : null
      const secondsLeft = next.secondsLeft === undefined ? guess : next.secondsLeft
      update(entry, { done, total, secondsLeft, unit: next.unit ?? entry.job.unit, message: next.message ?? entry.job.message })
    }
    try {
      const result = await spec.work({ id: entry.job.id, signal: abort.signal, progress })
      // A run that was stopped comes back with what it has.
      update(entry, { state: abort.signal.aborted ? 'cancelled' : 'done', secondsLeft: null, result: result ?? null })
    } catch (error) {
      const data = toErrorData(error)
      if (entry.yielded && abort.signal.aborted) update(entry, { state: 'waiting', secondsLeft: null, message: '' })
      else if (data.code === 'cancelled' || abort.signal.aborted) update(entry, { state: 'cancelled', secondsLeft: null })
      else {
        if (data.code === 'internal') console.error(error)
        update(entry, { state: 'failed', secondsLeft: null, error: { code: data.code, message: data.message, cure: data.cure } })
      }
    } finally {
      busy.delete(spec.lane)
      if (!isOpen(entry.job)) {
        keep(entry.job)
        entry.end.resolve(entry.job)
        trim()
      }
      next()
    }
  }

  function next(): void {
    if (closing) return
    const waiting = inPlace([...entries.values()].filter((entry) => entry.job.state === 'waiting'))
    waiting.sort((a, b) => Number(a.spec.background ?? false) - Number(b.spec.background ?? false))
    for (const entry of waiting) {
      if (!busy.has(entry.spec.lane)) void run(entry)
      else if (!entry.spec.background) makeRoom(entry.spec.lane)
    }
  }

  function makeRoom(lane: Lane): void {
    for (const entry of entries.values()) {
      if (entry.spec.lane !== lane || !entry.spec.background || entry.job.state !== 'running' || entry.abort.signal.aborted) continue
      entry.yielded = true
      entry.abort.abort()
    }
  }

  function trim(): void {
    const ended = [...entries.values()].filter((entry) => !isOpen(entry.job))
    for (const entry of ended.slice(0, Math.max(0, ended.length - KEPT))) entries.delete(entry.job.id)
  }

  const cancel = (entry: Entry): Job => {
    if (!isOpen(entry.job)) return entry.job
    const waited = entry.job.state === 'waiting'
    entry.yielded = false
    entry.abort.abort(closing ? CLOSING : undefined)
    if (waited) {
      update(entry, { state: 'cancelled' })
      keep(entry.job)
      entry.end.resolve(entry.job)
      entry.spec.onSkipped?.(closing)
    } else update(entry, { message: 'Stopping' })
    return entry.job
  }

  return {
    add: (spec) => {
      const job: Job = {
        id: newId('job'), kind: spec.kind, title: spec.title, state: 'waiting', done: 0, total: spec.total ?? 0, unit: spec.unit ?? '', secondsLeft: null,
        message: '', error: null, result: null, updatedAt: new Date().toISOString(), ...(spec.about ? { about: spec.about } : {}),
      }
      const entry: Entry = { job, spec, abort: new AbortController(), yielded: false, end: Promise.withResolvers(), startedMs: 0, publishedMs: 0, timer: null }
      entries.set(job.id, entry)
      publish(entry)
      setImmediate(next)
      return job
    },
    list: () => {
      const own = [...entries.values()].map((entry) => entry.job).reverse()
      return [...own, ...log.load().filter((job) => !entries.has(job.id))]
    },
    get: (id) => find(id).job,
    cancel: (id) => cancel(find(id)),
    ended: (id) => find(id).end.promise,
    close: async () => {
      closing = true
      const open = [...entries.values()].filter((entry) => isOpen(entry.job))
      for (const entry of open) cancel(entry)
      await Promise.all(open.map((entry) => entry.end.promise))
      for (const entry of entries.values()) if (entry.timer) clearTimeout(entry.timer)
    },
  }
}

/** The same turns, those of jobs with a place given out by it. */
function inPlace(waiting: readonly Entry[]): Entry[] {
  const placed = waiting.flatMap((entry) => (entry.spec.place ? [{ entry, place: entry.spec.place() }] : []))
  const sorted = placed.sort((a, b) => a.place - b.place).map(({ entry }) => entry)
  let taken = 0
  return waiting.map((entry) => (entry.spec.place ? sorted[taken++]! : entry))
}

function isOpen(job: Job): boolean {
  return job.state === 'waiting' || job.state === 'running'
}
