/** Regions as frozen samples for a compute process, which never sees the database. */
import type { RegionFilter } from '../../shared/domain.ts'
import type { Box } from '../../shared/geometry.ts'
import type { ManifestSample } from '../../shared/manifest.ts'
import type { Db } from './db.ts'
import { filterTables, filterWhere, type Where } from './region-filter.ts'
import { IMAGE_COLUMNS, type ImageRow, REGION_COLUMNS, type RegionRow } from './region-rows.ts'

/** A million regions come in pages, so that edits go on between them. */
const PAGE = 2000

/**
 * The usable regions of a filter (with a phrase and a box), image by image in the order of the file.
 * @param imagePath the stored path of an image as the reader of the manifest should find it
 * @param and a further condition on `regions r`
 */
export function* manifestSamples(db: Db, filter: RegionFilter, imagePath: (stored: string) => string, and: Where = { sql: '1', values: [] }): Generator<ManifestSample> {
  const where = filterWhere(filter)
  const ids = db.all<{ id: string }>(
    `SELECT r.id FROM ${filterTables(filter)} JOIN images i ON i.id = r.image_id WHERE ${where.sql} AND r.box_count > 0 AND r.phrase <> '' AND (${and.sql}) ORDER BY i.position, r.position`,
    ...where.values, ...and.values,
  )
  for (let from = 0; from < ids.length; from += PAGE) {
    const page = ids.slice(from, from + PAGE).map((row) => row.id)
    const rows = db.all<RegionRow>(`SELECT ${REGION_COLUMNS} FROM json_each(?) wanted CROSS JOIN regions r ON r.id = wanted.value ORDER BY wanted.key`, JSON.stringify(page))
    const imageIds = [...new Set(rows.map((row) => row.image_id))]
    const images = new Map(
      db.all<ImageRow>(`SELECT ${IMAGE_COLUMNS} FROM json_each(?) wanted CROSS JOIN images i ON i.id = wanted.value`, JSON.stringify(imageIds)).map((row) => [row.id, row]),
    )
    for (const row of rows) {
      const image = images.get(row.image_id)
      if (image) yield toSample(row, image, imagePath(image.path))
    }
  }
}

function toSample(row: RegionRow, image: ImageRow, imagePath: string): ManifestSample {
  return {
    regionId: row.id, revision: row.revision, imageId: image.id, imagePath, width: image.width, height: image.height, phrase: row.phrase,
    boxes: JSON.parse(row.boxes) as Box[], split: row.split,
    ...(image.concepts ? { imageConcepts: JSON.parse(image.concepts) as string[] } : {}),
    ...(row.concepts ? { phraseConcepts: JSON.parse(row.concepts) as string[] } : {}),
    ...(image.kind ? { kind: image.kind } : {}),
  }
}
