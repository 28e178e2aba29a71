/** Rows of the checkpoints table. */
import type { Checkpoint } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import type { Db } from './db.ts'

export interface CheckpointRow {
  readonly id: string
  readonly name: string
  readonly origin: string
  readonly run_id: string | null
  readonly step: number | null
  /** As stored: see Project.fromStored. */
  readonly path: string
  readonly sha256: string
  readonly model_name: string
  /** JSON of a ModelConfig. */
  readonly model_config: string
  readonly parameters: number
  readonly size_bytes: number
  readonly created_at: string
  readonly metrics: string
  readonly best: number
  /** JSON of a KeySummary; null for what was not imported. */
  readonly key_report: string | null
}

export function toCheckpoint(row: CheckpointRow): Checkpoint {
  return {
    id: row.id, name: row.name, origin: row.origin as Checkpoint['origin'], runId: row.run_id, step: row.step, modelName: row.model_name, parameters: row.parameters,
    sizeBytes: row.size_bytes, createdAt: row.created_at, metrics: JSON.parse(row.metrics) as Record<string, number>, best: row.best === 1,
  }
}

export function requireCheckpoint(db: Db, id: string): CheckpointRow {
  const row = db.get<CheckpointRow>('SELECT * FROM checkpoints WHERE id = ?', id)
  if (!row) throw new AppError('not-found', 'This checkpoint is not in the project any more.', 'Choose another one.', id)
  return row
}
