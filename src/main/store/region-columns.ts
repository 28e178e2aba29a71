/** Regions as columns of numbers: some 40 bytes a region. Rows stand by their row numbers, and are put in and found by them. */

export const STATUSES = ['unreviewed', 'accepted', 'rejected', 'skipped'] as const
export const DELETED = 1
export const NOTED = 2
export const FLAGGED = 4
export const SECOND = { open: 0, same: 1, differs: 2 } as const

/** Texts that repeat, as small numbers; 0 is no text. */
export interface Dictionary {
  readonly texts: string[]
  readonly numbers: Map<string, number>
}

export interface RegionColumns {
  count: number
  rowids: Float64Array
  position: Int32Array
  status: Uint8Array
  bits: Uint8Array
  second: Uint8Array
  split: Uint16Array
  reviewer: Uint16Array
  assignee: Uint16Array
  tags: Uint32Array
  area: Float64Array
  /** False where the order of rows is not that of the file. */
  inOrder: boolean
  readonly words: Readonly<Record<'split' | 'reviewer' | 'assignee' | 'tags', Dictionary>>
  /** Places in the order of phrases, the deleted among them; null when it is to be read (again). */
  byPhrase: Int32Array | null
  /** By scoreKey; NaN where there is no score. */
  readonly scores: Map<string, Float64Array>
}

export const SCORE_COLUMNS = ['inside_energy', 'pointing_hit', 'match_probability', 'mean_margin', 'max_margin', 'amc_mean', 'amc_max', 'soft_iou', 'trust'] as const
export type ScoreColumn = (typeof SCORE_COLUMNS)[number]
export const scoreKey = (checkpointId: string, column: ScoreColumn): string => `${column} ${checkpointId}`

/** A row as FACETS selects it. */
export type FacetRow = readonly [rowid: number, position: number, status: string, split: string, tags: string, bits: number, area: number | null, reviewer: string | null, assignee: string | null, second: number]
export const FACETS = `r.rowid, r.position, r.status, r.split, r.tags, (r.deleted <> 0) * ${DELETED} + (r.note <> '') * ${NOTED} + (r.flags <> '[]') * ${FLAGGED}, r.area,
  json_extract(r.review, '$.by'), r.assignee, CASE WHEN r.second IS NULL THEN 0 WHEN json_extract(r.second, '$.status') = r.status AND json_extract(r.second, '$.samePhrase') AND json_extract(r.second, '$.iou') >= 0.5 THEN 1 ELSE 2 END`

export function scoreOfKey(key: string): readonly [ScoreColumn, string] {
  const at = key.indexOf(' ')
  return [key.slice(0, at) as ScoreColumn, key.slice(at + 1)]
}

export function emptyColumns(): RegionColumns {
  const words = (): Dictionary => ({ texts: [''], numbers: new Map() })
  return {
    count: 0, rowids: new Float64Array(0), position: new Int32Array(0), status: new Uint8Array(0), bits: new Uint8Array(0), second: new Uint8Array(0), split: new Uint16Array(0),
    reviewer: new Uint16Array(0), assignee: new Uint16Array(0), tags: new Uint32Array(0), area: new Float64Array(0), inOrder: true,
    words: { split: words(), reviewer: words(), assignee: words(), tags: words() }, byPhrase: null, scores: new Map(),
  }
}

function numberOf({ texts, numbers }: Dictionary, text: string | null): number {
  if (text === null) return 0
  const known = numbers.get(text)
  if (known !== undefined) return known
  numbers.set(text, texts.length)
  return texts.push(text) - 1
}

/** Place of a row by its number; -1 when it is not there. */
export function placeOfRow({ rowids, count }: RegionColumns, rowid: number): number {
  // Rows that were imported together have numbers without gaps.
  const guess = rowid - (rowids[0] ?? 0)
  if (guess >= 0 && guess < count && rowids[guess] === rowid) return guess
  let [low, high] = [0, count - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    if (rowids[middle]! === rowid) return middle
    if (rowids[middle]! < rowid) low = middle + 1
    else high = middle - 1
  }
  return -1
}

export function putFacets(columns: RegionColumns, [rowid, position, status, split, tags, bits, area, reviewer, assignee, second]: FacetRow): void {
  let at = placeOfRow(columns, rowid)
  if (at < 0) at = makeRoom(columns, rowid, position)
  columns.position[at] = position
  columns.status[at] = STATUSES.indexOf(status as 'accepted')
  columns.split[at] = numberOf(columns.words.split, split)
  columns.tags[at] = tags === '[]' ? 0 : numberOf(columns.words.tags, tags)
  columns.bits[at] = bits
  columns.area[at] = area ?? NaN
  columns.reviewer[at] = numberOf(columns.words.reviewer, reviewer)
  columns.assignee[at] = numberOf(columns.words.assignee, assignee)
  columns.second[at] = second
}

function makeRoom(columns: RegionColumns, rowid: number, position: number): number {
  const { count } = columns
  if (count === columns.rowids.length) grow(columns, Math.max(1024, Math.ceil(count * 1.25)))
  if (count > 0 && position < columns.position[count - 1]!) columns.inOrder = false
  columns.count++
  columns.byPhrase = null
  // SQLite gives new rows numbers above all others, unless the highest were deleted for good.
  if (count > 0 && rowid < columns.rowids[count - 1]!) {
    let at = count
    while (at > 0 && columns.rowids[at - 1]! > rowid) at--
    for (const values of [columns.rowids, columns.position, columns.status, columns.bits, columns.second, columns.split, columns.reviewer, columns.assignee, columns.tags, columns.area, ...columns.scores.values()]) values.copyWithin(at + 1, at, count)
    columns.rowids[at] = rowid
    columns.inOrder = false
    return at
  }
  columns.rowids[count] = rowid
  return count
}

function grow(columns: RegionColumns, size: number): void {
  const larger = <T extends { set(from: T): void }>(Kind: new (size: number) => T, old: T): T => {
    const next = new Kind(size)
    next.set(old)
    return next
  }
  columns.rowids = larger(Float64Array, columns.rowids)
  columns.position = larger(Int32Array, columns.position)
  columns.status = larger(Uint8Array, columns.status)
  columns.bits = larger(Uint8Array, columns.bits)
  columns.second = larger(Uint8Array, columns.second)
  columns.split = larger(Uint16Array, columns.split)
  columns.reviewer = larger(Uint16Array, columns.reviewer)
  columns.assignee = larger(Uint16Array, columns.assignee)
  columns.tags = larger(Uint32Array, columns.tags)
  columns.area = larger(Float64Array, columns.area)
  for (const [key, values] of columns.scores) {
    const next = new Float64Array(size).fill(NaN)
    next.set(values)
    columns.scores.set(key, next)
  }
}
