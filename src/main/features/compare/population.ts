/** What is compared on, as rows with the scores of every checkpoint; and what of it cannot be counted, which is told and never dropped silently. */
import type { CompareRow, CompareScores, Population } from '../../../shared/contract/compare.ts'
import type { RegionFilter } from '../../../shared/domain.ts'
import { type Box, boxArea, clampBox } from '../../../shared/geometry.ts'
import type { CheckpointRow } from '../../store/checkpoint-rows.ts'
import type { Db } from '../../store/db.ts'
import { asksScore, filterTables, filterWhere } from '../../store/region-filter.ts'
import { PROTOCOL } from '../../store/region-rows.ts'
import { askedFilter } from '../../store/view-rows.ts'

export interface Asked {
  readonly title: string
  readonly filter: RegionFilter
  readonly notes: readonly string[]
}

/** @throws AppError 'not-found' when the dataset or the view is not there */
export function askedFor(db: Db, { datasetId, viewId, split }: Population): Asked {
  const { dataset, view, filter } = askedFilter(db, { datasetId, viewId, splits: split === undefined ? [] : [split] })
  const notes: string[] = []
  if (asksScore(filter)) {
    const by = db.get<{ name: string }>('SELECT name FROM checkpoints WHERE id = ?', filter.checkpointId ?? '')?.name ?? 'a checkpoint that is gone'
    notes.push(`This view picks regions by how ${by} scored them. What was picked for being low tends to rise, and what was picked for being high to fall, by chance alone: a change on it is no proof of a gain.`)
  }
  return { title: [dataset, ...(view === null ? [] : [`view ${view}`]), split ?? 'all splits'].join(', '), filter, notes }
}

interface Found {
  readonly id: string
  readonly image_id: string
  readonly phrase: string
  readonly split: string
  readonly boxes: string
  readonly box_count: number
  readonly tags: string
  readonly concepts: string | null
  readonly width: number
  readonly height: number
  readonly [score: string]: string | number | null
}

export interface Joined {
  readonly rows: CompareRow[]
  readonly total: number
  readonly withoutAnswer: number
  readonly missing: number
  /** Of each checkpoint. */
  readonly missingOf: number[]
}

const SCORE_NAMES = ['pointing_hit', 'inside_energy', 'max_margin', 'uncertain', 'match_probability'] as const

export function joinScores(db: Db, filter: RegionFilter, checkpoints: readonly CheckpointRow[]): Joined {
  const where = filterWhere(filter)
  const columns = checkpoints.flatMap((_, k) => SCORE_NAMES.map((name) => `s${k}.${name} AS s${k}_${name}`)).join(', ')
  const joins = checkpoints.map((_, k) => `LEFT JOIN scores s${k} ON s${k}.checkpoint_id = ? AND s${k}.protocol = ? AND s${k}.region_id = r.id`).join('\n')
  const rows: CompareRow[] = []
  const missingOf = checkpoints.map(() => 0)
  let [total, withoutAnswer, missing] = [0, 0, 0]
  const found = db.each<Found>(
    `SELECT r.id, r.image_id, r.phrase, r.split, r.boxes, r.box_count, r.tags, r.concepts, i.width, i.height, ${columns}
     FROM (SELECT r.id FROM ${filterTables(filter)} WHERE ${where.sql}) wanted CROSS JOIN regions r ON r.id = wanted.id JOIN images i ON i.id = r.image_id
     ${joins} ORDER BY r.position`,
    ...where.values, ...checkpoints.flatMap((checkpoint) => [checkpoint.id, PROTOCOL]),
  )
  for (const row of found) {
    total++
    if (row.box_count === 0 || row.phrase === '') {
      withoutAnswer++
      continue
    }
    const lacks = checkpoints.map((_, k) => row[`s${k}_pointing_hit`] === null)
    lacks.forEach((is, k) => (missingOf[k]! += Number(is)))
    if (lacks.includes(true)) missing++
    else rows.push(toRow(row, checkpoints.length))
  }
  return { rows, total, withoutAnswer, missing, missingOf }
}

function toRow(row: Found, checkpoints: number): CompareRow {
  const boxes = JSON.parse(row.boxes) as Box[]
  const covered = boxes.reduce((sum, box) => sum + boxArea(clampBox(box, row)), 0)
  return {
    regionId: row.id, imageId: row.image_id, phrase: row.phrase, split: row.split, boxAreaShare: Math.min(1, covered / (row.width * row.height)), boxes: boxes.length,
    tags: JSON.parse(row.tags) as string[], concepts: row.concepts === null ? [] : (JSON.parse(row.concepts) as string[]),
    scores: Array.from({ length: checkpoints }, (_, k): CompareScores => {
      const value = (name: (typeof SCORE_NAMES)[number]): number => row[`s${k}_${name}`] as number
      return { pointingHit: value('pointing_hit') === 1, insideEnergy: value('inside_energy'), maxMargin: value('max_margin'), uncertain: value('uncertain') === 1, matchProbability: value('match_probability') }
    }),
  }
}
