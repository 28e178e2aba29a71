import type { EngineContext, Handlers } from '../../engine/context.ts'

export function jobsHandlers({ jobs }: EngineContext): Handlers<'jobs'> {
  return { list: () => jobs.list(), cancel: ({ id }) => jobs.cancel(id) }
}
