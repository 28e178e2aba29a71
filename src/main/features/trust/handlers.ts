/** How far a checkpoint's explanation can be trusted on a dataset or a view of it: measured as a job, the newest of each subject kept. */
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { EngineContext, Handlers } from '../../engine/context.ts'
import type { TrustInput, TrustResult } from '../../../shared/contract/trust.ts'
import type { ModelConfig } from '../../../shared/config/model-config.ts'
import type { Job, RegionFilter } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { protocolOf, resolveExplainer } from '../../../shared/explainers.ts'
import { requireCheckpoint } from '../../store/checkpoint-rows.ts'
import { manifestSamples } from '../../store/manifest-rows.ts'

const SEED = 1
const SAMPLES = 32

export function trustHandlers(context: EngineContext): Handlers<'trust'> {
  return {
    compute: (input) => queueTrust(context, input),
    list: ({ datasetId }) =>
      context.db.all<{ result: string }>('SELECT result FROM trust WHERE dataset_id = ? ORDER BY measured_at', datasetId).map(({ result }) => JSON.parse(result) as TrustResult),
  }
}

/** @throws AppError 'not-found' for a dataset, a view or a checkpoint that is not there; 'usage' for an explainer the model does not have */
function queueTrust(context: EngineContext, { datasetId, checkpointId, viewId, split, samples = SAMPLES, explainer: asked }: TrustInput): Job {
  const { db, jobs } = context
  const dataset = db.get<{ name: string }>("SELECT name FROM datasets WHERE id = ? AND state = 'ready'", datasetId)
  if (!dataset) throw new AppError('not-found', 'This dataset is not in the project any more.', 'Choose another one.', datasetId)
  const view = viewId === undefined ? null : db.get<{ name: string; filter: string }>('SELECT name, filter FROM views WHERE id = ? AND dataset_id = ?', viewId, datasetId)
  if (view === undefined) throw new AppError('not-found', 'This view is not in the project any more.', 'Choose another one.', viewId)
  const checkpoint = requireCheckpoint(db, checkpointId)
  const config = JSON.parse(checkpoint.model_config) as ModelConfig
  const explainer = resolveExplainer(config, asked)
  const filter: RegionFilter = { ...(view ? (JSON.parse(view.filter) as RegionFilter) : { datasetId }), ...(split === undefined ? {} : { splits: [split] }) }
  return jobs.add({
    kind: 'trust', title: `Test the explanation of ${checkpoint.name} on ${view?.name ?? dataset.name}`, lane: 'compute', unit: 'steps', about: { datasetId, checkpointId },
    work: async ({ id, signal, progress }): Promise<TrustResult> => {
      const manifestPath = join(context.project.cacheDir, `${id}.jsonl`)
      try {
        await pipeline(Readable.from(linesOf(manifestSamples(db, filter, (stored) => context.project.fromStored(stored)))), createWriteStream(manifestPath))
        const { perSample: _, ...found } = await context.worker.call('trust', { checkpointPath: context.project.fromStored(checkpoint.path), manifestPath, explainer, samples, seed: SEED }, {
          signal, onEvent: (event) => event.type === 'trust.progress' && progress({ done: event.done, total: event.total, message: event.what }),
        })
        const result = {
          checkpointId, datasetId, viewId: viewId ?? null, split: split ?? null, explainer, measuredAt: new Date().toISOString(), ...found, protocol: protocolOf(config, explainer),
        } as TrustResult
        // Either may have been removed while it was measured.
        if (db.get("SELECT 1 FROM checkpoints c, datasets d WHERE c.id = ? AND d.id = ? AND d.state = 'ready'", checkpointId, datasetId)) {
          db.run(
            'INSERT OR REPLACE INTO trust (checkpoint_id, dataset_id, subject, explainer, measured_at, result) VALUES (?, ?, ?, ?, ?, ?)',
            checkpointId, datasetId, JSON.stringify([viewId ?? null, split ?? null]), result.protocol, result.measuredAt, JSON.stringify(result),
          )
        }
        context.events.emit({ type: 'trust.changed', datasetId })
        return result
      } finally {
        await rm(manifestPath, { force: true })
      }
    },
  })
}

function* linesOf(rows: Iterable<unknown>): Generator<string> {
  for (const row of rows) yield `${JSON.stringify(row)}\n`
}
