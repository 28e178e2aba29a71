/** What a run would be, before anything is written: its settings, its samples, what is wrong with them, and what it would need. */
import { freemem } from 'node:os'
import { readFile, statfs } from 'node:fs/promises'
import type { EngineContext } from '../../engine/context.ts'
import type { ModelConfig } from '../../../shared/config/model-config.ts'
import { type RunConfig, withOverrides } from '../../../shared/config/run-config.ts'
import type { RegionFilter, Run } from '../../../shared/domain.ts'
import { AppError, isAppError } from '../../../shared/errors.ts'
import { requireCheckpoint } from '../../store/checkpoint-rows.ts'
import type { Db } from '../../store/db.ts'
import { filterTables, filterWhere } from '../../store/region-filter.ts'
import { loadModelConfig, loadRunConfig } from '../../train/presets.ts'

export interface RunInput {
  readonly name?: string | undefined
  readonly preset: string
  readonly overrides: Readonly<Record<string, unknown>>
  readonly datasetId: string
  readonly viewId?: string | undefined
  readonly startCheckpointId?: string | undefined
}
export interface Problem {
  readonly key: string
  readonly message: string
  readonly blocking: boolean
}
export interface RunPlan {
  /** Null when a setting cannot be used; problems say which. */
  readonly config: RunConfig | null
  readonly modelConfig: ModelConfig | null
  readonly filter: RegionFilter
  readonly regions: Readonly<Record<string, number>>
  readonly trainImages: number
  readonly totalSteps: number
  readonly problems: readonly Problem[]
}

/** @throws AppError 'not-found' for a dataset, view or checkpoint that is not there; everything else is a problem of the plan */
export async function planRun({ db }: Pick<EngineContext, 'db'>, input: RunInput): Promise<RunPlan> {
  const problems: Problem[] = []
  const filter = filterOf(db, input)
  const { config, modelConfig } = await settings(db, input, problems)
  const regions = Object.fromEntries(
    db.all<{ split: string; n: number }>(
      `SELECT r.split, count(*) AS n FROM ${filterTables(filter)} WHERE ${filterWhere(filter).sql} AND r.box_count > 0 AND r.phrase <> '' GROUP BY r.split`, ...filterWhere(filter).values,
    ).map((row) => [row.split, row.n]),
  )
  const trainImages = db.get<{ n: number }>(
    `SELECT count(DISTINCT r.image_id) AS n FROM ${filterTables(filter)} WHERE ${filterWhere(filter).sql} AND r.box_count > 0 AND r.phrase <> '' AND r.split = 'train'`, ...filterWhere(filter).values,
  )!.n
  if (!regions['train']) {
    problems.push({ key: 'dataset', blocking: true, message: 'No region of the split "train" has a phrase and a box, so there is nothing to train on.' })
  } else if (config && trainImages < config.batch.images) {
    problems.push({ key: 'batch.images', blocking: trainImages < 2, message: `A step wants ${config.batch.images} images, but there are ${trainImages}: every step will use all of them.` })
  }
  if (config && config.batch.images < 2) problems.push({ key: 'batch.images', blocking: true, message: 'With one image a step there is nothing to contrast it with: use at least 2.' })
  if (!regions['val']) problems.push({ key: 'dataset', blocking: false, message: 'There is no region of the split "val": the run cannot be validated, and its last checkpoint counts as the best.' })
  const perEpoch = config ? Math.max(1, Math.floor(trainImages / config.batch.images)) : 1
  const totalSteps = !config ? 0 : config.steps > 0 ? config.steps : Math.max(1, Math.round(config.epochs * perEpoch))
  return { config, modelConfig, filter, regions, trainImages, totalSteps, problems }
}

function filterOf(db: Db, input: RunInput): RegionFilter {
  if (!db.get("SELECT 1 FROM datasets WHERE id = ? AND state = 'ready'", input.datasetId)) throw new AppError('not-found', 'This dataset is not in the project any more.', 'Choose another one.', 'dataset')
  if (!input.viewId) return { datasetId: input.datasetId }
  const view = db.get<{ filter: string }>('SELECT filter FROM views WHERE id = ? AND dataset_id = ?', input.viewId, input.datasetId)
  if (!view) throw new AppError('not-found', 'This view is not there any more.', 'Choose another one.', 'view')
  return JSON.parse(view.filter) as RegionFilter
}

