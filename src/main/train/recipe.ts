/**
 * The training run, from a frozen folder to its checkpoints, as a sequence of events. Readable from top to bottom: begin or take
 * up the run, then step by step: draw a batch, compute losses and gradients, update; now and then validate and save. Aborting
 * the signal ends it after the step under way with everything saved; a killed run goes on from the last saved state with exactly
 * the steps it would have made.
 */
import { existsSync } from 'node:fs'
import type { MetricRow } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import { accumulatedGradients } from '../model/accumulate.ts'
import { disposeParams, variableOf } from '../model/params.ts'
import type { StepOptions } from '../model/types.ts'
import type { ReadyBatch } from './batches.ts'
import { beginRun, type Run } from './begin-run.ts'
import { stageAt } from './curriculum.ts'
import { appendLine } from './files.ts'
import { keepStep, keepStopped } from './keep-run.ts'
import { applyAdamW, disposeAdamW } from './optimizer.ts'
import type { RunEvent, RunResult } from './run-events.ts'
import { distillationShare, learningRate } from './schedule.ts'
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
    for (let step = run.firstStep; step <= run.totalSteps; step++) {
      if (signal?.aborted) return yield* stop(run, step - 1, log)
      const waitFrom = performance.now()
      const ready = await (next ?? draw(run, step))
      const waitedMs = performance.now() - waitFrom
      // The next batches are drawn now and decoded while this step computes.
      next = step < run.totalSteps ? draw(run, step + 1) : null
      next?.catch(() => undefined)

      const { row, notes } = trainStep(run, step, ready)
      run.batches = ready.at(-1)!.stateAfter
      run.pace.tick(waitedMs, ready.reduce((sum, { batch }) => sum + batch.imageCount, 0))
      for (const note of [...ready.flatMap((one) => one.notes), ...notes]) {
        if (told.has(note)) continue
        told.add(note)
        yield await log(`Step ${step}: ${note}`)
      }
      const due = step === run.totalSteps || (run.config.validation.every > 0 && step % run.config.validation.every === 0)
      const measured = due ? await measure(run, step) : null
      const full: MetricRow = { step, seconds: run.pace.elapsedSeconds(), values: { ...row, ...measured?.values } }
      await appendLine(run.paths.metrics, full)
      yield { type: 'train.metrics', rows: [full] }
      if (measured?.hasProbes) yield { type: 'train.probes', step }
      if (due || step % run.config.save.every === 0) {
        const written = await keepStep(run, step, measured?.values ?? null)
        if (written) yield written
      }
      yield progress(run, step)
    }
    yield await log(`Finished after ${run.totalSteps} steps in ${Math.round(run.pace.elapsedSeconds())} s.`)
    return { state: 'finished', step: run.totalSteps }
  } finally {
    disposeParams(run.model.params)
    disposeAdamW(run.optimizer)
  }
}

function stage(run: Run, step: number) {
  return stageAt(run.config, run.views, (step - 1) / run.totalSteps, run.source.has)
}

/** The batches of a step: drawn at once and in order, assembled in the background. */
function draw(run: Run, step: number): Promise<readonly ReadyBatch[]> {
  const { pool } = stage(run, step)
  return Promise.all(Array.from({ length: run.config.batch.accumulate }, () => run.source.prepare(pool)))
}

/** Losses, gradients and the update of one step; the values to record. */
function trainStep(run: Run, step: number, ready: readonly ReadyBatch[]): { row: MetricRow['values']; notes: readonly string[] } {
  const { config, model, optimizer } = run
  const batches = ready.map(({ batch }) => batch).filter(({ imageCount }) => imageCount > 0)
  if (batches.length === 0) return { row: {}, notes: ['No image of this batch could be read, so the step was left out.'] }
  const rate = learningRate(config, step, run.totalSteps, run.stepsPerEpoch)
  const { total, parts, gradients, notes } = accumulatedGradients(model.params, batches, stepOptions(run, step), { random: run.choices })
  if (!Number.isFinite(total)) {
    for (const gradient of gradients.values()) gradient.dispose()
    throw new AppError(
      'bad-input',
      `The loss stopped being a number at step ${step}. The state after step ${run.lastSavedStep ?? 0} is safe.`,
      'Lower the learning rate or set a gradient limit, then start again.',
      'optimizer.learningRate',
    )
  }
  const clipNorm = config.optimizer.clipNorm > 0 ? config.optimizer.clipNorm : null
  const { gradientNorm } = applyAdamW(optimizer, model.params, gradients, { learningRate: rate, clipNorm })
  const losses = Object.fromEntries(Object.entries(parts).map(([name, value]) => [`loss.${name}`, value as number]))
  const temperature = variableOf(model.params, 'temp').dataSync()[0]!
  return { row: { 'loss.total': total, ...losses, lr: rate, gradNorm: gradientNorm, temperature }, notes }
}

function stepOptions(run: Run, step: number): StepOptions {
  const { config, model } = run
  const { loss } = config
  const { contrastOnly, hardNegatives } = stage(run, step)
  const { pad, cls, mask } = model.tokenizer.special
  return {
    specialTokens: { pad, cls, mask },
    alpha: model.config.momentum === null ? 0 : distillationShare(config, step, run.stepsPerEpoch),
    mlmDistillAxis: loss.mlmDistillAxis,
    itm: loss.itm && !contrastOnly,
    mlm: loss.mlm && !contrastOnly,
    amc: loss.amc > 0 && !contrastOnly,
    hardNegatives,
    amcWeight: loss.amc,
    amcMeanWeight: loss.amcMean,
    amcMaxWeight: loss.amcMax,
    amcMeanMargin: loss.meanMargin,
    amcMaxMargin: loss.maxMargin,
    recompute: config.memory.recompute,
  }
}

async function measure(run: Run, step: number): Promise<{ values: MetricRow['values']; hasProbes: boolean }> {
  if (run.validation.images.length === 0) return { values: {}, hasProbes: false }
  const { values, probes } = await validate(run.model, run.validation, run.evaluationCache)
  if (probes.length > 0) await appendLine(run.paths.probes, { step, heat: probes })
  if (step < run.totalSteps) return { values, hasProbes: probes.length > 0 }
  const auc = await matchAuc(run.model, run.validation.images, run.evaluationCache, run.config.seed)
  return { values: Number.isNaN(auc) ? values : { ...values, 'val.matchAuc': auc }, hasProbes: probes.length > 0 }
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
