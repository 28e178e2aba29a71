/** Steps back and forward over edits of many regions, and what is left of one that did not come to its end. */
import { setImmediate } from 'node:timers/promises'
import { AppError, toErrorData } from '../../../shared/errors.ts'
import { applyRegionDiff, type RegionDiff, reverseRegionDiff } from '../../../shared/region-diff.ts'
import type { Db } from '../../store/db.ts'
import { REGION_COLUMNS, type RegionRow, toState } from '../../store/region-rows.ts'
import { type Author, writeRow } from './apply.ts'

interface OpenEdit {
  readonly edit_id: string
  readonly label: string
  readonly direction: 'apply' | 'undo' | 'redo'
  readonly done: number
}
type ChangedRow = RegionRow & { readonly n: number; readonly diff: string }

const ROWS_AT_ONCE = 400
const NAMED = 3

export function isBulk(db: Db, editId: string): boolean {
  return db.get('SELECT 1 FROM edit_changes WHERE edit_id = ? LIMIT 1', editId) !== undefined
}

/** A part of an edit's changes from the n-th on, in the order of the direction, each beside its region as it is now. */
function changesFrom(db: Db, editId: string, backwards: boolean, skip: number): ChangedRow[] {
  const last = db.get<{ n: number | null }>('SELECT max(n) AS n FROM edit_changes WHERE edit_id = ?', editId)!.n ?? -1
  const [way, within] = backwards ? ['DESC', '<='] : ['ASC', '>=']
  return db.all<ChangedRow>(
    `SELECT ${REGION_COLUMNS}, c.n, c.diff FROM (SELECT * FROM edit_changes WHERE edit_id = ? AND n ${within} ? ORDER BY n ${way} LIMIT ${ROWS_AT_ONCE}) c JOIN regions r ON r.id = c.region_id ORDER BY c.n ${way}`,
    editId, backwards ? last - skip : skip,
  )
}

const diffOf = (row: ChangedRow, backwards: boolean): RegionDiff => (backwards ? reverseRegionDiff(JSON.parse(row.diff) as RegionDiff) : JSON.parse(row.diff) as RegionDiff)

/**
 * Takes an edit of many regions back, or makes it again: as a whole.
 * @throws AppError 'conflict' that names the regions which were changed otherwise since; nothing was changed then
 */
export async function stepBulk(
  db: Db, edit: { readonly id: string; readonly label: string }, direction: 'undo' | 'redo', author: Author, { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: (label: string, done: number, total: number) => void } = {},
): Promise<void> {
  const backwards = direction === 'undo'
  const label = `${backwards ? 'Undo' : 'Redo'}: ${edit.label}`
  const total = await refuseChanged(db, edit.id, backwards)
  const finish = (): void => {
    db.run('UPDATE edits SET state = ? WHERE id = ?', backwards ? 'undone' : 'done', edit.id)
    db.run('DELETE FROM open_edits WHERE edit_id = ?', edit.id)
  }
  db.run('INSERT INTO open_edits (edit_id, dataset_id, label, direction, done) SELECT id, dataset_id, label, ?, 0 FROM edits WHERE id = ?', direction, edit.id)
  try {
    for (let done = 0; done < total; ) {
      if (signal?.aborted) throw new AppError('cancelled', `“${label}” was cancelled. Nothing was changed.`)
      const rows = changesFrom(db, edit.id, backwards, done)
      if (rows.length === 0) throw new AppError('conflict', 'The regions are not there any more.', 'Reload the list.', edit.id)
      done += rows.length
      db.transaction(() => {
        for (const row of rows) writeRow(db, row, diffOf(row, backwards), { editId: edit.id, label }, author)
        db.run('UPDATE open_edits SET done = ? WHERE edit_id = ?', done, edit.id)
        if (done >= total) finish()
      })
      onProgress?.(label, done, total)
      if (done < total) await setImmediate()
    }
  } catch (error) {
    await takeBack(db, edit.id, author)
    throw error
  }
}

