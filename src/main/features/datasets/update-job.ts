/**
 * Reads the source of a dataset again and brings in what changed there: nothing twice, and nothing of what people did here overwritten. The source is
 * read into a dataset nobody sees; then each image is compared three ways, with what was last imported as the base. Where both sides changed a region,
 * it is a conflict: mine stays until somebody says otherwise.
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { RegionFields } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { diffRegion, isEmptyDiff } from '../../../shared/region-diff.ts'
import type { EngineContext } from '../../engine/context.ts'
import { thumbnailPath } from '../../images/thumbnail.ts'
import { tilesFolder } from '../../images/tiles.ts'
import type { Db } from '../../store/db.ts'
import { forgetHeat, rescoreRegion } from '../../store/heat-rows.ts'
import { newId } from '../../store/ids.ts'
import { measureRegions } from '../../store/region-search.ts'
import { importDataset } from './import-job.ts'
import { type Decided, pairRegions, type Pair, type Sided } from './pair-regions.ts'
import { requireDataset } from './queries.ts'
import { removeDataset } from './remove.ts'

export interface Conflict {
  readonly regionId: string
  readonly image: string
  /** As it is here. */
  readonly mine: RegionFields
  /** As the source has it now; null when it is gone from there. */
  readonly theirs: RegionFields | null
}
export interface UpdateReport {
  readonly datasetId: string
  readonly addedImages: number
  readonly added: number
  readonly changed: number
  readonly removed: number
  readonly same: number
  /** Decided by what was asked, and those that wait for a decision. */
  readonly resolved: number
  readonly conflicts: readonly Conflict[]
  readonly skipped: number
}
export type Side = 'mine' | 'theirs'
export interface UpdateRequest {
  readonly datasetId: string
  /** Only say what would happen. */
  readonly dryRun: boolean
  /** By region; the others as `otherwise` says, or left waiting. */
  readonly decisions?: Readonly<Record<string, Side>> | undefined
  readonly otherwise?: Side | undefined
  readonly author: string
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (images: number) => void
}

interface Updating extends UpdateRequest {
  readonly format: string
  /** Asked of an image that did not come: whether that says something of its regions. */
  readonly isReadable: (path: string) => boolean
  /** Whether a region that did not come is gone: it is not known where a record of the image cannot be read just now. */
  readonly isWhole: (path: string) => boolean
}

interface UpdatedImage {
  readonly id: string
  readonly width: number
  readonly height: number
  readonly orientation: number
  readonly bytes: number
  readonly print: string | null
  readonly split: string
  readonly raw: string | null
}

type Tally = { -readonly [K in keyof Omit<UpdateReport, 'datasetId' | 'conflicts'>]: UpdateReport[K] } & { conflicts: Conflict[] }

/** @throws AppError as an import does; 'not-found' when dataset or source are gone. Nothing is changed then. */
export async function updateDataset({ project, turns }: Pick<EngineContext, 'project' | 'turns'>, request: UpdateRequest): Promise<UpdateReport> {
  const { db } = project
  requireDataset(db, request.datasetId)
  const dataset = db.get<{ name: string; source: string; format: string; images_dir: string | null }>('SELECT name, source, format, images_dir FROM datasets WHERE id = ?', request.datasetId)!
  const unreadable = new Set<string>()
  const incoming = await importDataset(project, {
    onUnreadable: (path) => unreadable.add(project.toStored(path)),
    path: project.fromStored(dataset.source), name: dataset.name, format: dataset.format, hidden: true, ...(dataset.images_dir ? { imagesDir: project.fromStored(dataset.images_dir) } : {}),
    ...(request.signal ? { signal: request.signal } : {}),
  })
  try {
    const tally: Tally = { addedImages: 0, added: 0, changed: 0, removed: 0, same: 0, resolved: 0, conflicts: [], skipped: incoming.skipped }
    const images = db.all<{ path: string }>(
      'SELECT path FROM (SELECT path, position FROM images WHERE dataset_id = ? UNION ALL SELECT path, position + 1000000000 FROM images n WHERE n.dataset_id = ? AND NOT EXISTS (SELECT 1 FROM images o WHERE o.dataset_id = ? AND o.path = n.path)) ORDER BY position',
      request.datasetId, incoming.datasetId, request.datasetId,
    )
    // Where every image has a file of annotations, that file bears its name.
    const leftOut = new Set(db.all<{ file: string }>('SELECT DISTINCT file FROM skipped WHERE dataset_id = ?', incoming.datasetId).map(({ file }) => stemOf(file)))
    // Asked only of an image that did not come: one that is away, half there or with broken annotations now says nothing of its regions.
    const isReadable = (path: string): boolean => existsSync(project.fromStored(path)) && !unreadable.has(path) && !leftOut.has(stemOf(path))
    const updating: Updating = { ...request, format: dataset.format, isReadable, isWhole: (path) => !unreadable.has(path) }
    for (const [i, { path }] of images.entries()) {
      if (request.signal?.aborted) throw new AppError('cancelled', 'The update was cancelled. Images that were done stay updated.')
      // Between the parts of an edit of many regions, nothing of it may change.
      const replaced = await turns.inTurn(() => db.transaction(() => updateImage(db, path, incoming.datasetId, updating, tally)))
      // The file of another picture may be older than what was made of the one before.
      if (replaced !== null) for (const made of [thumbnailPath(project.cacheDir, replaced), tilesFolder(project.cacheDir, replaced)]) await rm(made, { recursive: true, force: true })
      request.onProgress?.(i + 1)
      if (i % 20 === 0) await setImmediate()
    }
    if (!request.dryRun) {
      const head = db.get<{ raw: string | null }>('SELECT raw FROM datasets WHERE id = ?', incoming.datasetId)!
      db.transaction(() => {
        db.run('UPDATE datasets SET raw = ? WHERE id = ?', head.raw, request.datasetId)
        db.run('DELETE FROM skipped WHERE dataset_id = ?', request.datasetId)
        db.run('UPDATE skipped SET dataset_id = ? WHERE dataset_id = ?', request.datasetId, incoming.datasetId)
      })
    }
    return { datasetId: request.datasetId, ...tally }
  } finally {
    await removeDataset(db, incoming.datasetId).catch(() => undefined) // with a full disk the next start does it
  }
}

