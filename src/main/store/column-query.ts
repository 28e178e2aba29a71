/** A question of the queue answered from columns: which rows match, and in which order. Gives what region-filter.ts gives in SQL. */
import type { RegionFilter, RegionSort } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import { orderByKey } from './column-order.ts'
import { columnsOf } from './column-store.ts'
import type { Db } from './db.ts'
import { DELETED, type Dictionary, FLAGGED, NOTED, placeOfRow, type RegionColumns, type ScoreColumn, SECOND, scoreKey, STATUSES } from './region-columns.ts'
import { searchRows } from './region-search.ts'

export interface OrderQuery {
  readonly filter: RegionFilter
  readonly sort: RegionSort
  readonly descending: boolean
  readonly seed?: number | undefined
}

/** Suspects are the regions whose scores are trusted least: descending shows the most suspect first. */
export const SCORE_SORTS: Partial<Record<RegionSort, { readonly column: ScoreColumn; readonly reversed: boolean }>> = {
  consistency: { column: 'inside_energy', reversed: false }, suspect: { column: 'trust', reversed: true }, match: { column: 'match_probability', reversed: false },
  'max-margin': { column: 'max_margin', reversed: false }, 'mean-margin': { column: 'mean_margin', reversed: false }, 'amc-mean': { column: 'amc_mean', reversed: false },
  'amc-max': { column: 'amc_max', reversed: false }, 'soft-iou': { column: 'soft_iou', reversed: false },
}

/** Keys of the score columns that a question needs. @throws AppError 'usage' when a score is asked for without a checkpoint */
export function scoresOf({ filter, sort }: Pick<OrderQuery, 'filter' | 'sort'>): string[] {
  const { checkpointId, otherCheckpointId } = filter
  const wanted = new Set<string>()
  const limits: [ScoreColumn, boolean][] = [
    ['inside_energy', filter.consistencyMin !== undefined || filter.consistencyMax !== undefined], ['pointing_hit', filter.hit !== undefined],
    ['match_probability', filter.matchMin !== undefined || filter.matchMax !== undefined],
  ]
  for (const [column, isAsked] of limits) {
    if (!isAsked) continue
    if (!checkpointId) throw new AppError('usage', 'A filter by score needs a checkpoint.', 'Choose a checkpoint first.', 'checkpointId')
    wanted.add(scoreKey(checkpointId, column))
  }
  const byScore = SCORE_SORTS[sort]
  if (checkpointId && byScore) wanted.add(scoreKey(checkpointId, byScore.column))
  if (checkpointId && otherCheckpointId && sort === 'disagreement') {
    wanted.add(scoreKey(checkpointId, 'inside_energy'))
    wanted.add(scoreKey(otherCheckpointId, 'inside_energy'))
  }
  return [...wanted]
}