/** How many changes there are, all of which can be made. */
async function refuseChanged(db: Db, editId: string, backwards: boolean): Promise<number> {
  const total = db.get<{ n: number }>('SELECT count(*) AS n FROM edit_changes WHERE edit_id = ?', editId)!.n
  const named: string[] = []
  let [seen, changed] = [0, 0]
  while (seen < total) {
    const rows = changesFrom(db, editId, backwards, seen)
    if (rows.length === 0) break
    seen += rows.length
    for (const row of rows) {
      try {
        applyRegionDiff(toState(row), diffOf(row, backwards))
      } catch {
        changed++
        if (named.length < NAMED) named.push(`“${row.phrase}”`)
      }
    }
    await setImmediate()
  }
  if (changed > 0 || seen < total) {
    const more = changed > named.length ? ` and ${changed - named.length} more` : ''
    throw new AppError('conflict', `${changed > 0 ? `${changed} of the ${total} regions were changed otherwise since: ${named.join(', ')}${more}.` : `${total - seen} of the ${total} regions are not there any more.`} Nothing was changed.`, 'Look at them; their history can put back each.', editId)
  }
  return total
}

/** Takes back what was written of an edit or a step that did not come to its end. Each part is kept as it is made, so that this can be interrupted too. */
export async function takeBack(db: Db, editId: string, author: Author): Promise<void> {
  for (const work = takingBack(db, editId, author); !work.next().done; ) await setImmediate()
}

/** What was changed otherwise meanwhile stays as it is: it must not stand in the way of every later edit. */
function takeBackRow(db: Db, row: ChangedRow, backwards: boolean, edit: { readonly editId: string; readonly label: string }, author: Author): void {
  try {
    db.transaction(() => writeRow(db, row, diffOf(row, backwards), edit, author))
  } catch (error) {
    const { code } = toErrorData(error)
    if (code !== 'conflict' && code !== 'bad-input') throw error
    console.error(`Region ${row.id} was changed otherwise meanwhile and stays as it is.`)
  }
}

function* takingBack(db: Db, editId: string, author: Author): Generator<void> {
  for (;;) {
    const open = db.get<OpenEdit>('SELECT edit_id, label, direction, done FROM open_edits WHERE edit_id = ?', editId)
    if (!open) return
    const label = `Taken back, not finished: ${open.label}`
    const isOver = db.transaction(() => {
      if (open.direction === 'apply') {
        const rows = changesFrom(db, editId, true, 0)
        for (const row of rows) takeBackRow(db, row, true, { editId, label }, author)
        for (const row of rows) db.run('DELETE FROM edit_changes WHERE edit_id = ? AND n = ?', editId, row.n)
        if (rows.length > 0) return false
      } else if (open.done > 0) {
        // The last ones made are the first to be taken back.
        const backwards = open.direction === 'redo'
        const total = db.get<{ n: number }>('SELECT count(*) AS n FROM edit_changes WHERE edit_id = ?', editId)!.n
        const rows = changesFrom(db, editId, backwards, total - open.done)
        for (const row of rows) takeBackRow(db, row, backwards, { editId, label }, author)
        db.run('UPDATE open_edits SET done = ? WHERE edit_id = ?', open.done - rows.length, editId)
        // None are left when their dataset was removed meanwhile.
        if (rows.length > 0) return false
      }
      db.run('DELETE FROM edit_changes WHERE edit_id = ? AND NOT EXISTS (SELECT 1 FROM edits WHERE id = ?)', editId, editId)
      db.run('DELETE FROM open_edits WHERE edit_id = ?', editId)
      return true
    })
    if (isOver) return
    yield
  }
}

/** What an engine that was ended left half done. Called before anything else is edited. */
export function takeBackOpen(db: Db, author: Author): void {
  for (const { edit_id: editId } of db.all<OpenEdit>('SELECT edit_id FROM open_edits')) for (const work = takingBack(db, editId, author); !work.next().done; );
}