function stemOf(path: string): string {
  return path.split(/[\\/]/).at(-1)!.replace(/\.[^.]*$/, '')
}

/** @returns the image's id when there is another picture under its name now */
function updateImage(db: Db, path: string, incomingId: string, request: Updating, tally: Tally): string | null {
  const columns = 'id, width, height, orientation, bytes, print, split, raw'
  const mine = db.get<UpdatedImage>(`SELECT ${columns} FROM images WHERE dataset_id = ? AND path = ?`, request.datasetId, path)
  const theirs = db.get<UpdatedImage>(`SELECT ${columns} FROM images WHERE dataset_id = ? AND path = ?`, incomingId, path)
  if (!mine) {
    addImage(db, theirs!.id, request, tally)
    return null
  }
  if (!theirs && !request.isReadable(path)) {
    tally.same += db.get<{ n: number }>('SELECT count(*) AS n FROM regions WHERE image_id = ?', mine.id)!.n
    return null
  }
  const pairs = pairRegions(db, mine.id, theirs?.id ?? null)
  if (theirs && !request.dryRun) {
    db.run(
      'UPDATE images SET raw = ?, width = ?, height = ?, orientation = ?, bytes = ?, print = ? WHERE id = ?',
      theirs.raw, theirs.width, theirs.height, theirs.orientation, theirs.bytes, theirs.print, mine.id,
    )
    if (isReplaced(mine, theirs)) forgetHeat(db, mine.id)
    if (mine.width !== theirs.width || mine.height !== theirs.height) measureRegions(db, mine.id)
  }
  const { width, height } = theirs ?? mine
  const keepsAll = !request.isWhole(path)
  for (const pair of pairs) {
    if (keepsAll && pair.mine && !pair.theirs) tally.same++
    else updateRegion(db, pair, { ...mine, width, height, path }, request, tally)
  }
  return theirs && !request.dryRun && isReplaced(mine, theirs) ? mine.id : null
}

/** Another picture under the same name. Images that were imported before prints were noted are known by their sizes alone. */
function isReplaced(mine: UpdatedImage, theirs: UpdatedImage): boolean {
  const alike = (['width', 'height', 'orientation', 'bytes'] as const).every((field) => mine[field] === theirs[field])
  return !alike || (mine.print !== null && theirs.print !== null && mine.print !== theirs.print)
}

/** Its rows become the dataset's own. */
function addImage(db: Db, imageId: string, request: UpdateRequest, tally: Tally): void {
  tally.addedImages++
  tally.added += db.get<{ n: number }>('SELECT count(*) AS n FROM regions WHERE image_id = ?', imageId)!.n
  if (request.dryRun) return
  const image = db.get<{ next: number }>('SELECT coalesce(max(position), -1) + 1 AS next FROM images WHERE dataset_id = ?', request.datasetId)!
  db.run('UPDATE images SET dataset_id = ?, position = ? WHERE id = ?', request.datasetId, image.next, imageId)
  db.run('UPDATE regions SET dataset_id = ?, position = position + ? WHERE image_id = ?', request.datasetId, nextPosition(db, request.datasetId), imageId)
}

function nextPosition(db: Db, datasetId: string): number {
  return db.get<{ next: number }>('SELECT coalesce(max(position), -1) + 1 AS next FROM regions WHERE dataset_id = ?', datasetId)!.next
}

