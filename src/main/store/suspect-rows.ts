/** What judges the regions of an image by a checkpoint, read from and written to the database. Any writer of a score leaves it unjudged. */
import type { Box, Size } from '../../shared/geometry.ts'
import { areaShare, type Baseline, NO_BASELINE, standing } from '../../shared/suspects/baseline.ts'
import { heatRaster } from '../../shared/suspects/heat-raster.ts'
import { type Judgement, judgeRegions, type Weights } from '../../shared/suspects/judge.ts'
import { LEAST_HISTORY, type JudgedRegion } from '../../shared/suspects/reasons.ts'
import type { Db } from './db.ts'
import { gridOf, type HeatRow } from './heat-rows.ts'
import { PROTOCOL } from './region-rows.ts'
import { learnedWeights } from './suspect-decisions.ts'

export interface Judged {
  readonly datasetId: string
  readonly checkpointId: string
}
/** Everything beside the image itself that a judgement rests on. */
export interface Basis {
  readonly baseline: Baseline
  readonly weights: Weights
  /** Other checkpoints that are heard, and what is usual by them. */
  readonly peers: ReadonlyMap<string, Baseline>
  /** The checkpoints of one run, in the order of their steps; empty when no run has enough of them. */
  readonly history: readonly string[]
}
export interface BaselineRow {
  readonly scores: number
  readonly peers: string
  readonly walked_to: number | null
}

/** Each costs a look at its scores for every image. */
const MOST_PEERS = 6
const MOST_HISTORY = 12
/** A peer must know nearly all of the dataset, or its silence would look like an opinion. */
const WHOLE = 0.95

export function findBaseline(db: Db, { datasetId, checkpointId }: Judged): BaselineRow | undefined {
  return db.get<BaselineRow>('SELECT scores, peers, walked_to FROM suspect_baselines WHERE dataset_id = ? AND checkpoint_id = ?', datasetId, checkpointId)
}

/** @param walkedTo position of the next image to be judged anew by it */
export function putBaseline(db: Db, { datasetId, checkpointId }: Judged, row: { scores: number; peers: string; baseline: Baseline; walkedTo: number }): void {
  db.run(
    'INSERT OR REPLACE INTO suspect_baselines (dataset_id, checkpoint_id, scores, peers, data, walked_to) VALUES (?, ?, ?, ?, ?, ?)',
    datasetId, checkpointId, row.scores, row.peers, JSON.stringify(row.baseline), row.walkedTo,
  )
}

export function countScores(db: Db, { datasetId, checkpointId }: Judged): number {
  return db.get<{ n: number }>('SELECT count(*) AS n FROM scores WHERE dataset_id = ? AND checkpoint_id = ? AND protocol = ?', datasetId, checkpointId, PROTOCOL)!.n
}

/** Which other checkpoints are heard: the best or last of each other run, and imported ones; and those of a run whose samples can be followed. */
export function company(db: Db, { datasetId, checkpointId }: Judged): { readonly peers: readonly string[]; readonly history: readonly string[] } {
  const rows = db.all<{ id: string; run: string | null; step: number | null; best: number; scores: number }>(
    `SELECT c.id, c.run_id AS run, c.step, c.best, b.scores FROM suspect_baselines b JOIN checkpoints c ON c.id = b.checkpoint_id
     WHERE b.dataset_id = ? ORDER BY c.created_at DESC, c.id`, datasetId,
  )
  const lead = rows.find((row) => row.id === checkpointId)
  const known = rows.filter((row) => row.id === checkpointId || row.scores >= WHOLE * (lead?.scores ?? 0))
  const runs = Map.groupBy(known.filter((row) => row.run !== null && row.step !== null), (row) => row.run!)
  const followed = [...runs.values()].filter((of) => of.length >= LEAST_HISTORY).sort((a, b) => Number(b[0]!.run === lead?.run) - Number(a[0]!.run === lead?.run) || b.length - a.length)[0] ?? []
  const one = [...runs].filter(([run]) => run !== lead?.run).map(([, of]) => of.find((row) => row.best === 1) ?? of.toSorted((a, b) => b.step! - a.step!)[0]!)
  const others = known.filter((row) => row.run === null && row.id !== checkpointId)
  return {
    peers: [...one, ...others].slice(0, MOST_PEERS).map((row) => row.id),
    history: followed.toSorted((a, b) => a.step! - b.step!).slice(-MOST_HISTORY).map((row) => row.id),
  }
}

export function readBasis(db: Db, judged: Judged): Basis {
  const { peers, history } = company(db, judged)
  const read = (checkpointId: string): Baseline => {
    const row = db.get<{ data: string }>('SELECT data FROM suspect_baselines WHERE dataset_id = ? AND checkpoint_id = ?', judged.datasetId, checkpointId)
    return row ? (JSON.parse(row.data) as Baseline) : NO_BASELINE
  }
  return { baseline: read(judged.checkpointId), weights: learnedWeights(db), peers: new Map(peers.map((id) => [id, read(id)])), history }
}