/** Places of the rows that match, in the order of the file. */
export function matching(db: Db, columns: RegionColumns, filter: RegionFilter): Int32Array {
  const { count, bits, status, split, tags, reviewer, assignee, second, area } = columns
  const among = (values: ArrayLike<number>, allowed: Uint8Array | null) => (allowed ? (at: number) => allowed[values[at]!] === 1 : null)
  const within = (values: Float64Array | undefined, low: number | undefined, high: number | undefined, open = false) => {
    if (!values || (low === undefined && high === undefined)) return null
    const [from, to] = [low ?? -Infinity, high ?? Infinity]
    // What has no value is within nothing.
    return open ? (at: number) => values[at]! >= from && values[at]! < to : (at: number) => values[at]! >= from && values[at]! <= to
  }
  const score = (column: ScoreColumn) => (filter.checkpointId ? columns.scores.get(scoreKey(filter.checkpointId, column)) : undefined)
  const hits = filter.hit === undefined ? undefined : score('pointing_hit')
  const conditions = [
    among(status, filter.statuses?.length ? marked(STATUSES.length, filter.statuses.map((one) => STATUSES.indexOf(one))) : null),
    among(split, chosen(columns.words.split, filter.splits)),
    filter.flagged === undefined ? null : (at: number) => (bits[at]! & FLAGGED) !== 0 === filter.flagged,
    filter.hasNote === undefined ? null : (at: number) => (bits[at]! & NOTED) !== 0 === filter.hasNote,
    among(reviewer, chosen(columns.words.reviewer, filter.reviewers)),
    among(assignee, chosen(columns.words.assignee, filter.assignees)),
    filter.second === undefined ? null : filter.second === 'open' ? (at: number) => second[at] === SECOND.open : filter.second === 'done' ? (at: number) => second[at] !== SECOND.open : (at: number) => second[at] === SECOND.differs,
    filter.tags?.length ? among(tags, tagged(columns.words.tags, filter.tags)) : null,
    within(area, filter.areaMin, filter.areaMax, true),
    within(score('inside_energy'), filter.consistencyMin, filter.consistencyMax),
    within(score('match_probability'), filter.matchMin, filter.matchMax),
    hits ? (at: number) => hits[at] === (filter.hit ? 1 : 0) : null,
    ...[rowsOfImage(db, columns, filter), rowsOfText(db, columns, filter), rowsOfList(db, columns, filter)].map((rows) => rows && ((at: number) => rows[at] === 1)),
  ].filter((condition) => condition !== null)
  const found = new Int32Array(count)
  let n = 0
  next: for (let at = 0; at < count; at++) {
    if ((bits[at]! & DELETED) !== 0) continue
    for (const condition of conditions) if (!condition(at)) continue next
    found[n++] = at
  }
  const rows = found.subarray(0, n)
  return columns.inOrder ? rows : orderByKey(rows.slice(), (at) => columns.position[at]!)
}

/** Row numbers of what matches, in the order asked for. Regions without a score come last, in the order of the file. */
export function orderedRows(db: Db, columns: RegionColumns, query: OrderQuery): { readonly rows: Float64Array; readonly reviewed: number } {
  const places = matching(db, columns, query.filter)
  const ordered = sorted(db, columns, places, query)
  const rows = new Float64Array(ordered.length)
  for (let i = 0; i < rows.length; i++) rows[i] = columns.rowids[ordered[i]!]!
  return { rows, reviewed: reviewedOf(columns, places) }
}

function reviewedOf({ status }: RegionColumns, places: Int32Array): number {
  let reviewed = 0
  for (let i = 0; i < places.length; i++) {
    const one = status[places[i]!]
    if (one === 1 || one === 2) reviewed++
  }
  return reviewed
}

function sorted(db: Db, columns: RegionColumns, places: Int32Array, { filter, sort, descending, seed = 0 }: OrderQuery): Int32Array {
  const byScore = SCORE_SORTS[sort]
  const score = (id: string | undefined, column: ScoreColumn) => (id ? columns.scores.get(scoreKey(id, column)) : undefined)
  if (sort === 'random') {
    const key = (at: number) => (Math.imul(columns.position[at]! + (Math.trunc(Math.abs(seed)) % 1_000_003), 2_654_435_761) >>> 0) * 40_503 % 2_147_483_647
    return orderByKey(places, (at) => (descending ? -key(at) : key(at)))
  }
  if (sort === 'phrase') return byPhrase(db, columns, places, filter.datasetId, descending)
  if (sort === 'area') return lastWithout(places, (at) => columns.area[at]!, descending)
  if (sort === 'disagreement') {
    const [a, b] = [score(filter.checkpointId, 'inside_energy'), score(filter.otherCheckpointId, 'inside_energy')]
    if (a && b) return lastWithout(places, (at) => Math.abs(a[at]! - b[at]!), descending)
  }
  const values = byScore ? score(filter.checkpointId, byScore.column) : undefined
  if (values) return lastWithout(places, (at) => values[at]!, descending !== byScore!.reversed)
  return descending ? places.slice().reverse() : places
}

