/** Who did what in a dataset: what there is to filter by, decisions by person and day, and how far two people agree. */
import type { Facets, ReviewAgreement, ReviewProgress } from '../../../shared/contract/people.ts'
import type { SecondReview } from '../../../shared/domain.ts'
import { columnsOf } from '../../store/column-store.ts'
import type { Db } from '../../store/db.ts'
import { DELETED, type Dictionary } from '../../store/region-columns.ts'

/** Names that a filter can ask for, with the number of live regions of each; the most frequent first. */
export async function facets(db: Db, datasetId: string): Promise<Facets> {
  const columns = await columnsOf(db).load(datasetId, [])
  if (!columns) return { tags: [], splits: [], reviewers: [], assignees: [] }
  const tally = (values: ArrayLike<number>, { texts }: Dictionary): Map<string, number> => {
    const counts = new Float64Array(texts.length)
    for (let at = 0; at < columns.count; at++) if ((columns.bits[at]! & DELETED) === 0) counts[values[at]!]!++
    return new Map(texts.flatMap((text, n) => (counts[n]! > 0 && text !== '' ? [[text, counts[n]!] as const] : [])))
  }
  const listed = (counts: ReadonlyMap<string, number>) => [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
  const tags = new Map<string, number>()
  for (const [list, count] of tally(columns.tags, columns.words.tags)) for (const tag of JSON.parse(list) as string[]) tags.set(tag, (tags.get(tag) ?? 0) + count)
  return {
    tags: listed(tags), splits: listed(tally(columns.split, columns.words.split)), reviewers: listed(tally(columns.reviewer, columns.words.reviewer)), assignees: listed(tally(columns.assignee, columns.words.assignee)),
  }
}

/** Decisions that stand, by person and day of this machine's calendar, newest day first; and how much of what is assigned is decided. */
export function reviewProgress(db: Db, datasetId: string): ReviewProgress {
  const decisions = db.all<{ by: string; day: string; status: string; n: number }>(
    `SELECT json_extract(review, '$.by') AS by, date(json_extract(review, '$.at'), 'localtime') AS day, status, count(*) AS n
     FROM regions INDEXED BY regions_by_review WHERE dataset_id = ? AND review IS NOT NULL AND deleted = 0 GROUP BY 1, 2, 3`, datasetId,
  )
  const seconds = db.all<{ by: string; day: string; n: number }>(
    `SELECT json_extract(second, '$.by') AS by, date(json_extract(second, '$.at'), 'localtime') AS day, count(*) AS n
     FROM regions INDEXED BY regions_by_second WHERE dataset_id = ? AND second IS NOT NULL AND deleted = 0 GROUP BY 1, 2`, datasetId,
  )
  const days = new Map<string, { by: string; day: string; accepted: number; rejected: number; second: number }>()
  const rowOf = (by: string, day: string) => {
    const key = `${day} ${by}`
    const known = days.get(key) ?? { by, day, accepted: 0, rejected: 0, second: 0 }
    days.set(key, known)
    return known
  }
  for (const { by, day, status, n } of decisions) if (status === 'accepted' || status === 'rejected') rowOf(by, day)[status] += n
  for (const { by, day, n } of seconds) rowOf(by, day).second += n
  const assigned = db.all<{ to: string; total: number; decided: number }>(
    `SELECT assignee AS "to", count(*) AS total, sum(status IN ('accepted', 'rejected')) AS decided FROM regions WHERE dataset_id = ? AND deleted = 0 AND assignee IS NOT NULL GROUP BY 1 ORDER BY 1`, datasetId,
  )
  return { days: [...days.values()].sort((a, b) => (a.day < b.day ? 1 : a.day > b.day ? -1 : a.by < b.by ? -1 : 1)), assigned }
}

/** Regions that two people decided, the furthest apart first: other outcome, then boxes and phrase. */
export function reviewAgreement(db: Db, datasetId: string, limit: number): ReviewAgreement {
  const rows = db.all<{ id: string; image_id: string; phrase: string; status: string; first: string | null; second: string }>(
    `SELECT id, image_id, phrase, status, json_extract(review, '$.by') AS first, second FROM regions INDEXED BY regions_by_second WHERE dataset_id = ? AND second IS NOT NULL AND deleted = 0`, datasetId,
  ).map((row) => {
    const second = JSON.parse(row.second) as SecondReview
    const sameStatus = second.status === row.status
    return {
      regionId: row.id, imageId: row.image_id, phrase: row.phrase, first: row.first ?? 'nobody', firstStatus: row.status as SecondReview['status'], second: second.by, secondStatus: second.status,
      iou: second.iou, samePhrase: second.samePhrase, disagreement: (sameStatus ? 0 : 2) + (1 - second.iou) + (second.samePhrase ? 0 : 1),
    }
  })
  const pairs = new Map<string, { first: string; second: string; regions: number; sameStatus: number; samePhrase: number; iou: number }>()
  for (const row of rows) {
    const key = JSON.stringify([row.first, row.second])
    const pair = pairs.get(key) ?? { first: row.first, second: row.second, regions: 0, sameStatus: 0, samePhrase: 0, iou: 0 }
    pairs.set(key, { ...pair, regions: pair.regions + 1, sameStatus: pair.sameStatus + Number(row.firstStatus === row.secondStatus), samePhrase: pair.samePhrase + Number(row.samePhrase), iou: pair.iou + row.iou })
  }
  return {
    pairs: [...pairs.values()].map((pair) => ({ ...pair, meanIou: pair.iou / pair.regions })).sort((a, b) => b.regions - a.regions),
    regions: rows.sort((a, b) => b.disagreement - a.disagreement).slice(0, limit),
  }
}
