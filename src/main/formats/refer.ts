/**
 * RefCOCO, RefCOCO+, RefCOCOg and RefCLEF: refs(NAME).p, a pickle of expressions, and instances.json with the boxes they refer to. The pickle is read as
 * data: nothing in it is run and any name in it is refused. Every sentence of an expression is a region.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { PyTuple, readPickle } from '../checkpoints/pickle.ts'
import { writePickle } from '../checkpoints/pickle-writer.ts'
import { isNumbers } from './attributes.ts'
import { isFile } from './files.ts'
import { readJsonParts } from './json-parts.ts'
import { jsonList } from './output.ts'
import type { ExportRegion, ExportSample, Format, FormatWriter, OpenSource, RawItem, RawRegion } from './types.ts'

const NEW_IDS = 1_000_000_000
/** A pickle of protocol 2: an empty list, then value after value appended, so that it need not be held whole. */
const [LIST_BEGINS, APPEND, STOP] = [Buffer.from([0x80, 2, 0x5d]), Buffer.from('a'), Buffer.from('.')]
const KNOWN = ['ref', 'sentence', 'of', 'annotation', 'id', 'file_name', 'width', 'height', 'license', 'coco_url', 'flickr_url', 'date_captured']

interface Raw {
  readonly ref: Record<string, unknown>
  readonly sentence: Record<string, unknown>
  /** Number of the sentence, and how many the expression has. */
  readonly of: readonly [number, number]
  readonly annotation: Record<string, unknown>
}

const write: FormatWriter = {
  file: null, names: 'paths', needsImages: false,
  imagePath: ({ name }) => `images/${name}`,
  holds: { boxes: 'one', fields: ['split', 'duplicates'], known: KNOWN },
  begin: async (out, head) => {
    const before = (head.raw ?? {}) as { categories?: readonly Record<string, unknown>[]; info?: unknown }
    const refs = await out.binary('refs(amc).p')
    await refs.write(LIST_BEGINS)
    const addRef = async (ref: unknown): Promise<void> => refs.write(Buffer.concat([writePickle(toMaps(ref), () => null, 'refs').subarray(2, -1), APPEND]))
    const images = await out.part()
    const annotations = await out.part()
    const [imageList, annotationList] = [jsonList(images), jsonList(annotations)]
    const used = { images: new Set<unknown>(), annotations: new Set<unknown>() }
    const first = head.raw ? NEW_IDS : 0
    const next = { image: first, annotation: first, ref: first, sentence: first }
    return {
      add: async ({ image, regions }: ExportSample) => {
        const raw = (image.raw ?? {}) as Record<string, unknown>
        const id = typeof raw['id'] === 'number' && !used.images.has(raw['id']) ? raw['id'] : ++next.image
        used.images.add(id)
        await imageList.add({ ...raw, id, file_name: image.name, width: image.width, height: image.height })
        const annotate = async (record: Record<string, unknown>): Promise<void> => {
          if (used.annotations.has(record['id'])) return
          used.annotations.add(record['id'])
          await annotationList.add(record)
        }
        for (let i = 0; i < regions.length; i++) {
          const region = regions[i]!
          const own = region.raw as Raw | undefined
          const group = own ? regions.slice(i, i + own.of[1]) : []
          if (own && own.of[0] === 0 && group.length === own.of[1] && group.every((one, k) => isSentence(one, own, k))) {
            await annotate({ ...own.annotation, image_id: id })
            await addRef({ ...own.ref, image_id: id, split: image.split, sentences: group.map((one) => (one.raw as Raw).sentence) })
            i += group.length - 1
            continue
          }
          for (const box of region.boxes) {
            const annotationId = ++next.annotation
            await annotate({ id: annotationId, image_id: id, category_id: own?.annotation['category_id'] ?? 1, bbox: xywh(box), area: (box[2] - box[0]) * (box[3] - box[1]), segmentation: [], iscrowd: 0 })
            const sentence = ++next.sentence
            await addRef({
              ref_id: ++next.ref, ann_id: annotationId, image_id: id, category_id: own?.annotation['category_id'] ?? 1, file_name: image.name, split: image.split, sent_ids: [sentence],
              sentences: [{ sent_id: sentence, sent: region.phrase, raw: region.phrase, tokens: region.phrase.split(/\s+/).filter(Boolean) }],
            })
          }
        }
      },
      finish: async () => {
        await refs.write(STOP)
        await refs.close()
        const file = await out.create('instances.json')
        await file.write(`{"info": ${JSON.stringify(before.info ?? { description: head.name, date_created: head.at })},\n"categories": ${JSON.stringify(before.categories ?? [{ id: 1, name: 'object', supercategory: '' }])},\n"images": `)
        await imageList.end()
        await images.pipe(file)
        await file.write(',\n"annotations": ')
        await annotationList.end()
        await annotations.pipe(file)
        await file.write('}\n')
        await file.close()
      },
    }
  },
}

function isSentence(region: ExportRegion, own: Raw, k: number): boolean {
  const raw = region.raw as Raw | undefined
  return region.untouched && raw !== undefined && raw.ref['ref_id'] === own.ref['ref_id'] && raw.of[0] === k
}

function xywh([x1, y1, x2, y2]: Box): number[] {
  return [x1, y1, x2 - x1, y2 - y1]
}

/** JSON values as Python's dictionaries. */
function toMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toMaps)
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value).map(([key, one]) => [key, toMaps(one)])) : value
}

