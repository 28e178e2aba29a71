/** From the folder of a run to everything that its steps need: begun anew, or taken up from the last saved state. */
import { rm } from 'node:fs/promises'
import { AppError } from '../../shared/errors.ts'
import { freezeParameters } from '../model/freeze.ts'
import { ACCUMULATION_NOTE } from '../model/accumulate.ts'
import { availableMemory, requireMemory, runMemory, tokensOfWords } from '../model/memory.ts'
import { disposeParams } from '../model/params.ts'
import { randomFromState, type RandomSource } from '../model/random.ts'
import { createBatchSource, type BatchSource, type BatchState } from './batches.ts'
import { openBeside, type Beside } from './beside.ts'
import { poolOfStage, stepsPerEpoch, totalSteps, viewStages, type TrainingSize, type ViewStage } from './curriculum.ts'
import { clearTemporaries, dropTornLines, keepLinesUntil } from './files.ts'
import { judgeOf, NO_STALL, type Stall } from './early-stop.ts'
import { createImageCache } from './image-cache.ts'
import { forgetOld, writeBest } from './keep-run.ts'
import { tokenizerFor, vocabularyOf, type LoadedModel } from './model-files.ts'
import { createAdamW, type AdamWState } from './optimizer.ts'
import { createPace, type Pace } from './pace.ts'
import { namedRandom } from './random.ts'
import { openRun, type OpenedRun, readPlaces } from './run-folder.ts'
import { changedFiles, differences, identityOf, refuseChanges, writePrints, type RunIdentity } from './run-identity.ts'
import { loadRunState, type Best, type LoadedState } from './run-state.ts'
import { groupByImage, readManifest, type SampleImage } from './samples.ts'
import { tokenizePhrases } from './scoring.ts'
import { startWeights } from './start-weights.ts'
import { chooseValidation, type ValidationSet } from './validation.ts'

const TRAIN_SPLIT = 'train'
const VAL_SPLIT = 'val'
/** Decoded images kept in memory at most. */
const CACHE_BYTES = 1.5e9

export interface Run extends OpenedRun {
  readonly model: LoadedModel
  readonly optimizer: AdamWState
  readonly source: BatchSource
  readonly validation: ValidationSet
  readonly evaluationCache: ReturnType<typeof createImageCache>
  /** Generator of masked words and negatives. */
  readonly choices: RandomSource
  /** Stages of curriculum.views; none without it. */
  readonly views: readonly ViewStage[]
  readonly identity: RunIdentity
  readonly totalSteps: number
  readonly stepsPerEpoch: number
  readonly firstStep: number
  readonly pace: Pace
  /** Curves for other tools. */
  readonly beside: Beside
  /** To be told at the beginning, in sentences. */
  readonly opening: readonly string[]
  /** State of the data after the last step done. */
  batches: BatchState
  best: Best | null
  /** How long it has not got better. */
  stall: Stall
  /** Texts whose features went into the queue. */
  queued: number
  lastSavedStep: number | null
}

interface Samples {
  readonly train: readonly SampleImage[]
  readonly val: readonly SampleImage[]
}

/** @param trial only a few steps are measured: nothing needs to be remembered of the images */
export async function beginRun(runDir: string, resume: boolean, { trial = false } = {}): Promise<Run> {
  const opened = await openRun(runDir)
  const { paths, config, record } = opened
  const views = viewStages(config.curriculum.views)
  const samples = await readSamples(opened)
  const optimizer = createAdamW(config.optimizer)
  const identity = await identityOf({ config, modelConfig: record.modelConfig, vocabulary: await vocabularyOf(record.modelConfig), manifestPath: paths.manifest })
  const size = sizeOf(samples)
  const total = totalSteps(config, size)
  // Only now, when its turn has come, is it known what is free.
  if (config.memory.check) requireMemory(runMemory(record.modelConfig, config, { trainImages: samples.train.length, tokens: tokensOfWords(mostWords(samples.train)) }), availableMemory(), config)
  const saved = resume ? await takeUp(opened, samples, identity, optimizer, total) : null
  const state = saved?.state
  if (!saved) {
    await rm(paths.states, { recursive: true, force: true })
    if (!trial) await writePrints(paths.data, [...samples.train, ...samples.val])
  }
  for (const dir of [paths.dir, paths.states, paths.checkpoints]) await clearTemporaries(dir)
  for (const file of [paths.metrics, paths.probes]) await keepLinesUntil(file, state?.step ?? 0)
  await dropTornLines(paths.log)
  const started = saved ? { params: saved.params, notes: saved.notes } : await startWeights({ ...opened, modelConfig: record.modelConfig })
  try {
    const frozen = freezeParameters(started.params, config.freeze)
    const model = { params: started.params, config: record.modelConfig, tokenizer: await tokenizerFor(record.modelConfig) }
    const side = model.config.image.size
    const cache = createImageCache(side, config.data.resize, CACHE_BYTES)
    const source = createBatchSource({
      images: samples.train, config, modelConfig: model.config, cache,
      tokenize: (phrases) => tokenizePhrases(model, phrases),
      ...(state ? { start: state.batches } : {}),
    })
    refuseEmptyStages(views, source, paths.manifest)
    const run: Run = {
      ...opened, model, optimizer, source, views, identity,
      totalSteps: total,
      stepsPerEpoch: stepsPerEpoch(config, size),
      evaluationCache: config.data.resize === 'bicubic' ? cache : createImageCache(side, 'bicubic', CACHE_BYTES / 3),
      validation: chooseValidation(samples.val, config.validation.images, config.validation.probes, config.seed),
      choices: state ? randomFromState(state.choices) : namedRandom(config.seed, 'choices'),
      firstStep: (state?.step ?? 0) + 1,
      beside: await openBeside(paths, record.createdAt),
      pace: createPace(total, state?.elapsedSeconds ?? 0),
      opening: [began(state?.step ?? 0, size, total), ...started.notes, ...(frozen ? [frozen] : []), ...oddities(opened, source, views, samples)],
      batches: state?.batches ?? { sampler: {}, random: namedRandom(config.seed, 'batches').state() },
      best: state?.best ?? null,
      stall: state?.stall ?? NO_STALL,
      queued: state?.queued ?? 0,
      lastSavedStep: state?.step ?? null,
    }
    if (state) await tidy(run, state.step)
    return run
  } catch (error) {
    disposeParams(started.params)
    throw error
  }
}

