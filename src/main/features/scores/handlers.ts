/** Scores of a whole dataset by one checkpoint, as a job in the background; and what is known so far. */
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineContext, Handlers } from '../../engine/context.ts'
import type { Job, RegionFilter } from '../../../shared/domain.ts'
import type { ModelConfig } from '../../../shared/config/model-config.ts'
import { type Explainer, type ExplainerChoice, otherKey, protocolOfKey, resolveExplainer } from '../../../shared/explainers.ts'
import type { ScoredRegion } from '../../compute/protocol.ts'
import { type CheckpointRow, requireCheckpoint } from '../../store/checkpoint-rows.ts'
import type { Db } from '../../store/db.ts'
import { findHeat, printOf, printsOf, putScores, scoreRegionsOfHeat, storeHeat, trimHeats } from '../../store/heat-rows.ts'
import { manifestSamples } from '../../store/manifest-rows.ts'
import { PROTOCOL } from '../../store/region-rows.ts'
import { askedFilter } from '../../store/view-rows.ts'
import { tellHeld } from '../held-checkpoints.ts'

const ANNOUNCE_EVERY_MS = 2000
/** Heatmaps of a dataset with millions of regions must not fill the disk: the oldest give way. */
const TRIM_EVERY = 5000

export function scoresHandlers(context: EngineContext): Handlers<'scores'> {
  const { db } = context
  return {
    compute: (input) => queueScoring(context, input),
    summary: ({ datasetId, protocol = PROTOCOL }) =>
      db.all<{ checkpointId: string; split: string; regions: number; pointingGame: number; consistency: number }>(
        `SELECT s.checkpoint_id AS checkpointId, r.split AS split, count(*) AS regions, avg(s.pointing_hit) AS pointingGame, avg(s.inside_energy) AS consistency
         FROM scores s CROSS JOIN regions r ON r.id = s.region_id AND r.deleted = 0 WHERE s.dataset_id = ? AND s.protocol = ? GROUP BY s.checkpoint_id, r.split`,
        datasetId, protocol,
      ),
  }
}

/** @throws AppError 'not-found' for a dataset or checkpoint that is not there */
export function queueScoring(
  context: Pick<EngineContext, 'db' | 'jobs' | 'project' | 'worker' | 'events'>,
  { datasetId, checkpointId, splits, viewId, explainer: asked, background = false }: {
    datasetId: string; checkpointId: string; splits?: string[] | undefined; viewId?: string | undefined; explainer?: ExplainerChoice | undefined; background?: boolean
  },
): Job {
  const { dataset, view, filter } = askedFilter(context.db, { datasetId, viewId, splits })
  const checkpoint = requireCheckpoint(context.db, checkpointId)
  const config = JSON.parse(checkpoint.model_config) as ModelConfig
  const explainer = resolveExplainer(config, asked)
  const key = otherKey(config, explainer)
  const job = context.jobs.add({
    kind: 'score', title: `Score ${view ?? dataset} with ${checkpoint.name}${key === null ? '' : `, ${key}`}`, lane: 'compute', unit: 'regions', background, about: { datasetId, checkpointId },
    work: ({ id, signal, progress }) => scoreDataset(context, { jobId: id, filter, checkpoint, explainer, key, signal, onProgress: (done, total) => progress({ done, total }) }),
  })
  // The run that made it may be training before this job's turn.
  tellHeld(context)
  void context.jobs.ended(job.id).then(() => tellHeld(context)).catch(() => undefined) // the project may be closed by then
  return job
}

interface ScoreRequest {
  readonly jobId: string
  readonly filter: RegionFilter
  readonly checkpoint: CheckpointRow
  readonly explainer: Explainer
  /** Its key; null: the usual one. */
  readonly key: string | null
  readonly signal: AbortSignal
  readonly onProgress: (done: number, total: number) => void
}

