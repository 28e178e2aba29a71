/** Evaluates one checkpoint or a folder of them: what is there already is taken, what fails does not stop the others. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { parseModelConfig, type ModelConfig } from '../../shared/config/model-config.ts'
import { AppError, toErrorData, type ErrorData } from '../../shared/errors.ts'
import { requireHeatmapMemory } from '../model/memory.ts'
import { disposeParams } from '../model/params.ts'
import { loadModel, openCheckpoint, type LoadedModel } from '../train/model-files.ts'
import { layerOf, type HeatExplainer } from './explainers.ts'
import type { ImagePreparation } from './images.ts'
import { METRICS } from './metrics.ts'
import { keptResult, resultPath, fingerprintOf, writeLogLine, writeResult, type EvaluationResult, type ResultSettings } from './results.ts'
import { DETECTOR_PUBLISHED, DETECTOR_TITLES, evaluateSamples, IMAGES_TOGETHER, publishedResult, summarize, type EvaluationInput } from './run.ts'
import type { Benchmark, SampleResult } from './types.ts'

/** Which number is called the benchmark's result. */
export type MainMetric = 'pointing' | typeof DETECTOR_PUBLISHED

/** What is evaluated, whatever the checkpoint. */
export interface Task {
  readonly name: string
  readonly title: string
  readonly main: MainMetric
  readonly benchmark: Benchmark & { readonly imagesDir: string; readonly files: EvaluationResult['files'] }
  readonly keyOf: (split: string) => string | null
  readonly fixedKeys: readonly string[]
  readonly explainer: HeatExplainer
  readonly layer: number | undefined
  /** Side of the published models' image; null: always the model's own. */
  readonly publishedSize: number | null
  /** Asked for instead. */
  readonly imageSize: number | undefined
  readonly resize: ImagePreparation['resize']
  readonly orientation: ImagePreparation['orientation']
  readonly maxWords: number
  /** 'model': cut where the model's own setting says; 'all': only where its positions end, as published. */
  readonly tokens: 'model' | 'all'
  readonly detectorAlpha: number
  readonly splits: readonly string[] | null
  /** Also deletion and insertion curves. */
  readonly curves: boolean
}

export interface EvaluateOptions {
  readonly task: Task
  /** Name of configs/model or a YAML file, for checkpoints that do not tell their sizes. */
  readonly modelConfig: string | undefined
  readonly outDir: string
  readonly signal?: AbortSignal
  readonly onProgress?: (checkpoint: string, done: number, total: number) => void
  readonly note?: (text: string) => void
  /** For keeping heatmaps and scores elsewhere too; asked once for each checkpoint that is computed. */
  readonly keeper?: (checkpointPath: string, settings: ResultSettings, model: LoadedModel) => HeatKeeper | null
}

export interface HeatKeeper extends Pick<EvaluationInput, 'known' | 'onHeat'> {
  /** After the last heatmap. */
  readonly finish: () => void
}

export interface CheckpointOutcome {
  readonly checkpoint: string
  /** The result's file; absent when it failed. */
  readonly file?: string
  readonly result?: EvaluationResult
  /** False when the result was there already. */
  readonly computed: boolean
  readonly error?: ErrorData
}

/** A file, or the checkpoints of a folder in the order of their names. @throws AppError 'not-found' */
export async function checkpointsOf(path: string): Promise<string[]> {
  const info = await stat(path).catch(() => null)
  if (info?.isFile()) return [path]
  if (!info) throw new AppError('not-found', `There is no checkpoint ${path}.`, 'Check the path.', path)
  const names = (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isFile() && ['.pth', '.pt', '.safetensors'].includes(extname(entry.name)))
  if (names.length === 0) throw new AppError('not-found', `The folder ${path} holds no checkpoints (.pth, .safetensors).`, 'Name the folder that holds them.', path)
  return names.map(({ name }) => join(path, name)).sort()
}

/** @throws AppError 'cancelled'; another error only when there is a single checkpoint */
export async function evaluateCheckpoints(paths: readonly string[], options: EvaluateOptions): Promise<CheckpointOutcome[]> {
  await mkdir(options.outDir, { recursive: true })
  requireImages(options.task)
  const outcomes: CheckpointOutcome[] = []
  for (const path of paths) {
    try {
      outcomes.push(await evaluateCheckpoint(path, options))
    } catch (error) {
      const data = toErrorData(error)
      if (paths.length === 1 || data.code === 'cancelled' || data.code === 'disk-full' || data.code === 'usage') throw error
      options.note?.(`${basename(path)}: ${data.message}`)
      outcomes.push({ checkpoint: basename(path), computed: false, error: data })
    }
  }
  return outcomes
}

/** A benchmark without a single image is a wrong folder, not a result of 0 %. */
function requireImages({ benchmark, title }: Task): void {
  const images = new Set(benchmark.samples.map(({ image }) => image.path))
  for (const path of images) if (existsSync(path)) return
  throw new AppError('not-found', `None of the ${images.size} images of ${title} is in ${benchmark.imagesDir}.`, 'Name their folder with --images.', images.values().next().value)
}

