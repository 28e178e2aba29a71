/**
 * labelme: one NAME.json beside each image. Rectangles become boxes, polygons outlines, circles their boxes; points and lines have no inside
 * and are left out. Shapes with one label and one group_id are one region. The description is the note; true flags are tags, and the
 * review status is the flag "status:accepted" (rejected, skipped).
 */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, relative, sep } from 'node:path'
import { z } from 'zod'
import { regionStatusSchema } from '../../shared/domain.ts'
import type { Box } from '../../shared/geometry.ts'
import { type Outline, outlineBounds } from '../../shared/shape.ts'
import { reasonOf } from './amc-jsonl.ts'
import { joined, piecesOf, pointsOf } from './attributes.ts'
import { headOf } from './files.ts'
import { readJsonParts } from './json-parts.ts'
import type { ExportRegion, ExportSample, Format, FormatWriter, OpenSource, RawItem, RawRegion } from './types.ts'

const STATUS = 'status:'
const shapeSchema = z.looseObject({
  label: z.string(), points: z.array(z.tuple([z.number(), z.number()])), shape_type: z.string().nullish(), group_id: z.union([z.number(), z.string()]).nullish(),
  description: z.string().nullish(), flags: z.record(z.string(), z.unknown()).nullish(),
})
type Shape = z.infer<typeof shapeSchema>

const write: FormatWriter = {
  file: null, names: 'flat', needsImages: true,
  imagePath: ({ name }) => name,
  holds: { boxes: 'many', fields: ['outlines', 'status', 'tags', 'note', 'emptyImages', 'duplicates'], known: ['label', 'points', 'group_id', 'shape_type', 'flags', 'description', 'shapes'] },
  begin: async (out) => ({
    add: async ({ image, regions }: ExportSample) => {
      const file = await out.create(`${image.name.slice(0, image.name.length - extname(image.name).length)}.json`)
      const raw = (image.raw ?? {}) as Record<string, unknown>
      let groups = 0
      const used = new Set(regions.flatMap(({ raw: r }) => ((r as { shapes?: readonly Shape[] } | undefined)?.shapes ?? []).map((shape) => shape.group_id)))
      const nextGroup = (): number => {
        do groups++
        while (used.has(groups))
        return groups
      }
      await file.write(JSON.stringify({
        version: '5.5.0', flags: {}, ...raw, shapes: regions.flatMap((region) => shapesOf(region, nextGroup)), imagePath: image.name, imageData: null, imageHeight: image.height, imageWidth: image.width,
      }, null, 2))
      await file.close()
    },
    finish: async () => {},
  }),
}

function shapesOf(region: ExportRegion, nextGroup: () => number): unknown[] {
  const raw = region.raw as { shapes?: readonly unknown[] } | undefined
  if (region.untouched && raw?.shapes) return [...raw.shapes]
  const group = region.boxes.length > 1 ? nextGroup() : null
  const flags = Object.fromEntries([...region.tags, ...(region.status === 'unreviewed' ? [] : [STATUS + region.status])].map((tag) => [tag, true]))
  return piecesOf(region).map(({ box, outline }) => ({
    label: region.phrase, points: outline.length > 0 ? pointsOf(outline) : [[box[0], box[1]], [box[2], box[3]]], group_id: group, description: region.note,
    shape_type: outline.length > 0 ? 'polygon' : 'rectangle', flags, mask: null,
  }))
}

