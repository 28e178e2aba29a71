/**
 * The memory a run or an explanation will need, from sizes and options alone, before anything is allocated. docs/results-full-size.md
 * compares these predictions with what was measured.
 */
import type { ModelConfig } from '../../shared/config/model-config.ts'
import type { RunConfig } from '../../shared/config/run-config.ts'
import { AppError } from '../../shared/errors.ts'
import { frozenNames } from './freeze.ts'
import { encodePeakValues, stepPeakValues } from './memory-walk.ts'
import { momentumName, parameterSpecs } from './params.ts'

const FLOAT_BYTES = 4
/** The program, TensorFlow and its addon before a model is made. */
const RUNTIME_BYTES = 450e6
/** What allocators lose between blocks when heatmaps are made. */
const SLACK = 1.06
/** Share lost in training, where moments and gradients lie between large blocks that come and go, beyond what small ones fill; measured over seven sizes (docs/results-full-size.md). */
const TRAINING_LOSS = 0.35
const FILLED_BYTES = 0.5e9
/** TensorFlow's own buffers over what the walk finds, measured likewise. */
const BEYOND_WALK = 1.17
/** Values on the host while they are written one tensor at a time, until they are collected. */
const SAVING_BYTES = 400e6

/** Bytes by what they are for. Step and saving are not there at the same time. */
export interface MemoryNeeds {
  readonly runtime: number
  readonly weights: number
  readonly momentumCopy: number
  readonly queues: number
  readonly optimizer: number
  readonly images: number
  readonly step: number
  readonly saving: number
  /** The most there will be at one time. */
  readonly total: number
}

export interface RunSizes {
  readonly trainImages: number
  /** Word pieces of the longest phrase; the model's limit when not known. */
  readonly tokens?: number
}

/** Word pieces of a phrase of so many words, about, [CLS] included: a word is one or two. */
export const tokensOfWords = (words: number): number => 2 + Math.ceil(words * 1.2)

export function parameterCount(model: ModelConfig): number {
  return parameterSpecs(model).reduce((sum, { shape }) => sum + valuesOf(shape), 0)
}

const valuesOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1)

function modelBytes(model: ModelConfig) {
  const copied = parameterSpecs(model).filter(({ name }) => momentumName(name) !== null)
  return {
    weights: parameterCount(model) * FLOAT_BYTES,
    momentumCopy: model.momentum === null ? 0 : copied.reduce((sum, { shape }) => sum + valuesOf(shape), 0) * FLOAT_BYTES,
    queues: 2 * model.embed_dim * model.queue_size * FLOAT_BYTES,
  }
}

/** Decoded images that training keeps: see the caches of the run. */
export const TRAIN_CACHE_BYTES = 1.5e9

/** @param model with the run's own changes (changedModel) already in it. */
export function runMemory(model: ModelConfig, config: RunConfig, { trainImages, tokens = model.max_tokens }: RunSizes): MemoryNeeds {
  const { loss, batch } = config
  const frozen = frozenNames(model, config.freeze)
  const learning = parameterSpecs(model).filter(({ name }) => !frozen.has(name)).reduce((sum, { shape }) => sum + valuesOf(shape), 0) * FLOAT_BYTES
  const { weights, momentumCopy, queues } = modelBytes(model)
  const images = Math.min(batch.images, Math.max(1, trainImages))
  const peak = stepPeakValues({
    model, images, phrases: batch.phrases, tokens: Math.min(tokens, model.max_tokens),
    itm: loss.itm, mlm: loss.mlm, amc: loss.amc > 0,
    distilled: model.momentum !== null && loss.distillation > 0, mlmDistillAxis: loss.mlmDistillAxis,
    recompute: config.memory.recompute, frozen,
  })
  // The batch under way and the next one: pixels and region masks; twice, on the host and as tensors.
  const batchBytes = 3 * batch.accumulate * images * FLOAT_BYTES * (3 * model.image.size ** 2 + batch.phrases * model.mask_size ** 2)
  const step = BEYOND_WALK * peak * FLOAT_BYTES + batchBytes + (batch.accumulate > 1 ? learning : 0)
  const optimizer = 2 * learning
  const saving = Math.min(SAVING_BYTES, weights + momentumCopy + queues + optimizer)
  const cached = trainImages * model.image.size ** 2 * 3
  const pictures = Math.min(TRAIN_CACHE_BYTES, cached)
  const kept = weights + momentumCopy + queues + optimizer
  const most = kept + Math.max(step, saving)
  const total = RUNTIME_BYTES + pictures + most + TRAINING_LOSS * Math.max(0, most - FILLED_BYTES)
  return { runtime: RUNTIME_BYTES, weights, momentumCopy, queues, optimizer, images: pictures, step, saving, total }
}

