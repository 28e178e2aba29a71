/**
 * Edits of many regions. Each is one edit of the ledger: all of its changes or none. They are written in parts, so that nothing else has
 * to wait long; an edit that ends half way, by an error, a cancel or a kill, is taken back, at the latest when the project is opened.
 */
import { setImmediate } from 'node:timers/promises'
import type { BulkAction } from '../../../shared/contract/bulk.ts'
import type { Region } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { RegionDiff } from '../../../shared/region-diff.ts'
import type { Db } from '../../store/db.ts'
import { REGION_COLUMNS, type RegionRow, toRegion } from '../../store/region-rows.ts'
import { type Author, writeRow } from './apply.ts'
import { bulkLabel, diffsOf } from './bulk-actions.ts'
import { takeBack } from './bulk-steps.ts'

export interface BulkRequest {
  readonly editId: string
  readonly rows: Float64Array
  readonly action: BulkAction
  /** What others changed after this time is a conflict. */
  readonly since?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (label: string, done: number, total: number) => void
}
export interface BulkOutcome {
  readonly selected: number
  readonly changed: number
  readonly datasetId: string | null
}

/** Regions of one part: some hundredths of a second. */
const ROWS_AT_ONCE = 400
/** Regions of one look, which writes nothing. */
const LOOKED_AT_ONCE = 2000
const NAMED = 3

export async function previewBulk(db: Db, rows: Float64Array, action: BulkAction, author: Author, page: { offset: number; limit: number }) {
  const diffs = diffsOf(db, action, author)
  const changes: { regionId: string; before: string; after: string }[] = []
  let [selected, changed] = [0, 0]
  for await (const regions of parts(db, rows, LOOKED_AT_ONCE)) {
    selected += regions.length
    for (const [i, diff] of diffs(regions).entries()) {
      if (!diff) continue
      if (diff.phrase && changed >= page.offset && changes.length < page.limit) changes.push({ regionId: regions[i]!.id, ...diff.phrase })
      changed++
    }
  }
  return { selected, changed, since: author.at, changes }
}

/**
 * @throws AppError 'conflict' when somebody else changed a region since, 'bad-input', 'cancelled', 'disk-full'; nothing was changed then
 */
export async function applyBulk(db: Db, { editId, rows, action, since, signal, onProgress }: BulkRequest, author: Author): Promise<BulkOutcome> {
  const known = db.get<{ dataset_id: string }>('SELECT dataset_id FROM edits WHERE id = ?', editId)
  if (known) {
    const changed = db.get<{ n: number }>('SELECT count(*) AS n FROM edit_changes WHERE edit_id = ?', editId)!.n
    return { selected: Math.max(rows.length, changed), changed, datasetId: known.dataset_id }
  }
  const diffs = diffsOf(db, action, author)
  const { selected, changed, datasetId } = await look(db, rows, diffs, { since, signal, author })
  if (datasetId === null) return { selected, changed, datasetId }
  const label = bulkLabel(action, changed)
  const edit = { editId, label }
  const last = changed <= ROWS_AT_ONCE
  let n = 0
  const write = (regions: readonly Region[], rowOf: ReadonlyMap<string, RegionRow>): void => {
    for (const [i, diff] of diffs(regions).entries()) {
      if (!diff) continue
      const { id } = regions[i]!
      writeRow(db, rowOf.get(id)!, diff, edit, author)
      db.run('INSERT INTO edit_changes (edit_id, n, region_id, diff) VALUES (?, ?, ?, ?)', editId, n++, id, JSON.stringify(diff))
    }
  }
  const finish = (): void => {
    db.run("UPDATE edits SET state = 'dropped' WHERE state = 'undone'")
    db.run("INSERT INTO edits (id, dataset_id, at, actor, label, changes, state) VALUES (?, ?, ?, ?, ?, '[]', 'done')", editId, datasetId, author.at, author.name, label)
    db.run('DELETE FROM open_edits WHERE edit_id = ?', editId)
  }
  if (last) {
    // Few enough for one part: nothing of it can be seen half done.
    const whole = await collect(db, rows, diffs)
    db.transaction(() => {
      write(whole.map(toRegion), new Map(whole.map((row) => [row.id, row])))
      finish()
    })
    return { selected, changed, datasetId }
  }
  try {
    db.run("INSERT INTO open_edits (edit_id, dataset_id, label, direction, done) VALUES (?, ?, ?, 'apply', 0)", editId, datasetId, label)
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      if (signal?.aborted) throw new AppError('cancelled', `“${label}” was cancelled. Nothing was changed.`)
      const found = rowsOf(db, rows.subarray(from, from + ROWS_AT_ONCE))
      db.transaction(() => write(found.map(toRegion), new Map(found.map((row) => [row.id, row]))))
      onProgress?.(label, n, changed)
      await setImmediate()
    }
    db.transaction(finish)
  } catch (error) {
    await takeBack(db, editId, author)
    throw error
  }
  return { selected, changed, datasetId }
}

