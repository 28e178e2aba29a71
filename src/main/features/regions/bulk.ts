/**
 * Edits of many regions. Each is one edit of the ledger: all of its changes or none. They are written in parts, so that nothing else has
 * to wait long; an edit that ends half way, by an error, a cancel or a kill, is taken back, at the latest when the project is opened.
 */
import { setImmediate } from 'node:timers/promises'
import type { BulkAction } from '../../../shared/contract/bulk.ts'
import type { Region } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Db } from '../../store/db.ts'
import { REGION_COLUMNS, type RegionRow, toRegion } from '../../store/region-rows.ts'
import { type Author, writeRow } from './apply.ts'
import { bulkLabel, type DiffsOf, diffsOf } from './bulk-actions.ts'
import { takeBack } from './bulk-steps.ts'

export interface BulkRequest {
  readonly editId: string
  readonly rows: Float64Array
  readonly action: BulkAction
  /** What others changed after this time is a conflict. */
  readonly since?: string | undefined
  /** Ids of regions that are locked: none of them is deleted. */
  readonly keep?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (label: string, done: number, total: number) => void
}
export interface BulkOutcome {
  readonly selected: number
  readonly changed: number
  /** Regions of the selection that stayed because they are locked. */
  readonly kept: number
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
export async function applyBulk(db: Db, { editId, rows, action, since, keep = [], signal, onProgress }: BulkRequest, author: Author): Promise<BulkOutcome> {
  const known = db.get<{ dataset_id: string }>('SELECT dataset_id FROM edits WHERE id = ?', editId)
  if (known) {
    const changed = db.get<{ n: number }>('SELECT count(*) AS n FROM edit_changes WHERE edit_id = ?', editId)!.n
    return { selected: Math.max(rows.length, changed), changed, kept: 0, datasetId: known.dataset_id }
  }
  const locked = new Set(action.kind === 'delete' ? keep : [])
  const diffs = sparing(diffsOf(db, action, author), locked)
  const { datasetId, ...found } = await look(db, rows, diffs, { since, signal, author, locked })
  if (datasetId === null) return { ...found, datasetId }
  const edit = { editId, label: bulkLabel(action, found.changed) }
  let n = 0
  const write = (part: readonly RegionRow[]): void => {
    for (const [i, diff] of diffs(part.map(toRegion)).entries()) {
      if (!diff) continue
      const row = part[i]!
      writeRow(db, row, diff, edit, author)
      db.run('INSERT INTO edit_changes (edit_id, n, region_id, diff) VALUES (?, ?, ?, ?)', editId, n++, row.id, JSON.stringify(diff))
    }
  }
  const finish = (): void => {
    if (n > 0) {
      if (!db.get("SELECT 1 FROM datasets WHERE id = ? AND state = 'ready'", datasetId)) throw new AppError('conflict', 'The dataset of these regions was removed meanwhile.', 'Choose another dataset.')
      // Between the look and the writing something else may have changed some of them: it is called by what was written.
      const label = bulkLabel(action, n)
      if (label !== edit.label) db.run('UPDATE revisions SET label = ? WHERE edit_id = ? AND region_id IN (SELECT region_id FROM edit_changes WHERE edit_id = ?)', label, editId, editId)
      db.run("UPDATE edits SET state = 'dropped' WHERE state = 'undone'")
      db.run("INSERT INTO edits (id, dataset_id, at, actor, label, changes, state) VALUES (?, ?, ?, ?, ?, '[]', 'done')", editId, datasetId, author.at, author.name, label)
    }
    db.run('DELETE FROM open_edits WHERE edit_id = ?', editId)
  }
  const outcome = (): BulkOutcome => ({ ...found, changed: n, datasetId: n > 0 ? datasetId : null })
  if (found.changed <= ROWS_AT_ONCE) {
    // Few enough for one part: nothing of it can be seen half done.
    const changing = await placesOf(db, rows, diffs)
    db.transaction(() => {
      write(rowsOf(db, changing))
      finish()
    })
    return outcome()
  }
  try {
    db.run("INSERT INTO open_edits (edit_id, dataset_id, label, direction, done) VALUES (?, ?, ?, 'apply', 0)", editId, datasetId, edit.label)
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      if (signal?.aborted) throw new AppError('cancelled', `“${edit.label}” was cancelled. Nothing was changed.`)
      db.transaction(() => write(rowsOf(db, rows.subarray(from, from + ROWS_AT_ONCE))))
      onProgress?.(edit.label, n, found.changed)
      await setImmediate()
    }
    db.transaction(finish)
  } catch (error) {
    await takeBack(db, editId, author)
    throw error
  }
  return outcome()
}

/** What is done to all but those. */
const sparing = (diffs: DiffsOf, locked: ReadonlySet<string>): DiffsOf => (locked.size === 0 ? diffs : (regions) => diffs(regions).map((diff, i) => (locked.has(regions[i]!.id) ? null : diff)))

/** What there is to do, before anything is done. */
async function look(db: Db, rows: Float64Array, diffs: DiffsOf, { since, signal, author, locked }: { since?: string | undefined; signal?: AbortSignal | undefined; author: Author; locked: ReadonlySet<string> }) {
  const datasets = new Set<string>()
  const overtaken: string[] = []
  let [selected, changed, kept, overtakenCount] = [0, 0, 0, 0]
  for await (const regions of parts(db, rows, LOOKED_AT_ONCE)) {
    if (signal?.aborted) throw new AppError('cancelled', 'This was cancelled. Nothing was changed.')
    selected += regions.length
    if (locked.size > 0) kept += regions.filter((region) => locked.has(region.id)).length
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
  return { selected, changed, kept, datasetId: [...datasets][0] ?? null }
}

function rowsOf(db: Db, rows: Float64Array): (RegionRow & { readonly place: number })[] {
  return db.all<RegionRow & { place: number }>(
    `SELECT ${REGION_COLUMNS}, r.rowid AS place FROM json_each(?) j CROSS JOIN regions r ON r.rowid = j.value JOIN datasets d ON d.id = r.dataset_id AND d.state = 'ready' WHERE r.deleted = 0 ORDER BY j.key`,
    JSON.stringify(Array.from(rows)),
  )
}

async function* parts(db: Db, rows: Float64Array, size: number): AsyncGenerator<Region[]> {
  for (let from = 0; from < rows.length; from += size) {
    yield rowsOf(db, rows.subarray(from, from + size)).map(toRegion)
    await setImmediate()
  }
}

/** Places of the rows that would change; only for few. They are read again when they are written. */
async function placesOf(db: Db, rows: Float64Array, diffs: DiffsOf): Promise<Float64Array> {
  const found: number[] = []
  for (let from = 0; from < rows.length; from += LOOKED_AT_ONCE) {
    const part = rowsOf(db, rows.subarray(from, from + LOOKED_AT_ONCE))
    const changes = diffs(part.map(toRegion))
    found.push(...part.flatMap((row, i) => (changes[i] ? [row.place] : [])))
    await setImmediate()
  }
  return Float64Array.from(found)
}
