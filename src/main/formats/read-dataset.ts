/**
 * The one way into the program for annotations: find the format, read its entries, look at every image, check every box. Yields
 * samples in the order of the file, and what was left out with the reason. Memory does not grow with the regions, only with the
 * number of images.
 */
import { stat } from 'node:fs/promises'
import { basename, isAbsolute, resolve } from 'node:path'
import { AppError, toErrorData } from '../../shared/errors.ts'
import { type Box, boxFlags, type Size } from '../../shared/geometry.ts'
import { NO_OUTLINE, type Outline, outlineBounds } from '../../shared/shape.ts'
import { readImageHeader } from '../images/decode.ts'
import { filePrint } from '../images/print.ts'
import { mapInOrder } from './map-in-order.ts'
import { findFormat } from './registry.ts'
import type { OpenSource, RawEntry, RawItem, RawRegion, ReadImage, ReadItem, ReadOptions, ReadRegion, Skipped } from './types.ts'

/** Image headers read at the same time; more does not help, reading is bound by the disk. */
const AHEAD = 16
/** Fractions are written with about six digits: a box over the edge by less than this share of the image was rounded, not drawn so. */
const ROUNDING = 2e-6

export interface OpenDataset {
  readonly format: string
  readonly fields: OpenSource['fields']
  readonly head: () => unknown
  readonly items: AsyncIterable<ReadItem>
}

/**
 * Opens a file or folder of annotations.
 * @throws AppError 'bad-input' when nothing is there or no format fits; while iterating, when a file is malformed (file, line and
 *   column in the message), and 'cancelled' when the signal fires
 */
export async function openDataset(path: string, options: ReadOptions = {}): Promise<OpenDataset> {
  const full = resolve(path)
  if (!(await stat(full).catch(() => null))) throw new AppError('bad-input', `${full} does not exist.`, 'Check the path.', full)
  const roots: string[] = []
  if (options.imagesDir) {
    const folder = resolve(options.imagesDir)
    if (!(await stat(folder).catch(() => null))?.isDirectory()) throw new AppError('bad-input', `The images folder ${folder} does not exist.`, 'Check the path.', folder)
    roots.push(folder)
  }
  const format = await findFormat(full, options.format)
  const source = await format.open(full, options)
  return { format: format.name, fields: source.fields, head: () => source.head?.() ?? null, items: readItems(source, [...roots, ...source.imageRoots], roots.length > 0, options.signal) }
}

/** openDataset for those who want the items only. */
export async function* readDataset(path: string, options: ReadOptions = {}): AsyncGenerator<ReadItem> {
  yield* (await openDataset(path, options)).items
}

async function* readItems(source: OpenSource, roots: readonly string[], stripFolders: boolean, signal?: AbortSignal): AsyncGenerator<ReadItem> {
  const images = new Map<string, Promise<ReadImage | Skipped>>()
  const told = new Set<unknown>()
  const look = async (item: RawItem): Promise<{ readonly skipped: Skipped } | { readonly entry: RawEntry; readonly image: ReadImage | Skipped }> => {
    const within = (own: readonly string[] = []): readonly string[] => [...(stripFolders ? roots.slice(0, 1) : []), ...own, ...roots]
    if ('skipped' in item) {
      const image = item.of && (await locateImage(item.of.imageRef, within(item.of.roots), stripFolders))
      return { skipped: image ? { ...item.skipped, image } : item.skipped }
    }
    const key = [...(item.roots ?? []), item.imageRef].join('\0')
    const known = images.get(key)
    // A folder that the person named comes before those that the annotations speak of.
    const image = known ?? lookAtImage(item, within(item.roots), stripFolders)
    if (!known) images.set(key, image)
    return { entry: item, image: await image }
  }
  const byPath = new Map<string, ReadImage>()
  for await (const looked of mapInOrder(source.entries(signal), AHEAD, look)) {
    if (signal?.aborted) throw new AppError('cancelled', 'Reading was cancelled.', '')
    if ('skipped' in looked) {
      yield looked
      continue
    }
    const { entry, image: found } = looked
    if ('reason' in found) {
      // One missing image may be named by many entries; the report tells it once.
      if (!told.has(found)) yield { skipped: found }
      told.add(found)
      continue
    }
    const image = byPath.get(found.path) ?? found
    byPath.set(found.path, image)
    if (entry.split !== image.split && !told.has(`${image.path} ${entry.split}`)) {
      told.add(`${image.path} ${entry.split}`)
      yield { skipped: { file: entry.file, line: entry.line, reason: `${image.name} is in the split ${image.split} already; an image cannot be in ${entry.split} too. Its regions were kept in ${image.split}.` } }
    }
    const regions: ReadRegion[] = []
    for (const raw of entry.regions) {
      const { region, skipped } = checkRegion(raw, image)
      yield* skipped.map((one) => ({ skipped: one }))
      if (region) regions.push(region)
    }
    if (regions.length > 0 || entry.regions.length === 0) yield { image, regions }
  }
}

