/**
 * Visual Genome: image_data.json (where an image is and how large), region_descriptions.json (phrases), and beside them objects.json, attributes.json and
 * relationships.json. A folder or one of the files; every file is a list with one entry an image, read one at a time. An object is the
 * region of its first name, with its attributes before it; a relationship the region "subject predicate object" with two boxes. Boxes that reach
 * over the edge, as thousands do here, are kept and flagged.
 */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { headOf, isFile } from './files.ts'
import { readJsonElements } from './json-elements.ts'
import { jsonList, type Output, type TextFile } from './output.ts'
import type { ExportRegion, ExportSample, Format, FormatWriter, OpenSource, RawEntry, RawItem, RawRegion } from './types.ts'

const KINDS = { regions: 'region_descriptions.json', objects: 'objects.json', attributes: 'attributes.json', relationships: 'relationships.json' } as const
type Kind = keyof typeof KINDS
type Id = number
const IMAGES = 'image_data.json'
const NEW_IDS = 1_000_000_000
const KNOWN = ['kind', 'record', 'image_id', 'width', 'height', 'url', 'coco_id', 'flickr_id']

interface Raw {
  readonly kind: Kind
  readonly record: Record<string, unknown>
}

const write: FormatWriter = {
  file: null, names: 'paths', needsImages: false,
  imagePath: ({ name }) => (name.includes('/') ? name : `VG_100K/${name}`),
  holds: { boxes: 'one', fields: ['emptyImages', 'duplicates'], known: KNOWN },
  begin: async (out, head) => {
    const files = new Map<string, { file: TextFile; list: ReturnType<typeof jsonList> }>()
    const ids = new Set<Id>()
    const next = { image: head.raw ? NEW_IDS : 0, region: head.raw ? NEW_IDS : 0 }
    const add = async (name: string, value: unknown): Promise<void> => (await listOf(out, files, name)).add(value)
    return {
      add: async ({ image, regions }: ExportSample) => {
        const raw = (image.raw ?? {}) as Record<string, unknown>
        const id = typeof raw['image_id'] === 'number' && !ids.has(raw['image_id']) ? raw['image_id'] : ++next.image
        ids.add(id)
        const name = /^(.*\/)?(\d+)\.\w+$/.exec(image.name)?.[2] === String(id) ? undefined : image.name
        await add(IMAGES, { url: null, coco_id: null, flickr_id: null, ...raw, image_id: id, width: image.width, height: image.height, ...(name === undefined ? {} : { file_name: image.name }) })
        const kept = (kind: Kind) => regions.flatMap(({ untouched, raw: r }) => (untouched && (r as Raw | undefined)?.kind === kind ? [(r as Raw).record] : []))
        const phrases = regions.flatMap((region): unknown[] => {
          const own = region.raw as Raw | undefined
          if (region.untouched && own) return own.kind === 'regions' ? [own.record] : []
          return recordsOf(region, own, id, () => ++next.region)
        })
        await add(KINDS.regions, { id, regions: phrases })
        for (const kind of ['objects', 'attributes', 'relationships'] as const) {
          const records = kept(kind)
          if (records.length > 0) await add(KINDS[kind], { image_id: id, [kind]: records })
        }
      },
      finish: async () => {
        await listOf(out, files, IMAGES)
        await listOf(out, files, KINDS.regions)
        for (const { file, list } of files.values()) {
          await list.end()
          await file.close()
        }
      },
    }
  },
}

async function listOf(out: Output, files: Map<string, { file: TextFile; list: ReturnType<typeof jsonList> }>, name: string): Promise<ReturnType<typeof jsonList>> {
  const known = files.get(name)
  if (known) return known.list
  const file = await out.create(name)
  const made = { file, list: jsonList(file) }
  files.set(name, made)
  return made.list
}