export const labelme: Format = {
  name: 'labelme',
  title: 'labelme folder',
  match: async (path) => {
    for (const file of (await jsonFiles(path)).slice(0, 5)) {
      const head = await headOf(file, 65536)
      if (/^\uFEFF?\s*\{/.test(head) && (/"shapes"\s*:/.test(head) || /"imagePath"\s*:/.test(head)) && !head.includes('"_via_')) return true
    }
    return false
  },
  open: openLabelme,
  write,
}

/** Of the folder and the folders in it; or the one file. */
async function jsonFiles(path: string): Promise<string[]> {
  const info = await stat(path).catch(() => null)
  if (info?.isFile()) return /\.json$/i.test(path) ? [path] : []
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  const own = entries.filter((entry) => entry.isFile() && /\.json$/i.test(entry.name)).map((entry) => join(path, entry.name)).sort()
  const below = await Promise.all(entries.filter((entry) => entry.isDirectory()).sort((a, b) => (a.name < b.name ? -1 : 1)).map(async ({ name }) => (await readdir(join(path, name)).catch(() => [])).filter((file) => /\.json$/i.test(file)).sort().map((file) => join(path, name, file))))
  return [...own, ...below.flat()]
}

async function openLabelme(path: string): Promise<OpenSource> {
  const files = await jsonFiles(path)
  const root = files.length === 1 && files[0] === path ? dirname(path) : path
  return {
    imageRoots: [root, ...new Set(files.map((file) => dirname(file)))],
    fields: [{ from: 'label', to: 'phrase' }, { from: 'points', to: 'boxes and outlines' }, { from: 'group_id', to: 'boxes of one region' }, { from: 'description', to: 'note' }, { from: 'flags', to: 'tags and status' }],
    entries: async function* (signal) {
      for (const file of files) yield* readEntry(file, root, signal)
    },
  }
}

async function* readEntry(path: string, root: string, signal?: AbortSignal): AsyncGenerator<RawItem> {
  const file = basename(path)
  const head: Record<string, unknown> = {}
  const shapes: { shape: Shape; line: number }[] = []
  const skipped: RawItem[] = []
  // imageData may hold the whole picture: it is passed over.
  const choose = (at: readonly string[], depth: number) => (depth === 0 || (at[0] === 'shapes' && depth === 1) ? 'enter' : at[0] === 'imageData' ? 'pass' : 'take')
  for await (const { path: at, value, line } of readJsonParts(path, choose, signal)) {
    if (at[0] !== 'shapes') head[at[0]!] = value
    else {
      const shape = shapeSchema.safeParse(value)
      if (shape.success) shapes.push({ shape: shape.data, line })
      else skipped.push({ skipped: { file, line, reason: `The shape was left out: ${reasonOf(shape.error)}.` } })
    }
  }
  yield* skipped
  const { imagePath, imageWidth: _w, imageHeight: _h, ...raw } = head
  if (typeof imagePath !== 'string' || imagePath === '') return yield { skipped: { file, line: null, reason: 'It names no image (imagePath).' } }
  const groups = new Map<string, { pieces: { box: Box; outline: Outline }[]; shapes: Shape[]; line: number }>()
  for (const [i, { shape, line }] of shapes.entries()) {
    const piece = pieceOf(shape)
    if (typeof piece === 'string') {
      yield { skipped: { file, line, reason: piece } }
      continue
    }
    const key = shape.group_id == null ? `#${i}` : JSON.stringify([shape.label, shape.group_id])
    const group = groups.get(key) ?? { pieces: [], shapes: [], line }
    group.pieces.push(piece)
    group.shapes.push(shape)
    groups.set(key, group)
  }
  const regions = [...groups.values()].map(({ pieces, shapes: own, line }): RawRegion => {
    const [first] = own
    const flags = Object.entries(first!.flags ?? {}).filter(([, on]) => on === true).map(([name]) => name)
    const status = regionStatusSchema.safeParse(flags.find((name) => name.startsWith(STATUS))?.slice(STATUS.length))
    const tags = flags.filter((name) => !name.startsWith(STATUS))
    const note = first!.description ?? ''
    return {
      phrase: first!.label, ...joined(pieces), unit: 'pixels', file, line, raw: { shapes: own },
      review: { ...(status.success ? { status: status.data } : {}), ...(tags.length > 0 ? { tags } : {}), ...(note === '' ? {} : { note }) },
    }
  })
  const folder = relative(root, dirname(path)).split(sep).join('/')
  const imageRef = folder === '' || /^([A-Za-z]:)?[\\/]/.test(imagePath) ? imagePath : `${folder}/${imagePath.replaceAll('\\', '/')}`
  yield { imageRef, file, line: null, split: 'train', raw, regions }
}

/** Or why it has none. */
function pieceOf({ points, shape_type: type, label }: Shape): { box: Box; outline: Outline } | string {
  const flat = points.flat()
  const kind = type ?? 'polygon'
  if (kind === 'polygon' && points.length >= 3) return { box: outlineBounds(flat), outline: flat }
  if ((kind === 'rectangle' || kind === 'mask') && points.length >= 2) return { box: outlineBounds(flat), outline: [] }
  if (kind === 'circle' && points.length === 2) {
    const [[x, y], [ox, oy]] = points as [[number, number], [number, number]]
    const radius = Math.hypot(ox - x, oy - y)
    return { box: [x - radius, y - radius, x + radius, y + radius], outline: [] }
  }
  if (kind === 'oriented_rectangle' && points.length === 4) return { box: outlineBounds(flat), outline: flat }
  return `The ${kind} "${label}" with ${points.length} points has no inside; it was left out.`
}
