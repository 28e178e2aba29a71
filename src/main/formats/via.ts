/**
 * VGG Image Annotator: annotations of version 2 as JSON, alone or inside a project file; regions as a list or, as in version 1, an object. The
 * phrase is the region attribute phrase (or caption, description, label, name, class), and status, note, tags and group stand beside it.
 */
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Box } from '../../shared/geometry.ts'
import { type Outline, outlineBounds } from '../../shared/shape.ts'
import { attributesOf, joined, phraseIn, piecesOf, reviewIn } from './attributes.ts'
import { headOf } from './files.ts'
import { readJsonParts } from './json-parts.ts'
import type { ExportRegion, ExportSample, Format, FormatWriter, OpenSource, RawItem, RawRegion } from './types.ts'

const KNOWN = ['shape_attributes', 'region_attributes', 'regions', 'filename', 'size', 'file_attributes', 'entries']

const write: FormatWriter = {
  file: 'via.json', names: 'paths', needsImages: false,
  imagePath: ({ name }) => `images/${name}`,
  holds: { boxes: 'many', fields: ['outlines', 'status', 'tags', 'note', 'split', 'emptyImages', 'duplicates'], phrase: (text) => text !== '', known: KNOWN },
  begin: async (out) => {
    const file = await out.create('via.json')
    let count = 0
    return {
      add: async ({ image, regions }: ExportSample) => {
        const raw = (image.raw ?? {}) as { size?: unknown; file_attributes?: object }
        const size = typeof raw.size === 'number' ? raw.size : -1
        let group = 0
        const value = { filename: image.name, size, regions: regions.flatMap((region) => entriesOf(region, () => ++group)), file_attributes: { ...raw.file_attributes, split: image.split } }
        await file.write(`${count++ === 0 ? '{' : ','}\n${JSON.stringify(image.name + String(size))}: ${JSON.stringify(value)}`)
      },
      finish: async () => {
        await file.write(count === 0 ? '{}\n' : '\n}\n')
        await file.close()
      },
    }
  },
}

function entriesOf(region: ExportRegion, nextGroup: () => number): unknown[] {
  const asRead = region.untouched ? (region.raw as { entries?: readonly unknown[] } | undefined)?.entries : undefined
  if (asRead) return [...asRead]
  const attributes = { phrase: region.phrase, ...attributesOf(region, region.boxes.length > 1 ? nextGroup() : undefined) }
  return piecesOf(region).map(({ box: [x1, y1, x2, y2], outline }) => ({
    shape_attributes: outline.length > 0 ? { name: 'polygon', all_points_x: outline.filter((_, i) => i % 2 === 0), all_points_y: outline.filter((_, i) => i % 2 === 1) } : { name: 'rect', x: x1, y: y1, width: x2 - x1, height: y2 - y1 },
    region_attributes: attributes,
  }))
}