/** A new or changed region; what else a record of before held stays with it. */
function recordsOf(region: ExportRegion, raw: Raw | undefined, imageId: Id, nextId: () => Id): unknown[] {
  const before = raw?.kind === 'regions' && region.boxes.length === 1 ? raw.record : {}
  return region.boxes.map(([x1, y1, x2, y2]) => ({ ...before, region_id: before['region_id'] ?? nextId(), image_id: imageId, phrase: region.phrase, x: x1, y: y1, width: x2 - x1, height: y2 - y1 }))
}

export const visualGenome: Format = {
  name: 'visual-genome',
  title: 'Visual Genome',
  match: async (path) => (await filesOf(path)).length > 0,
  open: openVisualGenome,
  write,
}

async function filesOf(path: string): Promise<{ kind: Kind; path: string }[]> {
  if ((await stat(path).catch(() => null))?.isFile()) {
    const kind = await kindOf(path)
    return kind ? [{ kind, path }] : []
  }
  const found = await Promise.all((Object.keys(KINDS) as Kind[]).map(async (kind) => ((await kindOf(join(path, KINDS[kind]))) === kind ? [{ kind, path: join(path, KINDS[kind]) }] : [])))
  if (found.flat().length > 0 || !(await isFile(join(path, IMAGES)))) return found.flat()
  // Images alone are a dataset too, of pictures without phrases.
  return (await isFile(join(path, KINDS.regions))) ? [{ kind: 'regions', path: join(path, KINDS.regions) }] : []
}

