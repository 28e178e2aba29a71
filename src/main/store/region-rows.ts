/** Rows of the regions and scores tables, and what they mean outside the database. */
import type { ImageRecord, Region, RegionFields, RegionMarks, RegionStatus, Scores } from '../../shared/domain.ts'
import { DEFAULT_PROTOCOL } from '../../shared/explainers.ts'
import type { Box } from '../../shared/geometry.ts'
import type { Shape } from '../../shared/shape.ts'

/** The scores that are shown are of this protocol: AMC's own map, images resized whole, first maximum, strictly inside. */
export const PROTOCOL = DEFAULT_PROTOCOL

export interface RegionRow {
  readonly id: string
  readonly image_id: string
  readonly dataset_id: string
  readonly position: number
  readonly split: string
  readonly phrase: string
  readonly boxes: string
  readonly outlines: string
  readonly status: string
  readonly tags: string
  readonly note: string
  readonly deleted: number
  readonly revision: number
  readonly flags: string
  readonly concepts: string | null
  readonly assignee: string | null
  readonly review: string | null
  readonly second: string | null
  readonly z: number
}
export const REGION_COLUMNS =
  'r.id, r.image_id, r.dataset_id, r.position, r.split, r.phrase, r.boxes, r.outlines, r.status, r.tags, r.note, r.deleted, r.revision, r.flags, r.concepts, r.assignee, r.review, r.second, r.z'

/** Of the columns boxes and outlines. */
export function toShape(row: Pick<RegionRow, 'boxes' | 'outlines'>): Shape {
  return { boxes: JSON.parse(row.boxes) as Box[], outlines: JSON.parse(row.outlines) as number[][] }
}

export function toFields(row: RegionRow): RegionFields {
  return {
    phrase: row.phrase, ...toShape(row), status: row.status as RegionStatus,
    tags: JSON.parse(row.tags) as string[], note: row.note, deleted: row.deleted === 1,
  }
}

function toMarks(row: RegionRow): RegionMarks {
  return {
    split: row.split, assignee: row.assignee, review: row.review === null ? null : JSON.parse(row.review) as RegionMarks['review'],
    second: row.second === null ? null : JSON.parse(row.second) as RegionMarks['second'], ...(row.z === 0 ? {} : { z: row.z }),
  }
}

/** Everything that a diff may change. */
export function toState(row: RegionRow): RegionFields & RegionMarks {
  return { ...toFields(row), ...toMarks(row) }
}

export function toRegion(row: RegionRow): Region {
  return {
    ...toState(row), id: row.id, imageId: row.image_id, datasetId: row.dataset_id, revision: row.revision,
    flags: JSON.parse(row.flags) as string[],
  }
}

export interface ImageRow {
  readonly id: string
  readonly dataset_id: string
  readonly name: string
  readonly path: string
  readonly width: number
  readonly height: number
  readonly split: string
  readonly kind: string | null
  readonly concepts: string | null
}
export const IMAGE_COLUMNS = 'i.id, i.dataset_id, i.name, i.path, i.width, i.height, i.split, i.kind, i.concepts'

export function toImage(row: ImageRow): ImageRecord {
  return { id: row.id, datasetId: row.dataset_id, name: row.name, width: row.width, height: row.height, split: row.split }
}

export interface ScoreRow {
  readonly pointing_hit: number
  readonly inside_energy: number
  readonly mean_margin: number
  readonly max_margin: number
  readonly amc_mean: number
  readonly amc_max: number
  readonly soft_iou: number
  readonly uncertain: number
  readonly match_probability: number
}
export const SCORE_COLUMNS = 's.pointing_hit, s.inside_energy, s.mean_margin, s.max_margin, s.amc_mean, s.amc_max, s.soft_iou, s.uncertain, s.match_probability'

export function toScores(row: ScoreRow): Scores {
  return {
    pointingHit: row.pointing_hit === 1, insideEnergy: row.inside_energy, meanMargin: row.mean_margin, maxMargin: row.max_margin,
    amcMean: row.amc_mean, amcMax: row.amc_max, softIou: row.soft_iou, uncertain: row.uncertain === 1, matchProbability: row.match_probability,
  }
}
