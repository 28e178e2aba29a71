/**
 * Our own CSV: one region a row with every field, for spreadsheets and scripts. Lists stand as JSON in their cell. An image without regions
 * is a row without boxes. The first column says what the row is: image or region.
 */
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { boxSchema, outlinesSchema } from '../../shared/domain.ts'
import { ALL_FIELDS, reasonOf } from './amc-jsonl.ts'
import { csvLine, readCsv } from './csv-rows.ts'
import { headOf, isFile } from './files.ts'
import { reviewOf } from './review.ts'
import type { ExportImage, ExportRegion, Format, FormatWriter, OpenSource, RawItem, RawRegion } from './types.ts'

const COLUMNS = ['record', 'image', 'width', 'height', 'split', 'kind', 'image_concepts', 'image_raw', 'id', 'phrase', 'boxes', 'outlines', 'status', 'tags', 'note', 'flags', 'concepts', 'history', 'marks', 'raw']

const json = <T extends z.ZodType>(value: T) => z.string().transform((text, context): unknown => {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue({ code: 'custom', message: 'this is not JSON' })
    return z.NEVER
  }
}).pipe(value)
const texts = json(z.array(z.string()).optional())
const imageSchema = z.looseObject({ record: z.enum(['image', 'region', 'dataset']), image: z.string(), split: z.string(), kind: z.string(), image_concepts: texts, image_raw: json(z.unknown()) })
const regionSchema = z.looseObject({ phrase: z.string(), boxes: json(z.array(boxSchema)), outlines: json(outlinesSchema.optional()), status: z.string(), tags: texts, note: z.string(), flags: texts, concepts: texts, history: json(z.unknown()), marks: json(z.unknown()), raw: json(z.unknown()) })

const listed = (list: readonly unknown[] | null | undefined): string => (list && list.length > 0 ? JSON.stringify(list) : '')
const written = (value: unknown): string => (value == null ? '' : JSON.stringify(value))

const write: FormatWriter = {
  file: 'dataset.csv', names: 'paths', needsImages: false,
  imagePath: ({ name }) => `images/${name}`,
  holds: { boxes: 'many', fields: ALL_FIELDS, known: [] },
  begin: async (out, head) => {
    const file = await out.create('dataset.csv')
    await file.write(csvLine(COLUMNS))
    if (head.raw != null) await file.write(csvLine(['dataset', '', '', '', '', '', '', written(head.raw), ...COLUMNS.slice(8).map(() => '')]))
    return {
      add: async ({ image, regions }) => {
        await file.write(csvLine([...imageCells('image', image), ...COLUMNS.slice(8).map(() => '')]))
        for (const region of regions) await file.write(csvLine([...imageCells('region', image), ...regionCells(region)]))
      },
      finish: () => file.close(),
    }
  },
}

/** The image's own record and concepts stand in its row only. */
function imageCells(record: 'image' | 'region', image: ExportImage): (string | number)[] {
  const own = record === 'image'
  return [record, image.name, image.width, image.height, image.split, image.kind ?? '', own ? listed(image.concepts) : '', own ? written(image.raw) : '']
}

function regionCells(region: ExportRegion): string[] {
  return [region.id, region.phrase, JSON.stringify(region.boxes), listed(region.outlines), region.status, listed(region.tags), region.note, listed(region.flags), listed(region.concepts), listed(region.history), written(region.marks), written(region.raw)]
}

export const amcCsv: Format = {
  name: 'amc-csv',
  title: 'AMC CSV',
  match: async (path) => (await headOf(await fileOf(path), 256)).replace(/^\uFEFF/, '').startsWith('record,image,'),
  open: openCsv,
  write,
}

async function fileOf(path: string): Promise<string> {
  return (await isFile(path)) ? path : join(path, 'dataset.csv')
}

async function openCsv(path: string): Promise<OpenSource> {
  const file = await fileOf(path)
  let head: unknown = null
  return {
    imageRoots: [dirname(file), join(dirname(file), 'images')],
    fields: [{ from: 'image', to: 'image' }, { from: 'phrase, boxes', to: 'region, with every field' }, { from: 'split', to: 'split' }],
    head: () => head,
    entries: async function* (signal) {
      for await (const { row, line } of readCsv(file, ['record', 'image', 'split', 'phrase', 'boxes'], signal)) {
        const filled = { ...Object.fromEntries(COLUMNS.map((column) => [column, ''])), ...row }
        const image = imageSchema.safeParse(filled)
        if (!image.success) yield { skipped: { file: basename(file), line, reason: `This is not a row of an image or region: ${reasonOf(image.error)}.` } }
        else if (image.data.record === 'dataset') head = image.data.image_raw ?? null
        else yield readRow(image.data, filled, basename(file), line)
      }
    },
  }
}

function readRow(image: z.infer<typeof imageSchema>, row: Record<string, string>, file: string, line: number): RawItem {
  if (image.image === '') return { skipped: { file, line, reason: 'The image is not named.' } }
  const regions: RawRegion[] = []
  if (image.record === 'region') {
    const region = regionSchema.safeParse(row)
    if (!region.success) return { skipped: { file, line, reason: `The region was left out: ${reasonOf(region.error)}.` }, of: { imageRef: image.image } }
    const { phrase, boxes, outlines, flags, concepts, raw } = region.data
    const review = reviewOf(region.data)
    regions.push({ phrase, boxes, ...(outlines ? { outlines } : {}), unit: 'pixels', file, line, ...(flags ? { flags } : {}), ...(concepts ? { concepts } : {}), ...(review ? { review } : {}), ...(raw === undefined ? {} : { raw }) })
  }
  return {
    imageRef: image.image, file, line, split: image.split || 'train', regions, ...(image.kind ? { kind: image.kind } : {}),
    ...(image.image_concepts ? { concepts: image.image_concepts } : {}), ...(image.image_raw === undefined ? {} : { raw: image.image_raw }),
  }
}