async function kindOf(path: string): Promise<Kind | null> {
  const head = await headOf(path, 65536)
  if (!/^\uFEFF?\s*\[/.test(head)) return null
  const match = /"(regions|objects|attributes|relationships)"\s*:\s*\[/.exec(head)
  if (!match || /"caption"|"shape_attributes"/.test(head)) return null
  // In a list of one kind the word may stand inside a record of another: the outermost comes first.
  if (match[1] === 'regions') return /"(region_id|phrase|image_id|id)"/.test(head) ? 'regions' : null
  return /"(image_id|id|image_url)"/.test(head) ? (match[1] as Kind) : null
}

const imageSchema = z.looseObject({ image_id: z.number().optional(), id: z.number().optional(), width: z.number().optional(), height: z.number().optional(), url: z.string().nullish(), file_name: z.string().optional() })

async function openVisualGenome(path: string): Promise<OpenSource> {
  const found = await filesOf(path)
  const files = found.length > 0 ? found : [{ kind: 'regions' as const, path }]
  const root = dirname(files[0]!.path)
  const folders = (await readdir(root, { withFileTypes: true }).catch(() => [])).filter((entry) => entry.isDirectory()).map(({ name }) => join(root, name))
  return {
    imageRoots: [root, ...folders],
    fields: [{ from: 'phrase, names, predicate', to: 'phrase' }, { from: 'x, y, width, height', to: 'boxes (flagged where they reach over the edge)' }, { from: 'image_data.json', to: 'images' }],
    head: () => ({ source: 'visual-genome' }),
    entries: async function* (signal) {
      const images = await readImages(join(root, IMAGES), signal)
      const rest = new Map(images)
      for (const file of files) yield* readRecords(file, images, rest, signal)
      for (const [id, record] of rest) yield { imageRef: refOf(id, record), file: IMAGES, line: null, split: 'train', raw: record, regions: [] }
    },
  }
}

/** By id; empty when there is no such file. */
async function readImages(path: string, signal?: AbortSignal): Promise<Map<Id, Record<string, unknown>>> {
  const images = new Map<Id, Record<string, unknown>>()
  if (!(await isFile(path))) return images
  for await (const { value, line } of readJsonElements(path, signal)) {
    const image = imageSchema.safeParse(value)
    const id = image.success ? (image.data.image_id ?? image.data.id) : undefined
    if (!image.success || id === undefined) throw new AppError('bad-input', `${basename(path)}:${line} is not an image with an image_id.`, 'Choose the files of one release of Visual Genome.', `${basename(path)}:${line}`)
    images.set(id, image.data)
  }
  return images
}

/** The address ends with folder and name: .../VG_100K_2/1.jpg */
function refOf(id: Id, record: Record<string, unknown> | undefined): string {
  if (typeof record?.['file_name'] === 'string') return record['file_name']
  const url = typeof record?.['url'] === 'string' ? /([^/]+\/[^/]+\.\w+)$/.exec(record['url'])?.[1] : undefined
  return url ?? `${id}.jpg`
}

async function* readRecords({ kind, path }: { kind: Kind; path: string }, images: ReadonlyMap<Id, Record<string, unknown>>, rest: Map<Id, unknown>, signal?: AbortSignal): AsyncGenerator<RawItem> {
  const file = basename(path)
  for await (const { value, line } of readJsonElements(path, signal)) {
    const skip = (reason: string): RawItem => ({ skipped: { file, line, reason } })
    const entry = value as Record<string, unknown> | null
    const records = entry?.[kind]
    const first = Array.isArray(records) ? (records[0] as { image_id?: unknown } | undefined)?.image_id : undefined
    const id = [entry?.['image_id'], entry?.['id'], first].find((one): one is number => typeof one === 'number')
    if (!Array.isArray(records) || id === undefined) {
      yield skip(`An image with its ${kind} is expected.`)
      continue
    }
    const record = images.get(id)
    if (images.size > 0 && !record) {
      yield skip(`The image ${id} is not in ${IMAGES}.`)
      continue
    }
    rest.delete(id)
    const regions: RawRegion[] = []
    for (const [i, one] of (records as unknown[]).entries()) {
      const read = regionOf(kind, one)
      if (typeof read === 'string') yield skip(`Entry ${i + 1} of the image ${id}: ${read}`)
      else regions.push({ ...read, unit: 'pixels', file, line, raw: { kind, record: one } })
    }
    const base: RawEntry = { imageRef: refOf(id, record), file, line, split: 'train', raw: record ?? { image_id: id }, regions }
    if (regions.length > 0 || records.length === 0) yield base
  }
}

function regionOf(kind: Kind, value: unknown): { phrase: string; boxes: readonly Box[] } | string {
  const record = value as Record<string, unknown> | null
  if (kind === 'relationships') {
    const [subject, object] = [record?.['subject'], record?.['object']] as [Record<string, unknown> | undefined, Record<string, unknown> | undefined]
    const [a, b] = [boxOf(subject), boxOf(object)]
    const words = [nameIn(subject), record?.['predicate'], nameIn(object)]
    if (!a || !b) return 'subject or object has no x, y, w, h.'
    return words.every((word): word is string => typeof word === 'string') ? { phrase: words.join(' ').toLowerCase(), boxes: [a, b] } : 'subject, predicate or object has no name.'
  }
  const box = boxOf(record)
  if (!box) return 'the box is not four finite numbers x, y, width, height.'
  const words = Array.isArray(record?.['attributes']) ? record['attributes'].filter((one): one is string => typeof one === 'string') : []
  const phrase = kind === 'regions' ? record?.['phrase'] : nameIn(record ?? undefined)
  return typeof phrase === 'string' ? { phrase: kind === 'attributes' ? [...words, phrase].join(' ') : phrase, boxes: [box] } : 'it has no phrase or name.'
}

function nameIn(record: Record<string, unknown> | undefined): unknown {
  return Array.isArray(record?.['names']) ? (record['names'] as unknown[])[0] : record?.['name']
}

function boxOf(record: Record<string, unknown> | null | undefined): Box | null {
  const [x, y, w, h] = [record?.['x'], record?.['y'], record?.['width'] ?? record?.['w'], record?.['height'] ?? record?.['h']]
  return [x, y, w, h].every((one) => typeof one === 'number' && Number.isFinite(one)) ? [x as number, y as number, (x as number) + (w as number), (y as number) + (h as number)] : null
}
