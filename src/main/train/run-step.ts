/** One step of a run: its batches drawn, its losses and gradients computed, the weights updated. */
import type { MetricRow } from '../../shared/domain.ts'
import { accumulatedGradients } from '../model/accumulate.ts'
import { variableOf } from '../model/params.ts'
import type { StepOptions } from '../model/types.ts'
import type { ReadyBatch } from './batches.ts'
import type { Run } from './begin-run.ts'
import { stageAt } from './curriculum.ts'
import { applyAdamW } from './optimizer.ts'
import { distillationShare, learningRate } from './schedule.ts'

function stage(run: Run, step: number) {
  return stageAt(run.config, run.views, (step - 1) / run.totalSteps, run.source.has)
}

/** The batches of a step: drawn at once and in order, assembled in the background. */
export function drawBatches(run: Run, step: number): Promise<readonly ReadyBatch[]> {
  const { pool } = stage(run, step)
  return Promise.all(Array.from({ length: run.config.batch.accumulate }, () => run.source.prepare(pool)))
}

export interface StepResult {
  /** What was measured; values that are not finite are left out. */
  readonly row: MetricRow['values']
  readonly notes: readonly string[]
  /** The loss stopped being a number, and no weight was changed. */
  readonly diverged: boolean
}

export function trainStep(run: Run, step: number, ready: readonly ReadyBatch[]): StepResult {
  const { config, model, optimizer } = run
  const batches = ready.map(({ batch }) => batch).filter(({ imageCount }) => imageCount > 0)
  if (batches.length === 0) return { row: {}, notes: ['No image of this batch could be read, so the step was left out.'], diverged: false }
  const rate = learningRate(config, step, run.totalSteps, run.stepsPerEpoch)
  const { total, parts, gradients, notes } = accumulatedGradients(model.params, batches, stepOptions(run, step), { random: run.choices })
  const losses = Object.fromEntries(Object.entries(parts).flatMap(([name, value]) => (Number.isFinite(value) ? [[`loss.${name}`, value as number]] : [])))
  if (!Number.isFinite(total)) {
    for (const gradient of gradients.values()) gradient.dispose()
    return { row: { ...losses, 'loss.notFinite': 1, lr: rate }, notes, diverged: true }
  }
  const clipNorm = config.optimizer.clipNorm > 0 ? config.optimizer.clipNorm : null
  const { gradientNorm } = applyAdamW(optimizer, model.params, gradients, { learningRate: rate, clipNorm })
  const temperature = variableOf(model.params, 'temp').dataSync()[0]!
  return { row: { 'loss.total': total, ...losses, lr: rate, gradNorm: gradientNorm, temperature, ...queueFill(run, batches) }, notes, diverged: false }
}

/** Share of the queue that holds features of this run; what else is in it came with the start or is random. */
function queueFill(run: Run, batches: readonly ReadyBatch['batch'][]): MetricRow['values'] {
  const places = run.model.params.queues?.text.shape[1]
  if (places === undefined) return {}
  run.queued += batches.reduce((sum, { text }) => sum + text.count, 0)
  return { queueFill: Math.min(1, run.queued / places) }
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
