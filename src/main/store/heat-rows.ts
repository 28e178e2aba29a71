/**
 * Stored heatmaps, and the scores that follow from them: both change in the transaction that changes a region. Those of the usual explainer
 * lie in a table of their own; for any other its key is part of the key, and of the protocol of its scores.
 */
import type { Heatmap, Scores } from '../../shared/domain.ts'
import type { Point, Size } from '../../shared/geometry.ts'
import { type HeatGrid, prepareHeat, type PreparedHeat, scoreRegion } from '../../shared/consistency.ts'
import type { Shape } from '../../shared/shape.ts'
import type { Db } from './db.ts'
import { protocolOfKey } from '../../shared/explainers.ts'
import { PROTOCOL, toShape } from './region-rows.ts'

export interface HeatRow {
  readonly checkpoint_id: string
  readonly image_id: string
  readonly phrase: string
  readonly width: number
  readonly height: number
  readonly grid: Uint8Array
  readonly peak_x: number
  readonly peak_y: number
  readonly match_probability: number
  readonly layer: number
  readonly mask_size: number
  readonly tokens: string
  readonly truncated: number
  /** Absent: the usual one. */
  readonly explainer?: string
}

export interface HeatToStore {
  readonly checkpointId: string
  readonly imageId: string
  readonly phrase: string
  readonly grid: { readonly width: number; readonly height: number; readonly values: Float32Array }
  readonly peak: Point
  readonly matchProbability: number
  readonly layer: number
  readonly maskSize: number
  readonly tokens: readonly string[]
  readonly truncated: boolean
  /** Key of the explainer; null: the usual one. */
  readonly explainer?: string | null
}

/** @param explainer its key; null: the usual one */
export function findHeat(db: Db, checkpointId: string, imageId: string, phrase: string, explainer: string | null = null): HeatRow | undefined {
  if (explainer !== null) return db.get<HeatRow>('SELECT * FROM other_heatmaps WHERE checkpoint_id = ? AND image_id = ? AND phrase = ? AND explainer = ?', checkpointId, imageId, phrase, explainer)
  return db.get<HeatRow>('SELECT * FROM heatmaps WHERE checkpoint_id = ? AND image_id = ? AND phrase = ?', checkpointId, imageId, phrase)
}

export function storeHeat(db: Db, heat: HeatToStore): void {
  const { grid } = heat
  const bytes = new Uint8Array(grid.values.buffer, grid.values.byteOffset, grid.values.byteLength)
  const other = heat.explainer ? [heat.explainer] : []
  db.run(
    `INSERT OR REPLACE INTO ${heat.explainer ? 'other_heatmaps' : 'heatmaps'}
     (checkpoint_id, image_id, phrase, ${heat.explainer ? 'explainer, ' : ''}width, height, grid, peak_x, peak_y, match_probability, layer, mask_size, tokens, truncated, used_at)
     VALUES (${heat.explainer ? '?, ' : ''}?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    heat.checkpointId, heat.imageId, heat.phrase, ...other, grid.width, grid.height, bytes, heat.peak.x, heat.peak.y, heat.matchProbability, heat.layer, heat.maskSize,
    JSON.stringify(heat.tokens), heat.truncated ? 1 : 0, new Date().toISOString(),
  )
}

/** About a gigabyte for grids of 24 x 24. */
export const MOST_HEATS = 400_000
/** Of explainers other than the usual one, which are looked at now and then. */
export const MOST_OTHER_HEATS = 100_000

/** Forgets the heatmaps that were not looked at for the longest time, so that there are no more than `most`; a few more, to rest for a while. Scores stay. */
export function trimHeats(db: Db, most = MOST_HEATS, mostOther = MOST_OTHER_HEATS): void {
  for (const [table, key, limit] of [['heatmaps', 'checkpoint_id, image_id, phrase', most], ['other_heatmaps', 'checkpoint_id, image_id, phrase, explainer', mostOther]] as const) {
    const { n } = db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!
    if (n > limit) db.run(`DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} ORDER BY used_at LIMIT ?)`, n - limit + Math.floor(limit / 20))
  }
}

export function gridOf(row: Pick<HeatRow, 'width' | 'height' | 'grid'>): HeatGrid {
  const copy = row.grid.slice() // a blob need not lie on a multiple of four bytes
  return { width: row.width, height: row.height, values: new Float32Array(copy.buffer, 0, row.width * row.height) }
}

export function toHeatmap(row: HeatRow, computeMs: number, stored: boolean): Heatmap {
  const grid = gridOf(row)
  return {
    checkpointId: row.checkpoint_id, imageId: row.image_id, phrase: row.phrase,
    grid: { width: grid.width, height: grid.height, values: Array.from(grid.values) },
    peak: { x: row.peak_x, y: row.peak_y }, matchProbability: row.match_probability, layer: row.layer, maskSize: row.mask_size,
    tokens: JSON.parse(row.tokens) as string[], truncated: row.truncated === 1, computeMs, stored,
  }
}

function prepared(row: HeatRow): PreparedHeat {
  return prepareHeat(gridOf(row), { x: row.peak_x, y: row.peak_y }, row.mask_size)
}

export function putScores(db: Db, target: { checkpointId: string; regionId: string; datasetId: string; revision: number; protocol?: string }, scores: Scores): void {
  db.run(
    `INSERT OR REPLACE INTO scores (checkpoint_id, region_id, protocol, dataset_id, revision, pointing_hit, inside_energy, mean_margin, max_margin, amc_mean, amc_max, soft_iou, uncertain, match_probability)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    target.checkpointId, target.regionId, target.protocol ?? PROTOCOL, target.datasetId, target.revision, scores.pointingHit ? 1 : 0, scores.insideEnergy, scores.meanMargin, scores.maxMargin,
    scores.amcMean, scores.amcMax, scores.softIou, scores.uncertain ? 1 : 0, scores.matchProbability,
  )
}

