/** Edits, undo and redo. Each call is one transaction, on disk before it returns: all of its changes or none. */
import type { RegionEdit } from '../../../shared/contract/contract.ts'
import type { Region, RegionFields, RegionMarks, RegionState } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { applyRegionDiff, isEmptyDiff, type RegionDiff, reverseRegionDiff } from '../../../shared/region-diff.ts'
import { checkOutlines } from '../../../shared/shape.ts'
import type { Db } from '../../store/db.ts'
import { rescoreRegion } from '../../store/heat-rows.ts'
import { firstUndone, lastDone, type LedgerRow, type UndoState, undoState } from '../../store/ledger-rows.ts'
import { noteDecision } from '../../store/suspect-decisions.ts'
import { REGION_COLUMNS, type RegionRow, toRegion, toState } from '../../store/region-rows.ts'

export interface EditResult extends UndoState {
  readonly regions: Region[]
}
interface Change {
  readonly regionId: string
  readonly diff: RegionDiff
}
export interface Author {
  readonly name: string
  /** ISO time. */
  readonly at: string
}

interface Edit {
  readonly editId: string
  readonly label: string
  readonly edits: readonly RegionEdit[]
  readonly suspect?: { readonly regionId: string; readonly checkpointId: string } | undefined
}

const MAX_PHRASE = 10_000
const MAX_BOXES = 10_000

/**
 * @param editId minted by the page; the same one again (a retry after a broken connection) changes nothing and answers as before
 * @throws AppError 'conflict' when somebody changed a region meanwhile, 'not-found', 'bad-input', 'disk-full'
 */
export function applyEdits(db: Db, edit: Edit, author: Author): EditResult {
  return db.transaction(() => {
    const known = db.get<LedgerRow>('SELECT seq, id, dataset_id, label, changes FROM edits WHERE id = ?', edit.editId)
    if (known) return result(db, (JSON.parse(known.changes) as Change[]).map((change) => change.regionId))
    const changes: Change[] = []
    const touched: string[] = []
    let datasetId: string | null = null
    for (const one of edit.edits) {
      if (edit.suspect?.regionId === one.regionId && 'diff' in one) noteDecision(db, edit.editId, edit.suspect, one.diff)
      const change = 'create' in one ? createRegion(db, one, edit, author) : changeRegion(db, one, edit, author)
      touched.push(one.regionId)
      if (!change) continue
      changes.push({ regionId: one.regionId, diff: change.diff })
      if (datasetId !== null && datasetId !== change.datasetId) throw new AppError('bad-input', 'One edit cannot change two datasets.', 'Edit them one after the other.')
      datasetId = change.datasetId
    }
    if (datasetId !== null) {
      db.run("UPDATE edits SET state = 'dropped' WHERE state = 'undone'")
      db.run(
        "INSERT INTO edits (id, dataset_id, at, actor, label, changes, state) VALUES (?, ?, ?, ?, ?, ?, 'done')",
        edit.editId, datasetId, author.at, author.name, edit.label, JSON.stringify(changes),
      )
    }
    return result(db, touched)
  })
}

/**
 * Takes back the last edit that stands; nothing when there is none.
 * @param editId the edit that is meant. One that is taken back already (a retry after a broken connection) changes nothing.
 * @throws AppError 'conflict' when another edit was made since
 */
export function undo(db: Db, author: Author, editId?: string): EditResult {
  return db.transaction(() => {
    const edit = lastDone(db)
    if (editId !== undefined && edit?.id !== editId) return alreadyThere(db, editId, 'undone')
    if (!edit) return result(db, [])
    const changes = (JSON.parse(edit.changes) as Change[]).reverse()
    for (const { regionId, diff } of changes) writeDiff(db, regionId, reverseRegionDiff(diff), { label: `Undo: ${edit.label}`, editId: edit.id }, author)
    db.run("UPDATE edits SET state = 'undone' WHERE seq = ?", edit.seq)
    return result(db, changes.map((change) => change.regionId))
  })
}

/**
 * Makes the last undone edit again; nothing when there is none, or when something was edited since.
 * @param editId the edit that is meant. One that stands again already changes nothing.
 * @throws AppError 'conflict' when it is not the next one any more
 */
