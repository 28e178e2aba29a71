/**
 * Flickr30k Entities: Sentences/ID.txt ("[/EN#12/people A man] walks") and Annotations/ID.xml, boxes in whole pixels that count from 1. Every phrase of a
 * sentence is a region with the boxes of its entity, or without a box. Splits are the lists train.txt, val.txt and test.txt beside.
 */
import { readdir, readFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { headOf } from './files.ts'
import type { ExportRegion, ExportSample, Format, FormatWriter, OpenSource, RawItem, RawRegion } from './types.ts'
import { child, isXmlText, readXmlChildren, textOf, xml } from './xml.ts'

const OPENS = /^\[\/EN#(\d+)((?:\/[\w-]+)*)$/
const SPLITS = ['train', 'val', 'test']
const SIDES = ['xmin', 'ymin', 'xmax', 'ymax'] as const

interface Raw {
  readonly entity: string
  /** The sentence as it stands, its number, and how many regions it has; the first of them keeps the text. */
  readonly sentence: readonly [number: number, regions: number]
  readonly text?: string
  readonly types: string
}

const isPhrase = (phrase: string): boolean => isXmlText(phrase) && phrase !== '' && phrase.split(/\s+/).join(' ') === phrase && phrase.trim() === phrase && phrase.split(' ').every((word) => !word.startsWith('[') && !word.endsWith(']'))

/** Less than a pixel would be nothing. A box that is broken already stays what it is. */
const hasPixels = ([x1, y1, x2, y2]: Box): boolean => x2 <= x1 || y2 <= y1 || (Math.round(x2) > Math.round(x1) && Math.round(y2) > Math.round(y1))

const write: FormatWriter = {
  file: null, names: 'flat', needsImages: true,
  imagePath: ({ name }) => `flickr30k-images/${name}`,
  holds: { boxes: 'many', fields: ['split', 'boxless', 'duplicates'], phrase: isPhrase, split: (split) => SPLITS.includes(split), rounds: (box) => !box.every(Number.isInteger), box: hasPixels, known: ['entity', 'sentence', 'text', 'types'] },
  begin: async (out) => {
    const lists = new Map<string, string[]>()
    return {
      add: async ({ image, regions }: ExportSample) => {
        const id = image.name.slice(0, image.name.length - extname(image.name).length)
        const { lines, entities } = linesOf(regions)
        const sentences = await out.create(`Sentences/${id}.txt`)
        await sentences.write(lines.map((line) => `${line}\n`).join(''))
        await sentences.close()
        const annotation = await out.create(`Annotations/${id}.xml`)
        await annotation.write(`<annotation>\n  <filename>${xml(image.name)}</filename>\n  <size><width>${image.width}</width><height>${image.height}</height><depth>3</depth></size>\n`)
        for (const [entity, boxes] of entities) {
          const name = `<name>${entity}</name>`
          if (boxes.length === 0) await annotation.write(`  <object>${name}<nobndbox>1</nobndbox></object>\n`)
          for (const box of boxes) await annotation.write(`  <object>${name}<bndbox>${SIDES.map((side, i) => `<${side}>${Math.round(box[i]!) + 1}</${side}>`).join('')}</bndbox></object>\n`)
        }
        await annotation.write('</annotation>\n')
        await annotation.close()
        lists.set(image.split, [...(lists.get(image.split) ?? []), id])
      },
      finish: async () => {
        for (const [split, ids] of lists) {
          const file = await out.create(`${SPLITS.includes(split) ? split : 'train-other'}.txt`)
          await file.write(ids.map((one) => `${one}\n`).join(''))
          await file.close()
        }
      },
    }
  },
}

/** Sentences of which nobody touched anything as they stood; any other region is a sentence of its own, with an entity of its own. */
function linesOf(regions: readonly ExportRegion[]): { lines: string[]; entities: Map<string, readonly Box[]> } {
  const lines: string[] = []
  const entities = new Map<string, readonly Box[]>()
  const taken = new Set(regions.map(({ raw }) => (raw as Raw | undefined)?.entity))
  let next = 1
  for (let i = 0; i < regions.length; i++) {
    const region = regions[i]!
    const raw = region.raw as Raw | undefined
    const group = raw?.text === undefined ? [] : regions.slice(i, i + raw.sentence[1])
    if (raw && group.length === raw.sentence[1] && group.length > 0 && group.every((one) => one.untouched && (one.raw as Raw | undefined)?.sentence[0] === raw.sentence[0])) {
      lines.push(raw.text!)
      for (const one of group) entities.set((one.raw as Raw).entity, one.boxes)
      i += group.length - 1
      continue
    }
    while (taken.has(String(next))) next++
    lines.push(`[/EN#${next}${raw?.types ?? '/other'} ${region.phrase}]`)
    entities.set(String(next++), region.boxes)
  }
  return { lines, entities }
}

export const flickr30k: Format = {
  name: 'flickr30k',
  title: 'Flickr30k Entities',
  match: async (path) => {
    const [first] = await names(path, 'Sentences', '.txt')
    return first !== undefined && (await headOf(join(path, 'Sentences', first))).includes('[/EN#') && (await names(path, 'Annotations', '.xml')).length > 0
  },
  open: openFlickr,
  write,
}

async function names(path: string, folder: string, ending: string): Promise<string[]> {
  return (await readdir(join(path, folder)).catch(() => [])).filter((name) => name.endsWith(ending)).sort()
}

async function openFlickr(path: string): Promise<OpenSource> {
  const files = await names(path, 'Sentences', '.txt')
  if (files.length === 0) throw new AppError('bad-input', `${basename(path)} has no folder Sentences with text files.`, 'Choose the folder that holds Sentences and Annotations.', path)
  const splits = new Map<string, string>()
  for (const split of SPLITS) for (const id of (await readFile(join(path, `${split}.txt`), 'utf8').catch(() => '')).split(/\r?\n/)) if (id !== '') splits.set(id.trim(), split)
  const folders = ['flickr30k-images', 'flickr30k_images', 'images'].map((name) => join(path, name))
  const endings = new Map<string, string>()
  for (const folder of [path, ...folders]) for (const name of await readdir(folder).catch(() => [])) if (/\.(jpe?g|png|webp|bmp|tiff?|gif|avif)$/i.test(name)) endings.set(name.slice(0, name.length - extname(name).length), name)
  return {
    imageRoots: [...folders, path],
    fields: [{ from: '[/EN#12/people A man]', to: 'phrase' }, { from: 'bndbox', to: 'boxes (count from 1 there, from 0 here)' }, { from: 'train.txt, val.txt, test.txt', to: 'split' }],
    entries: async function* (signal) {
      for (const file of files) yield* readImage(path, file.slice(0, -4), { splits, endings }, signal)
    },
  }
}

async function* readImage(root: string, id: string, { splits, endings }: { splits: ReadonlyMap<string, string>; endings: ReadonlyMap<string, string> }, signal?: AbortSignal): AsyncGenerator<RawItem> {
  const file = `${id}.txt`
  const boxes = new Map<string, Box[]>()
  const annotation = `${id}.xml`
  const parts = readXmlChildren(join(root, 'Annotations', annotation), (top) => {
    if (top.name !== 'annotation') throw new AppError('bad-input', `${annotation} is not an annotation: it begins with <${top.name}>.`, 'Choose the folder Annotations of Flickr30k Entities.', `${annotation}:${top.line}`)
  }, signal)
  for await (const object of parts) {
    const box = object.name === 'object' ? child(object, 'bndbox') : undefined
    if (!box) continue
    const numbers = SIDES.map((side) => Number(textOf(box, side) ?? NaN) - 1)
    if (!numbers.every(Number.isFinite)) yield { skipped: { file: annotation, line: object.line, reason: 'A box is not four numbers.' } }
    else for (const name of object.children.filter((one) => one.name === 'name')) boxes.set(name.text.trim(), [...(boxes.get(name.text.trim()) ?? []), numbers as unknown as Box])
  }
  const regions: RawRegion[] = []
  for (const [i, text] of (await readFile(join(root, 'Sentences', file), 'utf8')).split(/\r\n|\n/).entries()) {
    const phrases = phrasesOf(text)
    if (typeof phrases === 'string') yield { skipped: { file, line: i + 1, reason: phrases } }
    else {
      phrases.forEach(({ phrase, entity, types }, k) => regions.push({
        phrase, boxes: boxes.get(entity) ?? [], unit: 'pixels', file, line: i + 1, raw: { entity, types, sentence: [i, phrases.length], ...(k === 0 ? { text } : {}) } satisfies Raw,
      }))
    }
  }
  yield { imageRef: endings.get(id) ?? `${id}.jpg`, file, line: null, split: splits.get(id) ?? 'train', regions }
}

/** Or what is wrong with the sentence. */
function phrasesOf(sentence: string): { phrase: string; entity: string; types: string }[] | string {
  const phrases: { phrase: string; entity: string; types: string }[] = []
  let open: { entity: string; types: string; words: string[] } | null = null
  for (const token of sentence.split(/\s+/).filter(Boolean)) {
    if (!open && token.startsWith('[')) {
      const match = OPENS.exec(token)
      if (!match) return `"${token}" does not begin a phrase the way [/EN#12/people does.`
      open = { entity: match[1]!, types: match[2]!, words: [] }
    } else if (open) {
      open.words.push(token.replace(/\]$/, ''))
      if (!token.endsWith(']')) continue
      phrases.push({ phrase: open.words.join(' '), entity: open.entity, types: open.types })
      open = null
    }
  }
  return open ? `The phrase [/EN#${open.entity} is not closed by ].` : phrases
}
