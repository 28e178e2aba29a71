/**
 * A page of the queue from the database, for the moment before its columns are in memory. A sort by score walks the index of the scores
 * first and then shows what has no score yet, so the first page costs little in a dataset of a million regions.
 */
import type { QueueRow, RegionFilter, RegionSort, RegionStatus } from '../../../shared/domain.ts'
import { SCORE_SORTS } from '../../store/column-query.ts'
import type { Db } from '../../store/db.ts'
import { asksScore, countRegions, filterTables, filterWhere, regionWhere, SCORED_REGIONS, scoreWhere, type Where } from '../../store/region-filter.ts'
import { PROTOCOL } from '../../store/region-rows.ts'

export interface QueueQuery {
  readonly filter: RegionFilter
  readonly sort: RegionSort
  readonly descending: boolean
  /** Of the order 'random'. */
  readonly seed?: number | undefined
  readonly offset: number
  readonly limit: number
}
export interface QueuePage {
  readonly total: number
  readonly reviewed: number
  readonly rows: QueueRow[]
}

interface Row {
  readonly id: string
  readonly image_id: string
  readonly phrase: string
  readonly status: string
  readonly split: string
  readonly box_count: number
  readonly inside_energy: number | null
  readonly pointing_hit: number | null
}

const COLUMNS = 'r.id, r.image_id, r.phrase, r.status, r.split, r.box_count'
const SCORED = `${COLUMNS}, s.inside_energy, s.pointing_hit`
const UNSCORED = `${COLUMNS}, NULL AS inside_energy, NULL AS pointing_hit`
const WITHOUT_SCORE = 'NOT EXISTS (SELECT 1 FROM scores s WHERE s.checkpoint_id = ? AND s.protocol = ? AND s.region_id = r.id)'

export function queryQueue(db: Db, query: QueueQuery): QueuePage {
  const { total, reviewed } = countRegions(db, query.filter)
  const byScore = SCORE_SORTS[query.sort]
  const rows = byScore && query.filter.checkpointId ? rowsByScore(db, query, `s.${byScore.column}`, query.descending !== byScore.reversed) : rowsByRegion(db, query)
  return { total, reviewed, rows: rows.map(toQueueRow) }
}

/**
 * True when the database has an index for this order and nothing but it is asked for, so that a first page need not wait for the columns. With further
 * conditions the walk along an index may pass by all rows before it has a page, and holds up everything else meanwhile.
 */
export function isQuickInSql({ sort, filter }: Pick<QueueQuery, 'sort' | 'filter'>): boolean {
  const { datasetId: _dataset, checkpointId, otherCheckpointId: _other, ...conditions } = filter
  if (Object.values(conditions).some((value) => value !== undefined && !(Array.isArray(value) && value.length === 0))) return false
  return sort === 'file-order' || sort === 'phrase' || sort === 'consistency' || sort === 'suspect' || sort === 'match' || (SCORE_SORTS[sort] !== undefined && !checkpointId)
}

/** The row number of a region. */
export function placeOf(db: Db, regionId: string): number | undefined {
  return db.get<{ n: number }>('SELECT rowid AS n FROM regions WHERE id = ?', regionId)?.n
}

/** The rows with these numbers, in this order, as they stand now; deleted regions too, so that no place is empty. */
export function rowsAt(db: Db, numbers: ArrayLike<number>, checkpointId: string | undefined): QueueRow[] {
  return db.all<Row>(
    `SELECT ${SCORED} FROM json_each(?) j CROSS JOIN regions r ON r.rowid = j.value LEFT JOIN scores s ON s.checkpoint_id = ? AND s.protocol = ? AND s.region_id = r.id ORDER BY j.key`,
    JSON.stringify(Array.from(numbers)), checkpointId ?? '', PROTOCOL,
  ).map(toQueueRow)
}

function rowsByScore(db: Db, { filter, offset, limit }: QueueQuery, column: string, descending: boolean): Row[] {
  const way = descending ? 'DESC' : 'ASC'
  const regions = regionWhere(filter)
  const scores = scoreWhere(filter)
  const scored = db.all<Row>(
    `SELECT ${SCORED} FROM ${SCORED_REGIONS} WHERE ${scores.sql} AND ${regions.sql} ORDER BY ${column} ${way}, s.region_id ${way} LIMIT ? OFFSET ?`,
    ...scores.values, ...regions.values, limit, offset,
  )
  if (scored.length === limit || asksScore(filter)) return scored
  const first = offset + scored.length === 0 || scored.length > 0 ? 0 : offset - countScored(db, scores, regions)
  const rest = db.all<Row>(
    `SELECT ${UNSCORED} FROM regions r WHERE ${regions.sql} AND ${WITHOUT_SCORE}
     ORDER BY r.position LIMIT ? OFFSET ?`,
    ...regions.values, filter.checkpointId!, PROTOCOL, limit - scored.length, Math.max(0, first),
  )
  return [...scored, ...rest]
}

function countScored(db: Db, scores: Where, regions: Where): number {
  return db.get<{ n: number }>(`SELECT count(*) AS n FROM ${SCORED_REGIONS} WHERE ${scores.sql} AND ${regions.sql}`, ...scores.values, ...regions.values)!.n
}

function regionOrder({ sort, descending, seed = 0 }: QueueQuery): string {
  const way = descending ? 'DESC' : 'ASC'
  return sort === 'phrase' ? `r.phrase COLLATE NOCASE ${way}, r.position ${way}` : sort === 'random' ? `${shuffled(seed)} ${way}, r.position` : `r.position ${way}`
}

function rowsByRegion(db: Db, query: QueueQuery): Row[] {
  const { filter, offset, limit } = query
  const where = filterWhere(filter)
  // Scores are looked up for the rows of this page only.
  return db.all<Row>(
    `SELECT p.*, s.inside_energy, s.pointing_hit
     FROM (SELECT ${COLUMNS}, row_number() OVER () AS place FROM (SELECT ${COLUMNS} FROM ${filterTables(filter)} WHERE ${where.sql} ORDER BY ${regionOrder(query)} LIMIT ? OFFSET ?) r) p
     LEFT JOIN scores s ON s.checkpoint_id = ? AND s.protocol = ? AND s.region_id = p.id ORDER BY p.place`,
    ...where.values, limit, offset, filter.checkpointId ?? '', PROTOCOL,
  )
}

/** A fixed shuffle of the positions: a multiplicative hash, the same for the same seed. */
function shuffled(seed: number): string {
  return `((r.position + ${Math.trunc(Math.abs(seed)) % 1_000_003}) * 2654435761 % 4294967296 * 40503 % 2147483647)`
}

function toQueueRow(row: Row): QueueRow {
  return {
    id: row.id, imageId: row.image_id, phrase: row.phrase, status: row.status as RegionStatus, split: row.split, boxes: row.box_count,
    consistency: row.inside_energy, hit: row.pointing_hit === null ? null : row.pointing_hit === 1,
  }
}
