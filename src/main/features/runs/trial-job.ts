/** Measuring before a start: three steps of the very settings, in the process that will train, in a folder of their own. */
import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineContext } from '../../engine/context.ts'
import type { Job } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { newId } from '../../store/ids.ts'
import type { RunInput } from './plan.ts'
import type { Starter } from './start-run.ts'

const STEPS = 3
const FOLDER = 'trial_'

/** @throws AppError 'busy' while a run trains: what is measured beside it would say nothing */
export async function startTrial({ db, jobs, project, worker }: EngineContext, starter: Starter, input: RunInput): Promise<Job> {
  const busy = db.get<{ name: string }>("SELECT name FROM runs WHERE state IN ('waiting', 'starting', 'training', 'pausing', 'stopping') ORDER BY state = 'waiting'")
  if (busy && jobs.list().some((job) => job.kind === 'train' && (job.state === 'running' || job.state === 'waiting'))) {
    throw new AppError('busy', `${busy.name} trains or waits, and steps measured beside it would take longer than they need.`, 'Measure when the queue is empty or paused.')
  }
  const { plan } = await starter.checked(input)
  return jobs.add({
    kind: 'trial', title: 'Measuring three steps', lane: 'compute', about: { datasetId: input.datasetId },
    work: async ({ signal, progress }) => {
      const dir = join(project.cacheDir, newId('trial'))
      try {
        await starter.freeze(dir, input, plan)
        await worker.start()
        return await worker.call('trial', { runDir: dir, steps: STEPS }, { signal, onEvent: (event) => void (event.type === 'trial.step' && progress({ done: event.done, total: event.total })) })
      } finally {
        await rm(dir, { recursive: true, force: true })
      }
    },
  })
}

/** Folders of measurements that were cut off; to be asked before a new one can begin. */
export function trialsLeft(cacheDir: string): string[] {
  return readdirSync(cacheDir).filter((name) => name.startsWith(FOLDER)).map((name) => join(cacheDir, name))
}
