/**
 * AMC annotation JSON: `[{"image": path, "caption": text or [texts], "bbox": [[x1, y1, x2, y2], ...]}, ...]`, boxes in pixels.
 * Optional fields: split, kind, phraseConcepts and imageConcepts (what the phrase names, what can be seen), outlines (one polygon a box, or []), and of a
 * review status, tags and note. A folder may hold several such files (train.json,
 * val.json); their names then give the split.
 */
import { createHash } from 'node:crypto'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { outlinesSchema } from '../../shared/domain.ts'
import type { Box } from '../../shared/geometry.ts'
import { fittingOutlines } from '../../shared/shape.ts'
import { readJsonElements } from './json-elements.ts'
import { jsonList } from './output.ts'
import { reviewOf } from './review.ts'
import type { ExportRegion, ExportSample, Format, FormatWriter, OpenSource, RawItem, RawRegion } from './types.ts'

const DEFAULT_SPLIT = 'train'
const KNOWN = ['image', 'caption', 'bbox', 'split', 'kind', 'phraseConcepts', 'imageConcepts', 'outlines', 'status', 'tags', 'note', 'marks']

const write: FormatWriter = {
  file: 'annotations.json', names: 'paths', needsImages: false,
  imagePath: ({ name }) => `images/${name}`,
  holds: { boxes: 'many', fields: ['outlines', 'status', 'tags', 'note', 'marks', 'split', 'concepts', 'kind', 'imageConcepts'], phrase: (phrase) => phrase.trim() !== '', known: ['entry', 'caption', 'of'] },
  begin: async (out) => {
    const file = await out.create('annotations.json')
    const list = jsonList(file)
    return {
      add: async (sample) => {
        for (const entry of entriesOf(sample)) await list.add(entry)
      },
      finish: async () => {
        await list.end()
        await file.write('\n')
        await file.close()
      },
    }
  },
}

export const amcJson: Format = {
  name: 'amc-json',
  title: 'AMC annotation JSON',
  match: async (path) => (await annotationFiles(path)).length > 0,
  open: openAmcJson,
  write,
}

async function openAmcJson(path: string): Promise<OpenSource> {
  const found = await annotationFiles(path)
  const files = found.length > 0 ? found : [path] // asked for by name: let reading say what is wrong with it
  const folder = dirname(files[0]!)
  return {
    imageRoots: [folder, join(folder, 'images')],
    fields: [
      { from: 'image', to: 'image' },
      { from: 'caption', to: 'phrase (one region for each caption)' },
      { from: 'bbox', to: 'boxes' },
      { from: 'split', to: 'split' },
    ],
    entries: async function* (signal) {
      const seen = new Map<string, string>()
      for (const file of files) {
        const split = splitOfName(file)
        for await (const { value, line } of readJsonElements(file, signal)) {
          yield* readEntry(value, { file: basename(file), line, split }, seen)
        }
      }
    },
  }
}

interface Place {
  readonly file: string
  readonly line: number
  readonly split: string
}

function* readEntry(value: unknown, place: Place, seen: Map<string, string>): Generator<RawItem> {
  const { file, line } = place
  const skip = (reason: string): RawItem => ({ skipped: { file, line, reason } })
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return yield skip(`An entry must be an object with image, caption and bbox; this is ${typeName(value)}.`)
  const entry = value as Record<string, unknown>
  const image = entry['image']
  if (typeof image !== 'string' || image.trim() === '') return yield skip(`"image" must be a path; it is ${typeName(image)}.`)
  if (image.includes('\0')) return yield skip('"image" holds a zero character.')
  const lost = (reason: string): RawItem => ({ skipped: { file, line, reason }, of: { imageRef: image } })
  const boxes: Box[] = []
  for (const [i, box] of boxList(entry['bbox']).entries()) {
    if (isBox(box)) boxes.push([box[0], box[1], box[2], box[3]])
    else yield skip(`Box ${i + 1} is not four finite numbers [x1, y1, x2, y2] (${short(box)}); it was left out.`)
  }
  if (boxes.length === 0) return yield lost(entry['bbox'] === undefined ? 'The field "bbox" is missing.' : '"bbox" holds no usable box.')
  const concepts = textList(entry['phraseConcepts'])
  const regions: RawRegion[] = []
  const review = reviewOf(entry)
  // Beside the boxes as they are listed; when a box was left out they belong to none.
  const written = outlinesSchema.safeParse(entry['outlines'])
  const outlines = written.success && written.data.length === boxes.length ? fittingOutlines({ boxes, outlines: written.data }).outlines : []
  const captions = Array.isArray(entry['caption']) ? (entry['caption'] as unknown[]) : [entry['caption']]
  if (captions.length === 0) yield skip('"caption" is an empty list.')
  for (const [i, caption] of captions.entries()) {
    const which = captions.length > 1 ? `Caption ${i + 1} of ${captions.length}` : '"caption"'
    if (typeof caption !== 'string') yield lost(`${which} must be text; it is ${typeName(caption)}.`)
    else if (caption.trim() === '') yield lost(`${which} is empty.`)
    else {
      const key = digest([image, caption, boxes])
      const before = seen.get(key)
      if (before) yield skip(`The same image, caption and boxes stand at ${before} already.`)
      else {
        seen.set(key, `${file}:${line}`)
        const raw = rawOf(entry, i, captions.length)
        regions.push({ phrase: caption, boxes, ...(outlines.length > 0 ? { outlines } : {}), unit: 'pixels', file, line, ...(concepts ? { concepts } : {}), ...(review ? { review } : {}), ...(raw ? { raw } : {}) })
      }
    }
  }
  if (regions.length === 0) return
  const imageConcepts = textList(entry['imageConcepts'])
  yield {
    imageRef: image, file, line, split: text(entry['split']) ?? place.split, regions,
    ...(text(entry['kind']) ? { kind: text(entry['kind'])! } : {}),
    ...(imageConcepts ? { concepts: imageConcepts } : {}),
  }
}