async function lookAtImage(entry: RawEntry, roots: readonly string[], stripFolders: boolean): Promise<ReadImage | Skipped> {
  const path = await locateImage(entry.imageRef, roots, stripFolders)
  if (!path) return { file: entry.file, line: entry.line, reason: `The image ${entry.imageRef} is missing; everything about it was left out.` }
  try {
    const header = await readImageHeader(path)
    const print = await filePrint(path)
    return {
      name: entry.imageRef, path, width: header.width, height: header.height, orientation: header.orientation, bytes: header.bytes, split: entry.split, ...(print === null ? {} : { print }),
      ...(entry.kind ? { kind: entry.kind } : {}), ...(entry.concepts ? { concepts: entry.concepts } : {}),
      ...(entry.raw === undefined ? {} : { raw: entry.raw }),
    }
  } catch (error) {
    return { file: entry.file, line: entry.line, reason: `The image ${entry.imageRef} was left out: ${toErrorData(error).message}`, image: path }
  }
}

/**
 * Where the image is. Annotations often carry folders of the machine that made them; with a folder of images named by the person,
 * the leading folders are dropped one by one until the rest is found there.
 */
async function locateImage(ref: string, roots: readonly string[], stripFolders: boolean): Promise<string | null> {
  for (const written of ref.includes('\\') ? [ref, ref.replaceAll('\\', '/')] : [ref]) {
    const candidates = isAbsolute(written) ? [written] : roots.map((root) => resolve(root, written))
    if (stripFolders) {
      const parts = written.split('/').filter(Boolean)
      for (let drop = 1; drop < parts.length; drop++) candidates.push(resolve(roots[0]!, ...parts.slice(drop)))
      if (isAbsolute(written)) candidates.push(resolve(roots[0]!, ...parts))
    }
    for (const candidate of candidates) if ((await stat(candidate).catch(() => null))?.isFile()) return candidate
  }
  return null
}

/** The region in pixels with its flags. A box without an inside is left out and told; the region goes with its last box. */
function checkRegion(raw: RawRegion, image: ReadImage): { region: ReadRegion | null; skipped: Skipped[] } {
  const flags = new Set<string>()
  const boxes: Box[] = []
  const outlines: Outline[] = []
  const skipped: Skipped[] = []
  for (const [i, written] of raw.boxes.entries()) {
    const outline = inPixels(raw.outlines?.[i] ?? NO_OUTLINE, raw.unit, image)
    const box = outline.length > 0 ? outlineBounds(outline) : (inPixels(written, raw.unit, image) as unknown as Box)
    const found = boxFlags(box, image)
    const broken = found.find((flag) => flag === 'inverted' || flag === 'no-area')
    if (broken) {
      const what = broken === 'inverted' ? 'is inverted (x2 < x1 or y2 < y1)' : 'has no area'
      skipped.push({ file: raw.file, line: raw.line, reason: `A box of "${shorten(raw.phrase)}" ${what}: [${written.join(', ')}]; it was left out.` })
      flags.add(broken)
    } else {
      boxes.push(box)
      outlines.push(outline)
      if (raw.unit === 'pixels' || !isRounding(box, image)) for (const flag of found) flags.add(flag)
    }
  }
  if (boxes.length === 0 && raw.boxes.length > 0) return { region: null, skipped: skipped.map((one) => ({ ...one, image: image.path })) }
  for (const flag of raw.flags ?? []) flags.add(flag)
  const source = raw.line === null ? raw.file : `${raw.file}:${raw.line}`
  return { region: { phrase: raw.phrase, boxes, flags: [...flags], source, ...(outlines.some((outline) => outline.length > 0) ? { outlines } : {}), ...(raw.concepts ? { concepts: raw.concepts } : {}), ...(raw.review ? { review: raw.review } : {}), ...(raw.raw === undefined ? {} : { raw: raw.raw }) }, skipped }
}

/** Coordinates as x, y, x, y, ... */
function inPixels(written: readonly number[], unit: RawRegion['unit'], size: Size): readonly number[] {
  return unit === 'pixels' ? written : written.map((value, i) => value * (i % 2 === 0 ? size.width : size.height))
}

function isRounding(box: Box, size: Size): boolean {
  const over = Math.max(-box[0] / size.width, -box[1] / size.height, box[2] / size.width - 1, box[3] / size.height - 1)
  return over <= ROUNDING
}

function shorten(phrase: string): string {
  return phrase.length > 40 ? `${phrase.slice(0, 39)}…` : phrase
}

/** The name a dataset gets when nobody named it. */
export function datasetNameOf(path: string): string {
  const name = basename(resolve(path)).replace(/\.(jsonl?|ndjson|csv|xml|p|pkl|ya?ml)$/i, '')
  return /^(annotations|data|config)$/i.test(name) ? basename(resolve(path, '..')) : name
}
