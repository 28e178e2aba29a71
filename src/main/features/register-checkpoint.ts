/** Puts a checkpoint file into the project's table: from its own header, without reading its weights. Used by runs, imports and the shipped ones. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Checkpoint } from '../../shared/domain.ts'
import { type CheckpointRow, toCheckpoint } from '../store/checkpoint-rows.ts'
import { newId } from '../store/ids.ts'
import type { Project } from '../store/project.ts'
import { openCheckpoint } from '../train/model-files.ts'

export interface NewCheckpoint {
  readonly path: string
  readonly name: string
  readonly origin: Checkpoint['origin']
  readonly runId?: string
  readonly step?: number
  readonly metrics?: Readonly<Record<string, number>>
  readonly best?: boolean
  /** JSON of what an import said about its keys. */
  readonly keyReport?: string
}

/**
 * Registers the file, or brings its row up to date: other content under the same path drops the scores and heatmaps of the old one.
 * @throws AppError 'bad-input' when it is no checkpoint that tells its model's sizes
 */
export async function registerCheckpoint(project: Project, checkpoint: NewCheckpoint): Promise<Checkpoint> {
  const { db } = project
  const stored = project.toStored(checkpoint.path)
  const { size } = await stat(checkpoint.path)
  const sha256 = await hashOf(checkpoint.path)
  const { config, info, parameters } = await readHeader(checkpoint.path)
  const metrics = JSON.stringify(named(checkpoint.metrics ?? info?.metrics ?? {}))
  const step = checkpoint.step ?? info?.step ?? null
  return db.transaction(() => {
    const known = db.get<CheckpointRow>('SELECT * FROM checkpoints WHERE path = ?', stored)
    const best = checkpoint.best ? 1 : 0
    if (checkpoint.best && checkpoint.runId) db.run('UPDATE checkpoints SET best = 0 WHERE run_id = ?', checkpoint.runId)
    if (known) {
      if (known.sha256 !== sha256) for (const table of ['scores', 'heatmaps', 'other_heatmaps', 'trust']) db.run(`DELETE FROM ${table} WHERE checkpoint_id = ?`, known.id)
      db.run(
        'UPDATE checkpoints SET sha256 = ?, model_name = ?, model_config = ?, parameters = ?, size_bytes = ?, metrics = ?, step = ?, best = ? WHERE id = ?',
        sha256, config.name, JSON.stringify(config), parameters, size, metrics, step, best, known.id,
      )
      return toCheckpoint(db.get<CheckpointRow>('SELECT * FROM checkpoints WHERE id = ?', known.id)!)
    }
    const id = newId('ck')
    db.run(
      `INSERT INTO checkpoints (id, name, origin, run_id, step, path, sha256, model_name, model_config, parameters, size_bytes, created_at, metrics, best, key_report)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id, checkpoint.name, checkpoint.origin, checkpoint.runId ?? null, step, stored, sha256, config.name, JSON.stringify(config), parameters, size,
      new Date().toISOString(), metrics, best, checkpoint.keyReport ?? null,
    )
    return toCheckpoint(db.get<CheckpointRow>('SELECT * FROM checkpoints WHERE id = ?', id)!)
  })
}

/** Figures say by which protocol they were measured. */
const METRIC_NAMES: Readonly<Record<string, string>> = {
  'val.pointingGame': 'pointing game, AMC strict, val', 'val.consistency': 'consistency, val', 'val.matchProbability': 'match probability, val', 'val.matchAuc': 'match AUC, val',
}

function named(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([key, value]) => [METRIC_NAMES[key] ?? key, value]))
}

async function readHeader(path: string) {
  const { file, config, info } = await openCheckpoint(path)
  try {
    let parameters = 0
    for (const [name, tensor] of file.tensors) if (!isHelper(name)) parameters += tensor.shape.reduce((product, n) => product * n, 1)
    return { config, info, parameters }
  } finally {
    file.close()
  }
}

/** Momentum copies and queues are not what people call the model's parameters. */
function isHelper(name: string): boolean {
  return /(^|[._])(image_queue|text_queue|idx_queue|queue_ptr\w*|position_ids)$/.test(name) || /^[\w]+_m\./.test(name)
}

export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
