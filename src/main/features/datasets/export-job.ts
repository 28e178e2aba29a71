/** Takes a dataset, or a saved view of it, out of the project: first what would be lost, then the files. */
import { setImmediate } from 'node:timers/promises'
import type { RegionFilter, RegionMarks, RegionStatus } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Box } from '../../../shared/geometry.ts'
import { type Loss, lossCounter } from '../../formats/losses.ts'
import { FORMATS, formatNamed } from '../../formats/registry.ts'
import type { ExportHead, ExportRegion, ExportSample, Format, PastState } from '../../formats/types.ts'
import { requireWriter, writeDataset, type Written } from '../../formats/write-dataset.ts'
import { type ExportRow, exportRows } from '../../store/export-rows.ts'
import type { Project } from '../../store/project.ts'

export interface ExportRequest {
  readonly datasetId: string
  readonly viewId?: string | undefined
  readonly format: string
  readonly history?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}
export interface ExportPlan {
  readonly format: string
  readonly images: number
  readonly regions: number
  readonly losses: Loss[]
}

const TRANSPARENT = ['amc-jsonl', 'amc-csv']
/** Samples between two looks at what else waits. */
const PAUSE_EVERY = 100

/** @throws AppError 'not-found', 'bad-input', 'cancelled' */
export async function planExport(project: Project, request: ExportRequest): Promise<ExportPlan> {
  const source = openExport(project, request)
  const counter = lossCounter(requireWriter(source.format).holds, source.foreign)
  let images = 0
  let regions = 0
  for await (const sample of source.samples()) {
    counter.add(sample)
    images++
    regions += sample.regions.length
  }
  return { format: source.format.name, images, regions, losses: counter.losses() }
}

/** @throws AppError as writeDataset does; nothing is left behind then */
export async function exportDataset(
  project: Project, request: ExportRequest & { out: string; images?: 'copy' | 'refer' | undefined; replace?: boolean | undefined; onProgress?: (written: { images: number; regions: number }) => void },
): Promise<Written> {
  const { format, head, samples, withRaw } = openExport(project, request)
  return writeDataset(format, withRaw ? samples() : withoutRecords(samples()), head, {
    out: request.out, images: request.images ?? (requireWriter(format).needsImages ? 'copy' : 'refer'), replace: request.replace ?? false,
    ...(request.signal ? { signal: request.signal } : {}), ...(request.onProgress ? { onProgress: request.onProgress } : {}),
  })
}

/** A writer understands the records of its own format alone; those of another one would be taken for a row to write as it came. */
async function* withoutRecords(samples: AsyncIterable<ExportSample>): AsyncGenerator<ExportSample> {
  for await (const { image: { raw: _image, ...image }, regions } of samples) yield { image, regions: regions.map(({ raw: _region, ...region }) => region) }
}

interface OpenExport {
  readonly format: Format
  readonly foreign: { readonly format: string; readonly known: readonly string[] } | null
  readonly head: ExportHead
  readonly samples: () => AsyncGenerator<ExportSample>
  /** Whether the format can make anything of the records that the data was read from. */
  readonly withRaw: boolean
}

function openExport(project: Project, request: ExportRequest): OpenExport {
  const { db } = project
  const dataset = db.get<{ name: string; format: string; raw: string | null }>("SELECT name, format, raw FROM datasets WHERE id = ? AND state = 'ready'", request.datasetId)
  if (!dataset) throw new AppError('not-found', 'This dataset is not in the project any more.', 'Reload the Library.', request.datasetId)
  const format = formatNamed(request.format)
  const filter = request.viewId === undefined ? { datasetId: request.datasetId } : viewFilter(project, request.viewId, request.datasetId)
  // Our own formats carry the records of the format that the data came from, and its name.
  const carried = dataset.raw === null ? null : (JSON.parse(dataset.raw) as { recordsOf?: unknown; head?: unknown } | null)
  const own = TRANSPARENT.includes(dataset.format)
  const recordsOf = own ? (typeof carried?.recordsOf === 'string' ? carried.recordsOf : dataset.format) : dataset.format
  const head = own ? (carried?.head ?? null) : carried
  const goesToOwn = TRANSPARENT.includes(format.name)
  const withRaw = goesToOwn || format.name === recordsOf
  const known = FORMATS.find((one) => one.name === recordsOf)?.write?.holds.known ?? []
  return {
    format, withRaw,
    foreign: withRaw || TRANSPARENT.includes(recordsOf) ? null : { format: recordsOf, known },
    head: { name: dataset.name, at: new Date().toISOString(), raw: goesToOwn ? (TRANSPARENT.includes(recordsOf) ? null : { recordsOf, head }) : withRaw ? head : null },
    samples: async function* () {
      let count = 0
      for (const { image, regions } of exportRows(db, filter, { whole: request.viewId === undefined, history: request.history ?? false })) {
        if (request.signal?.aborted) throw new AppError('cancelled', 'The export was cancelled; nothing was written.')
        if (count++ % PAUSE_EVERY === 0) await setImmediate()
        yield {
          image: {
            id: image.id, name: image.name, path: project.fromStored(image.path), width: image.width, height: image.height, split: image.split, kind: image.kind,
            concepts: image.concepts ? (JSON.parse(image.concepts) as string[]) : null, ...(image.raw ? { raw: JSON.parse(image.raw) as unknown } : {}),
          },
          regions: regions.map((row) => toRegion(row, image.split)),
        }
      }
    },
  }
}

function toRegion({ region, fields, untouched, history }: ExportRow, imageSplit: string): ExportRegion {
  const marks = marksOf(region, imageSplit)
  return {
    id: region.id, phrase: fields.phrase, boxes: fields.boxes as Box[], outlines: fields.outlines ?? [], status: fields.status as RegionStatus, tags: fields.tags, note: fields.note, flags: JSON.parse(region.flags) as string[], ...(marks ? { marks } : {}),
    concepts: region.concepts ? (JSON.parse(region.concepts) as string[]) : null, untouched, ...(region.raw ? { raw: JSON.parse(region.raw) as unknown } : {}),
    ...(history.length > 0 ? { history: history.map(({ revision, at, actor, label, fields: state }) => ({ revision, at, actor, label, fields: JSON.parse(state) as PastState['fields'] })) } : {}),
  }
}

function marksOf({ split, assignee, review, second, z }: ExportRow['region'], imageSplit: string): NonNullable<ExportRegion['marks']> | null {
  const marks = {
    ...(split === imageSplit ? {} : { split }), ...(assignee === null ? {} : { assignee }), ...(review === null ? {} : { review: JSON.parse(review) as RegionMarks['review'] }),
    ...(second === null ? {} : { second: JSON.parse(second) as RegionMarks['second'] }), ...(z === 0 ? {} : { z }),
  }
  return Object.keys(marks).length > 0 ? marks : null
}

/** @throws AppError 'not-found' when the view is gone or belongs to another dataset */
function viewFilter(project: Project, viewId: string, datasetId: string): RegionFilter {
  const row = project.db.get<{ filter: string }>('SELECT filter FROM views WHERE id = ? AND dataset_id = ?', viewId, datasetId)
  if (!row) throw new AppError('not-found', 'This view is not there any more.', 'Choose another one.', viewId)
  return JSON.parse(row.filter) as RegionFilter
}