export interface RescoredRegion {
  readonly id: string
  readonly imageId: string
  readonly datasetId: string
  readonly revision: number
  readonly phrase: string
  readonly shape: Shape
  readonly deleted: boolean
}

/**
 * After an edit: every checkpoint with a heatmap for the region's phrase gives it a new score; a score without one is stale and
 * goes, as does that of a deleted region.
 */
export function rescoreRegion(db: Db, region: RescoredRegion, image: Size): void {
  db.run('DELETE FROM scores WHERE region_id = ?', region.id)
  if (region.deleted || region.shape.boxes.length === 0) return
  for (const table of ['heatmaps', 'other_heatmaps']) {
    for (const heat of db.all<HeatRow>(`SELECT * FROM ${table} WHERE image_id = ? AND phrase = ?`, region.imageId, region.phrase)) scoreFrom(db, heat, prepared(heat), region, image)
  }
}

const PRINT = "coalesce(print, width || 'x' || height || ' ' || orientation || ' ' || bytes)"

/** Tells whether an image of this id is still the picture that it was. Undefined when it is not there any more. */
export function printOf(db: Db, imageId: string): string | undefined {
  return db.get<{ print: string }>(`SELECT ${PRINT} AS print FROM images WHERE id = ?`, imageId)?.print
}

/** The same of all images of a dataset. */
export function printsOf(db: Db, datasetId: string): Map<string, string> {
  return new Map(db.arrays<[string, string]>(`SELECT id, ${PRINT} FROM images WHERE dataset_id = ?`, datasetId))
}

/** The picture is another one: its heatmaps, and the scores that came from them, are of the old one. */
export function forgetHeat(db: Db, imageId: string): void {
  for (const table of ['heatmaps', 'other_heatmaps']) db.run(`DELETE FROM ${table} WHERE image_id = ?`, imageId)
  db.run('DELETE FROM scores WHERE region_id IN (SELECT id FROM regions WHERE image_id = ?)', imageId)
}

/** Gives the regions of an image that carry this phrase their scores from a heatmap just stored. Returns their ids. */
export function scoreRegionsOfHeat(db: Db, heat: HeatRow): string[] {
  const image = db.get<{ width: number; height: number }>('SELECT width, height FROM images WHERE id = ?', heat.image_id)
  if (!image) return []
  const rows = db.all<{ id: string; dataset_id: string; revision: number; boxes: string; outlines: string }>(
    `SELECT id, dataset_id, revision, boxes, outlines FROM regions r WHERE image_id = ? AND phrase = ? AND deleted = 0
     AND NOT EXISTS (SELECT 1 FROM scores s WHERE s.checkpoint_id = ? AND s.protocol = ? AND s.region_id = r.id AND s.revision = r.revision)`,
    heat.image_id, heat.phrase, heat.checkpoint_id, protocolOfKey(heat.explainer ?? null),
  )
  if (rows.length === 0) return []
  const map = prepared(heat)
  for (const row of rows) {
    scoreFrom(db, heat, map, { id: row.id, imageId: heat.image_id, datasetId: row.dataset_id, revision: row.revision, phrase: heat.phrase, shape: toShape(row), deleted: false }, image)
  }
  return rows.map((row) => row.id)
}

function scoreFrom(db: Db, heat: HeatRow, map: PreparedHeat, region: RescoredRegion, image: Size): void {
  const scores: Scores = { ...scoreRegion(map, region.shape, image), matchProbability: heat.match_probability }
  putScores(db, { checkpointId: heat.checkpoint_id, regionId: region.id, datasetId: region.datasetId, revision: region.revision, protocol: protocolOfKey(heat.explainer ?? null) }, scores)
}
