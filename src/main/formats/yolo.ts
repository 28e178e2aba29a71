/**
 * YOLO folders: images/*.jpg with labels/*.txt beside, one line a box: `class cx cy w h` as fractions of the image, or a polygon
 * `class x1 y1 x2 y2 x3 y3 ...`. Class names come from a *.yaml with `names`, classes.txt or
 * Label Studio's notes.json. Split folders in either nesting: images/train + labels/train, or train/images + train/labels.
 *
 * The phrase is the class name. All boxes of one class on one image are one region: the phrase "person" is true of each of
 * them, so a region for only one of them would call looking at the others a mistake.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { parse as parseYaml, stringify as toYaml } from 'yaml'
import { AppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { NO_OUTLINE, type Outline, outlineBounds } from '../../shared/shape.ts'
import { splitOfName } from './amc-json.ts'
import type { ExportSample, Format, FormatWriter, OpenSource, RawItem, RawRegion, Skipped } from './types.ts'

const IMAGE_NAME = /\.(jpe?g|png|webp|bmp|gif|tiff?|avif)$/i

export const yolo: Format = {
  name: 'yolo',
  title: 'YOLO folder',
  match: async (path) => (await findPairs(path)).length > 0,
  open: openYolo,
  write: yoloWriter(),
}

/** Classes in the order in which their names come, after those the folder had before; labels of an untouched class are written line for line. */
function yoloWriter(): FormatWriter {
  const folderOf = (split: string): string => split.replace(/[^\w-]/g, '_')
  return {
    file: null, names: 'flat', needsImages: true,
    imagePath: ({ name, split }) => `images/${folderOf(split)}/${name}`,
    holds: { boxes: 'phrase', fields: ['split', 'emptyImages', 'outlines'], split: (split) => folderOf(split) === split && splitOfName(split) === split, known: ['lines'] },
    begin: async (out, head) => {
      const before = (head.raw as { names?: readonly (readonly [number, string])[] } | null | undefined)?.names ?? []
      const ids = new Map(before.map(([id, name]) => [name, id]))
      const splits = new Set<string>()
      let next = Math.max(-1, ...before.map(([id]) => id)) + 1
      return {
        add: async ({ image, regions }: ExportSample) => {
          const lines = new Set<string>()
          for (const { phrase, boxes, outlines, raw, untouched } of regions) {
            const id = ids.get(phrase) ?? next++
            ids.set(phrase, id)
            const asRead = (raw as { lines?: readonly string[] } | undefined)?.lines
            if (untouched && asRead) for (const line of asRead) lines.add(line)
            else for (const [i, box] of boxes.entries()) lines.add(lineOf(id, box, outlines[i] ?? [], image))
          }
          const split = folderOf(image.split)
          splits.add(split)
          const file = await out.create(`labels/${split}/${image.name.replace(/\.[^.]*$/, '')}.txt`)
          await file.write([...lines].map((line) => `${line}\n`).join(''))
          await file.close()
        },
        finish: async () => {
          const file = await out.create('data.yaml')
          const places = Object.fromEntries([...splits].map((split) => [split, `images/${split}`]))
          await file.write(toYaml({ path: '.', train: 'images/train', val: 'images/val', ...places, names: Object.fromEntries([...ids].map(([name, id]) => [id, name])) }))
          await file.close()
        },
      }
    },
  }
}

