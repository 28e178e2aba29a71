/**
 * Label Studio JSON: a list of tasks, coordinates in percent of the image. A label, or a text or choice given to a region, is its phrase; status and
 * tags are choices and the note is meta.text of the same region. A relation "same phrase" joins boxes of one region. Predictions are not
 * annotations: they are left out.
 */
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Box } from '../../shared/geometry.ts'
import { type Outline, outlineBounds } from '../../shared/shape.ts'
import { joined, piecesOf, pointsOf } from './attributes.ts'
import { headOf } from './files.ts'
import { readJsonElements } from './json-elements.ts'
import { jsonList } from './output.ts'
import { reviewOf } from './review.ts'
import type { ExportImage, ExportRegion, ExportSample, Format, FormatWriter, OpenSource, RawItem, RawRegion } from './types.ts'

const SAME = 'same phrase'
const KNOWN = ['results', 'id', 'data', 'meta', 'inner_id', 'annotations', 'predictions']

type Result = Record<string, unknown>

const write: FormatWriter = {
  file: 'label-studio.json', names: 'paths', needsImages: false,
  imagePath: ({ name }) => `images/${name}`,
  holds: { boxes: 'many', fields: ['outlines', 'status', 'tags', 'note', 'split', 'emptyImages', 'duplicates'], known: KNOWN },
  begin: async (out) => {
    const file = await out.create('label-studio.json')
    const list = jsonList(file)
    let id = 0
    return {
      add: async (sample) => list.add(taskOf(sample, ++id)),
      finish: async () => {
        await list.end()
        await file.write('\n')
        await file.close()
      },
    }
  },
}

function taskOf({ image, regions }: ExportSample, id: number): unknown {
  const raw = (image.raw ?? {}) as Record<string, unknown>
  const results = regions.flatMap((region, i) => {
    const asRead = region.untouched ? (region.raw as { results?: readonly Result[] } | undefined)?.results : undefined
    return asRead ? [...asRead] : resultsOf(region, image, `${id}-${i}`)
  })
  const data = { ...(raw['data'] as object | undefined), image: image.name }
  return { id, ...raw, data, meta: { ...(raw['meta'] as object | undefined), split: image.split }, annotations: [{ id, result: results, was_cancelled: false, ground_truth: false }] }
}

function resultsOf(region: ExportRegion, image: ExportImage, id: string): Result[] {
  const size = { original_width: image.width, original_height: image.height, image_rotation: 0 }
  const pieces = piecesOf(region)
  const results: Result[] = pieces.map(({ box: [x1, y1, x2, y2], outline }, i) => {
    const common = { id: `${id}-${i}`, to_name: 'image', ...size, ...(region.note === '' || i > 0 ? {} : { meta: { text: [region.note] } }) }
    if (outline.length > 0) return { ...common, from_name: 'polygon', type: 'polygonlabels', value: { points: pointsOf(outline).map(([x, y]) => [(x / image.width) * 100, (y / image.height) * 100]), closed: true, polygonlabels: [region.phrase] } }
    return { ...common, from_name: 'label', type: 'rectanglelabels', value: { x: (x1 / image.width) * 100, y: (y1 / image.height) * 100, width: ((x2 - x1) / image.width) * 100, height: ((y2 - y1) / image.height) * 100, rotation: 0, rectanglelabels: [region.phrase] } }
  })
  const choices = (name: string, list: readonly string[]): Result => ({ id: `${id}-0`, from_name: name, to_name: 'image', type: 'choices', ...size, value: { choices: list } })
  if (region.status !== 'unreviewed') results.push(choices('status', [region.status]))
  if (region.tags.length > 0) results.push(choices('tags', region.tags))
  for (let i = 1; i < pieces.length; i++) results.push({ type: 'relation', from_id: `${id}-0`, to_id: `${id}-${i}`, direction: 'right', labels: [SAME] })
  return results
}