/** Encoding images and explaining phrases on them. The momentum copy and queues of a checkpoint are not needed for it. */
export function explainMemory(model: ModelConfig, images = 1, phrases = 1): MemoryNeeds {
  const { weights } = modelBytes(model)
  const step = encodePeakValues(model, images, phrases) * FLOAT_BYTES
  // TensorFlow takes values over when they are first used; the host's copies stay until they are collected.
  const total = RUNTIME_BYTES + weights + SLACK * (weights + step)
  return { runtime: RUNTIME_BYTES, weights, momentumCopy: 0, queues: 0, optimizer: 0, images: 0, step, saving: 0, total }
}

export interface HeatmapBatch {
  readonly images: number
  /** Of all of them together. */
  readonly phrases: number
}

/**
 * Before the weights of a model are read: do they and a batch of heatmaps fit?
 * @throws AppError 'conflict' with the numbers when they do not
 */
export function requireHeatmapMemory(model: ModelConfig, { images, phrases }: HeatmapBatch): void {
  // The program that asks is in memory already.
  const { runtime, ...needs } = explainMemory(model, images, phrases)
  requireMemory({ ...needs, runtime: 0, total: needs.total - runtime }, availableMemory())
}

/** The most phrases, halved from `most` down to one, that are explained together in the memory that is free. @throws as requireHeatmapMemory when not even one is */
export function phrasesThatFit(model: ModelConfig, most: number): number {
  const available = availableMemory()
  const fits = (count: number): boolean => {
    const { total, runtime } = explainMemory(model, count, count)
    return total - runtime <= available
  }
  let count = most
  while (count > 1 && !fits(count)) count = Math.floor(count / 2)
  if (count === 1) requireHeatmapMemory(model, { images: 1, phrases: 1 })
  return count
}

/** Bytes this process may still take: what the system has left, or the limit of its container where that is less. */
export function availableMemory(): number {
  return process.availableMemory()
}

const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

/** In words, with the numbers and what would help; null when it fits. */
export function memoryProblem(needs: MemoryNeeds, available: number, config?: RunConfig): { message: string; cure: string; key: string } | null {
  if (needs.total <= available) return null
  const parts = ([
    ['weights', needs.weights], ['momentum copy', needs.momentumCopy], ['queues', needs.queues], ['optimizer', needs.optimizer],
    ['images in memory', needs.images], [needs.saving > needs.step ? 'saving' : 'the step itself', Math.max(needs.saving, needs.step)],
  ] as const).filter(([, bytes]) => bytes >= 5e7)
  const message = `This needs about ${gb(needs.total)} of memory and ${gb(available)} are free: ${parts.map(([name, bytes]) => `${name} ${gb(bytes)}`).join(', ')}.`
  return { message, cure: cureFor(needs, config), key: config && config.batch.images > 2 ? 'batch.images' : 'memory.recompute' }
}

function cureFor(needs: MemoryNeeds, config?: RunConfig): string {
  if (!config) return 'Close other programs, or use a smaller model.'
  const ways = [
    ...(needs.step > needs.saving && !config.memory.recompute ? ['set memory.recompute'] : []),
    ...(needs.step > needs.saving && config.batch.images > 2 ? ['use fewer images a step (batch.accumulate makes up for it)'] : []),
    ...(needs.momentumCopy > 0 ? ['train without the momentum copy (adapt.momentum = off)'] : []),
    'freeze parts',
    'close other programs',
  ]
  const text = ways.join(', or ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}. memory.check = false starts it all the same.`
}

/** @throws AppError 'conflict' with the numbers when it does not fit. */
export function requireMemory(needs: MemoryNeeds, available: number, config?: RunConfig): void {
  const problem = memoryProblem(needs, available, config)
  if (problem) throw new AppError('conflict', problem.message, problem.cure, problem.key)
}
