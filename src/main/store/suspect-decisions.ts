/** What reviewers made of suspects, and the weights of the reasons that follow from it. An edit that was undone taught nothing. */
import { boxIou } from '../../shared/geometry.ts'
import type { RegionDiff } from '../../shared/region-diff.ts'
import { type Strengths, suspicionOf, type Weights, WORTH_SAYING } from '../../shared/suspects/judge.ts'
import { type Decision, learnWeights } from '../../shared/suspects/learn.ts'
import type { Db } from './db.ts'
import { PROTOCOL } from './region-rows.ts'

/** Older ones teach no more: people and data change, and learning stays quick. */
const MOST_DECISIONS = 2000
/** Boxes moved by less than this are a touch, not an answer to the suspicion. */
const SAME_BOXES = 0.9

/** To be called before the edit is written: whose reasons were shown, and what was done about them. */
export function noteDecision(db: Db, editId: string, shown: { readonly checkpointId: string; readonly regionId: string }, diff: RegionDiff): void {
  const agreed = verdict(diff)
  if (agreed === null) return
  const row = db.get<{ evidence: string | null }>('SELECT evidence FROM scores WHERE checkpoint_id = ? AND protocol = ? AND region_id = ?', shown.checkpointId, PROTOCOL, shown.regionId)
  if (!row?.evidence) return
  const strengths = JSON.parse(row.evidence) as Strengths
  if (!Object.values(strengths).some((strength) => strength >= WORTH_SAYING)) return
  db.run('INSERT OR IGNORE INTO suspect_decisions (edit_id, region_id, evidence, agreed) VALUES (?, ?, ?, ?)', editId, shown.regionId, row.evidence, agreed ? 1 : 0)
}

/** Whether what was done says that the region was wrong; null when it says nothing. */
function verdict({ boxes, phrase, deleted, status }: RegionDiff): boolean | null {
  if (phrase || deleted?.after === true || status?.after === 'rejected') return true
  if (boxes) {
    const same = boxes.before.length === boxes.after.length && boxes.before.every((box, i) => boxIou(box, boxes.after[i]!) >= SAME_BOXES)
    if (!same) return true
  }
  return status?.after === 'accepted' ? false : null
}

export function readDecisions(db: Db): Decision[] {
  const rows = db.all<{ evidence: string; agreed: number }>(
    "SELECT d.evidence, d.agreed FROM suspect_decisions d CROSS JOIN edits e ON e.id = d.edit_id WHERE e.state = 'done' ORDER BY e.seq DESC LIMIT ?", MOST_DECISIONS,
  )
  return rows.map((row) => ({ strengths: JSON.parse(row.evidence) as Strengths, agreed: row.agreed === 1 })).reverse()
}

export function forgetDecisions(db: Db): void {
  db.run('DELETE FROM suspect_decisions')
}

export function learnedWeights(db: Db): Weights {
  return learnWeights(readDecisions(db))
}

/** Below this suspicion the order is nobody's concern, until the next judging of the whole dataset. */
const WEIGHED_FROM = 0.05

/** A part of the judged scores weighed anew, the most suspect first. Returns where to go on, or null at the end. */
export function weighAgain(db: Db, { datasetId, checkpointId }: { readonly datasetId: string; readonly checkpointId: string }, weights: Weights, from: number, regionId: string, limit: number): { readonly from: number; readonly regionId: string } | null {
  const rows = db.all<{ region_id: string; trust: number; evidence: string | null }>(
    `SELECT region_id, trust, evidence FROM scores WHERE dataset_id = ? AND checkpoint_id = ? AND protocol = ? AND (trust, region_id) > (?, ?) AND trust <= ?
     ORDER BY trust, region_id LIMIT ?`, datasetId, checkpointId, PROTOCOL, from, regionId, 1 - WEIGHED_FROM, limit,
  )
  for (const row of rows) {
    if (row.evidence === null) continue
    db.run('UPDATE scores SET trust = ? WHERE checkpoint_id = ? AND protocol = ? AND region_id = ?', 1 - suspicionOf(JSON.parse(row.evidence) as Strengths, weights), checkpointId, PROTOCOL, row.region_id)
  }
  const last = rows.at(-1)
  return last && rows.length === limit ? { from: last.trust, regionId: last.region_id } : null
}