function mostWords(images: readonly SampleImage[]): number {
  return images.reduce((most, image) => image.regions.reduce((longest, { phrase }) => Math.max(longest, phrase.split(' ').length), most), 1)
}

async function readSamples({ paths, config }: OpenedRun): Promise<Samples> {
  const images = await groupByImage(readManifest(paths.manifest, await readPlaces(paths)))
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

/** The saved state, once it is sure that the run goes on with what it was trained with; null when nothing was saved. */
async function takeUp(
  { paths, record }: OpenedRun, { train, val }: Samples, identity: RunIdentity, optimizer: AdamWState, total: number,
): Promise<LoadedState | null> {
  return loadRunState(paths.states, record.modelConfig, optimizer, async (state) => {
    if (state.step >= total && differences(state.identity, identity).length === 0) return // nothing is left to be computed
    refuseChanges(state.step, [...differences(state.identity, identity), ...(await changedFiles(paths.data, [...train, ...val]))], paths.dir)
  })
}

function refuseEmptyStages(views: readonly ViewStage[], source: BatchSource, place: string): void {
  for (const [i, stage] of views.entries()) {
    if (source.has(poolOfStage(stage, i))) continue
    throw new AppError('bad-input', `No training region is in "${stage.view}", a stage of curriculum.views.`, 'Choose views that have regions of the split "train".', place)
  }
}

function sizeOf({ train }: Samples): TrainingSize {
  return { images: train.length, regions: train.reduce((sum, image) => sum + image.regions.length, 0) }
}

function began(step: number, { images, regions }: TrainingSize, total: number): string {
  return `${step > 0 ? `Resumed after step ${step}` : 'Began'}: ${regions} regions on ${images} images, ${total} steps.`
}

/** What a person may not expect of these settings with these samples. */
function oddities({ config }: OpenedRun, source: BatchSource, views: readonly ViewStage[], { train, val }: Samples): string[] {
  const { batch, curriculum, data, earlyStop } = config
  return [
    ...(val.length === 0 ? ['The dataset has no split "val", so nothing is validated and the last checkpoint counts as the best.'] : []),
    ...(val.length > 0 && earlyStop.metric !== 'off'
      ? [`The run is judged by val.${judgeOf(earlyStop)}: by it one checkpoint counts as the best, and the run ends when it has not risen for ${earlyStop.patience} ${earlyStop.patience === 1 ? 'validation' : 'validations'}.`] : []),
    ...(curriculum.closeUps > 0 && !(source.has('close-ups') && source.has('scenes'))
      ? ['The images are not marked as close-ups and scenes, so every stage of the curriculum sees all of them.'] : []),
    ...(views.length > 0 ? [`Views in turn: ${views.map(({ view, share }) => `${view} for ${Math.round(100 * share)} %`).join(', then ')} of the run.`] : []),
    ...(data.epoch === 'images' && batch.images > train.length ? [`There are only ${train.length} training images, so that is the size of every batch.`] : []),
    ...(data.epoch === 'regions' && batch.phrases > 1 ? ['batch.phrases is not used, as data.epoch counts regions: every sample is one phrase with its image.'] : []),
    ...(batch.accumulate > 1 ? [`Each step adds up the gradients of ${batch.accumulate} batches. ${ACCUMULATION_NOTE}`] : []),
  ]
}

/** What a kill between a saved state and the files that follow from it left undone. */
async function tidy(run: Run, step: number): Promise<void> {
  await writeBest(run)
  await forgetOld(run, step)
}