function updateRegion(db: Db, { mine, theirs }: Pair, image: { id: string; width: number; height: number; split: string; path: string }, request: Updating, tally: Tally): void {
  if (!mine) {
    tally.added++
    if (!request.dryRun) db.run('UPDATE regions SET dataset_id = ?, image_id = ?, split = ?, position = ? WHERE id = ?', request.datasetId, image.id, image.split, nextPosition(db, request.datasetId), theirs!.id)
    return
  }
  // A region that was made here has nothing to do with the source.
  if (mine.base === null) return
  const wanted: RegionFields = theirs ? theirs.fields : { ...mine.base, deleted: true }
  const sourceChanged = !isEmptyDiff(diffRegion(mine.base, wanted)) && !(theirs && isReadAnew(mine, theirs, request.format))
  const iChanged = !isEmptyDiff(diffRegion(mine.base, mine.fields))
  if (!sourceChanged || isEmptyDiff(diffRegion(mine.fields, wanted))) {
    tally.same++
    return
  }
  if (!iChanged) {
    if (theirs) tally.changed++
    else tally.removed++
    if (!request.dryRun) write(db, mine, { fields: wanted, decided: decidedAfter(mine, wanted, theirs) }, theirs?.raw ?? null, image, 'Updated from the source', request)
    return
  }
  const side = request.decisions?.[mine.id] ?? request.otherwise
  if (!side) {
    tally.conflicts.push({ regionId: mine.id, image: image.path, mine: mine.fields, theirs: theirs?.fields ?? null })
    return
  }
  tally.resolved++
  if (request.dryRun) return
  const after = write(db, mine, { fields: wanted, decided: decidedAfter(mine, wanted, theirs) }, theirs?.raw ?? null, image, 'Updated from the source', request)
  if (side === 'mine') write(db, after, mine, theirs?.raw ?? null, image, 'Kept mine', request, request.author)
}

/**
 * The same record, read in another way: masks were read as boxes once. Only where the record holds all that a region is made of but its phrase, which is
 * written elsewhere in the file.
 */
function isReadAnew(mine: Sided, theirs: Sided, format: string): boolean {
  if (!(format === 'coco' || format === 'lvis') || mine.raw === null || theirs.raw === null || mine.base!.phrase !== theirs.fields.phrase) return false
  return isDeepStrictEqual(JSON.parse(mine.raw), JSON.parse(theirs.raw))
}

/** What was decided here was decided of what stood here: of another phrase, shape or status the source alone can say who decided it. */
function decidedAfter(mine: Sided, wanted: RegionFields, theirs: Sided | null): Decided {
  const { phrase, boxes, outlines, status, deleted } = diffRegion(mine.fields, wanted)
  return phrase || boxes || outlines || status || deleted ? (theirs?.decided ?? { review: null, second: null }) : mine.decided
}

/** A revision by the import is the base of what comes after it. */
function write(db: Db, mine: Sided, { fields, decided }: Pick<Sided, 'fields' | 'decided'>, raw: string | null, image: { id: string; width: number; height: number }, label: string, request: UpdateRequest, actor = 'import'): Sided {
  const at = new Date().toISOString()
  const revision = mine.revision + 1
  if (mine.revision === 1) {
    db.run("INSERT OR IGNORE INTO revisions (region_id, revision, at, actor, label, edit_id, fields) SELECT ?, 1, created_at, 'import', 'Imported', NULL, ? FROM datasets WHERE id = ?", mine.id, JSON.stringify({ ...mine.marks, ...mine.fields, ...mine.decided }), request.datasetId)
  }
  db.run(
    'UPDATE regions SET phrase = ?, boxes = ?, outlines = ?, box_count = ?, status = ?, tags = ?, note = ?, deleted = ?, revision = ?, raw = ?, review = ?, second = ? WHERE id = ?',
    fields.phrase, JSON.stringify(fields.boxes), JSON.stringify(fields.outlines), fields.boxes.length, fields.status, JSON.stringify(fields.tags), fields.note, fields.deleted ? 1 : 0, revision, raw,
    decided.review && JSON.stringify(decided.review), decided.second && JSON.stringify(decided.second), mine.id,
  )
  const editId = newId('edit')
  db.run('INSERT INTO revisions (region_id, revision, at, actor, label, edit_id, fields) VALUES (?, ?, ?, ?, ?, ?, ?)', mine.id, revision, at, actor, label, editId, JSON.stringify({ ...mine.marks, ...fields, ...decided }))
  const diff = diffRegion(mine.fields, fields)
  if (diff.phrase || diff.boxes || diff.outlines || diff.deleted) rescoreRegion(db, { id: mine.id, imageId: image.id, datasetId: request.datasetId, revision, phrase: fields.phrase, shape: fields, deleted: fields.deleted }, image)
  else db.run('UPDATE scores SET revision = ? WHERE region_id = ?', revision, mine.id)
  return { ...mine, fields, decided, revision }
}