function lineOf(id: number, [x1, y1, x2, y2]: Box, outline: Outline, { width, height }: { width: number; height: number }): string {
  if (outline.length > 0) return [id, ...outline.map((value, i) => value / (i % 2 === 0 ? width : height))].join(' ')
  return [id, (x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height].join(' ')
}

/** A folder of images, the folder of their labels, and the split both stand for. */
interface FolderPair {
  readonly images: string
  readonly labels: string
  readonly split: string
}

async function openYolo(path: string): Promise<OpenSource> {
  const root = await rootOf(path)
  const pairs = await findPairs(root)
  if (pairs.length === 0) {
    throw new AppError('bad-input', `${basename(path)} is not a YOLO folder: it holds no folders images and labels.`, 'Choose the folder that holds both.', path)
  }
  const names = await readClassNames(root)
  return {
    imageRoots: [root],
    head: () => ({ names: [...names] }),
    fields: [
      { from: 'class name', to: 'phrase (one region for each class on an image)' },
      { from: 'cx cy w h', to: 'boxes' },
      { from: 'folder', to: 'split' },
    ],
    entries: async function* (signal) {
      for (const pair of pairs) {
        for (const item of await listPair(pair)) {
          if (signal?.aborted) throw new AppError('cancelled', 'Reading was cancelled.', '')
          if ('skipped' in item) yield item
          else yield* readPair(item, pair, root, names)
        }
      }
    },
  }
}

interface ImageWithLabels {
  readonly image: string
  /** Null for an image without a label file: a picture with nothing to see on it, by YOLO's custom. It is kept, without regions. */
  readonly label: string | null
}

/** Images with their label files, in the order of names. Labels without an image are named, and which of two images share labels. */
async function listPair(pair: FolderPair): Promise<(ImageWithLabels | { skipped: Skipped })[]> {
  const labels = new Set((await readdir(pair.labels)).filter((name) => name.endsWith('.txt') && name !== 'classes.txt'))
  const images = (await readdir(pair.images)).filter((name) => IMAGE_NAME.test(name)).sort()
  const used = new Map<string, string>()
  const items: (ImageWithLabels | { skipped: Skipped })[] = []
  for (const image of images) {
    const label = image.replace(IMAGE_NAME, '.txt')
    const first = used.get(label)
    if (first) items.push({ skipped: { file: image, line: null, reason: `${first} has the same name but for its ending, and the labels ${label} can belong to one only; they were given to ${first}.` } })
    else items.push({ image, label: labels.has(label) ? label : null })
    if (!first) used.set(label, image)
  }
  for (const label of [...labels].sort()) {
    if (!used.has(label)) items.push({ skipped: { file: label, line: null, reason: 'There is no image for these labels.' } })
  }
  return items
}

async function* readPair(item: ImageWithLabels, pair: FolderPair, root: string, names: ReadonlyMap<number, string>): AsyncGenerator<RawItem> {
  const { label } = item
  const imageRef = relative(root, join(pair.images, item.image)).split(sep).join('/')
  if (!label) return yield { imageRef, file: item.image, line: null, split: pair.split, regions: [] }
  const boxesOf = new Map<number, { boxes: Box[]; outlines: Outline[]; line: number; lines: string[] }>()
  const seen = new Map<string, number>()
  const text = await readFile(join(pair.labels, label), 'utf8').catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    return { unreadable: code === 'EACCES' || code === 'EPERM' ? 'it may not be read by this user' : code === 'EISDIR' ? 'it is a folder' : code }
  })
  // What is on the image is not known then: without regions it would look like one that shows nothing.
  if (typeof text !== 'string') return yield { skipped: { file: label, line: null, reason: `The labels cannot be read (${text.unreadable}), so their image ${item.image} was left out.` } }
  const lines = text.split(/\r\n|\n|\r/)
  for (const [i, line] of lines.entries()) {
    const written = line.trim()
    if (written === '') continue
    const skip = (reason: string): RawItem => ({ skipped: { file: label, line: i + 1, reason } })
    const numbers = written.split(/\s+/).map(Number)
    const classId = numbers[0]!
    const box = numbers.every(Number.isFinite) ? boxOf(numbers) : null
    const before = seen.get(written)
    if (!box) yield skip(`This is not "class cx cy w h" (${written.slice(0, 60)}).`)
    else if (!Number.isInteger(classId) || !names.has(classId)) yield skip(`The class ${classId} has no name: names are given for ${range(names)}.`)
    else if (before !== undefined) yield skip(`The same box stands on line ${before} already.`)
    else {
      seen.set(written, i + 1)
      const group = boxesOf.get(classId) ?? { boxes: [], outlines: [], line: i + 1, lines: [] }
      group.boxes.push(box.box)
      group.outlines.push(box.outline)
      group.lines.push(written)
      boxesOf.set(classId, group)
    }
  }
  const regions: RawRegion[] = [...boxesOf].map(([classId, { boxes, outlines, line, lines }]) => ({
    phrase: names.get(classId)!, boxes, outlines, unit: 'fractions', file: label, line, raw: { lines },
  }))
  yield { imageRef, file: label, line: null, split: pair.split, regions }
}

