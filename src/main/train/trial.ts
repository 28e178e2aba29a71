/** How long a run would take: a few of its steps made for real, and a validation of a few images; nothing of it is kept. */
import { AppError } from '../../shared/errors.ts'
import { disposeParams } from '../model/params.ts'
import { beginRun, type Run } from './begin-run.ts'
import { disposeAdamW } from './optimizer.ts'
import type { TrialEvent, TrialResult } from './run-events.ts'
import { drawBatches, trainStep } from './run-step.ts'
import { validate } from './validation.ts'

export interface TrialRequest {
  /** The folder of a run that nobody will go on with. */
  readonly runDir: string
  /** Steps to measure, after one that warms up. */
  readonly steps: number
  readonly signal?: AbortSignal
}

const VALIDATED = 8

/** @throws AppError 'cancelled', and what a run would throw at its beginning */
export async function* measureTrial({ runDir, steps, signal }: TrialRequest): AsyncGenerator<TrialEvent, TrialResult> {
  const run = await beginRun(runDir, false, { trial: true })
  try {
    // The first part of a run may do without most of its losses: it is measured by itself then.
    const { contrastOnly } = run.config.curriculum
    const parts = contrastOnly > 0 && contrastOnly < 1 ? [{ share: contrastOnly, from: 1 }, { share: 1 - contrastOnly, from: run.totalSteps }] : [{ share: 1, from: run.totalSteps }]
    const total = parts.length * (steps + 1) + 1
    let done = 0
    const stepSeconds: number[] = []
    let mean = 0
    for (const { share, from } of parts) {
      const times: number[] = []
      for (let i = 0; i <= steps; i++) {
        times.push(await seconds(() => oneStep(run, from)))
        yield { type: 'trial.step', done: ++done, total }
        if (signal?.aborted) throw new AppError('cancelled', 'Stopped before the steps were measured.')
      }
      const measured = times.slice(1)
      stepSeconds.push(...measured)
      mean += (share * measured.reduce((sum, time) => sum + time, 0)) / measured.length
    }
    const images = run.validation.images.slice(0, VALIDATED)
    const validation = images.length === 0 ? 0 : ((await seconds(() => validate(run.model, { images, probes: new Map() }, run.evaluationCache, run.config.seed))) * run.validation.images.length) / images.length
    yield { type: 'trial.step', done: total, total }
    const { every } = run.config.validation
    const validations = every > 0 ? Math.ceil(run.totalSteps / every) : 1
    return { stepSeconds, validationSeconds: validation, totalSeconds: mean * run.totalSteps + validation * validations }
  } finally {
    disposeParams(run.model.params)
    disposeAdamW(run.optimizer)
  }
}

async function oneStep(run: Run, step: number): Promise<void> {
  trainStep(run, step, await drawBatches(run, step))
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return (performance.now() - from) / 1000
}
