import { z } from 'zod'
import { jobSchema, metricRowSchema, runSchema } from '../domain.ts'

/** What the engine announces to every open page. Past tense; small, except where a page would refetch at once. */
export const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('regions.changed'), datasetId: z.string(), imageIds: z.array(z.string()), regionIds: z.array(z.string()), undoLabel: z.string().nullable(), redoLabel: z.string().nullable(), undoEditId: z.string().nullable(), redoEditId: z.string().nullable(),
    /** Too many to name them: whatever is shown of this dataset may have changed. */
    isMany: z.boolean().optional() }),
  /** How far an edit of many regions is. */
  z.object({ type: z.literal('regions.edited'), editId: z.string(), label: z.string(), done: z.number().int(), total: z.number().int() }),
  z.object({ type: z.literal('datasets.changed') }),
  z.object({ type: z.literal('views.changed'), datasetId: z.string() }),
  z.object({ type: z.literal('checkpoints.changed') }),
  z.object({ type: z.literal('scores.changed'), datasetId: z.string(), checkpointId: z.string() }),
  /** The rank of the suspects, or what was learned of their reasons. */
  z.object({ type: z.literal('suspects.changed'), datasetId: z.string(), checkpointId: z.string() }),
  z.object({ type: z.literal('trust.changed'), datasetId: z.string() }),
  z.object({ type: z.literal('job.progressed'), job: jobSchema }),
  z.object({ type: z.literal('run.progressed'), run: runSchema }),
  z.object({ type: z.literal('run.removed'), runId: z.string() }),
  z.object({ type: z.literal('run.measured'), runId: z.string(), rows: z.array(metricRowSchema) }),
  z.object({ type: z.literal('backend.changed'), ready: z.boolean(), message: z.string() }),
])
export type EngineEvent = z.infer<typeof eventSchema>
