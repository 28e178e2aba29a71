/** Two checkpoints on one dataset: one join of their scores, then counts, intervals and slices. Nothing without both scores is counted, and it is told. */
import type { EngineContext, Handlers } from '../../engine/context.ts'
import type { Comparison } from '../../../shared/contract/contract.ts'
import type { Scores } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { type Box, boxArea, clampBox } from '../../../shared/geometry.ts'
import { requireCheckpoint } from '../../store/checkpoint-rows.ts'
import type { Db } from '../../store/db.ts'
import { PROTOCOL } from '../../store/region-rows.ts'
import { compareScores } from './statistics.ts'

type Row = Comparison['rows'][number]
interface Compared {
  readonly rows: Row[]
  /** Of each row. */
  readonly tags: string[][]
}

const KEPT = 8

export function compareHandlers({ db, events }: EngineContext): Handlers<'compare'> {
  // A screen asks for the same comparison often; the answer holds until scores or regions of the dataset change.
  const kept = new Map<string, { datasetId: string; answer: Promise<Comparison> }>()
  events.on((event) => {
    if (event.type !== 'scores.changed' && event.type !== 'regions.changed') return
    for (const [key, entry] of kept) if (entry.datasetId === event.datasetId) kept.delete(key)
  })
  return {
    get: ({ datasetId, a, b, split }) => {
      if (!db.get("SELECT 1 FROM datasets WHERE id = ? AND state = 'ready'", datasetId)) throw new AppError('not-found', 'This dataset is not in the project any more.', 'Choose another one.', datasetId)
      for (const id of [a, b]) requireCheckpoint(db, id)
      const key = JSON.stringify([datasetId, a, b, split ?? null])
      const known = kept.get(key)
      if (known) return known.answer
      const answer = compare(db, datasetId, a, b, split)
      kept.set(key, { datasetId, answer })
      answer.catch(() => kept.delete(key))
      if (kept.size > KEPT) kept.delete(kept.keys().next().value!)
      return answer
    },
  }
}

async function compare(db: Db, datasetId: string, a: string, b: string, split?: string): Promise<Comparison> {
  const { rows, tags } = join(db, datasetId, a, b, split)
  return {
    protocol: PROTOCOL, regions: rows.length, images: new Set(rows.map((row) => row.imageId)).size,
    missingA: missing(db, datasetId, [a], split), missingB: missing(db, datasetId, [b], split), missing: missing(db, datasetId, [a, b], split), rows, ...(await compareScores(rows, { tags })),
  }
}

interface Joined {
  readonly id: string
  readonly image_id: string
  readonly phrase: string
  readonly split: string
  readonly boxes: string
  readonly tags: string
  readonly width: number
  readonly height: number
  readonly [score: string]: string | number
}

const SCORE_NAMES = ['pointing_hit', 'inside_energy', 'mean_margin', 'max_margin', 'amc_mean', 'amc_max', 'soft_iou', 'uncertain', 'match_probability'] as const

function join(db: Db, datasetId: string, a: string, b: string, split?: string): Compared {
  const columns = ['a', 'b'].flatMap((side) => SCORE_NAMES.map((name) => `${side}.${name} AS ${side}_${name}`)).join(', ')
  const found = db.all<Joined>(
    `SELECT r.id, r.image_id, r.phrase, r.split, r.boxes, r.tags, i.width, i.height, ${columns}
     FROM regions r JOIN images i ON i.id = r.image_id
     JOIN scores a ON a.checkpoint_id = ? AND a.protocol = ? AND a.region_id = r.id
     JOIN scores b ON b.checkpoint_id = ? AND b.protocol = ? AND b.region_id = r.id
     WHERE r.dataset_id = ? AND r.deleted = 0 ${split === undefined ? '' : 'AND r.split = ?'} ORDER BY r.position`,
    a, PROTOCOL, b, PROTOCOL, datasetId, ...(split === undefined ? [] : [split]),
  )
  const rows = found.map((row) => {
    const boxes = JSON.parse(row.boxes) as Box[]
    const covered = boxes.reduce((sum, box) => sum + boxArea(clampBox(box, row)), 0)
    return {
      regionId: row.id, imageId: row.image_id, phrase: row.phrase, split: row.split, boxAreaShare: Math.min(1, covered / (row.width * row.height)),
      a: scoresOf(row, 'a'), b: scoresOf(row, 'b'),
    }
  })
  return { rows, tags: found.map((row) => JSON.parse(row.tags) as string[]) }
}

function scoresOf(row: Joined, side: 'a' | 'b'): Scores {
  const value = (name: (typeof SCORE_NAMES)[number]): number => row[`${side}_${name}`] as number
  return {
    pointingHit: value('pointing_hit') === 1, insideEnergy: value('inside_energy'), meanMargin: value('mean_margin'), maxMargin: value('max_margin'),
    amcMean: value('amc_mean'), amcMax: value('amc_max'), softIou: value('soft_iou'), uncertain: value('uncertain') === 1, matchProbability: value('match_probability'),
  }
}

/** Regions that can have a score (a phrase and a box) and lack that of one of these checkpoints. */
function missing(db: Db, datasetId: string, checkpointIds: readonly string[], split?: string): number {
  const lacks = checkpointIds.map(() => 'NOT EXISTS (SELECT 1 FROM scores s WHERE s.checkpoint_id = ? AND s.protocol = ? AND s.region_id = r.id)').join(' OR ')
  return db.get<{ n: number }>(
    `SELECT count(*) AS n FROM regions r WHERE r.dataset_id = ? AND r.deleted = 0 AND r.box_count > 0 AND r.phrase <> '' ${split === undefined ? '' : 'AND r.split = ?'} AND (${lacks})`,
    datasetId, ...(split === undefined ? [] : [split]), ...checkpointIds.flatMap((id) => [id, PROTOCOL]),
  )!.n
}
