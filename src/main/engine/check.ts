/** What `npm start -- --check` asks: does this installation really compute a heatmap of its own demo? */
import { AppError } from '../../shared/errors.ts'
import { explainOne } from '../features/heatmaps/handlers.ts'
import type { EngineContext } from './context.ts'

/** Computes one heatmap anew (nothing stored is used) after waiting for the demo to be made. heatmapMs: the model's own time, warm. */
export async function checkHeatmap(context: EngineContext): Promise<{ backend: unknown; heatmapMs: number }> {
  const { db, jobs, interactive } = context
  const backend = await interactive.call('info', {})
  // Only open jobs can be waited for: the list also holds those that ended before this start.
  const open = jobs.list().filter(({ kind, state }) => (kind === 'demo' || kind === 'import') && (state === 'waiting' || state === 'running'))
  for (const job of open) await jobs.ended(job.id)
  const region = db.get<{ image_id: string; phrase: string }>(
    "SELECT r.image_id, r.phrase FROM regions r JOIN datasets d ON d.id = r.dataset_id AND d.state = 'ready' WHERE r.deleted = 0 AND r.phrase <> '' ORDER BY d.created_at, r.split = 'val' DESC, r.position LIMIT 1",
  )
  if (!region) throw new AppError('not-found', 'The project has no region to look at.', 'Start with the demo project, or import a dataset.')
  const checkpoint = db.get<{ id: string }>("SELECT id FROM checkpoints ORDER BY origin = 'shipped' DESC, created_at LIMIT 1")
  if (!checkpoint) throw new AppError('not-found', 'The project has no checkpoint.', 'Train a run or import a checkpoint.')
  const wanted = { imageId: region.image_id, checkpointId: checkpoint.id, phrase: region.phrase }
  await explainOne(context, wanted) // reads the weights
  const { heat, computeMs } = await explainOne(context, wanted)
  if (!heat.grid.values.some((value) => value > 0)) throw new AppError('internal', 'The heatmap came out empty.', 'Run `amc doctor`.')
  return { backend, heatmapMs: computeMs }
}