async function settings(db: Db, input: RunInput, problems: Problem[]): Promise<{ config: RunConfig | null; modelConfig: ModelConfig | null }> {
  const preset = await loadRunConfig(input.preset)
  let config: RunConfig | null = null
  try {
    config = withOverrides(preset, input.overrides)
  } catch (error) {
    if (!isAppError(error)) throw error
    problems.push({ key: error.place ?? 'preset', message: `${error.message} ${error.cure}`.trim(), blocking: true })
  }
  try {
    if (input.startCheckpointId) return { config, modelConfig: JSON.parse(requireCheckpoint(db, input.startCheckpointId).model_config) as ModelConfig }
    return { config, modelConfig: config ? await loadModelConfig(config.model) : null }
  } catch (error) {
    if (!isAppError(error)) throw error
    problems.push({ key: input.startCheckpointId ? 'startCheckpointId' : 'model', message: `${error.message} ${error.cure}`.trim(), blocking: true })
    return { config, modelConfig: null }
  }
}

export interface Needs {
  readonly secondsEstimate: number | null
  readonly memoryBytes: number | null
  readonly memoryAvailableBytes: number
  readonly diskBytes: number | null
  readonly diskAvailableBytes: number
}

/** TensorFlow, the addon and the program itself, measured idle. */
const RUNTIME_BYTES = 450e6

export async function estimateNeeds({ db, project }: Pick<EngineContext, 'db' | 'project'>, plan: RunPlan): Promise<Needs> {
  const [available, disk] = await Promise.all([availableBytes(), statfs(project.runsDir)])
  const { config, modelConfig } = plan
  const rest = { memoryAvailableBytes: available, diskAvailableBytes: disk.bavail * disk.bsize }
  if (!config || !modelConfig) return { secondsEstimate: null, memoryBytes: null, diskBytes: null, ...rest }
  const weights = countParameters(modelConfig) * 4
  const copies = modelConfig.momentum === null ? 1 : 2
  const checkpoint = config.save.precision === 'fp16' ? weights / 2 : weights
  return {
    secondsEstimate: secondsFromEarlierRuns(db, plan),
    // Weights, gradients and AdamW's two moments, the activations kept for the two backward passes, decoded images.
    memoryBytes: RUNTIME_BYTES + weights * (3 + copies) + activationBytes(modelConfig, config) + Math.min(1.5e9, plan.trainImages * modelConfig.image.size ** 2 * 3),
    diskBytes: checkpoint * (config.save.keep + 1) + weights * (2 + copies),
    ...rest,
  }
}

/** Time a step of the newest run with the same model and batch took; null when there was none yet. */
function secondsFromEarlierRuns(db: Db, { config, totalSteps }: RunPlan): number | null {
  for (const row of db.all<{ config: string; step: number; elapsed_seconds: number }>('SELECT config, step, elapsed_seconds FROM runs WHERE step >= 20 ORDER BY number DESC LIMIT 50')) {
    const before = JSON.parse(row.config) as Run['config']
    const same = before['model'] === config!.model && before['batch.images'] === config!.batch.images && before['batch.phrases'] === config!.batch.phrases
    if (same && before['loss.amc'] === config!.loss.amc) return (row.elapsed_seconds / row.step) * totalSteps
  }
  return null
}

/** Parameters of a transformer of these sizes, within a percent: the attention and MLP matrices, cross-attention, embeddings. */
export function countParameters({ image, text, embed_dim }: ModelConfig): number {
  const block = (width: number, hidden: number): number => 4 * width * width + 2 * width * hidden + 9 * width + hidden
  const vision = image.depth * block(image.width, image.width * image.mlp_ratio) + ((image.size / image.patch) ** 2 + 1 + 3 * image.patch ** 2) * image.width
  const cross = (text.layers - text.fusion_layer) * (2 * text.width * text.width + 2 * image.width * text.width)
  const words = (text.vocab_size + text.max_positions) * text.width
  const heads = text.width * text.width + text.vocab_size + embed_dim * (text.width + image.width)
  return Math.round(vision + text.layers * block(text.width, text.intermediate) + cross + words + heads)
}

/** About 34 values a token and unit of width live until the backward pass (Korthikanti et al. 2022, eq. 1), and the attention maps; twice for the gradient's gradient. */
function activationBytes({ image, text, max_tokens }: ModelConfig, { batch, loss }: RunConfig): number {
  const cells = (image.size / image.patch) ** 2 + 1
  const vision = batch.images * cells * image.depth * (34 * image.width + 5 * image.heads * cells)
  // Matched pairs, hard negative texts and images, masked words: five passes through the text or fusion layers.
  const texts = batch.images * batch.phrases * 5
  const language = texts * max_tokens * text.layers * (34 * text.width + 5 * text.heads * (max_tokens + cells))
  return (vision + language) * (loss.amc > 0 ? 2 : 1) * 2
}

async function availableBytes(): Promise<number> {
  const kilobytes = /^MemAvailable:\s+(\d+)/m.exec(await readFile('/proc/meminfo', 'utf8').catch(() => ''))?.[1]
  return kilobytes ? Number(kilobytes) * 1024 : freemem()
}