/** Corners as fractions; null when the line has neither form. A sixth value after a box is its confidence. */
function boxOf(numbers: readonly number[]): { box: Box; outline: Outline } | null {
  if (numbers.length === 5 || numbers.length === 6) {
    const [, cx, cy, w, h] = numbers as [number, number, number, number, number]
    return { box: [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], outline: NO_OUTLINE }
  }
  if (numbers.length < 7 || numbers.length % 2 === 0) return null
  const outline = numbers.slice(1)
  return { box: outlineBounds(outline), outline }
}

function range(names: ReadonlyMap<number, string>): string {
  const ids = [...names.keys()].sort((a, b) => a - b)
  return ids.length === 1 ? `${ids[0]}` : `${ids[0]} to ${ids.at(-1)}`
}

/** The dataset's folder for a path to it, or to its data.yaml. */
async function rootOf(path: string): Promise<string> {
  const info = await stat(path).catch(() => null)
  return info?.isFile() ? dirname(path) : path
}

async function findPairs(path: string): Promise<FolderPair[]> {
  const info = await stat(path).catch(() => null)
  if (!info) return []
  if (info.isFile() && !/\.ya?ml$/i.test(path)) return []
  const root = await rootOf(path)
  const pairs: FolderPair[] = []
  const add = async (images: string, labels: string, split: string) => {
    if ((await holds(images, IMAGE_NAME)) && (await holds(labels, /\.txt$/))) pairs.push({ images, labels, split })
  }
  await add(join(root, 'images'), join(root, 'labels'), 'train')
  for (const name of await folders(join(root, 'images'))) await add(join(root, 'images', name), join(root, 'labels', name), splitOfName(name))
  for (const name of await folders(root)) await add(join(root, name, 'images'), join(root, name, 'labels'), splitOfName(name))
  return pairs
}

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort()
}

async function holds(path: string, pattern: RegExp): Promise<boolean> {
  return (await readdir(path).catch(() => [])).some((name) => pattern.test(name))
}

/** Class number -> name. */
async function readClassNames(root: string): Promise<ReadonlyMap<number, string>> {
  const files = (await readdir(root)).sort()
  const yamls = files.filter((name) => /\.ya?ml$/i.test(name)).sort((a, b) => Number(b.startsWith('data.')) - Number(a.startsWith('data.')))
  for (const name of yamls) {
    const names = namesFrom(await parsed(join(root, name), parseYaml))
    if (names) return names
  }
  if (files.includes('notes.json')) {
    const notes = (await parsed(join(root, 'notes.json'), JSON.parse)) as { categories?: unknown } | null
    const categories = Array.isArray(notes?.categories) ? (notes.categories as { id?: unknown; name?: unknown }[]) : []
    const names = new Map(categories.flatMap((c) => (typeof c?.id === 'number' && typeof c.name === 'string' ? [[c.id, c.name] as const] : [])))
    if (names.size > 0) return names
  }
  for (const file of [join(root, 'classes.txt'), join(root, 'labels', 'classes.txt')]) {
    const lines = (await readFile(file, 'utf8').catch(() => '')).split(/\r\n|\n|\r/).map((line) => line.trim())
    const names = new Map(lines.flatMap((line, i) => (line === '' ? [] : [[i, line] as const])))
    if (names.size > 0) return names
  }
  throw new AppError('bad-input', `The classes of ${basename(root)} have no names.`, 'Put a data.yaml with "names", a classes.txt (one name a line) or a notes.json into the folder.', root)
}

function namesFrom(value: unknown): ReadonlyMap<number, string> | null {
  const names = (value as { names?: unknown } | null)?.names
  if (typeof names !== 'object' || names === null) return null
  const pairs = Object.entries(names).filter(([id, name]) => Number.isInteger(Number(id)) && ['string', 'number', 'boolean'].includes(typeof name))
  return pairs.length > 0 || Object.keys(names).length === 0 ? new Map(pairs.map(([id, name]) => [Number(id), String(name)])) : null
}

async function parsed(file: string, parse: (text: string) => unknown): Promise<unknown> {
  const text = await readFile(file, 'utf8')
  try {
    return parse(text)
  } catch (error) {
    const at = (error as { linePos?: { line: number; col: number }[] }).linePos?.[0]
    const place = at ? `${basename(file)}:${at.line}:${at.col}` : basename(file)
    throw new AppError('bad-input', `${place} cannot be read: ${(error as Error).message.split('\n')[0]!}`, 'Mend the file, then import again.', place, { cause: error })
  }
}