/** Scores what has no score yet; each batch is kept as it comes, so a cancelled or killed job goes on where it ended. */
async function scoreDataset({ db, project, worker, events }: Pick<EngineContext, 'db' | 'project' | 'worker' | 'events'>, request: ScoreRequest) {
  const { checkpoint, filter, signal, explainer, key } = request
  const { datasetId } = filter
  const protocol = protocolOfKey(key)
  const manifestPath = join(project.cacheDir, `${request.jobId}.jsonl`)
  const announce = (): void => events.emit({ type: 'scores.changed', datasetId, checkpointId: checkpoint.id })
  const unscored = { sql: 'NOT EXISTS (SELECT 1 FROM scores s2 WHERE s2.checkpoint_id = ? AND s2.protocol = ? AND s2.region_id = r.id)', values: [checkpoint.id, protocol] }
  let announcedMs = Date.now()
  let sinceTrim = 0
  // Before any image is read: what was computed from a picture that has been replaced since is dropped, and counts as not scored.
  const prints = printsOf(db, datasetId)
  try {
    const total = await writeLines(manifestPath, manifestSamples(db, filter, (stored) => project.fromStored(stored), unscored))
    if (total === 0) return { protocol, scored: 0, skipped: [] }
    request.onProgress(0, total)
    const config = JSON.parse(checkpoint.model_config) as ModelConfig
    const result = await worker.call('score', { checkpointPath: project.fromStored(checkpoint.path), manifestPath, ...(key === null ? {} : { explainer }) }, {
      signal,
      onEvent: (event) => {
        if (event.type !== 'score.batch') return
        db.transaction(() => {
          if (!db.get('SELECT 1 FROM checkpoints WHERE id = ?', checkpoint.id)) return
          for (const region of event.regions) keep(db, region, { prints, checkpointId: checkpoint.id, datasetId, layer: explainer.layer, maskSize: config.mask_size, key })
        })
        if ((sinceTrim += event.regions.length) >= TRIM_EVERY) {
          sinceTrim = 0
          trimHeats(db)
        }
        request.onProgress(event.done, event.total)
        if (Date.now() - announcedMs < ANNOUNCE_EVERY_MS) return
        announcedMs = Date.now()
        announce()
      },
    })
    return { protocol, scored: result.scored, skipped: result.skipped }
  } finally {
    announce()
    await rm(manifestPath, { force: true })
  }
}

interface Keeping {
  /** Of the images as they were when the job began. */
  readonly prints: ReadonlyMap<string, string>
  readonly checkpointId: string
  readonly datasetId: string
  readonly layer: number
  readonly maskSize: number
  /** Key of the explainer; null: the usual one. */
  readonly key: string | null
}

function keep(db: Db, scored: ScoredRegion, { prints, checkpointId, datasetId, layer, maskSize, key }: Keeping): void {
  const region = db.get<{ image_id: string; revision: number; deleted: number }>('SELECT image_id, revision, deleted FROM regions WHERE id = ?', scored.regionId)
  if (!region || printOf(db, region.image_id) !== prints.get(region.image_id)) return
  storeHeat(db, {
    checkpointId, imageId: region.image_id, phrase: scored.phrase, grid: scored.grid, peak: scored.peak, matchProbability: scored.scores.matchProbability,
    layer, maskSize, explainer: key, tokens: scored.tokens, truncated: scored.truncated,
  })
  if (region.deleted) return
  if (region.revision === scored.revision) putScores(db, { checkpointId, regionId: scored.regionId, datasetId, revision: region.revision, protocol: protocolOfKey(key) }, scored.scores)
  else scoreRegionsOfHeat(db, findHeat(db, checkpointId, region.image_id, scored.phrase, key)!) // edited meanwhile: from the heatmap, if the phrase is still this one
}

const LINES_AT_ONCE = 1000

/** @returns how many lines were written */
async function writeLines(path: string, rows: Iterable<unknown>): Promise<number> {
  const file = await open(path, 'w')
  try {
    let count = 0
    let lines: string[] = []
    for (const row of rows) {
      lines.push(`${JSON.stringify(row)}\n`)
      count++
      if (lines.length < LINES_AT_ONCE) continue
      await file.write(lines.join(''))
      lines = []
    }
    await file.write(lines.join(''))
    return count
  } finally {
    await file.close()
  }
}
