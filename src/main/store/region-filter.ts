/** The one place where a filter of the queue becomes SQL: conditions on `regions r`, and on `scores s` where scores are asked for. */
import type { RegionFilter } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import type { Db, Value } from './db.ts'
import { PROTOCOL } from './region-rows.ts'
import { searchWhere } from './region-search.ts'

export interface Where {
  readonly sql: string
  readonly values: readonly Value[]
}

/** Another status, another phrase, or boxes that hardly overlap. */
const DIFFERS = "r.second IS NOT NULL AND NOT (json_extract(r.second, '$.status') = r.status AND json_extract(r.second, '$.samePhrase') AND json_extract(r.second, '$.iou') >= 0.5)"
const REVIEWED = "('accepted', 'rejected')"
/** The order of the tables matters: with CROSS JOIN the index of the scores is walked, and regions are looked up. */
export const SCORED_REGIONS = 'scores s CROSS JOIN regions r ON r.id = s.region_id'

export function countRegions(db: Db, filter: RegionFilter): { total: number; reviewed: number } {
  const where = filterWhere(filter)
  const row = db.get<{ total: number; reviewed: number | null }>(
    `SELECT count(*) AS total, sum(r.status IN ${REVIEWED}) AS reviewed FROM ${filterTables(filter)} WHERE ${where.sql}`, ...where.values,
  )!
  return { total: row.total, reviewed: row.reviewed ?? 0 }
}

/** How many of a filter's regions are trusted less than this by its checkpoint. */
export function countRegionsBelowTrust(db: Db, filter: RegionFilter, trust: number): number {
  const where = join(regionWhere(filter), scoreWhere(filter))
  return db.get<{ n: number }>(`SELECT count(*) AS n FROM ${SCORED_REGIONS} WHERE ${where.sql} AND s.trust < ?`, ...where.values, trust)!.n
}

export function filterTables(filter: RegionFilter): string {
  return asksScore(filter) ? SCORED_REGIONS : 'regions r'
}

/** All conditions. @throws AppError 'usage' when a score is asked for without a checkpoint */
export function filterWhere(filter: RegionFilter): Where {
  return asksScore(filter) ? join(regionWhere(filter), scoreWhere(filter)) : regionWhere(filter)
}

export function asksScore(filter: RegionFilter): boolean {
  return [filter.consistencyMin, filter.consistencyMax, filter.matchMin, filter.matchMax, filter.hit].some((limit) => limit !== undefined)
}

/** Conditions on `scores s`: those of the filter's checkpoint in its dataset, within the limits asked for. */
export function scoreWhere(filter: RegionFilter): Where {
  if (!filter.checkpointId) throw new AppError('usage', 'A filter by score needs a checkpoint.', 'Choose a checkpoint first.', 'checkpointId')
  const parts: Where[] = [{ sql: 's.dataset_id = ? AND s.checkpoint_id = ? AND s.protocol = ?', values: [filter.datasetId, filter.checkpointId, PROTOCOL] }]
  if (filter.consistencyMin !== undefined) parts.push({ sql: 's.inside_energy >= ?', values: [filter.consistencyMin] })
  if (filter.consistencyMax !== undefined) parts.push({ sql: 's.inside_energy <= ?', values: [filter.consistencyMax] })
  if (filter.matchMin !== undefined) parts.push({ sql: 's.match_probability >= ?', values: [filter.matchMin] })
  if (filter.matchMax !== undefined) parts.push({ sql: 's.match_probability <= ?', values: [filter.matchMax] })
  if (filter.hit !== undefined) parts.push({ sql: 's.pointing_hit = ?', values: [filter.hit ? 1 : 0] })
  return join(...parts)
}

/** Conditions on `regions r`; deleted regions never match, unless they are asked for too. */
export function regionWhere(filter: RegionFilter, withDeleted = false): Where {
  const parts: Where[] = [{ sql: `r.dataset_id = ?${withDeleted ? '' : ' AND r.deleted = 0'}`, values: [filter.datasetId] }]
  if (filter.splits?.length) parts.push(oneOf('r.split', filter.splits))
  if (filter.statuses?.length) parts.push(oneOf('r.status', filter.statuses))
  if (filter.regionIds) parts.push({ sql: 'r.id IN (SELECT value FROM json_each(?))', values: [JSON.stringify(filter.regionIds)] })
  if (filter.imageId !== undefined) parts.push({ sql: 'r.image_id = ?', values: [filter.imageId] })
  if (filter.flagged !== undefined) parts.push({ sql: filter.flagged ? "r.flags <> '[]'" : "r.flags = '[]'", values: [] })
  if (filter.hasNote !== undefined) parts.push({ sql: filter.hasNote ? "r.note <> ''" : "r.note = ''", values: [] })
  if (filter.areaMin !== undefined) parts.push({ sql: 'r.area >= ?', values: [filter.areaMin] })
  if (filter.areaMax !== undefined) parts.push({ sql: 'r.area < ?', values: [filter.areaMax] })
  if (filter.reviewers?.length) parts.push(oneOf("json_extract(r.review, '$.by')", filter.reviewers))
  if (filter.assignees?.length) parts.push(oneOf("coalesce(r.assignee, '')", filter.assignees))
  if (filter.second) parts.push({ sql: filter.second === 'open' ? 'r.second IS NULL' : filter.second === 'done' ? 'r.second IS NOT NULL' : DIFFERS, values: [] })
  if (filter.text) parts.push(...searchWhere(filter.text))
  if (filter.tags?.length) {
    const tags = oneOf('value', filter.tags)
    parts.push({ sql: `EXISTS (SELECT 1 FROM json_each(r.tags) WHERE ${tags.sql})`, values: tags.values })
  }
  return join(...parts)
}

function oneOf(expression: string, list: readonly string[]): Where {
  return { sql: `${expression} IN (${list.map(() => '?').join(', ')})`, values: list }
}

function join(...parts: readonly Where[]): Where {
  return { sql: parts.map((part) => part.sql).join(' AND '), values: parts.flatMap((part) => part.values) }
}