export function redo(db: Db, author: Author, editId?: string): EditResult {
  return db.transaction(() => {
    const edit = firstUndone(db)
    if (editId !== undefined && edit?.id !== editId) return alreadyThere(db, editId, 'done')
    if (!edit) return result(db, [])
    const changes = JSON.parse(edit.changes) as Change[]
    for (const { regionId, diff } of changes) writeDiff(db, regionId, diff, { label: `Redo: ${edit.label}`, editId: edit.id }, author)
    db.run("UPDATE edits SET state = 'done' WHERE seq = ?", edit.seq)
    return result(db, changes.map((change) => change.regionId))
  })
}

/** The answer to a step that was asked again: the edit is in the state it leads to. Anything else has been overtaken. */
function alreadyThere(db: Db, editId: string, state: 'done' | 'undone'): EditResult {
  const edit = db.get<LedgerRow & { state: string }>('SELECT seq, id, dataset_id, label, changes, state FROM edits WHERE id = ?', editId)
  const next = state === 'undone' ? firstUndone(db) : lastDone(db)
  if (edit?.state === state && next?.id === editId) return result(db, (JSON.parse(edit.changes) as Change[]).map((change) => change.regionId))
  throw new AppError(
    'conflict', `${edit ? `“${edit.label}”` : 'This edit'} is not the ${state === 'undone' ? 'last edit' : 'next edit to make again'} any more: something else was edited meanwhile. Nothing was changed.`,
    'Look at the present state, then step again.', editId,
  )
}

function result(db: Db, ids: readonly string[]): EditResult {
  return { regions: [...new Set(ids)].map((id) => toRegion(findRow(db, id))), ...undoState(db) }
}

export function findRow(db: Db, id: string): RegionRow {
  const row = db.get<RegionRow>(`SELECT ${REGION_COLUMNS} FROM regions r JOIN datasets d ON d.id = r.dataset_id AND d.state = 'ready' WHERE r.id = ?`, id)
  if (!row) throw new AppError('not-found', 'This region is not there any more.', 'Its dataset may have been removed; reload the list.', id)
  return row
}

function changeRegion(db: Db, one: Extract<RegionEdit, { diff: unknown }>, edit: { editId: string; label: string }, author: Author) {
  const row = findRow(db, one.regionId)
  if (row.revision !== one.revision) {
    throw new AppError(
      'conflict', `This region was changed meanwhile (revision ${row.revision}, the edit was made on ${one.revision}). Nothing was overwritten.`,
      'Look at the new state, then make the edit again.', one.regionId,
    )
  }
  if (isEmptyDiff(one.diff)) return null
  const diff = withReview(one.diff, toState(row), author)
  writeDiff(db, one.regionId, diff, edit, author)
  return { datasetId: row.dataset_id, diff }
}

/** The creation of a region is its leaving the state 'deleted', so that undo is a diff like any other. */
function createRegion(db: Db, one: Extract<RegionEdit, { create: unknown }>, edit: { editId: string; label: string }, author: Author) {
  const image = db.get<{ id: string; dataset_id: string; width: number; height: number; split: string }>(
    "SELECT i.id, i.dataset_id, i.width, i.height, i.split FROM images i JOIN datasets d ON d.id = i.dataset_id AND d.state = 'ready' WHERE i.id = ?", one.imageId,
  )
  if (!image) throw new AppError('not-found', 'The image of this new region is not there.', 'Reload the list.', one.imageId)
  if (!/^[\w-]{1,100}$/.test(one.regionId)) throw new AppError('bad-input', 'The id of a new region must be 1 to 100 letters, digits, - or _.', 'This is a fault of the page.', one.regionId)
  if (db.get('SELECT 1 FROM regions WHERE id = ?', one.regionId)) throw new AppError('conflict', 'A region with this id is there already.', 'Reload the list.', one.regionId)
  const isDecided = one.create.status === 'accepted' || one.create.status === 'rejected'
  const fields = { ...one.create, outlines: one.create.outlines ?? [], deleted: false, split: image.split, assignee: null, review: isDecided ? { by: author.name, at: author.at } : null, second: null }
  check(fields)
  const { next } = db.get<{ next: number }>('SELECT coalesce(max(position), -1) + 1 AS next FROM (SELECT max(position) AS position FROM regions WHERE dataset_id = ? AND deleted = 0 UNION ALL SELECT max(position) FROM regions WHERE dataset_id = ? AND deleted = 1)', image.dataset_id, image.dataset_id)!
  db.run(
    `INSERT INTO regions (id, image_id, dataset_id, position, split, phrase, boxes, outlines, box_count, status, tags, note, deleted, revision, flags, source, review)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 1, '[]', NULL, ?)`,
    one.regionId, image.id, image.dataset_id, next, image.split, fields.phrase, JSON.stringify(fields.boxes), JSON.stringify(fields.outlines), fields.boxes.length, fields.status,
    JSON.stringify(fields.tags), fields.note, fields.review && JSON.stringify(fields.review),
  )
  writeRevision(db, one.regionId, 1, fields, edit.label, edit.editId, author)
  rescoreRegion(db, { id: one.regionId, imageId: image.id, datasetId: image.dataset_id, revision: 1, phrase: fields.phrase, shape: fields, deleted: false }, image)
  const diff: RegionDiff = { deleted: { before: true, after: false } }
  return { datasetId: image.dataset_id, diff }
}