function lastWithout(places: Int32Array, keyOf: (at: number) => number, descending: boolean): Int32Array {
  const out = new Int32Array(places.length)
  let [valued, last] = [0, places.length]
  for (let i = 0; i < places.length; i++) {
    const at = places[i]!
    if (Number.isNaN(keyOf(at))) out[--last] = at
    else out[valued++] = at
  }
  out.subarray(last).reverse()
  const ordered = orderByKey(out.slice(0, valued), keyOf)
  out.set(descending ? ordered.reverse() : ordered)
  return out
}

/** The index of phrases knows their order, which is kept until a phrase is written; what does not match is left out. */
function byPhrase(db: Db, columns: RegionColumns, places: Int32Array, datasetId: string, descending: boolean): Int32Array {
  const all = (columns.byPhrase ??= phraseOrder(db, columns, datasetId))
  const wanted = new Uint8Array(columns.count)
  for (let i = 0; i < places.length; i++) wanted[places[i]!] = 1
  const out = new Int32Array(places.length)
  let n = 0
  for (let i = 0; i < all.length; i++) {
    const at = all[descending ? all.length - 1 - i : i]!
    if (wanted[at] === 1) out[n++] = at
  }
  return out
}

function phraseOrder(db: Db, columns: RegionColumns, datasetId: string): Int32Array {
  const rows = db.column<number>(`SELECT rowid, phrase, position FROM regions WHERE dataset_id = ? AND deleted = 0 UNION ALL SELECT rowid, phrase, position FROM regions WHERE dataset_id = ? AND deleted = 1 ORDER BY 2 COLLATE NOCASE, 3`, datasetId, datasetId)
  const order = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) order[i] = placeOfRow(columns, rows[i]!)
  return order
}

function marked(size: number, numbers: Iterable<number | undefined>): Uint8Array {
  const set = new Uint8Array(size)
  for (const n of numbers) if (n !== undefined && n >= 0) set[n] = 1
  return set
}

function chosen({ texts, numbers }: Dictionary, wanted: readonly string[] | undefined): Uint8Array | null {
  return wanted?.length ? marked(texts.length, wanted.map((text) => (text === '' ? 0 : numbers.get(text)))) : null
}

/** Which of the lists of tags hold one of these. */
function tagged({ texts }: Dictionary, tags: readonly string[]): Uint8Array {
  return marked(texts.length, texts.map((text, n) => (text !== '' && (JSON.parse(text) as string[]).some((tag) => tags.includes(tag)) ? n : undefined)))
}

function rowsOfImage(db: Db, columns: RegionColumns, { imageId }: RegionFilter): Uint8Array | null {
  return imageId === undefined ? null : masked(columns, db.column<number>('SELECT rowid FROM regions WHERE image_id = ?', imageId))
}

function rowsOfText(db: Db, columns: RegionColumns, { datasetId, text }: RegionFilter): Uint8Array | null {
  const rows = text?.trim() ? searchRows(db, datasetId, text) : null
  return rows && masked(columns, rows)
}

function rowsOfList(db: Db, columns: RegionColumns, { datasetId, regionIds }: RegionFilter): Uint8Array | null {
  return regionIds === undefined ? null : masked(columns, db.column<number>('SELECT r.rowid FROM json_each(?) wanted CROSS JOIN regions r ON r.id = wanted.value WHERE r.dataset_id = ?', JSON.stringify(regionIds), datasetId))
}

function masked(columns: RegionColumns, rowids: readonly number[]): Uint8Array {
  return marked(columns.count, rowids.map((rowid) => placeOfRow(columns, rowid)))
}

/** What matches a filter, from columns where they are there; null where they are not (yet). */
export function countFromColumns(db: Db, filter: RegionFilter): { total: number; reviewed: number } | null {
  const columns = columnsOf(db).now(filter.datasetId, scoresOf({ filter, sort: 'file-order' }))
  if (!columns) return null
  const places = matching(db, columns, filter)
  return { total: places.length, reviewed: reviewedOf(columns, places) }
}
