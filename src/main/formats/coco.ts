/**
 * COCO: instances (boxes, polygons; run-length masks as the outlines around them, and back as they came), captions (phrases without a box) and panoptic
 * segments (read). One file, or a folder with annotations/*.json: the split is read from a file's name. LVIS is read and written by the same code
 * (lvis.ts). Fields of ours go into `attributes`, as other tools do it; a `group` there joins annotations of one region.
 */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import type { Box } from '../../shared/geometry.ts'
import { type Outline, outlineBounds } from '../../shared/shape.ts'
import { splitOfName } from './amc-json.ts'
import { isNumbers, joined, reviewIn } from './attributes.ts'
import { headOf } from './files.ts'
import { readJsonParts } from './json-parts.ts'
import { type MaskOutlines, outlinesOf, runsOf } from './rle.ts'
import { cocoWriter } from './coco-write.ts'
import type { Format, OpenSource, RawEntry, RawItem, RawRegion } from './types.ts'

const imageSchema = z.looseObject({ id: z.union([z.number(), z.string()]), file_name: z.string().optional(), coco_url: z.string().optional() })
const annotationSchema = z.looseObject({
  image_id: z.union([z.number(), z.string()]), category_id: z.union([z.number(), z.string()]).optional(), bbox: z.unknown().optional(), segmentation: z.unknown().optional(), caption: z.string().optional(),
  attributes: z.record(z.string(), z.unknown()).optional(), segments_info: z.array(z.looseObject({})).optional(),
})
type Annotation = z.infer<typeof annotationSchema>
type Id = number | string
/** A list of categories alone may also be another program's notes beside its labels, unless it is longer than what is looked at. */
const LISTS = /"(images|annotations)"\s*:\s*\[/

export interface Dialect {
  readonly name: string
  readonly title: string
  readonly lvis: boolean
}

export const coco: Format = cocoFormat({ name: 'coco', title: 'COCO', lvis: false })
export const lvis: Format = cocoFormat({ name: 'lvis', title: 'LVIS', lvis: true })

function cocoFormat(dialect: Dialect): Format {
  return {
    name: dialect.name,
    title: dialect.title,
    match: async (path) => (await cocoFiles(path, dialect)).length > 0,
    open: (path) => openCoco(path, dialect),
    write: cocoWriter(dialect),
  }
}

async function cocoFiles(path: string, dialect: Dialect): Promise<string[]> {
  const info = await stat(path).catch(() => null)
  if (info?.isFile()) return (await looksLikeCoco(path, dialect)) ? [path] : []
  const files: string[] = []
  for (const folder of [join(path, 'annotations'), path]) {
    for (const name of (await readdir(folder).catch(() => [])).filter((one) => /\.json$/i.test(one)).sort()) {
      if (await looksLikeCoco(join(folder, name), dialect)) files.push(join(folder, name))
    }
    if (files.length > 0) break
  }
  return files
}

/** Lists named images, annotations or categories in the first object, whatever comes first. */
async function looksLikeCoco(path: string, dialect: Dialect): Promise<boolean> {
  if (!/\.json$/i.test(path)) return false
  const head = await headOf(path, 65536)
  if (!/^\uFEFF?\s*\{/.test(head) || !(LISTS.test(head) || (head.length > 60_000 && /"categories"\s*:\s*\[/.test(head))) || /"_via_|"shapes"\s*:/.test(head)) return false
  const isLvis = /"(neg_category_ids|not_exhaustive_category_ids|synset|image_count)"/.test(head)
  return isLvis === dialect.lvis
}

async function openCoco(path: string, dialect: Dialect): Promise<OpenSource> {
  const found = await cocoFiles(path, dialect)
  const files = found.length > 0 ? found : [path]
  const folder = dirname(files[0]!)
  const root = basename(folder) === 'annotations' ? dirname(folder) : folder
  const folders = (await Promise.all([root, join(root, 'images')].map(foldersIn))).flat()
  let head: unknown = null
  return {
    imageRoots: [root, join(root, 'images')],
    fields: [{ from: 'category, caption', to: 'phrase' }, { from: 'bbox', to: 'boxes' }, { from: 'segmentation', to: 'outlines (polygons, masks)' }, { from: 'attributes', to: 'status, tags, note' }, { from: 'file name', to: 'split' }],
    head: () => head,
    entries: async function* (signal) {
      for (const file of files) {
        const tables = await readTables(file, signal)
        head = mergeHeads(head, tables.head)
        const split = /^(?:instances|captions|lvis|panoptic)_(.*?)\.json$/i.exec(basename(file))?.[1]
        yield* readAnnotations(file, tables, folders.filter((one) => basename(one) === split || (split === undefined && /^(train|val|test)\d*$/.test(basename(one)))), signal)
      }
    },
  }
}

async function foldersIn(path: string): Promise<string[]> {
  return (await readdir(path, { withFileTypes: true }).catch(() => [])).filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name))
}

interface Tables {
  readonly images: ReadonlyMap<Id, Record<string, unknown>>
  readonly categories: ReadonlyMap<Id, string>
  readonly head: { readonly categories: readonly unknown[]; readonly [field: string]: unknown }
}

/** Images and categories, and what else stands beside the lists; a first pass, because a file may name them last. */
async function readTables(file: string, signal?: AbortSignal): Promise<Tables> {
  const images = new Map<Id, Record<string, unknown>>()
  const categories = new Map<Id, string>()
  const kept: unknown[] = []
  const head: Record<string, unknown> = {}
  const choose = (at: readonly string[], depth: number) => (depth === 0 ? 'enter' : at[0] === 'annotations' ? 'pass' : depth === 1 && (at[0] === 'images' || at[0] === 'categories') ? 'enter' : 'take')
  for await (const { path: [field], value } of readJsonParts(file, choose, signal)) {
    if (field === 'images') {
      const image = imageSchema.safeParse(value)
      if (image.success) images.set(image.data.id, image.data)
    } else if (field === 'categories') {
      const category = value as { id?: Id; name?: unknown } | null
      if (category?.id !== undefined && typeof category.name === 'string') categories.set(category.id, category.name)
      kept.push(value)
    } else if (field !== undefined) head[field] = value
  }
  return { images, categories, head: { ...head, categories: kept } }
}

function mergeHeads(before: unknown, next: Tables['head']): unknown {
  const known = before as Tables['head'] | null
  if (!known) return next
  const seen = new Set(known.categories.map((one) => JSON.stringify(one)))
  return { ...next, ...known, categories: [...known.categories, ...next.categories.filter((one) => !seen.has(JSON.stringify(one)))] }
}

async function* readAnnotations(path: string, tables: Tables, roots: readonly string[], signal?: AbortSignal): AsyncGenerator<RawItem> {
  const file = basename(path)
  const split = splitOfName(path)
  const rest = new Set(tables.images.keys())
  let open: { key: string; entry: RawEntry; pieces: { box: Box; outline: Outline }[]; raws: unknown[] } | null = null
  const close = function* (): Generator<RawItem> {
    if (open) yield { ...open.entry, regions: [{ ...open.entry.regions[0]!, ...joined(open.pieces), raw: { annotations: open.raws } }] }
    open = null
  }
  const choose = (at: readonly string[], depth: number) => (depth === 0 || (at[0] === 'annotations' && depth === 1) ? 'enter' : at[0] === 'annotations' ? 'take' : 'pass')
  for await (const { value, line } of readJsonParts(path, choose, signal)) {
    const skip = (reason: string): Extract<RawItem, { skipped: unknown }> => ({ skipped: { file, line, reason } })
    const parsed = annotationSchema.safeParse(value)
    if (!parsed.success) {
      yield skip('This is not an annotation with an image_id.')
      continue
    }
    const annotation = parsed.data
    const image = tables.images.get(annotation.image_id)
    const imageRef = image ? nameOf(image) : null
    if (!imageRef) {
      yield skip(image ? `The image ${annotation.image_id} has no file_name.` : `There is no image with the id ${annotation.image_id}.`)
      continue
    }
    rest.delete(annotation.image_id)
    const entry = (region: RawRegion): RawEntry => ({ imageRef, roots, file, line, split, raw: image, regions: [region] })
    for (const read of regionsOf(annotation, tables, file, line)) {
      if (typeof read === 'string') {
        yield skip(read)
        continue
      }
      if ('lost' in read) {
        yield { ...skip(read.lost), of: { imageRef, roots } }
        continue
      }
      const group = annotation.attributes?.['group']
      const key = group === undefined ? '' : JSON.stringify([annotation.image_id, read.region.phrase, group])
      if (open && key !== '' && open.key === key) {
        open.pieces.push(...read.pieces)
        open.raws.push(value)
      } else {
        yield* close()
        open = { key, entry: entry(read.region), pieces: [...read.pieces], raws: [value] }
      }
    }
  }
  yield* close()
  for (const id of rest) {
    const image = tables.images.get(id)!
    const imageRef = nameOf(image)
    if (imageRef) yield { imageRef, roots, file, line: null, split, raw: image, regions: [] }
  }
}

function nameOf(image: Record<string, unknown>): string | null {
  if (typeof image['file_name'] === 'string' && image['file_name'] !== '') return image['file_name']
  return typeof image['coco_url'] === 'string' ? image['coco_url'].split('/').slice(-2).join('/') : null
}

interface Read {
  readonly region: RawRegion
  readonly pieces: readonly { readonly box: Box; readonly outline: Outline }[]
}

/** Texts say what was left out: of a region that comes next, or ('lost') why there is none. */
function* regionsOf(annotation: Annotation, { categories, images }: Pick<Tables, 'categories' | 'images'>, file: string, line: number): Generator<Read | string | { readonly lost: string }> {
  if (annotation.segments_info) {
    for (const segment of annotation.segments_info) yield* regionsOf({ ...(segment as unknown as Annotation), image_id: annotation.image_id }, { categories, images }, file, line)
    return
  }
  if (annotation.caption !== undefined) {
    const review = annotation.attributes ? reviewIn(annotation.attributes) : null
    return yield { region: { phrase: annotation.caption, boxes: [], unit: 'pixels', file, line, ...(review ? { review } : {}) }, pieces: [] }
  }
  const phrase = annotation.category_id === undefined ? undefined : categories.get(annotation.category_id)
  if (phrase === undefined) return yield { lost: `There is no category with the id ${String(annotation.category_id)}.` }
  const polygons: Outline[] = Array.isArray(annotation.segmentation) ? annotation.segmentation.filter((one): one is number[] => Array.isArray(one) && one.length >= 6 && isNumbers(one, one.length - (one.length % 2))) : []
  const mask = annotation.segmentation && !Array.isArray(annotation.segmentation) ? maskIn(annotation.segmentation, images.get(annotation.image_id)) : null
  const box = annotation.bbox
  if (typeof mask === 'string') yield `The mask of "${phrase}" was left out and its box kept: ${mask}.`
  else if (mask) {
    if (mask.holes > 0) yield `The mask of "${phrase}" has ${mask.holes === 1 ? 'a hole' : `${mask.holes} holes`}, which a region cannot hold: outlined as filled; written back as it came while nobody changes the region.`
    polygons.push(...mask.pieces)
  }
  if (polygons.length === 0 && !isNumbers(box, 4)) return yield { lost: `The box of "${phrase}" is not four finite numbers [x, y, width, height].` }
  const pieces = polygons.length > 0 ? polygons.map((outline) => ({ box: outlineBounds(outline), outline })) : [{ box: [(box as number[])[0]!, (box as number[])[1]!, (box as number[])[0]! + (box as number[])[2]!, (box as number[])[1]! + (box as number[])[3]!] as Box, outline: [] }]
  const review = annotation.attributes ? reviewIn(annotation.attributes) : null
  yield { region: { phrase, boxes: [], unit: 'pixels', file, line, ...(review ? { review } : {}) }, pieces }
}

/** More would be refused at the first edit. */
const [MOST_PIECES, MOST_NUMBERS] = [10_000, 200_000]

/** The outlines of a run-length mask, or why there are none. */
function maskIn(segmentation: object, image: Record<string, unknown> | undefined): MaskOutlines | string {
  const { counts, size } = segmentation as { counts?: unknown; size?: unknown }
  if (!isNumbers(size, 2)) return 'it has no size'
  const [height, width] = size as [number, number]
  const known = image?.['width'] !== undefined && image['height'] !== undefined
  if (known && (image['width'] !== width || image['height'] !== height)) return `it is ${width} x ${height}, and the image ${String(image['width'])} x ${String(image['height'])}`
  const runs = runsOf(counts, [height, width])
  if (typeof runs === 'string') return runs
  const mask = runs.length > MOST_NUMBERS ? null : outlinesOf(runs, height)
  if (mask?.pieces.length === 0) return 'it is empty'
  const numbers = mask?.pieces.reduce((sum, piece) => sum + piece.length, 0) ?? Infinity
  return mask && mask.pieces.length <= MOST_PIECES && numbers <= MOST_NUMBERS ? mask : 'its outline would have more points than a region can'
}
