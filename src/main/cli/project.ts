/** Opens a project for one command, without a server: the same engine, the same functions that the page calls. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Job } from '../../shared/domain.ts'
import { AppError, fromErrorData } from '../../shared/errors.ts'
import type { EngineCore } from '../engine/engine.ts'
import type { CommandInput, CommandIo, OptionSpec } from './command.ts'

export const PROJECT_OPTION: OptionSpec = { type: 'string', value: 'DIR', help: 'Project folder.', required: true }

/** For the commands that begin a project: they open it with makeProject. */
export const NEW_PROJECT_OPTION: OptionSpec = { ...PROJECT_OPTION, help: 'Project folder; made when it is new.' }

type Work<T> = (engine: EngineCore) => Promise<T>

/**
 * Runs the work on the opened project and closes it whatever happens.
 * @throws AppError 'not-found' when there is none: a mistyped path must not leave an empty project behind
 */
export async function withProject<T>(input: CommandInput, io: CommandIo, work: Work<T>): Promise<T> {
  const dir = resolve(input.need('project'))
  if (!existsSync(join(dir, 'project.sqlite'))) throw new AppError('not-found', `There is no project at ${dir}.`, 'Check the path. `amc import PATH --project DIR` makes a project.', dir)
  return makeProject(input, io, work)
}

/** As withProject; the project is made when there is none. */
export async function makeProject<T>(input: CommandInput, io: CommandIo, work: Work<T>): Promise<T> {
  // Loaded when needed: `amc --help` stays quick.
  const [{ openEngine }, { closeOnFault }] = await Promise.all([import('../engine/engine.ts'), import('../engine/last-resort.ts')])
  const engine = await openEngine({ projectDir: resolve(input.need('project')) })
  const noFault = closeOnFault(engine.close)
  try {
    await engine.settled
    return await work(engine)
  } finally {
    await engine.close()
    noFault()
  }
}

/**
 * Waits for a job and shows how it goes; the command's signal cancels it.
 * @returns the job's result
 * @throws AppError what the job failed with, or 'cancelled'
 */
export async function waitForJob(engine: EngineCore, job: Job, io: CommandIo): Promise<unknown> {
  const { events, jobs } = engine.context
  const stopListening = events.on((event) => {
    if (event.type === 'job.progressed' && event.job.id === job.id && event.job.state === 'running') io.progress.report(event.job.title, event.job.done, event.job.total, event.job.message)
  })
  const cancel = (): void => void jobs.cancel(job.id)
  if (io.signal.aborted) cancel()
  io.signal.addEventListener('abort', cancel, { once: true })
  try {
    const ended = await jobs.ended(job.id)
    if (ended.state === 'done') return ended.result
    if (ended.state === 'failed' && ended.error) throw fromErrorData(ended.error as never)
    throw new AppError('cancelled', `${ended.title} was cancelled.`)
  } finally {
    stopListening()
    io.signal.removeEventListener('abort', cancel)
    io.progress.end()
  }
}