/** A new status is somebody's decision: their name becomes part of the same change, so that undo gives back whose decision stood before. */
export function withReview(diff: RegionDiff, { review }: RegionMarks, { name, at }: Author): RegionDiff {
  if (!diff.status || diff.review) return diff
  const isDecided = diff.status.after === 'accepted' || diff.status.after === 'rejected'
  return { ...diff, review: { before: review, after: isDecided ? { by: name, at } : null } }
}

export function writeDiff(db: Db, id: string, diff: RegionDiff, edit: { editId: string; label: string }, author: Author): void {
  writeRow(db, findRow(db, id), diff, edit, author)
}

/** @throws AppError 'conflict' when the row does not hold what the diff began with */
export function writeRow(db: Db, row: RegionRow, diff: RegionDiff, edit: { editId: string; label: string }, author: Author): void {
  const { id } = row
  const before = toState(row)
  const after = applyRegionDiff(before, diff)
  check(after)
  const revision = row.revision + 1
  if (row.revision === 1) keepImported(db, row, before)
  db.run(
    'UPDATE regions SET phrase = ?, boxes = ?, outlines = ?, box_count = ?, status = ?, tags = ?, note = ?, deleted = ?, revision = ?, split = ?, assignee = ?, review = ?, second = ?, z = ? WHERE id = ?',
    after.phrase, JSON.stringify(after.boxes), JSON.stringify(after.outlines), after.boxes.length, after.status, JSON.stringify(after.tags), after.note, after.deleted ? 1 : 0, revision,
    after.split, after.assignee, after.review && JSON.stringify(after.review), after.second && JSON.stringify(after.second), after.z ?? 0, id,
  )
  writeRevision(db, id, revision, after, edit.label, edit.editId, author)
  if (diff.phrase || diff.boxes || diff.outlines || diff.deleted) {
    const image = db.get<{ width: number; height: number }>('SELECT width, height FROM images WHERE id = ?', row.image_id)!
    rescoreRegion(db, { id, imageId: row.image_id, datasetId: row.dataset_id, revision, phrase: after.phrase, shape: after, deleted: after.deleted }, image)
  } else db.run('UPDATE scores SET revision = ? WHERE region_id = ?', revision, id)
}

/** What an import brought in is not kept twice until somebody changes it. */
function keepImported(db: Db, row: RegionRow, fields: RegionState): void {
  db.run(
    `INSERT OR IGNORE INTO revisions (region_id, revision, at, actor, label, edit_id, fields) SELECT ?, 1, created_at, 'import', 'Imported', NULL, ? FROM datasets WHERE id = ?`,
    row.id, JSON.stringify(fields), row.dataset_id,
  )
}

function writeRevision(db: Db, id: string, revision: number, fields: RegionState, label: string, editId: string, author: Author): void {
  db.run(
    'INSERT INTO revisions (region_id, revision, at, actor, label, edit_id, fields) VALUES (?, ?, ?, ?, ?, ?, ?)',
    id, revision, author.at, author.name, label, editId, JSON.stringify(fields),
  )
}

function check(fields: RegionFields): void {
  if (fields.phrase.length > MAX_PHRASE) throw new AppError('bad-input', `The phrase has ${fields.phrase.length} characters; ${MAX_PHRASE} are the most.`, 'Make it shorter.', 'phrase')
  if (fields.boxes.length > MAX_BOXES) throw new AppError('bad-input', `The region has ${fields.boxes.length} boxes; ${MAX_BOXES} are the most.`, 'Use fewer boxes.', 'boxes')
  for (const box of fields.boxes) {
    if (!box.every(Number.isFinite)) throw new AppError('bad-input', 'A box needs four finite numbers.', 'Draw it again.', 'boxes')
    if (box[2] <= box[0] || box[3] <= box[1]) throw new AppError('bad-input', `The box [${box.join(', ')}] has no area.`, 'Draw it with a width and a height.', 'boxes')
  }
  checkOutlines(fields)
}
