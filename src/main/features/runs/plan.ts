/** What a run would be, before anything is written: its settings, its samples, what is wrong with them, and what it would need. */
import { totalmem } from 'node:os'
import { statfs } from 'node:fs/promises'
import type { EngineContext } from '../../engine/context.ts'
import { changedModel } from '../../../shared/config/change-model.ts'
import type { ModelConfig } from '../../../shared/config/model-config.ts'
import { type RunConfig, withOverrides } from '../../../shared/config/run-config.ts'
import { type RegionFilter, regionStatusSchema, type Run } from '../../../shared/domain.ts'
import { AppError, isAppError } from '../../../shared/errors.ts'
import { frozenNames } from '../../model/freeze.ts'
import { availableMemory, memoryProblem, parameterCount, runMemory, tokensOfWords, type MemoryNeeds } from '../../model/memory.ts'
import { requireCheckpoint } from '../../store/checkpoint-rows.ts'
import type { Db } from '../../store/db.ts'
import { filterTables, filterWhere } from '../../store/region-filter.ts'
import { totalSteps } from '../../train/curriculum.ts'
import { loadModelConfig, loadRunConfig } from '../../train/presets.ts'
import { stageFilters } from './view-stages.ts'

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
  /** Filters of the stages of curriculum.views, in order; empty without it. Null: everything. */
  readonly stages: readonly (RegionFilter | null)[]
  readonly regions: Readonly<Record<string, number>>
  readonly trainImages: number
  readonly totalSteps: number
  readonly problems: readonly Problem[]
}

/** @throws AppError 'not-found' for a dataset, view or checkpoint that is not there; everything else is a problem of the plan */
export async function planRun({ db }: Pick<EngineContext, 'db'>, input: RunInput): Promise<RunPlan> {
  const problems: Problem[] = []
  const asked = filterOf(db, input)
  const { config, modelConfig } = await settings(db, input, problems)
  const filter = config?.data.includeRejected ? asked : withoutRejected(asked)
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
  const stages = config ? stagesOf(db, input.datasetId, config, filter, problems) : []
  return { config, modelConfig, filter, stages, regions, trainImages, totalSteps: config ? totalSteps(config, { images: trainImages, regions: regions['train'] ?? 0 }) : 0, problems }
}

function stagesOf(db: Db, datasetId: string, config: RunConfig, run: RegionFilter, problems: Problem[]): readonly (RegionFilter | null)[] {
  try {
    return stageFilters(db, datasetId, config.curriculum.views, run)
  } catch (error) {
    if (!isAppError(error)) throw error
    problems.push({ key: 'curriculum.views', message: `${error.message} ${error.cure}`.trim(), blocking: true })
    return []
  }
}

/** What somebody rejected is wrong: it is neither trained nor validated on, unless a view asks for it by name. */
function withoutRejected(filter: RegionFilter): RegionFilter {
  return filter.statuses?.length ? filter : { ...filter, statuses: regionStatusSchema.options.filter((status) => status !== 'rejected') }
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
    const start = input.startCheckpointId ? (JSON.parse(requireCheckpoint(db, input.startCheckpointId).model_config) as ModelConfig) : null
    if (!config) return { config, modelConfig: start }
    const modelConfig = changedModel(start ?? (await loadModelConfig(config.model)), config)
    frozenNames(modelConfig, config.freeze) // refuses what names nothing
    return { config, modelConfig }
  } catch (error) {
    if (!isAppError(error)) throw error
    const isSetting = error.place === 'freeze' || error.place?.startsWith('adapt.')
    problems.push({ key: isSetting ? error.place! : input.startCheckpointId ? 'startCheckpointId' : 'model', message: `${error.message} ${error.cure}`.trim(), blocking: true })
    return { config, modelConfig: null }
  }
}

export interface Needs {
  readonly secondsEstimate: number | null
  readonly memoryBytes: number | null
  /** With the numbers; null when it fits. */
  readonly memoryProblem: Problem | null
  readonly memoryAvailableBytes: number
  readonly diskBytes: number | null
  readonly diskAvailableBytes: number
}

export async function estimateNeeds({ db, project }: Pick<EngineContext, 'db' | 'project'>, plan: RunPlan): Promise<Needs> {
  const disk = await statfs(project.runsDir)
  const available = availableMemory()
  const { config, modelConfig } = plan
  const rest = { memoryAvailableBytes: available, diskAvailableBytes: disk.bavail * disk.bsize }
  if (!config || !modelConfig) return { secondsEstimate: null, memoryBytes: null, memoryProblem: null, diskBytes: null, ...rest }
  const weights = parameterCount(modelConfig) * 4
  const memory = runMemory(modelConfig, config, { trainImages: plan.trainImages, tokens: longestPhrase(db, plan) })
  const copies = modelConfig.momentum === null ? 1 : 2
  const checkpoint = config.save.precision === 'fp16' ? weights / 2 : weights
  return {
    secondsEstimate: secondsFromEarlierRuns(db, plan),
    memoryBytes: memory.total,
    memoryProblem: tightMemory(db, memory, available, config),
    // Checkpoints, two saved states and a third while it is written.
    diskBytes: checkpoint * (config.save.keep + 1) + 3 * weights * (2 + copies),
    ...rest,
  }
}

/** A run that never fits, or not now that nothing else trains, must not start; one that waits for others may fit when its turn comes. */
function tightMemory(db: Db, memory: MemoryNeeds, available: number, config: RunConfig): Problem | null {
  const problem = memoryProblem(memory, available, config)
  if (!problem) return null
  const busy = db.get("SELECT 1 FROM runs WHERE state IN ('waiting', 'starting', 'training', 'pausing', 'stopping')") !== undefined
  const never = memory.total > Math.min(process.constrainedMemory() || Infinity, totalmem())
  return { key: problem.key, message: `${problem.message} ${problem.cure}`, blocking: config.memory.check && (never || !busy) }
}

/** Word pieces of the longest phrase. */
function longestPhrase(db: Db, { filter }: RunPlan): number {
  const where = filterWhere(filter)
  const { words } = db.get<{ words: number | null }>(
    `SELECT max(length(r.phrase) - length(replace(r.phrase, ' ', ''))) + 1 AS words FROM ${filterTables(filter)} WHERE ${where.sql} AND r.box_count > 0 AND r.split = 'train'`, ...where.values,
  )!
  return tokensOfWords(words ?? 1)
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