export const via: Format = {
  name: 'via',
  title: 'VGG Image Annotator (VIA)',
  match: async (path) => {
    const head = await headOf(await fileOf(path), 65536)
    return /^\uFEFF?\s*\{/.test(head) && (head.includes('"_via_') || (/"filename"\s*:/.test(head) && /"(regions|file_attributes)"\s*:/.test(head) && !/"grounding"/.test(head)))
  },
  open: openVia,
  write,
}

async function fileOf(path: string): Promise<string> {
  return (await stat(path).catch(() => null))?.isDirectory() ? join(path, 'via.json') : path
}

async function openVia(path: string): Promise<OpenSource> {
  const file = await fileOf(path)
  // A project holds the images one level further in.
  const choose = (at: readonly string[], depth: number) => (depth === 0 || (depth === 1 && at[0] === '_via_img_metadata') ? 'enter' : depth === 1 && at[0]!.startsWith('_via_') ? 'pass' : 'take')
  return {
    imageRoots: [dirname(file), join(dirname(file), 'images')],
    fields: [{ from: 'filename', to: 'image' }, { from: 'region_attributes.phrase', to: 'phrase' }, { from: 'shape_attributes', to: 'boxes and outlines' }, { from: 'region_attributes', to: 'status, tags, note' }, { from: 'file_attributes.split', to: 'split' }],
    entries: async function* (signal) {
      for await (const { value, line } of readJsonParts(file, choose, signal)) yield* readImage(value, basename(file), line)
    },
  }
}

function* readImage(value: unknown, file: string, line: number): Generator<RawItem> {
  const image = value as { filename?: unknown; regions?: unknown; file_attributes?: Record<string, unknown> } | null
  if (typeof image?.filename !== 'string' || image.filename === '') return yield { skipped: { file, line, reason: 'An entry names no image (filename).' } }
  const list = Array.isArray(image.regions) ? (image.regions as unknown[]) : Object.values((image.regions ?? {}) as object)
  const groups = new Map<string, { phrase: string; pieces: { box: Box; outline: Outline }[]; entries: unknown[]; attributes: Record<string, unknown> }>()
  for (const [i, one] of list.entries()) {
    const { shape_attributes: shape, region_attributes: own } = (one ?? {}) as { shape_attributes?: Record<string, unknown>; region_attributes?: Record<string, unknown> }
    const attributes = own ?? {}
    const piece = pieceOf(shape ?? {})
    const phrase = phraseIn(attributes) ?? phraseIn(attributes, Object.keys(attributes).filter((name) => !['status', 'note', 'tags', 'group'].includes(name)))
    if (phrase === null || typeof piece === 'string') {
      yield { skipped: { file, line, reason: phrase === null ? `Region ${i + 1} has no attribute with a phrase.` : `Region ${i + 1}: ${piece as string}` }, of: { imageRef: image.filename } }
      continue
    }
    const key = attributes['group'] === undefined ? `#${i}` : JSON.stringify([phrase, attributes['group']])
    const group = groups.get(key) ?? { phrase, pieces: [], entries: [], attributes }
    group.pieces.push(piece)
    group.entries.push(one)
    groups.set(key, group)
  }
  const regions = [...groups.values()].map(({ phrase, pieces, entries, attributes }): RawRegion => {
    const review = reviewIn(attributes)
    return { phrase, ...joined(pieces), unit: 'pixels', file, line, raw: { entries }, ...(review ? { review } : {}) }
  })
  const { regions: _r, ...raw } = image as Record<string, unknown>
  const split = image.file_attributes?.['split']
  yield { imageRef: image.filename, file, line, split: typeof split === 'string' && split !== '' ? split : 'train', raw, regions }
}

function pieceOf(shape: Record<string, unknown>): { box: Box; outline: Outline } | string {
  const number = (name: string): number => (typeof shape[name] === 'number' ? shape[name] : NaN)
  if (shape['name'] === 'rect') {
    const [x, y, w, h] = ['x', 'y', 'width', 'height'].map(number) as [number, number, number, number]
    return [x, y, w, h].every(Number.isFinite) ? { box: [x, y, x + w, y + h], outline: [] } : 'the rectangle is not x, y, width, height.'
  }
  if (shape['name'] === 'polygon') {
    const [xs, ys] = [shape['all_points_x'], shape['all_points_y']]
    if (!Array.isArray(xs) || !Array.isArray(ys) || xs.length !== ys.length || xs.length < 3) return 'the polygon has fewer than three points.'
    const outline = xs.flatMap((x, i) => [x as number, ys[i] as number])
    return outline.every((one) => typeof one === 'number' && Number.isFinite(one)) ? { box: outlineBounds(outline), outline } : 'a point of the polygon is not two numbers.'
  }
  if (shape['name'] === 'circle' || shape['name'] === 'ellipse') {
    const [cx, cy] = [number('cx'), number('cy')]
    const [rx, ry] = shape['name'] === 'circle' ? [number('r'), number('r')] : [number('rx'), number('ry')]
    return [cx, cy, rx, ry].every(Number.isFinite) ? { box: [cx - rx, cy - ry, cx + rx, cy + ry], outline: [] } : 'the circle is not whole.'
  }
  return `a ${String(shape['name'])} has no inside; it was left out.`
}