/** What the entry holds beyond our fields. Several captions share an entry: the first keeps it, so that it can be written as one again. */
interface RawCaption {
  readonly caption: number
  readonly of: number
  readonly entry?: Record<string, unknown>
}
function rawOf(entry: Record<string, unknown>, caption: number, of: number): RawCaption | null {
  if (of === 1 && Array.isArray(entry['caption']) === false && Object.keys(entry).every((key) => KNOWN.includes(key))) return null
  return caption === 0 ? { caption, of, entry } : { caption, of }
}

/** Entries as they came where nobody touched them; otherwise one a region. */
function entriesOf({ image, regions }: ExportSample): Record<string, unknown>[] {
  const entries: Record<string, unknown>[] = []
  for (let i = 0; i < regions.length; i++) {
    const region = regions[i]!
    const raw = region.raw as RawCaption | undefined
    const group = raw?.entry ? regions.slice(i, i + raw.of) : []
    if (raw?.entry && group.length === raw.of && group.every((one, k) => one.untouched && (one.raw as RawCaption | undefined)?.caption === k)) {
      entries.push({ ...raw.entry, image: image.name, split: image.split })
      i += raw.of - 1
    } else entries.push({ ...unknownOf(raw?.entry), ...entryOf(region, image) })
  }
  return entries
}

function entryOf(region: ExportRegion, image: ExportSample['image']): Record<string, unknown> {
  return {
    image: image.name, caption: region.phrase, bbox: region.boxes, ...(region.outlines.length > 0 ? { outlines: region.outlines } : {}), split: image.split, ...(image.kind === null ? {} : { kind: image.kind }),
    ...(region.concepts ? { phraseConcepts: region.concepts } : {}), ...(image.concepts ? { imageConcepts: image.concepts } : {}),
    ...(region.status === 'unreviewed' ? {} : { status: region.status }), ...(region.tags.length > 0 ? { tags: region.tags } : {}), ...(region.note === '' ? {} : { note: region.note }), ...(region.marks ? { marks: region.marks } : {}),
  }
}

function unknownOf(entry: Record<string, unknown> | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry ?? {}).filter(([key]) => !KNOWN.includes(key)))
}

/** One box written flat is taken as a list of one. */
function boxList(value: unknown): unknown[] {
  if (!Array.isArray(value)) return value === undefined ? [] : [value]
  return value.length === 4 && value.every((v) => typeof v === 'number') ? [value] : (value as unknown[])
}

function isBox(value: unknown): value is [number, number, number, number] {
  return Array.isArray(value) && value.length === 4 && value.every((v) => typeof v === 'number' && Number.isFinite(v))
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

function textList(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === 'string') ? value : undefined
}

/** 128 bits of an entry: a list of a million costs tens of megabytes, and two different entries never share one. */
function digest(value: unknown): string {
  return createHash('md5').update(JSON.stringify(value)).digest('base64')
}

function typeName(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (value === '') return 'empty'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`.replace('a string', 'text')
}

function short(value: unknown): string {
  const written = JSON.stringify(value) ?? 'nothing'
  return written.length > 60 ? `${written.slice(0, 57)}...` : written
}

export function splitOfName(file: string): string {
  const words = basename(file).toLowerCase().split(/[^a-z0-9]+/)
  if (words.some((w) => /^(val|valid|validation|dev)\d*$/.test(w))) return 'val'
  if (words.some((w) => /^test[ab]?\d*$/.test(w))) return words.find((w) => /^test[ab]?\d*$/.test(w))!
  return DEFAULT_SPLIT
}

/** The annotation files a path stands for; empty when it holds none. */
async function annotationFiles(path: string): Promise<string[]> {
  const info = await stat(path).catch(() => null)
  if (!info) return []
  if (info.isFile()) return /\.json$/i.test(path) && (await looksLikeList(path)) ? [path] : []
  const usual = join(path, 'annotations.json')
  if (await looksLikeList(usual)) return [usual]
  const names = (await readdir(path)).filter((name) => /\.json$/i.test(name)).sort()
  const files: string[] = []
  for (const name of names) if (await looksLikeList(join(path, name), true)) files.push(join(path, name))
  return files
}

/** Whether it is certainly ours: a list whose first entries speak of captions. */
export async function hasCaptions(path: string): Promise<boolean> {
  const [file] = await annotationFiles(path)
  return file !== undefined && looksLikeList(file, true)
}

/** Whether the file begins as a list; with `strictly`, whether its first entries speak of captions. */
async function looksLikeList(path: string, strictly = false): Promise<boolean> {
  const file = await open(path, 'r').catch(() => null)
  if (!file) return false
  try {
    const buffer = Buffer.alloc(4096)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    const head = buffer.toString('utf8', 0, bytesRead).replace(/^\uFEFF/, '').trimStart()
    return head.startsWith('[') && (!strictly || head.includes('"caption"'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') return false
    throw new AppError('bad-input', `${basename(path)} cannot be read.`, 'Check the disk and the permissions.', path, { cause: error })
  } finally {
    await file.close()
  }
}
