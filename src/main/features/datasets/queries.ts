/** The Library's list of datasets, counted by the indices. */
import type { Dataset } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Skipped } from '../../formats/types.ts'
import type { Db } from '../../store/db.ts'
import type { Project } from '../../store/project.ts'
import { PROTOCOL } from '../../store/region-rows.ts'

interface Row {
  readonly id: string
  readonly name: string
  readonly format: string
  readonly created_at: string
  readonly watch: number
}

const PREVIEWS = 5

export function listDatasets(db: Db): Dataset[] {
  return db.all<Row>("SELECT id, name, format, created_at, watch FROM datasets WHERE state = 'ready' ORDER BY created_at DESC, id DESC").map((row) => describe(db, row))
}

/** What an import left out, in its order. */
export function listSkipped(db: Db, datasetId: string, limit = -1): Skipped[] {
  return db.all<Skipped>('SELECT file, line, reason FROM skipped WHERE dataset_id = ? ORDER BY id LIMIT ?', requireDataset(db, datasetId).id, limit)
}

export function requireDataset(db: Db, id: string): Row {
  const row = db.get<Row>("SELECT id, name, format, created_at, watch FROM datasets WHERE id = ? AND state = 'ready'", id)
  if (!row) throw new AppError('not-found', 'This dataset is not in the project any more.', 'Reload the Library.', id)
  return row
}

const conflictsKey = (datasetId: string): string => `conflicts:${datasetId}`

/** How many regions waited for a decision when the source was last read. */
function conflictsOf(db: Db, datasetId: string): number {
  return Number(db.get<{ value: string }>('SELECT value FROM project WHERE key = ?', conflictsKey(datasetId))?.value ?? 0)
}

/** @returns whether it is another number than before */
export function keepConflicts(db: Db, datasetId: string, conflicts: number): boolean {
  const before = conflictsOf(db, datasetId)
  if (conflicts === 0) db.run('DELETE FROM project WHERE key = ?', conflictsKey(datasetId))
  else db.run('INSERT OR REPLACE INTO project (key, value) VALUES (?, ?)', conflictsKey(datasetId), String(conflicts))
  return before !== conflicts
}

function describe(db: Db, row: Row): Dataset {
  const byImage = db.all<{ split: string; n: number }>('SELECT split, count(*) AS n FROM images WHERE dataset_id = ? GROUP BY split', row.id)
  const byStatus = db.all<{ status: string; n: number }>('SELECT status, count(*) AS n FROM regions WHERE dataset_id = ? AND deleted = 0 GROUP BY status', row.id)
  const bySplit = db.all<{ split: string; n: number }>('SELECT split, count(*) AS n FROM regions WHERE dataset_id = ? AND deleted = 0 GROUP BY split', row.id)
  const sum = (rows: readonly { n: number }[]): number => rows.reduce((total, one) => total + one.n, 0)
  return {
    id: row.id, name: row.name, format: row.format, createdAt: row.created_at, ...(row.watch === 1 ? { watched: true } : {}), ...(isDemo(db, row.id) ? { demo: true } : {}),
    images: sum(byImage), regions: sum(byStatus), reviewed: sum(byStatus.filter((one) => one.status === 'accepted' || one.status === 'rejected')),
    splits: Object.fromEntries(bySplit.map((one) => [one.split, one.n])),
    meanConsistency: meanConsistency(db, row.id),
    previewImageIds: db.all<{ id: string }>('SELECT id FROM images WHERE dataset_id = ? ORDER BY position LIMIT ?', row.id, PREVIEWS).map((image) => image.id),
    conflicts: conflictsOf(db, row.id),
    skipped: db.get<{ n: number }>('SELECT count(*) AS n FROM skipped WHERE dataset_id = ?', row.id)!.n,
  }
}

/** By its first image: only the demo calls its images these, wherever its folder has gone since. */
function isDemo(db: Db, datasetId: string): boolean {
  const first = db.get<{ kind: string | null }>('SELECT kind FROM images WHERE dataset_id = ? ORDER BY position LIMIT 1', datasetId)
  return first?.kind === 'scene' || first?.kind === 'close-up'
}

/** Of the newest checkpoint that scored this dataset. Heatmaps looked at one by one give scores too, but a few of them say nothing of the whole. */
function meanConsistency(db: Db, datasetId: string): number | null {
  const regions = db.get<{ n: number }>('SELECT count(*) AS n FROM regions WHERE dataset_id = ? AND deleted = 0', datasetId)!.n
  for (const { id } of db.all<{ id: string }>('SELECT id FROM checkpoints ORDER BY best DESC, created_at DESC, id DESC')) {
    const found = db.get<{ n: number; mean: number | null }>(
      'SELECT count(*) AS n, avg(inside_energy) AS mean FROM scores WHERE dataset_id = ? AND checkpoint_id = ? AND protocol = ?', datasetId, id, PROTOCOL,
    )!
    if (found.mean !== null && found.n >= Math.min(100, regions)) return found.mean
  }
  return null
}

/** Datasets that were imported from a file or folder in a format, the newest first. */
export function datasetsFrom({ db, toStored }: Pick<Project, 'db' | 'toStored'>, path: string, format: string): { readonly id: string; readonly name: string }[] {
  return db.all<{ id: string; name: string }>("SELECT id, name FROM datasets WHERE source = ? AND format = ? AND state = 'ready' ORDER BY created_at DESC", toStored(path), format)
}
