/** Regions as frozen samples for a compute process, which never sees the database. */
import type { RegionFilter } from '../../shared/domain.ts'
import type { ManifestSample } from '../../shared/manifest.ts'
import type { Db } from './db.ts'
import { filterTables, filterWhere, type Where } from './region-filter.ts'
import { IMAGE_COLUMNS, type ImageRow, REGION_COLUMNS, type RegionRow, toShape } from './region-rows.ts'

/** A million regions come in pages, so that edits go on between them. */
const PAGE = 2000

/**
 * The usable regions of a filter (with a phrase and a box), image by image in the order of the file.
 * @param imagePath the stored path of an image as the reader of the manifest should find it
 * @param and a further condition on `regions r`
 * @param training adds what only training asks for
 */
export function* manifestSamples(
  db: Db, filter: RegionFilter, imagePath: (stored: string) => string, and: Where = { sql: '1', values: [] }, training: ForTraining | null = null,
): Generator<ManifestSample> {
  const where = filterWhere(filter)
  const ids = db.all<{ id: string }>(
    `SELECT r.id FROM ${filterTables(filter)} JOIN images i ON i.id = r.image_id WHERE ${where.sql} AND r.box_count > 0 AND r.phrase <> '' AND (${and.sql}) ORDER BY i.position, r.position`,
    ...where.values, ...and.values,
  )
  const wanted = new Set(training ? ids.map((row) => row.id) : [])
  const told = new Set<string>()
  for (let from = 0; from < ids.length; from += PAGE) {
    const page = ids.slice(from, from + PAGE).map((row) => row.id)
    const rows = db.all<RegionRow>(`SELECT ${REGION_COLUMNS} FROM json_each(?) wanted CROSS JOIN regions r ON r.id = wanted.value ORDER BY wanted.key`, JSON.stringify(page))
    const imageIds = [...new Set(rows.map((row) => row.image_id))]
    const images = new Map(
      db.all<ImageRow>(`SELECT ${IMAGE_COLUMNS} FROM json_each(?) wanted CROSS JOIN images i ON i.id = wanted.value`, JSON.stringify(imageIds)).map((row) => [row.id, row]),
    )
    const leftOut = training ? phrasesLeftOut(db, imageIds.filter((id) => !told.has(id)), wanted) : null
    for (const row of rows) {
      const image = images.get(row.image_id)
      if (!image) continue
      const sample = toSample(db, row, image, imagePath(image.path))
      if (!training) {
        yield sample
        continue
      }
      const imagePhrases = told.has(image.id) ? undefined : leftOut?.get(image.id)
      told.add(image.id)
      const stages = training.stagesOf(row.id)
      yield { ...sample, ...(imagePhrases ? { imagePhrases } : {}), ...(stages.length > 0 ? { stages } : {}) }
    }
  }
}

export interface ForTraining {
  /** Numbers of the curriculum's stages that show a region. */
  readonly stagesOf: (regionId: string) => readonly number[]
}

/** What is written about images beside the wanted regions, by image. Rejected regions are not to be believed. */
function phrasesLeftOut(db: Db, imageIds: readonly string[], wanted: ReadonlySet<string>): Map<string, string[]> {
  const phrases = new Map<string, string[]>()
  const rows = db.all<{ id: string; image_id: string; phrase: string }>(
    `SELECT r.id, r.image_id, r.phrase FROM json_each(?) asked CROSS JOIN regions r ON r.image_id = asked.value
     WHERE r.deleted = 0 AND r.status <> 'rejected' AND r.phrase <> ''`, JSON.stringify(imageIds),
  )
  for (const { id, image_id: imageId, phrase } of rows) {
    if (wanted.has(id)) continue
    const known = phrases.get(imageId)
    if (known) known.push(phrase)
    else phrases.set(imageId, [phrase])
  }
  return phrases
}

function toSample(db: Db, row: RegionRow, image: ImageRow, imagePath: string): ManifestSample {
  const { boxes, outlines } = toShape(row)
  return {
    regionId: row.id, revision: row.revision, imageId: image.id, imagePath, width: image.width, height: image.height, phrase: row.phrase,
    boxes, split: row.split,
    ...(outlines.length > 0 ? { outlines } : {}),
    ...(image.concepts ? { imageConcepts: JSON.parse(image.concepts) as string[] } : {}),
    ...(row.concepts && isAsImported(db, row) ? { phraseConcepts: JSON.parse(row.concepts) as string[] } : {}),
    ...(image.kind ? { kind: image.kind } : {}),
  }
}

/** What an imported phrase names was said of that phrase: it need not hold for one that somebody wrote since. */
function isAsImported(db: Db, { id, revision, phrase }: RegionRow): boolean {
  if (revision === 1) return true
  const first = db.get<{ fields: string }>('SELECT fields FROM revisions WHERE region_id = ? AND revision = 1', id)
  return !first || (JSON.parse(first.fields) as { phrase: string }).phrase === phrase
}