export const refer: Format = {
  name: 'refcoco',
  title: 'RefCOCO, RefCOCO+, RefCOCOg, RefCLEF',
  match: async (path) => {
    const files = await refFiles(path)
    return files.length > 0 && (await isFile(join(dirname(files[0]!), 'instances.json')))
  },
  open: openRefer,
  write,
}

/** refs(unc).p and the like; several when a folder holds several lists of one dataset, of which the first is taken. */
async function refFiles(path: string): Promise<string[]> {
  if ((await stat(path).catch(() => null))?.isFile()) return /\.p(kl)?$/.test(path) ? [path] : []
  return (await readdir(path).catch(() => [])).filter((name) => /^refs\(.*\)\.p$/.test(name)).sort().map((name) => join(path, name))
}

const sentenceSchema = z.looseObject({ sent: z.string() })
const refSchema = z.looseObject({ ref_id: z.number(), ann_id: z.number(), image_id: z.number(), split: z.string(), sentences: z.array(z.unknown()) })

async function openRefer(path: string): Promise<OpenSource> {
  const [file, ...others] = await refFiles(path)
  if (file === undefined) throw new AppError('bad-input', `${basename(path)} holds no refs(...).p.`, 'Choose the folder that holds it and instances.json, or the file itself.', path)
  const root = dirname(file)
  let head: unknown = null
  return {
    imageRoots: [root, join(root, 'images'), join(root, 'train2014'), join(root, '..', 'train2014'), join(root, '..', 'images')],
    fields: [{ from: 'sent', to: 'phrase (one region a sentence)' }, { from: 'bbox of the annotation', to: 'boxes' }, { from: 'split', to: 'split' }],
    head: () => head,
    entries: async function* (signal) {
      for (const other of others) yield { skipped: { file: basename(other), line: null, reason: `There are several lists of expressions; ${basename(file)} was taken. Import this one by its own name.` } }
      const tables = await readInstances(join(root, 'instances.json'), signal)
      head = tables.head
      yield* readRefs(file, tables)
    },
  }
}

interface Tables {
  readonly images: ReadonlyMap<number, Record<string, unknown>>
  readonly annotations: ReadonlyMap<number, Record<string, unknown>>
  readonly head: Record<string, unknown>
}

async function readInstances(path: string, signal?: AbortSignal): Promise<Tables> {
  const images = new Map<number, Record<string, unknown>>()
  const annotations = new Map<number, Record<string, unknown>>()
  const head: Record<string, unknown> = {}
  const choose = (at: readonly string[], depth: number) => (depth === 0 || (depth === 1 && ['images', 'annotations'].includes(at[0]!)) ? 'enter' : 'take')
  for await (const { path: [field], value } of readJsonParts(path, choose, signal)) {
    const record = value as Record<string, unknown> | null
    if (field !== 'images' && field !== 'annotations') head[field!] = value
    else if (typeof record?.['id'] === 'number') (field === 'images' ? images : annotations).set(record['id'], record)
  }
  return { images, annotations, head }
}

async function* readRefs(path: string, { images, annotations }: Tables): AsyncGenerator<RawItem> {
  const file = basename(path)
  const bytes = await readFile(path)
  // A pickle can name one value many times; copied out, a few hundred bytes could fill the memory. Every honest value takes a byte or more.
  const list = plain(readPickle(bytes, 0, { place: file, allowed: () => null }).value, { values: 16 * bytes.length + 1000 })
  if (!Array.isArray(list)) throw new AppError('bad-input', `${file} holds no list of expressions.`, 'Choose refs(...).p of a RefCOCO dataset.', file)
  for (const [i, value] of (list as unknown[]).entries()) {
    const skip = (reason: string): RawItem => ({ skipped: { file, line: null, reason: `Expression ${i + 1}: ${reason}` } })
    const parsed = refSchema.safeParse(value)
    if (!parsed.success) {
      yield skip('it needs ref_id, ann_id, image_id, split and sentences.')
      continue
    }
    const { sentences, ...ref } = parsed.data
    const [image, annotation] = [images.get(ref.image_id), annotations.get(ref.ann_id)]
    const box = annotation?.['bbox']
    if (typeof image?.['file_name'] !== 'string') yield skip(`the image ${ref.image_id} is not in instances.json.`)
    else if (!annotation || !isNumbers(box, 4)) yield skip(`the annotation ${ref.ann_id} is not in instances.json, or has no box.`)
    else {
      const regions: RawRegion[] = []
      for (const [k, one] of sentences.entries()) {
        const sentence = sentenceSchema.safeParse(one)
        if (!sentence.success) yield skip(`sentence ${k + 1} has no text.`)
        else regions.push({ phrase: sentence.data.sent, boxes: [[box[0]!, box[1]!, box[0]! + box[2]!, box[1]! + box[3]!]], unit: 'pixels', file, line: null, raw: { ref, sentence: sentence.data, of: [k, sentences.length], annotation } })
      }
      if (regions.length > 0) yield { imageRef: image['file_name'], file, line: null, split: ref.split, raw: image, regions }
    }
  }
}

const DEEPEST = 64

/** Python's values as JSON would have them. */
function plain(value: unknown, left: { values: number }, depth = 0): unknown {
  if (--left.values < 0 || depth > DEEPEST) {
    throw new AppError('bad-input', 'The list of expressions refers to parts of itself so often that it cannot be a list of this dataset.', 'Take the file as the dataset has it.')
  }
  const inner = (one: unknown): unknown => plain(one, left, depth + 1)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [String(key), inner(one)]))
  if (value instanceof PyTuple) return value.items.map(inner)
  if (typeof value === 'bigint') return Number(value)
  return Array.isArray(value) ? value.map(inner) : value
}
