/**
 * The training run, from a frozen folder to its checkpoints, as a sequence of events. Readable from top to bottom: open the
 * folder, load or start the model, then step by step: draw a batch, compute losses and gradients, update; now and then
 * validate and save. Aborting the signal ends it after the step under way with everything saved; a killed run goes on from the
 * last saved state with exactly the steps it would have made.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { MetricRow } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import { createParams, disposeParams, variableOf } from '../model/params.ts'
import { randomFromState, type RandomSource } from '../model/random.ts'
import { stepGradients } from '../model/step.ts'
import type { ModelParams, StepOptions } from '../model/types.ts'
import { createBatchSource, stageAt, type BatchSource, type BatchState, type ReadyBatch } from './batches.ts'
import { appendLine, keepLinesUntil, writeText } from './files.ts'
import { createImageCache } from './image-cache.ts'
import { loadModel, saveCheckpoint, tokenizerFor, type LoadedModel } from './model-files.ts'
import { applyAdamW, createAdamW, disposeAdamW, type AdamWState } from './optimizer.ts'
import { createPace, type Pace } from './pace.ts'
import { namedRandom } from './random.ts'
import type { RunEvent, RunResult } from './run-events.ts'
import { openRun, type OpenedRun } from './run-folder.ts'
import { loadRunState, saveRunState, type Best } from './run-state.ts'
import { groupByImage, readManifest, type SampleImage } from './samples.ts'
import { learningRate } from './schedule.ts'
import { tokenizePhrases } from './scoring.ts'
import { chooseValidation, matchAuc, validate, type ValidationSet } from './validation.ts'

export interface TrainingRequest {
  readonly runDir: string
  /** Go on from the saved state; without one the run begins anew. */
  readonly resume: boolean
  readonly signal?: AbortSignal
}

const TRAIN_SPLIT = 'train'
const VAL_SPLIT = 'val'
/** Decoded images kept in memory at most. */
const CACHE_BYTES = 1.5e9

interface Run extends OpenedRun {
  readonly model: LoadedModel
  readonly optimizer: AdamWState
  readonly source: BatchSource
  readonly validation: ValidationSet
  readonly cache: ReturnType<typeof createImageCache>
  readonly evaluationCache: ReturnType<typeof createImageCache>
  readonly choices: RandomSource
  readonly totalSteps: number
  readonly firstStep: number
  readonly pace: Pace
  /** State of the data after the last step done. */
  batches: BatchState
  best: Best | null
  lastSavedStep: number | null
}