export const labelStudio: Format = {
  name: 'label-studio',
  title: 'Label Studio JSON',
  match: async (path) => {
    const head = await headOf(await fileOf(path), 65536)
    return /^\uFEFF?\s*\[\s*\{/.test(head) && /"data"\s*:\s*\{/.test(head) && /"(annotations|completions|predictions)"\s*:\s*\[/.test(head)
  },
  open: openLabelStudio,
  write,
}

async function fileOf(path: string): Promise<string> {
  return (await stat(path).catch(() => null))?.isDirectory() ? join(path, 'label-studio.json') : path
}

async function openLabelStudio(path: string): Promise<OpenSource> {
  const file = await fileOf(path)
  return {
    imageRoots: [dirname(file), join(dirname(file), 'images')],
    fields: [{ from: 'data.image', to: 'image' }, { from: 'labels, text of a region', to: 'phrase' }, { from: 'x, y, width, height, points', to: 'boxes and outlines' }, { from: 'choices status and tags', to: 'status, tags' }, { from: 'meta.text', to: 'note' }],
    entries: async function* (signal) {
      for await (const { value, line } of readJsonElements(file, signal)) yield* readTask(value, basename(file), line)
    },
  }
}

/** A path from what Label Studio calls it: /data/local-files/?d=..., /data/upload/..., an address. */
function imageRefOf(written: string): string {
  const local = /[?&]d=([^&]+)/.exec(written)
  try {
    if (local) return decodeURIComponent(local[1]!)
    if (written.startsWith('file://')) return decodeURIComponent(written.slice(7))
    if (/^(https?|s3|gs):\/\//.test(written) || written.startsWith('/data/upload/')) return decodeURIComponent(written.split('?')[0]!.split('/').at(-1)!)
  } catch {
    return written
  }
  return written
}

function* readTask(value: unknown, file: string, line: number): Generator<RawItem> {
  const task = value as { data?: Record<string, unknown>; meta?: Record<string, unknown>; annotations?: unknown; completions?: unknown } | null
  const data = task?.data
  const written = data && (typeof data['image'] === 'string' ? data['image'] : Object.values(data).find((one): one is string => typeof one === 'string' && /\.(jpe?g|png|webp|bmp|gif|tiff?|avif)(\?|$)/i.test(one)))
  if (typeof written !== 'string' || written === '') return yield { skipped: { file, line, reason: 'The task names no image (data.image).' } }
  const lists = [task?.annotations, task?.completions].find(Array.isArray) as { result?: unknown; was_cancelled?: unknown }[] | undefined
  const done = (lists ?? []).filter((one) => one && one.was_cancelled !== true)
  if (done.length > 1) yield { skipped: { file, line, reason: `The task has ${done.length} annotations; the last one was taken.` } }
  const results = (Array.isArray(done.at(-1)?.result) ? (done.at(-1)!.result as unknown[]) : []).filter((one): one is Result => typeof one === 'object' && one !== null)
  const regions: RawRegion[] = []
  for (const part of groupsOf(results)) {
    const read = regionOf(part, file, line)
    if (typeof read === 'string') yield { skipped: { file, line, reason: read }, of: { imageRef: imageRefOf(written) } }
    else regions.push(read)
  }
  const { annotations: _a, completions: _c, predictions: _p, ...raw } = task as Record<string, unknown>
  const split = task?.meta?.['split']
  yield { imageRef: imageRefOf(written), file, line, split: typeof split === 'string' && split !== '' ? split : 'train', raw, regions }
}

/** Results of one region together: the same id, or joined by a relation. */
function groupsOf(results: readonly Result[]): Result[][] {
  const leader = new Map<unknown, unknown>()
  for (const { type, from_id: from, to_id: to, labels } of results) if (type === 'relation' && Array.isArray(labels) && labels.includes(SAME)) leader.set(to, from)
  const shaped = results.filter(({ type }) => type !== 'relation')
  const groups = Map.groupBy(shaped, ({ id }) => leader.get(id) ?? id)
  for (const one of results) if (one['type'] === 'relation' && leader.has(one['to_id'])) groups.get(one['from_id'])?.push(one)
  return [...groups.values()]
}

function regionOf(results: readonly Result[], file: string, line: number): RawRegion | string {
  const pieces: { box: Box; outline: Outline }[] = []
  let phrase: string | null = null
  let text: string | null = null
  const review: Record<string, unknown> = {}
  for (const result of results) {
    const value = (result['value'] ?? {}) as Record<string, unknown>
    const meta = (result['meta'] as { text?: unknown } | undefined)?.text
    if (Array.isArray(meta) && typeof meta[0] === 'string') review['note'] ??= meta.join('\n')
    const labels = Object.entries(value).find(([name, list]) => /labels$/.test(name) && Array.isArray(list))?.[1] as unknown[] | undefined
    if (typeof labels?.[0] === 'string') phrase ??= labels[0]
    if (result['type'] === 'choices' && Array.isArray(value['choices'])) {
      if (result['from_name'] === 'status') review['status'] = value['choices'][0]
      else if (result['from_name'] === 'tags') review['tags'] = value['choices']
      else if (typeof value['choices'][0] === 'string') text ??= value['choices'][0]
    } else if (result['type'] === 'textarea') {
      const written = Array.isArray(value['text']) ? (value['text'] as unknown[])[0] : value['text']
      if (typeof written === 'string') text = written
    } else if (result['type'] !== 'relation') {
      const piece = pieceOf(value)
      if (piece) pieces.push(piece)
      else if (Object.keys(value).some((name) => ['x', 'points', 'rle'].includes(name))) return `A region of the type ${String(result['type'])} has no box or polygon; it was left out.`
    }
  }
  const words = text ?? phrase
  if (pieces.length === 0) return words === null ? 'A result belongs to no region; it was left out.' : `"${words.slice(0, 40)}" is said of the whole image; it was left out.`
  if (words === null) return 'A region has neither a label nor a text.'
  const found = reviewOf(review)
  return { phrase: words, ...joined(pieces), unit: 'fractions', file, line, raw: { results }, ...(found ? { review: found } : {}) }
}

function pieceOf(value: Record<string, unknown>): { box: Box; outline: Outline } | null {
  const { x, y, width, height, points } = value
  if (Array.isArray(points) && points.length >= 3) {
    const outline = (points as unknown[]).flat().map((one) => Number(one) / 100)
    return outline.every(Number.isFinite) && outline.length % 2 === 0 ? { box: outlineBounds(outline), outline } : null
  }
  if (![x, y, width, height].every((one) => typeof one === 'number' && Number.isFinite(one))) return null
  const [left, top, w, h] = [x, y, width, height] as [number, number, number, number]
  const angle = typeof value['rotation'] === 'number' ? value['rotation'] : 0
  if (angle !== 0) return null
  return { box: [left / 100, top / 100, (left + w) / 100, (top + h) / 100], outline: [] }
}
