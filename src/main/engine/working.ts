/** Which runs train or wait to: what a program that shows this engine must know before it ends it. */
import type { EngineContext } from './context.ts'

/** Tells the names now, if there are any, and whenever they change. Returns how to stop. */
export function tellWorking({ events, jobs }: Pick<EngineContext, 'events' | 'jobs'>, tell: (runs: readonly string[]) => void): () => void {
  let told = ''
  const look = (): void => {
    const runs = jobs.list().filter(({ kind, state }) => kind === 'train' && (state === 'waiting' || state === 'running')).map((job) => job.title).reverse()
    const now = JSON.stringify(runs)
    if (now === (told || '[]')) return
    told = now
    tell(runs)
  }
  look()
  return events.on((event) => {
    if (event.type === 'job.progressed' && event.job.kind === 'train') look()
  })
}
