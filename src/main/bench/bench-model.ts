/**
 * What a model of given sizes costs on this machine: made with random weights, explained once, trained a few steps, saved. Time and
 * highest memory of each, beside what was predicted. Nothing is read but the settings; what is written is removed.
 */
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peakBytes, resetPeak } from './high-water.ts'
import { gridSide, type ModelConfig } from '../../shared/config/model-config.ts'
import { flattenConfig, type RunConfig } from '../../shared/config/run-config.ts'
import { accumulatedGradients } from '../model/accumulate.ts'
import { encodeImages, explainHeatmaps } from '../model/explain.ts'
import { freezeParameters } from '../model/freeze.ts'
import { explainMemory, parameterCount, runMemory, type MemoryNeeds } from '../model/memory.ts'
import { createParams, disposeParams } from '../model/params.ts'
import { createRandom, type RandomSource } from '../model/random.ts'
import type { ModelParams, StepOptions, TokenBatch, TrainBatch } from '../model/types.ts'
import { saveCheckpoint } from '../train/model-files.ts'
import { applyAdamW, createAdamW, disposeAdamW } from '../train/optimizer.ts'
import { saveRunState } from '../train/run-state.ts'

export interface BenchInput {
  /** With the run's changes in it (changedModel). */
  readonly model: ModelConfig
  readonly config: RunConfig
  /** Word pieces of every phrase. */
  readonly tokens: number
  readonly steps: number
  readonly onPhase?: (phase: BenchPhase) => void
}

export interface BenchPhase {
  readonly phase: 'make' | 'explain' | 'step' | 'save'
  readonly seconds: number
  /** Highest resident memory of the process during the phase; of the whole life so far where the system does not tell. */
  readonly peakBytes: number
  /** Null where nothing is predicted. */
  readonly predictedBytes: number | null
  readonly note: string
}

/** As in BERT's vocabulary, or the last words of a smaller one. */
const specialOf = ({ text }: ModelConfig) => ({ pad: 0, cls: Math.min(101, text.vocab_size - 2), mask: Math.min(103, text.vocab_size - 1) })

export async function benchModel(input: BenchInput): Promise<{ parameters: number; needs: MemoryNeeds; phases: BenchPhase[] }> {
  const { model, config, tokens, steps } = input
  const needs = runMemory(model, config, { trainImages: config.batch.images * config.batch.accumulate, tokens })
  const phases: BenchPhase[] = []
  const measure = async <T>(phase: BenchPhase['phase'], predictedBytes: number | null, work: () => T | Promise<T>, note: (result: T) => string): Promise<T> => {
    resetPeak()
    const began = performance.now()
    const result = await work()
    const done = { phase, seconds: (performance.now() - began) / 1000, peakBytes: peakBytes(), predictedBytes, note: note(result) }
    phases.push(done)
    input.onPhase?.(done)
    return result
  }
  const random = createRandom(1)
  const params = await measure('make', null, () => createParams(model, config.seed), () => 'random weights')
  const optimizer = createAdamW(config.optimizer)
  try {
    freezeParameters(params, config.freeze)
    await measure('explain', explainMemory(model).total + needs.queues, () => explainOne(params, tokens, random), (cells) => `a heatmap of ${cells} cells`)
    for (let step = 1; step <= steps; step++) {
      await measure('step', needs.total, () => {
        const batches = Array.from({ length: config.batch.accumulate }, () => randomBatch(model, config.batch.images, config.batch.phrases, tokens, random))
        const { total, gradients } = accumulatedGradients(params, batches, optionsOf(model, config), { random })
        applyAdamW(optimizer, params, gradients, { learningRate: config.optimizer.learningRate, clipNorm: config.optimizer.clipNorm || null })
        return total
      }, (total) => `loss ${total.toFixed(3)}`)
    }
    await measure('save', needs.total, () => saveAll(params, optimizer, config), (bytes) => `${(bytes / 1e9).toFixed(2)} GB written: checkpoint and state`)
  } finally {
    disposeParams(params)
    disposeAdamW(optimizer)
  }
  return { parameters: parameterCount(model), needs, phases }
}

function optionsOf(model: ModelConfig, { loss, memory, curriculum }: RunConfig): StepOptions {
  return {
    specialTokens: specialOf(model), alpha: model.momentum === null ? 0 : loss.distillation, mlmDistillAxis: loss.mlmDistillAxis,
    itm: loss.itm, mlm: loss.mlm, amc: loss.amc > 0, hardNegatives: curriculum.hardNegatives,
    amcWeight: loss.amc, amcMeanWeight: loss.amcMean, amcMaxWeight: loss.amcMax, amcMeanMargin: loss.meanMargin, amcMaxMargin: loss.maxMargin,
    recompute: memory.recompute,
  }
}

function explainOne(params: ModelParams, tokens: number, random: RandomSource): number {
  const { config } = params
  const features = encodeImages(params, randomPixels(config, 1, random))
  try {
    explainHeatmaps(params, { features, text: randomText(config, 1, tokens, random), padId: specialOf(config).pad })
    return gridSide(config) ** 2
  } finally {
    features.dispose()
  }
}

function randomPixels({ image }: ModelConfig, images: number, random: RandomSource): Float32Array {
  return Float32Array.from({ length: images * 3 * image.size ** 2 }, () => 2 * random.next() - 1)
}

function randomText(model: ModelConfig, count: number, length: number, random: RandomSource): TokenBatch {
  const { cls } = specialOf(model)
  const ids = Int32Array.from({ length: count * length }, (_, at) => (at % length === 0 ? cls : 1 + random.below(model.text.vocab_size - 1)))
  return { ids, mask: new Int32Array(count * length).fill(1), count, length }
}

/** Random pixels and words; every region is the left upper quarter. */
function randomBatch(model: ModelConfig, images: number, phrases: number, tokens: number, random: RandomSource): TrainBatch {
  const [count, side] = [images * phrases, model.mask_size]
  const mask = Float32Array.from({ length: side * side }, (_, at) => (at % side < side / 2 && at < (side * side) / 2 ? 1 : 0))
  const regionMasks = new Float32Array(count * side * side)
  for (let n = 0; n < count; n++) regionMasks.set(mask, n * side * side)
  return {
    images: randomPixels(model, images, random), imageCount: images, phrasesPerImage: phrases,
    text: randomText(model, count, tokens, random), regionMasks, hasRegion: new Uint8Array(count).fill(1),
  }
}

async function saveAll(params: ModelParams, optimizer: ReturnType<typeof createAdamW>, config: RunConfig): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'amc-bench-'))
  try {
    const checkpoint = join(folder, 'checkpoint.safetensors')
    await saveCheckpoint(checkpoint, params, { step: 1, metrics: {} }, config.save.precision)
    const { size } = await stat(checkpoint)
    await rm(checkpoint)
    const states = join(folder, 'states')
    await mkdir(states)
    const identity = { settings: flattenConfig(config), model: {}, manifest: '' }
    saveRunState(states, params, optimizer, { step: 1, elapsedSeconds: 0, batches: { sampler: {}, random: [] }, choices: [], best: null, identity })
    return size + (await folderBytes(states))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function folderBytes(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
