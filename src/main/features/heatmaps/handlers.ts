/**
 * Heatmaps of what is on screen: stored ones at once, others from the interactive compute process. The same request made twice
 * at a time is computed once; what is stored is bounded.
 */
import type { EngineContext, Handlers } from '../../engine/context.ts'
import type { Heatmap } from '../../../shared/domain.ts'
import type { ModelConfig } from '../../../shared/config/model-config.ts'
import { AppError, toErrorData } from '../../../shared/errors.ts'
import { type ExplainerChoice, otherKey, resolveExplainer } from '../../../shared/explainers.ts'
import { type CheckpointRow, requireCheckpoint } from '../../store/checkpoint-rows.ts'
import type { Db } from '../../store/db.ts'
import { noteLooked } from '../held-checkpoints.ts'
import { findHeat, type HeatRow, printOf, scoreRegionsOfHeat, storeHeat, toHeatmap, trimHeats } from '../../store/heat-rows.ts'

interface Wanted {
  readonly imageId: string
  readonly checkpointId: string
  readonly phrase: string
  /** Absent: the usual one. */
  readonly explainer?: ExplainerChoice | undefined
}

interface Shared {
  readonly answer: Promise<Heatmap>
  readonly abort: AbortController
  waiting: number
}

const TRIM_EVERY = 500
const DAY_MS = 86_400_000

export function heatmapsHandlers(context: EngineContext): Handlers<'heatmaps'> {
  const { db, events } = context
  const computing = new Map<string, Shared>()
  let sinceTrim = 0

  const compute = async (wanted: Wanted, signal: AbortSignal): Promise<Heatmap> => {
    const print = printOf(db, wanted.imageId)
    const { heat, computeMs } = await explainOne(context, wanted, signal)
    unlessFull(() => {
      const scored = db.transaction(() => {
        // Either may have been removed while it was computed, or the picture replaced.
        if (!db.get('SELECT 1 FROM checkpoints c, images i WHERE c.id = ? AND i.id = ?', wanted.checkpointId, wanted.imageId) || printOf(db, wanted.imageId) !== print) return []
        storeHeat(db, heat)
        // Scores by another explainer are made where they are asked for.
        return heat.explainer === null ? scoreRegionsOfHeat(db, findHeat(db, wanted.checkpointId, wanted.imageId, wanted.phrase)!) : []
      })
      if (scored.length > 0) {
        const image = db.get<{ dataset_id: string }>('SELECT dataset_id FROM images WHERE id = ?', wanted.imageId)!
        events.emit({ type: 'scores.changed', datasetId: image.dataset_id, checkpointId: wanted.checkpointId })
      }
      if (++sinceTrim < TRIM_EVERY) return
      sinceTrim = 0
      trimHeats(db)
    })
    return {
      checkpointId: heat.checkpointId, imageId: heat.imageId, phrase: heat.phrase, grid: { ...heat.grid, values: Array.from(heat.grid.values) }, peak: heat.peak,
      matchProbability: heat.matchProbability, layer: heat.layer, maskSize: heat.maskSize, tokens: [...heat.tokens], truncated: heat.truncated, computeMs, stored: false,
    }
  }

  return {
    get: (wanted, call) => {
      noteLooked(context, wanted.checkpointId)
      const other = wanted.explainer ? keyOf(requireCheckpoint(db, wanted.checkpointId), wanted.explainer) : null
      const row = findHeat(db, wanted.checkpointId, wanted.imageId, wanted.phrase, other)
      if (row) {
        unlessFull(() => touch(db, row))
        return toHeatmap(row, 0, true)
      }
      const key = JSON.stringify([wanted.checkpointId, wanted.imageId, wanted.phrase, other])
      let shared = computing.get(key)
      if (!shared) {
        const abort = new AbortController()
        const answer = compute(wanted, abort.signal).finally(() => {
          if (computing.get(key)?.abort === abort) computing.delete(key)
        })
        shared = { answer, abort, waiting: 0 }
        computing.set(key, shared)
      }
      return waitFor(shared, call?.signal, () => computing.delete(key))
    },
  }
}

/** A heatmap is shown whether it could be kept or not. */
function unlessFull(store: () => void): void {
  try {
    store()
  } catch (error) {
    const { code, message } = toErrorData(error)
    if (code !== 'disk-full' && code !== 'locked') throw error
    console.error(`A heatmap could not be kept: ${message}`)
  }
}

/** The answer for one of those who asked; when the last of them no longer wants it, the computing is cancelled. */
async function waitFor(shared: Shared, signal: AbortSignal | undefined, forget: () => void): Promise<Heatmap> {
  shared.waiting++
  const leave = (): void => {
    if (--shared.waiting > 0) return
    forget()
    shared.abort.abort()
  }
  if (signal?.aborted) leave()
  else signal?.addEventListener('abort', leave, { once: true })
  try {
    return await shared.answer
  } finally {
    signal?.removeEventListener('abort', leave)
  }
}

/** Really computes one heatmap and stores nothing. @throws AppError 'not-found', 'bad-input' for an empty phrase or a missing image file */
export async function explainOne({ db, project, interactive }: EngineContext, wanted: Wanted, signal?: AbortSignal) {
  const image = db.get<{ path: string }>('SELECT path FROM images WHERE id = ?', wanted.imageId)
  if (!image) throw new AppError('not-found', 'This image is not in the project any more.', 'Reload the list.', wanted.imageId)
  const checkpoint = requireCheckpoint(db, wanted.checkpointId)
  if (!wanted.phrase.trim()) throw new AppError('bad-input', 'An empty phrase has no heatmap.', 'Type what to look for.', 'phrase')
  const answer = await interactive.call('explain', {
    checkpointPath: project.fromStored(checkpoint.path), imagePath: project.fromStored(image.path), phrases: [wanted.phrase], ...(wanted.explainer ? { explainer: wanted.explainer } : {}),
  }, signal ? { signal } : {})
  const found = answer.phrases[0]
  if (!found) throw new AppError('internal', 'The computing process answered without a heatmap.', 'Try again.')
  return { heat: { ...found, checkpointId: wanted.checkpointId, imageId: wanted.imageId, phrase: wanted.phrase, explainer: wanted.explainer ? keyOf(checkpoint, wanted.explainer) : null }, computeMs: answer.computeMs }
}

const keyOf = ({ model_config }: CheckpointRow, choice: ExplainerChoice): string | null => {
  const config = JSON.parse(model_config) as ModelConfig
  return otherKey(config, resolveExplainer(config, choice))
}

/** Once a day is exact enough to know what is not looked at any more, and saves a write for each look. */
function touch(db: Db, { checkpoint_id, image_id, phrase, explainer }: HeatRow): void {
  const now = Date.now()
  const before = new Date(now - DAY_MS).toISOString()
  const [table, where, values] = explainer === undefined
    ? ['heatmaps', 'checkpoint_id = ? AND image_id = ? AND phrase = ?', [checkpoint_id, image_id, phrase]] as const
    : ['other_heatmaps', 'checkpoint_id = ? AND image_id = ? AND phrase = ? AND explainer = ?', [checkpoint_id, image_id, phrase, explainer]] as const
  const old = db.get(`SELECT 1 FROM ${table} WHERE ${where} AND used_at < ?`, ...values, before)
  if (old) db.run(`UPDATE ${table} SET used_at = ? WHERE ${where}`, new Date(now).toISOString(), ...values)
}