async function evaluateCheckpoint(path: string, options: EvaluateOptions): Promise<CheckpointOutcome> {
  const { task, outDir, signal, note } = options
  const name = basename(path)
  const config = await configFor(path, options)
  const layer = layerOf(task.explainer, config, task.layer)
  const settings = settingsOf(task, config, layer)
  const file = resultPath(outDir, path, settings)
  const fingerprint = await fingerprintOf(path)
  const { result: kept, why } = await keptResult(file, fingerprint, settings)
  if (kept) {
    note?.(`${name}: the result is there`)
    return { checkpoint: name, file, result: kept, computed: false }
  }
  if (why) note?.(`${name}: computed again, because ${why}`)
  const began = performance.now()
  requireHeatmapMemory(config, { images: Math.min(IMAGES_TOGETHER, task.benchmark.samples.length), phrases: Math.min(task.explainer.together, task.benchmark.samples.length) })
  const model = await loadModel(path, config)
  try {
    const images: ImagePreparation = { side: config.image.size, resize: task.resize, orientation: task.orientation }
    const keeper = options.keeper?.(path, settings, model)
    const { results, notes } = await evaluateSamples({
      model, samples: task.benchmark.samples,
      settings: { explainer: task.explainer, layer, maxWords: task.maxWords, maxTokens: settings.maxTokens, images, detectorAlpha: task.detectorAlpha, curves: task.curves },
      // A heatmap that is there is not enough for the curves.
      known: task.curves ? undefined : keeper?.known, onHeat: keeper?.onHeat,
      ...(signal ? { signal } : {}),
      onProgress: (done, total) => options.onProgress?.(name, done, total),
    })
    keeper?.finish()
    const result: EvaluationResult = {
      format: 'amc-evaluation', version: 1, title: task.title, checkpoint: { name, fingerprint, model: config.name }, settings, files: task.benchmark.files,
      ...figuresOf(task, results),
      unreadable: unreadableOf(results),
      notes: [...task.benchmark.notes, ...model.report.notes, ...notes],
      seconds: (performance.now() - began) / 1000, finishedAt: new Date().toISOString(), samples: results,
    }
    await writeResult(file, result)
    await writeLogLine(outDir, result)
    return { checkpoint: name, file, result, computed: true }
  } finally {
    disposeParams(model.params)
  }
}

/** The model's sizes with the image size of the evaluation: position embeddings are interpolated on loading. */
async function configFor(path: string, { task, modelConfig }: EvaluateOptions): Promise<ModelConfig> {
  const { file, config } = await openCheckpoint(path, modelConfig)
  file.close()
  const own = config.image.size
  // Small models were never meant for the published size; they get what they were trained with.
  const size = task.imageSize ?? (task.publishedSize !== null && own >= SMALLEST_PUBLISHED_PX ? task.publishedSize : own)
  // Momentum copies and queues are for training: without them a model takes half the memory.
  const needed = { ...config, momentum: null, queue_size: 0 }
  if (size === own) return needed
  if (size % config.image.patch !== 0) throw new AppError('usage', `Images of ${size} px cannot be cut into patches of ${config.image.patch} px.`, 'Choose a multiple with --image-size.', 'image-size')
  return parseModelConfig({ ...needed, image: { ...config.image, size } }, path)
}

const SMALLEST_PUBLISHED_PX = 224

function settingsOf(task: Task, config: ModelConfig, layer: number): ResultSettings {
  const hasDetections = task.benchmark.samples.some(({ detections }) => detections)
  const data = createHash('sha256').update(JSON.stringify([task.benchmark.files, task.benchmark.samples.length]))
  for (const sample of task.benchmark.samples) data.update(JSON.stringify([sample.id, sample.image.key, sample.phrase, sample.boxes, sample.split, ...(sample.outlines ? [sample.outlines] : [])]))
  return {
    protocol: task.name, main: task.main, mode: task.explainer.name, layer, imageSize: config.image.size, resize: task.resize, maxWords: task.maxWords,
    maxTokens: task.tokens === 'model' ? config.max_tokens : config.text.max_positions, detectorAlpha: hasDetections ? task.detectorAlpha : null, data: data.digest('hex'), splits: task.splits, ...(task.curves ? { curves: true } : {}),
  }
}

function figuresOf({ keyOf, fixedKeys, main }: Task, results: readonly SampleResult[]): Pick<EvaluationResult, 'published' | 'publishedDetections' | 'splits' | 'metrics'> {
  const hasDetections = results.some(({ detection }) => detection)
  const titles = Object.fromEntries(METRICS.map(({ key, title }) => [key, title]))
  const bySplit = Map.groupBy(results, ({ split }) => split)
  return {
    published: publishedResult(results, keyOf, fixedKeys, main),
    ...(hasDetections ? { publishedDetections: publishedResult(results, keyOf, fixedKeys, DETECTOR_PUBLISHED) } : {}),
    splits: [...bySplit].map(([split, members]) => summarize(split, members)),
    metrics: hasDetections ? { ...titles, ...DETECTOR_TITLES } : titles,
  }
}

function unreadableOf(results: readonly SampleResult[]): EvaluationResult['unreadable'] {
  const failed = Map.groupBy(results.filter(({ error }) => error !== undefined), ({ image, error }) => `${image}\n${error}`)
  return [...failed.values()].map((members) => ({ image: members[0]!.image, reason: members[0]!.error!, samples: members.length }))
}
