/**
 * The training run, from a frozen folder to its checkpoints, as a sequence of events. Readable from top to bottom: begin or take
 * up the run, then step by step: draw a batch, compute losses and gradients, update; now and then validate and save. Aborting
 * the signal ends it after the step under way with everything saved; a killed run goes on from the last saved state with exactly
 * the steps it would have made.
 */
import { existsSync } from 'node:fs'
import type { MetricRow } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import { disposeParams } from '../model/params.ts'
import type { ReadyBatch } from './batches.ts'
import { beginRun, type Run } from './begin-run.ts'
import { afterValidation, isStalled, stallSentence } from './early-stop.ts'
import { appendLine } from './files.ts'
import { keepStep, keepStopped } from './keep-run.ts'
import { disposeAdamW } from './optimizer.ts'
import type { RunEvent, RunResult } from './run-events.ts'
import { drawBatches, trainStep } from './run-step.ts'
import { matchAuc, validate } from './validation.ts'

export interface TrainingRequest {
  readonly runDir: string
  /** Go on from the saved state; without one the run begins anew. */
  readonly resume: boolean
  readonly signal?: AbortSignal
}

/** @throws AppError 'conflict' when what a saved run was trained with has changed; it names what differs */
export async function* runTraining({ runDir, resume, signal }: TrainingRequest): AsyncGenerator<RunEvent, RunResult> {
  const run = await beginRun(runDir, resume)
  const log = async (text: string): Promise<RunEvent> => {
    const line = { at: new Date().toISOString(), text }
    await appendLine(run.paths.log, line)
    return { type: 'train.log', ...line }
  }
  try {
    for (const sentence of run.opening) yield await log(sentence)
    const told = new Set<string>()
    let next: Promise<readonly ReadyBatch[]> | null = null
    for (let step = run.firstStep; step <= run.totalSteps && !isStalled(run.stall, run.config.earlyStop); step++) {
      if (signal?.aborted) return yield* stop(run, step - 1, log)
      const waitFrom = performance.now()
      const ready = await (next ?? drawBatches(run, step))
      const waitedMs = performance.now() - waitFrom
      // The next batches are drawn now and decoded while this step computes.
      next = step < run.totalSteps ? drawBatches(run, step + 1) : null
      next?.catch(() => undefined)

      const { row, notes, diverged } = trainStep(run, step, ready)
      run.batches = ready.at(-1)!.stateAfter
      const wait = run.pace.tick(waitedMs, ready.reduce((sum, { batch }) => sum + batch.imageCount, 0))
      for (const note of [...ready.flatMap((one) => one.notes), ...notes]) {
        if (told.has(note)) continue
        told.add(note)
        yield await log(`Step ${step}: ${note}`)
      }
      const due = !diverged && (step === run.totalSteps || (run.config.validation.every > 0 && step % run.config.validation.every === 0))
      const measured = due ? await measure(run, step) : null
      const full: MetricRow = { step, seconds: run.pace.elapsedSeconds(), wait, values: { ...row, ...measured?.values } }
      await appendLine(run.paths.metrics, full)
      await run.beside.add(full)
      yield { type: 'train.metrics', rows: [full] }
      if (diverged) throw divergence(run, step)
      if (measured?.hasProbes) yield { type: 'train.probes', step }
      if (due || step % run.config.save.every === 0) {
        const written = await keepStep(run, step, measured?.values ?? null)
        if (written) yield written
      }
      yield progress(run, step)
    }
    const last = run.lastSavedStep ?? run.totalSteps
    if (last < run.totalSteps) yield await log(stallSentence(run.stall, run.config.earlyStop, last))
    yield await log(`Finished after ${last} steps in ${Math.round(run.pace.elapsedSeconds())} s.`)
    return { state: 'finished', step: last }
  } finally {
    disposeParams(run.model.params)
    disposeAdamW(run.optimizer)
  }
}

function divergence(run: Run, step: number): AppError {
  return new AppError(
    'bad-input',
    `The loss stopped being a number at step ${step}. The state after step ${run.lastSavedStep ?? 0} is safe.`,
    'Lower the learning rate or set a gradient limit, then start again.',
    'optimizer.learningRate',
  )
}

/** A validation; it also decides whether the run ends early. */
async function measure(run: Run, step: number): Promise<{ values: MetricRow['values']; hasProbes: boolean }> {
  if (run.validation.images.length === 0) return { values: {}, hasProbes: false }
  const { values, probes } = await validate(run.model, run.validation, run.evaluationCache, run.config.seed)
  if (probes.length > 0) await appendLine(run.paths.probes, { step, heat: probes })
  const hasProbes = probes.length > 0
  run.stall = afterValidation(run.stall, values, run.config.earlyStop)
  if (step < run.totalSteps && !isStalled(run.stall, run.config.earlyStop)) return { values, hasProbes }
  const auc = await matchAuc(run.model, run.validation.images, run.evaluationCache, run.config.seed)
  return { values: Number.isNaN(auc) ? values : { ...values, 'val.matchAuc': auc }, hasProbes }
}

function progress(run: Run, step: number): RunEvent {
  return { type: 'train.progress', progress: run.pace.progress(step, run.lastSavedStep, step / run.stepsPerEpoch) }
}

async function* stop(run: Run, step: number, log: (text: string) => Promise<RunEvent>): AsyncGenerator<RunEvent, RunResult> {
  if (step > 0 && !existsSync(run.paths.checkpoint(step))) yield await keepStopped(run, step)
  yield await log(`Stopped after step ${step}; it can be resumed.`)
  yield progress(run, step)
  return { state: 'stopped', step }
}