/** What there is to do, before anything is done. */
async function look(db: Db, rows: Float64Array, diffs: (regions: readonly Region[]) => (RegionDiff | null)[], { since, signal, author }: { since?: string | undefined; signal?: AbortSignal | undefined; author: Author }) {
  const datasets = new Set<string>()
  const overtaken: string[] = []
  let [selected, changed, overtakenCount] = [0, 0, 0]
  for await (const regions of parts(db, rows, LOOKED_AT_ONCE)) {
    if (signal?.aborted) throw new AppError('cancelled', 'This was cancelled. Nothing was changed.')
    selected += regions.length
    for (const [i, diff] of diffs(regions).entries()) {
      if (!diff) continue
      const region = regions[i]!
      changed++
      datasets.add(region.datasetId)
      if (since === undefined || region.revision === 1) continue
      if (!db.get('SELECT 1 FROM revisions WHERE region_id = ? AND revision = ? AND at > ? AND actor <> ?', region.id, region.revision, since, author.name)) continue
      overtakenCount++
      if (overtaken.length < NAMED) overtaken.push(`“${region.phrase}”`)
    }
  }
  if (datasets.size > 1) throw new AppError('bad-input', 'One edit cannot change two datasets.', 'Edit them one after the other.')
  if (overtakenCount > 0) {
    const more = overtakenCount > overtaken.length ? ` and ${overtakenCount - overtaken.length} more` : ''
    throw new AppError(
      'conflict', `Somebody else changed ${overtakenCount} of these regions meanwhile: ${overtaken.join(', ')}${more}. Nothing was changed.`, 'Look at them, then do it again.', 'selection',
    )
  }
  return { selected, changed, datasetId: [...datasets][0] ?? null }
}

function rowsOf(db: Db, rows: Float64Array): RegionRow[] {
  return db.all<RegionRow>(
    `SELECT ${REGION_COLUMNS} FROM json_each(?) j CROSS JOIN regions r ON r.rowid = j.value JOIN datasets d ON d.id = r.dataset_id AND d.state = 'ready' WHERE r.deleted = 0 ORDER BY j.key`,
    JSON.stringify(Array.from(rows)),
  )
}

async function* parts(db: Db, rows: Float64Array, size: number): AsyncGenerator<Region[]> {
  for (let from = 0; from < rows.length; from += size) {
    yield rowsOf(db, rows.subarray(from, from + size)).map(toRegion)
    await setImmediate()
  }
}

/** Rows that would change; only for few. */
async function collect(db: Db, rows: Float64Array, diffs: (regions: readonly Region[]) => (RegionDiff | null)[]): Promise<RegionRow[]> {
  const found: RegionRow[] = []
  for (let from = 0; from < rows.length; from += LOOKED_AT_ONCE) {
    const part = rowsOf(db, rows.subarray(from, from + LOOKED_AT_ONCE))
    const changes = diffs(part.map(toRegion))
    found.push(...part.filter((_, i) => changes[i]))
    await setImmediate()
  }
  return found
}
