/**
 * Our own line-by-line JSON, which holds every field: a first line {"format": "amc-jsonl", "version": 1, ...}, then one image a line with all
 * its regions. What came from another format keeps that format's records, so that they can go back.
 */
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { boxSchema, outlinesSchema } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import { headOf, isFile } from './files.ts'
import { readLines } from './lines.ts'
import { reviewOf } from './review.ts'
import type { ExportRegion, Format, FormatWriter, OpenSource, RawItem, RawRegion } from './types.ts'

const VERSION = 1
const FIRST = /^\uFEFF?\s*\{\s*"format"\s*:\s*"amc-jsonl"/

const text = z.string()
const regionSchema = z.looseObject({
  phrase: text, boxes: z.array(boxSchema), outlines: outlinesSchema.optional(), flags: z.array(text).optional(), concepts: z.array(text).optional(), id: text.optional(), raw: z.unknown().optional(),
})
const lineSchema = z.looseObject({
  image: text.min(1), split: text.min(1), kind: text.optional(), concepts: z.array(text).optional(), raw: z.unknown().optional(), regions: z.array(z.unknown()),
})

export const ALL_FIELDS: FormatWriter['holds']['fields'] = ['status', 'tags', 'note', 'split', 'concepts', 'kind', 'imageConcepts', 'flags', 'emptyImages', 'outlines', 'marks', 'history', 'boxless', 'duplicates']

const write: FormatWriter = {
  file: 'dataset.jsonl', names: 'paths', needsImages: false,
  imagePath: ({ name }) => `images/${name}`,
  holds: { boxes: 'many', fields: ALL_FIELDS, known: [] },
  begin: async (out, head) => {
    const file = await out.create('dataset.jsonl')
    const line = (value: unknown): Promise<void> => file.write(`${JSON.stringify(value)}\n`)
    await line({ format: 'amc-jsonl', version: VERSION, name: head.name, exportedAt: head.at, ...(head.raw == null ? {} : { raw: head.raw }) })
    return {
      add: ({ image, regions }) => line({
        image: image.name, width: image.width, height: image.height, split: image.split, ...(image.kind === null ? {} : { kind: image.kind }),
        ...(image.concepts ? { concepts: image.concepts } : {}), ...(image.raw == null ? {} : { raw: image.raw }), regions: regions.map(recordOf),
      }),
      finish: () => file.close(),
    }
  },
}

function recordOf(region: ExportRegion): Record<string, unknown> {
  return {
    id: region.id, phrase: region.phrase, boxes: region.boxes, ...(region.outlines.length > 0 ? { outlines: region.outlines } : {}), ...(region.status === 'unreviewed' ? {} : { status: region.status }),
    ...(region.tags.length > 0 ? { tags: region.tags } : {}), ...(region.note === '' ? {} : { note: region.note }), ...(region.flags.length > 0 ? { flags: region.flags } : {}),
    ...(region.marks ? { marks: region.marks } : {}), ...(region.concepts ? { concepts: region.concepts } : {}), ...(region.history ? { history: region.history } : {}), ...(region.raw == null ? {} : { raw: region.raw }),
  }
}

export const amcJsonl: Format = {
  name: 'amc-jsonl',
  title: 'AMC JSON Lines',
  match: async (path) => FIRST.test(await headOf(await fileOf(path))),
  open: openJsonl,
  write,
}

async function fileOf(path: string): Promise<string> {
  return (await isFile(path)) ? path : join(path, 'dataset.jsonl')
}

async function openJsonl(path: string): Promise<OpenSource> {
  const file = await fileOf(path)
  let head: unknown = null
  return {
    imageRoots: [dirname(file), join(dirname(file), 'images')],
    fields: [{ from: 'image', to: 'image' }, { from: 'regions', to: 'regions, with every field' }, { from: 'split', to: 'split' }],
    head: () => head,
    entries: async function* (signal) {
      for await (const { value, line } of readLines(file, signal)) {
        if (line === 1) {
          const first = value as { format?: unknown; version?: unknown; raw?: unknown } | null
          if (first?.format !== 'amc-jsonl') throw new AppError('bad-input', `${basename(file)} does not begin with {"format": "amc-jsonl"}.`, 'Choose a file that was exported as AMC JSON Lines.', `${basename(file)}:1`)
          if (typeof first.version !== 'number' || first.version > VERSION) throw new AppError('newer-version', `${basename(file)} was written by a newer version of the program.`, 'Update the program, then import it again.', `${basename(file)}:1`)
          head = first.raw ?? null
        } else yield* readEntry(value, basename(file), line)
      }
    },
  }
}

function* readEntry(value: unknown, file: string, line: number): Generator<RawItem> {
  const entry = lineSchema.safeParse(value)
  if (!entry.success) return yield { skipped: { file, line, reason: `This is not an image with regions: ${reasonOf(entry.error)}.` } }
  const { image, split, kind, concepts, raw } = entry.data
  const regions: RawRegion[] = []
  for (const [i, record] of entry.data.regions.entries()) {
    const region = regionSchema.safeParse(record)
    if (!region.success) yield { skipped: { file, line, reason: `Region ${i + 1} was left out: ${reasonOf(region.error)}.` }, of: { imageRef: image } }
    else regions.push(regionOf(region.data, file, line))
  }
  if (regions.length === 0 && entry.data.regions.length > 0) return
  yield { imageRef: image, file, line, split, regions, ...(kind ? { kind } : {}), ...(concepts ? { concepts } : {}), ...(raw === undefined ? {} : { raw }) }
}

function regionOf(data: z.infer<typeof regionSchema>, file: string, line: number): RawRegion {
  const review = reviewOf(data)
  return {
    phrase: data.phrase, boxes: data.boxes, ...(data.outlines ? { outlines: data.outlines } : {}), unit: 'pixels', file, line, ...(data.flags ? { flags: data.flags } : {}), ...(data.concepts ? { concepts: data.concepts } : {}),
    ...(review ? { review } : {}), ...(data.raw === undefined ? {} : { raw: data.raw }),
  }
}

/** The first thing a schema refused, with its field. */
export function reasonOf(error: z.ZodError): string {
  const [issue] = error.issues
  return `${issue?.path.length ? `${issue.path.join('.')}: ` : ''}${(issue?.message ?? 'it is of another kind').replace(/^Invalid input: /, '')}`
}