interface ScoredRow {
  readonly id: string
  readonly phrase: string
  readonly boxes: string
  readonly inside_energy: number
  readonly max_margin: number
  readonly pointing_hit: number
}

/** Judges all scored regions of an image and keeps what it finds, unless it is kept already. To be called in a transaction. */
export function judgeImage(db: Db, { checkpointId }: Judged, imageId: string, basis: Basis, kept = false): readonly Judgement[] {
  const image = db.get<Size>('SELECT width, height FROM images WHERE id = ?', imageId)
  if (!image) return []
  const rows = db.all<ScoredRow>(
    `SELECT r.id, r.phrase, r.boxes, s.inside_energy, s.max_margin, s.pointing_hit FROM regions r JOIN scores s ON s.checkpoint_id = ? AND s.protocol = ? AND s.region_id = r.id
     WHERE r.image_id = ? AND r.deleted = 0 AND r.box_count > 0 ORDER BY r.position`, checkpointId, PROTOCOL, imageId,
  )
  const judgements = judgeRegions(judgedRegions(db, checkpointId, imageId, image, rows, basis), image, basis.baseline, basis.weights)
  if (!kept) for (const { regionId, suspicion, strengths } of judgements) {
    db.run('UPDATE scores SET trust = ?, evidence = ? WHERE checkpoint_id = ? AND protocol = ? AND region_id = ?', 1 - suspicion, short(strengths), checkpointId, PROTOCOL, regionId)
  }
  return judgements
}

function judgedRegions(db: Db, checkpointId: string, imageId: string, image: Size, rows: readonly ScoredRow[], { peers, history }: Basis): JudgedRegion[] {
  const phrases = new Set(rows.map((row) => row.phrase))
  const heats = new Map(
    db.all<Pick<HeatRow, 'phrase' | 'width' | 'height' | 'grid'>>('SELECT phrase, width, height, grid FROM heatmaps WHERE checkpoint_id = ? AND image_id = ?', checkpointId, imageId)
      .filter((heat) => phrases.has(heat.phrase)).map((heat) => [heat.phrase, heatRaster(gridOf(heat))]),
  )
  const others = scoresBy(db, [...new Set([...peers.keys(), ...history])], rows.map((row) => row.id))
  return rows.map((row): JudgedRegion => {
    const boxes = JSON.parse(row.boxes) as Box[]
    const by = others.get(row.id)
    const area = areaShare(boxes, image)
    return {
      id: row.id, phrase: row.phrase, boxes, scores: { insideEnergy: row.inside_energy, maxMargin: row.max_margin, pointingHit: row.pointing_hit === 1 }, heat: heats.get(row.phrase) ?? null,
      peers: [...peers].flatMap(([id, baseline]) => {
        const score = by?.get(id)
        return score ? [{ z: standing(baseline, { phrase: row.phrase, area, insideEnergy: score.insideEnergy }).z, insideEnergy: score.insideEnergy }] : []
      }),
      history: history.flatMap((id) => by?.get(id) ?? []),
    }
  })
}

/** Whether every score of an image by a checkpoint is judged. */
export function isJudged(db: Db, checkpointId: string, imageId: string): boolean {
  return db.get('SELECT 1 FROM regions r JOIN scores s ON s.checkpoint_id = ? AND s.protocol = ? AND s.region_id = r.id AND s.evidence IS NULL WHERE r.image_id = ?', checkpointId, PROTOCOL, imageId) === undefined
}

/** Scores by other checkpoints: region, then checkpoint. */
function scoresBy(db: Db, checkpointIds: readonly string[], regionIds: readonly string[]): Map<string, Map<string, { insideEnergy: number; hit: boolean }>> {
  const found = new Map<string, Map<string, { insideEnergy: number; hit: boolean }>>()
  if (checkpointIds.length === 0) return found
  const rows = db.all<{ region: string; checkpoint: string; inside_energy: number; pointing_hit: number }>(
    `SELECT s.region_id AS region, s.checkpoint_id AS checkpoint, s.inside_energy, s.pointing_hit FROM json_each(?) c CROSS JOIN json_each(?) r
     CROSS JOIN scores s ON s.checkpoint_id = c.value AND s.protocol = ? AND s.region_id = r.value`, JSON.stringify(checkpointIds), JSON.stringify(regionIds), PROTOCOL,
  )
  for (const row of rows) {
    const of = found.get(row.region) ?? new Map<string, { insideEnergy: number; hit: boolean }>()
    found.set(row.region, of.set(row.checkpoint, { insideEnergy: row.inside_energy, hit: row.pointing_hit === 1 }))
  }
  return found
}

/** Three digits are enough to weigh again. */
function short(strengths: Judgement['strengths']): string {
  return JSON.stringify(Object.fromEntries(Object.entries(strengths).map(([name, strength]) => [name, Math.round(strength * 1000) / 1000])))
}
