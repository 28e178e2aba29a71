/** A dataset of a project, or a saved view of it, as something to evaluate; heatmaps and scores are kept in the project. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import type { Dataset, RegionFilter, View } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import type { EngineCore } from '../engine/engine.ts'
import { preCaption } from '../model/pre-caption.ts'
import { requireCheckpoint } from '../store/checkpoint-rows.ts'
import { findHeat, gridOf, putScores, scoreRegionsOfHeat, storeHeat } from '../store/heat-rows.ts'
import { manifestSamples } from '../store/manifest-rows.ts'
import type { LoadedModel } from '../train/model-files.ts'
import { fingerprintOf, type ResultSettings } from './results.ts'
import type { HeatKeeper, Task } from './evaluate.ts'
import type { EvalSample } from './types.ts'

export interface ViewInput {
  readonly dataset: Dataset
  readonly view: View | null
  readonly splits: readonly string[]
}

/** @throws AppError 'bad-input' when nothing in it can be evaluated */
export function viewBenchmark({ context }: EngineCore, { dataset, view, splits }: ViewInput): Task['benchmark'] & { readonly revisions: ReadonlyMap<string, number> } {
  const { db, project } = context
  const filter: RegionFilter = { ...(view?.filter ?? { datasetId: dataset.id }), ...(splits.length > 0 ? { splits: [...splits] } : {}) }
  const revisions = new Map<string, number>()
  const samples: EvalSample[] = []
  for (const row of manifestSamples(db, filter, (stored) => project.fromStored(stored))) {
    revisions.set(row.regionId, row.revision)
    const image = { key: row.imageId, path: row.imagePath, size: { width: row.width, height: row.height } }
    samples.push({ id: row.regionId, image, phrase: row.phrase, boxes: row.boxes, split: row.split, ...(row.outlines ? { outlines: row.outlines } : {}) })
  }
  if (samples.length === 0) throw new AppError('bad-input', `${view ? `The view ${view.name}` : `The dataset ${dataset.name}`} has no region with a phrase and a box${splits.length > 0 ? ` in ${splits.join(', ')}` : ''}.`, 'Choose another view or split.')
  return { samples, revisions, notes: [], files: [], imagesDir: dataset.name }
}

/**
 * The project's checkpoint for what was named: an id, a name, or a file, which is taken into the project the first time.
 * @returns the path of the project's own file and the checkpoint's id
 */
export async function projectCheckpoint({ context, handlers }: EngineCore, wanted: string, modelConfig: string | undefined, note: (text: string) => void): Promise<{ path: string; id: string }> {
  const { db, project } = context
  const row = (id: string) => ({ id, path: project.fromStored(requireCheckpoint(db, id).path) })
  const known = await handlers.checkpoints.list({})
  const named = known.filter((one) => one.id === wanted || one.name === wanted)
  if (named.length === 1) return row(named[0]!.id)
  if (named.length > 1) throw new AppError('usage', `${named.length} checkpoints are called ${wanted}.`, `Name one by its id: ${named.map(({ id }) => id).join(', ')}.`)
  if (!existsSync(wanted)) throw new AppError('not-found', `The project has no checkpoint ${wanted}, and there is no such file.`, known.length > 0 ? `There are ${known.map(({ name }) => name).join(', ')}.` : '')
  const byPath = known.find(({ id }) => row(id).path === wanted)
  if (byPath) return row(byPath.id)
  const fingerprint = await fingerprintOf(wanted)
  const list = join(project.cacheDir, IMPORTED)
  const imported = readImported(list)
  const before = imported[fingerprint]
  if (before !== undefined && known.some(({ id }) => id === before)) return row(before)
  note(`Importing ${basename(wanted)} into the project`)
  const { checkpoint } = await handlers.checkpoints.import({ path: wanted, name: basename(wanted, extname(wanted)), ...(modelConfig ? { modelConfig } : {}) })
  writeFileSync(list, JSON.stringify({ ...imported, [fingerprint]: checkpoint.id }))
  return row(checkpoint.id)
}

/** Which files were taken into the project, so that evaluating a folder again does not copy it again. A cache: it may go. */
const IMPORTED = 'evaluated-checkpoints.json'

function readImported(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
  } catch {
    return {}
  }
}

const HEATS_AT_ONCE = 64

/**
 * Keeps heatmaps and scores where the screens find them, and takes the heatmaps that are there. Only for the heatmaps the screens
 * show: cross-attention of the model's own layer and image size. Null otherwise.
 */
export function projectKeeper(
  { context }: EngineCore, { datasetId, checkpointId, revisions }: { datasetId: string; checkpointId: string; revisions: ReadonlyMap<string, number> },
  settings: ResultSettings, model: LoadedModel,
): HeatKeeper | null {
  const { db, events } = context
  const { gradcam_layer: layer, image, mask_size: maskSize, max_tokens: maxTokens, name } = model.config
  const own = JSON.parse(requireCheckpoint(db, checkpointId).model_config) as typeof model.config
  if (settings.mode !== 'itm' || settings.layer !== layer || image.size !== own.image.size || name !== own.name) return null
  let waiting: (() => void)[] = []
  const flush = (): void => {
    const writes = waiting
    waiting = []
    db.transaction(() => writes.forEach((write) => write()))
  }
  return {
    known: (sample) => {
      const row = findHeat(db, checkpointId, sample.image.key, sample.phrase)
      if (!row || row.layer !== layer) return null
      scoreRegionsOfHeat(db, row) // where the score went with an edit
      const { width, height, values } = gridOf(row)
      return { grid: { width, height, values: values as Float32Array }, matchProbability: row.match_probability }
    },
    onHeat: (sample, { grid, matchProbability }, { point, scores }) => {
      if (!point) return
      const { tokens, truncated } = model.tokenizer.encode(preCaption(sample.phrase, settings.maxWords), maxTokens)
      waiting.push(() => {
        const region = db.get<{ revision: number; deleted: number }>('SELECT revision, deleted FROM regions WHERE id = ?', sample.id)
        if (!region) return
        storeHeat(db, { checkpointId, imageId: sample.image.key, phrase: sample.phrase, grid, peak: point, matchProbability: matchProbability!, layer, maskSize, tokens, truncated })
        if (region.deleted || region.revision !== revisions.get(sample.id)) return
        putScores(db, { checkpointId, regionId: sample.id, datasetId, revision: region.revision }, {
          pointingHit: scores['pointing'] === 1, insideEnergy: scores['energyInside']!, meanMargin: scores['meanMargin']!, maxMargin: scores['maxMargin']!,
          amcMean: Math.max(0, 0.1 - scores['meanMargin']!), amcMax: Math.max(0, 0.5 - scores['maxMargin']!), softIou: scores['softIou']!,
          uncertain: scores['uncertain'] === 1, matchProbability: matchProbability!,
        })
      })
      if (waiting.length >= HEATS_AT_ONCE) flush()
    },
    finish: () => {
      flush()
      events.emit({ type: 'scores.changed', datasetId, checkpointId })
    },
  }
}