export async function* runTraining({ runDir, resume, signal }: TrainingRequest): AsyncGenerator<RunEvent, RunResult> {
  const opened = await openRun(runDir)
  const { train, val } = await splitSamples(opened)
  const run = await begin(opened, train, val, resume)
  const log = async (text: string): Promise<RunEvent> => {
    const line = { at: new Date().toISOString(), text }
    await appendLine(run.paths.log, line)
    return { type: 'train.log', ...line }
  }
  try {
    for (const sentence of opening(run, train, val)) yield await log(sentence)
    const told = new Set<string>()
    let next: Promise<ReadyBatch> | null = null
    for (let step = run.firstStep; step <= run.totalSteps; step++) {
      if (signal?.aborted) return yield* stop(run, step - 1, log)
      const waitFrom = performance.now()
      const ready = await (next ?? run.source.prepare(stage(run, step).pool))
      const waitedMs = performance.now() - waitFrom
      // The next batch is drawn now and decoded while this step computes.
      next = step < run.totalSteps ? run.source.prepare(stage(run, step + 1).pool) : null
      next?.catch(() => undefined)

      const { row, notes } = trainStep(run, step, ready)
      run.batches = ready.stateAfter
      run.pace.tick(waitedMs, ready.batch.imageCount)
      for (const note of [...ready.notes, ...notes]) {
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
      if (measured) yield await checkpoint(run, step, measured.values)
      if (due || step % run.config.save.every === 0) await save(run, step)
      yield { type: 'train.progress', progress: run.pace.progress(step, run.lastSavedStep, epochOf(run, step)) }
    }
    yield await log(`Finished after ${run.totalSteps} steps in ${Math.round(run.pace.elapsedSeconds())} s.`)
    return { state: 'finished', step: run.totalSteps }
  } finally {
    disposeParams(run.model.params)
    disposeAdamW(run.optimizer)
  }
}

async function splitSamples({ paths, config }: OpenedRun): Promise<{ train: SampleImage[]; val: SampleImage[] }> {
  const images = await groupByImage(readManifest(paths.manifest))
  const train = images.filter((image) => image.split === TRAIN_SPLIT)
  if (train.length === 0) {
    throw new AppError(
      'bad-input',
      'There is nothing to train on: no region is in the split "train".',
      'Choose a dataset or a view with regions of the split "train".',
      paths.manifest,
    )
  }
  if (config.loss.amc > 0 && !train.some((image) => image.regions.some((region) => region.boxes.length > 0))) {
    throw new AppError('bad-input', 'AMC is on, but no training region has a box.', 'Add boxes, or train with loss.amc = 0.', paths.manifest)
  }
  return { train, val: images.filter((image) => image.split === VAL_SPLIT) }
}

async function begin(opened: OpenedRun, train: SampleImage[], val: SampleImage[], resume: boolean): Promise<Run> {
  const { paths, config, record } = opened
  const { optimizer: settings } = config
  const optimizer = createAdamW(settings)
  const saved = resume ? loadRunState(paths.state, record.modelConfig, optimizer) : null
  const state = saved?.state
  for (const file of [paths.metrics, paths.probes]) await keepLinesUntil(file, state?.step ?? 0)
  const model = { params: saved?.params ?? (await startWeights(opened)), config: record.modelConfig, tokenizer: await tokenizerFor(record.modelConfig) }
  const side = model.config.image.size
  const cache = createImageCache(side, config.data.resize, CACHE_BYTES)
  const source = createBatchSource({
    images: train, config, modelConfig: model.config, cache,
    tokenize: (phrases) => tokenizePhrases(model, phrases),
    ...(state ? { start: state.batches } : {}),
  })
  const totalSteps = config.steps > 0 ? config.steps : Math.max(1, Math.round(config.epochs * source.stepsPerEpoch))
  const evaluationCache = config.data.resize === 'bicubic' ? cache : createImageCache(side, 'bicubic', CACHE_BYTES / 3)
  return {
    ...opened, model, optimizer, source, cache, evaluationCache, totalSteps,
    validation: chooseValidation(val, config.validation.images, config.validation.probes, config.seed),
    choices: state ? randomFromState(state.choices) : namedRandom(config.seed, 'choices'),
    firstStep: (state?.step ?? 0) + 1,
    pace: createPace(totalSteps, state?.elapsedSeconds ?? 0),
    batches: state?.batches ?? { sampler: {}, random: namedRandom(config.seed, 'batches').state() },
    best: state?.best ?? null,
    lastSavedStep: state?.step ?? null,
  }
}

async function startWeights({ record, config, startCheckpoint }: OpenedRun): Promise<ModelParams> {
  if (startCheckpoint === null) return createParams(record.modelConfig, config.seed)
  const { params } = await loadModel(startCheckpoint, record.modelConfig)
  return params
}

function opening(run: Run, train: SampleImage[], val: SampleImage[]): string[] {
  const regions = train.reduce((sum, image) => sum + image.regions.length, 0)
  const begins = run.firstStep > 1 ? `Resumed after step ${run.firstStep - 1}` : 'Began'
  const sentences = [`${begins}: ${regions} regions on ${train.length} images, ${run.totalSteps} steps.`]
  if (val.length === 0) sentences.push('The dataset has no split "val", so nothing is validated and the last checkpoint counts as the best.')
  if (run.config.curriculum.closeUps > 0 && !(run.source.has('close-ups') && run.source.has('scenes'))) {
    sentences.push('The images are not marked as close-ups and scenes, so every stage of the curriculum sees all of them.')
  }
  if (run.config.batch.images > train.length) sentences.push(`There are only ${train.length} training images, so that is the size of every batch.`)
  return sentences
}

function stage(run: Run, step: number) {
  return stageAt(run.config, (step - 1) / run.totalSteps, run.source.has)
}

function epochOf(run: Run, step: number): number {
  return step / run.source.stepsPerEpoch
}

/** Losses, gradients and the update of one step; the values to record. */
function trainStep(run: Run, step: number, { batch }: ReadyBatch): { row: MetricRow['values']; notes: readonly string[] } {
  const { config, model, optimizer, totalSteps, source } = run
  if (batch.imageCount === 0) return { row: {}, notes: ['No image of this batch could be read, so the step was left out.'] }
  const rate = learningRate(config, step, totalSteps, source.stepsPerEpoch)
  const { total, parts, gradients, notes } = stepGradients(model.params, batch, stepOptions(run, step), { random: run.choices })
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
  const { config, model, source } = run
  const { loss } = config
  const { contrastOnly, hardNegatives } = stage(run, step)
  const ramp = Math.min(1, (step - 1) / source.stepsPerEpoch)
  const { pad, cls, mask } = model.tokenizer.special
  return {
    specialTokens: { pad, cls, mask },
    alpha: model.config.momentum === null ? 0 : loss.distillation * ramp,
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

/** Writes the checkpoint of this step, remembers the best, forgets old ones. */
async function checkpoint(run: Run, step: number, values: MetricRow['values']): Promise<RunEvent> {
  const { paths, config, model } = run
  const path = paths.checkpoint(step)
  const value = values['val.pointingGame'] ?? step
  const best = run.best === null || value >= run.best.value
  if (best) run.best = { step, value }
  await saveCheckpoint(path, model.params, { step, seed: config.seed, preset: config.title, metrics: values }, config.save.precision)
  if (best) await writeText(paths.best, `${JSON.stringify({ step, metrics: values })}\n`)
  await forgetOld(run)
  return { type: 'train.checkpoint', path, step, best, metrics: values }
}

async function forgetOld({ paths, config, best }: Run): Promise<void> {
  const steps = (await readdir(paths.checkpoints)).flatMap((name) => /^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? []).map(Number)
  const newest = steps.sort((a, b) => b - a).slice(0, config.save.keep)
  for (const step of steps) {
    if (newest.includes(step) || step === best?.step) continue
    await rm(join(paths.checkpoints, `step-${step}.safetensors`), { force: true })
  }
}

async function save(run: Run, step: number): Promise<void> {
  const { paths, model, optimizer, batches, choices, best, pace } = run
  await saveRunState(paths.state, model.params, optimizer, {
    step, batches, best, choices: choices.state(), elapsedSeconds: pace.elapsedSeconds(),
  })
  run.lastSavedStep = step
}

async function* stop(run: Run, step: number, log: (text: string) => Promise<RunEvent>): AsyncGenerator<RunEvent, RunResult> {
  if (step > 0 && step !== run.lastSavedStep) {
    await save(run, step)
    await saveCheckpoint(run.paths.checkpoint(step), run.model.params, { step, seed: run.config.seed, preset: run.config.title, metrics: {} }, run.config.save.precision)
    yield { type: 'train.checkpoint', path: run.paths.checkpoint(step), step, best: false, metrics: {} }
  }
  yield await log(`Stopped after step ${step}; it can be resumed.`)
  yield { type: 'train.progress', progress: run.pace.progress(step, run.lastSavedStep, epochOf(run, step)) }
  return { state: 'stopped', step }
}
