/** Images with their regions, in the order of the file, page by page: edits go on meanwhile, and memory does not grow with the dataset. */
import type { RegionFields, RegionFilter, RegionState } from '../../shared/domain.ts'
import { diffRegion, isEmptyDiff } from '../../shared/region-diff.ts'
import type { Db } from './db.ts'
import { asksScore, regionWhere, scoreWhere, type Where } from './region-filter.ts'
import { IMAGE_COLUMNS, type ImageRow, REGION_COLUMNS, type RegionRow, toFields, toState } from './region-rows.ts'

interface WithRaw {
  readonly raw: string | null
}
interface RevisionRow {
  readonly region_id: string
  readonly revision: number
  readonly at: string
  readonly actor: string
  readonly label: string
  readonly fields: string
}
export interface ExportRow {
  readonly region: RegionRow & WithRaw
  readonly fields: RegionFields
  /** As it was imported, and earlier states if they were asked for. */
  readonly untouched: boolean
  readonly history: readonly RevisionRow[]
}
export interface ExportImageRow {
  readonly image: ImageRow & WithRaw
  readonly regions: readonly ExportRow[]
}

const IMAGES_AT_ONCE = 100

/**
 * @param whole also images without a region; else those only that have one in the filter
 */
export function* exportRows(db: Db, filter: RegionFilter, options: { whole: boolean; history: boolean }): Generator<ExportImageRow> {
  const where = whereOf(filter)
  let after = -1
  for (;;) {
    const images = db.all<ImageRow & WithRaw & { position: number }>(
      `SELECT ${IMAGE_COLUMNS}, i.raw, i.position FROM images i WHERE i.dataset_id = ? AND i.position > ? ORDER BY i.position LIMIT ?`, filter.datasetId, after, IMAGES_AT_ONCE,
    )
    if (images.length === 0) return
    after = images.at(-1)!.position
    const rows = db.all<RegionRow & WithRaw>(
      `SELECT ${REGION_COLUMNS}, r.raw FROM json_each(?) wanted CROSS JOIN regions r ON r.image_id = wanted.value WHERE ${where.sql} ORDER BY wanted.key, r.position`,
      JSON.stringify(images.map((image) => image.id)), ...where.values,
    )
    const byImage = Map.groupBy(withHistory(db, rows, options.history), ({ region }) => region.image_id)
    for (const image of images) {
      const regions = byImage.get(image.id) ?? []
      if (options.whole || regions.length > 0) yield { image, regions }
    }
  }
}

function withHistory(db: Db, rows: readonly (RegionRow & WithRaw)[], all: boolean): ExportRow[] {
  const edited = rows.filter((row) => row.revision > 1).map((row) => row.id)
  const past = edited.length === 0 ? [] : db.all<RevisionRow>(
    `SELECT v.region_id, v.revision, v.at, v.actor, v.label, v.fields FROM json_each(?) wanted CROSS JOIN revisions v ON v.region_id = wanted.value ${all ? '' : "AND (v.revision = 1 OR v.actor = 'import')"} ORDER BY v.region_id, v.revision`,
    JSON.stringify(edited),
  )
  const byRegion = Map.groupBy(past, (row) => row.region_id)
  return rows.map((region) => {
    const fields = toFields(region)
    const history = byRegion.get(region.id) ?? []
    // What the source said last: an update of the dataset is a new beginning.
    const first = history.findLast((row) => row.revision === 1 || row.actor === 'import')
    return { region, fields, untouched: region.revision === 1 || (first !== undefined && sameState(JSON.parse(first.fields) as RegionState, toState(region))), history: all ? history : [] }
  })
}

/** What the first revision says nothing of was not kept then. */
function sameState(first: RegionState, now: RegionState): boolean {
  return isEmptyDiff(diffRegion({ ...now, ...first }, now))
}

/** By image, whatever the filter asks of scores: they are looked up one by one then. */
function whereOf(filter: RegionFilter): Where {
  const regions = regionWhere(filter)
  if (!asksScore(filter)) return regions
  const scores = scoreWhere(filter)
  return { sql: `${regions.sql} AND EXISTS (SELECT 1 FROM scores s WHERE s.region_id = r.id AND ${scores.sql})`, values: [...regions.values, ...scores.values] }
}
