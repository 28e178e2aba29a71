/** What was read as rows of the database. */
import type { RegionFields } from '../../../shared/domain.ts'
import type { ReadImage, ReadRegion, ReadSample } from '../../formats/types.ts'
import type { Db } from '../../store/db.ts'
import { newId } from '../../store/ids.ts'
import type { Project } from '../../store/project.ts'

export interface Counts {
  images: number
  regions: number
}

/** @param counts are the positions of the next rows too */
export function insertSample(db: Db, project: Project, datasetId: string, { image, regions }: ReadSample, counts: Counts): void {
  const known = db.get<{ id: string; split: string }>('SELECT id, split FROM images WHERE dataset_id = ? AND path = ?', datasetId, project.toStored(image.path))
  const id = known?.id ?? insertImage(db, project, datasetId, image, counts.images++)
  for (const region of regions) insertRegion(db, { datasetId, imageId: id, split: known?.split ?? image.split, position: counts.regions++ }, region)
}

export function insertImage(db: Db, project: Project, datasetId: string, image: ReadImage, position: number): string {
  const id = newId('im')
  db.run(
    'INSERT INTO images (id, dataset_id, name, path, width, height, orientation, bytes, split, kind, concepts, position, raw, print) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    id, datasetId, image.name, project.toStored(image.path), image.width, image.height, image.orientation, image.bytes, image.split, image.kind ?? null,
    image.concepts ? JSON.stringify(image.concepts) : null, position, jsonOrNull(image.raw), image.print ?? null,
  )
  return id
}

/** A region that brings its history keeps it, and the number of its revision: the greatest, in whatever order the file names them. */
export function insertRegion(db: Db, at: { datasetId: string; imageId: string; split: string; position: number }, region: ReadRegion): string {
  const id = newId('r')
  const fields = fieldsOf(region)
  const history = region.review?.history ?? []
  const marks = region.review?.marks ?? {}
  db.run(
    `INSERT INTO regions (id, image_id, dataset_id, position, split, phrase, boxes, outlines, box_count, status, tags, note, deleted, revision, flags, concepts, source, raw, assignee, review, second, z)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    id, at.imageId, at.datasetId, at.position, marks.split ?? at.split, fields.phrase, JSON.stringify(fields.boxes), JSON.stringify(fields.outlines), fields.boxes.length, fields.status, JSON.stringify(fields.tags), fields.note,
    history.reduce((most, { revision }) => Math.max(most, revision), 1), JSON.stringify(region.flags), region.concepts ? JSON.stringify(region.concepts) : null, region.source, jsonOrNull(region.raw),
    marks.assignee ?? null, jsonOrNull(marks.review), jsonOrNull(marks.second), marks.z ?? 0,
  )
  for (const one of history) {
    db.run('INSERT OR IGNORE INTO revisions (region_id, revision, at, actor, label, edit_id, fields) VALUES (?, ?, ?, ?, ?, NULL, ?)', id, one.revision, one.at, one.actor, one.label, JSON.stringify(one.fields))
  }
  return id
}

export function fieldsOf(region: ReadRegion): RegionFields {
  return { phrase: region.phrase, boxes: region.boxes, outlines: region.outlines ?? [], status: region.review?.status ?? 'unreviewed', tags: region.review?.tags ?? [], note: region.review?.note ?? '', deleted: false }
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value)
}
