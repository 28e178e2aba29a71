/**
 * CVAT for images 1.1: one XML file, an <image> after the other. Boxes and polygons with one label and one group_id are one region; a <tag> is a
 * phrase without a box; the subset is the split. Status, tags and note are attributes, and an attribute "phrase" or "caption" takes the label's place.
 */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { type Outline, outlineBounds } from '../../shared/shape.ts'
import { splitOfName } from './amc-json.ts'
import { attributesOf, joined, phraseIn, piecesOf, pointsOf, reviewIn } from './attributes.ts'
import { headOf } from './files.ts'
import type { ExportRegion, Format, FormatWriter, OpenSource, RawItem, RawRegion } from './types.ts'
import { type Element, isXmlText, readXmlChildren, xml } from './xml.ts'

const KNOWN = ['attributes', 'elements']

const write: FormatWriter = {
  file: 'annotations.xml', names: 'paths', needsImages: false,
  imagePath: ({ name }) => `images/${name}`,
  holds: { boxes: 'many', fields: ['outlines', 'status', 'tags', 'note', 'split', 'emptyImages', 'boxless', 'duplicates'], phrase: isXmlText, split: (split) => isXmlText(split) && split.trim() === split, known: KNOWN },
  begin: async (out, head) => {
    const images = await out.part()
    const labels = new Set<string>()
    let id = 0
    return {
      add: async ({ image, regions }) => {
        let groups = 0
        await images.write(`  <image id="${id++}" name="${xml(image.name)}" subset="${xml(image.split)}" width="${image.width}" height="${image.height}">\n`)
        for (const region of regions) {
          labels.add(region.phrase)
          const asRead = region.untouched ? (region.raw as { elements?: readonly string[] } | undefined)?.elements : undefined
          await images.write(asRead ? asRead.map((element) => `    ${element}\n`).join('') : elementsOf(region, region.boxes.length > 1 ? ++groups : 0))
        }
        await images.write('  </image>\n')
      },
      finish: async () => {
        const file = await out.create('annotations.xml')
        const attribute = (name: string): string => `<attribute><name>${name}</name><mutable>False</mutable><input_type>text</input_type><default_value></default_value><values></values></attribute>`
        await file.write(`<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta><task><name>${xml(isXmlText(head.name) ? head.name : 'dataset')}</name><size>${id}</size><mode>annotation</mode><labels>\n`)
        for (const label of labels) await file.write(`    <label><name>${xml(label)}</name><type>any</type><attributes>${['status', 'tags', 'note'].map(attribute).join('')}</attributes></label>\n`)
        await file.write(`  </labels></task><dumped>${head.at}</dumped></meta>\n`)
        await images.pipe(file)
        await file.write('</annotations>\n')
        await file.close()
      },
    }
  },
}

function elementsOf(region: ExportRegion, group: number): string {
  const inside = Object.entries(attributesOf(region)).filter(([, value]) => isXmlText(value)).map(([name, value]) => `<attribute name="${name}">${xml(value)}</attribute>`).join('')
  const common = `label="${xml(region.phrase)}" source="manual"`
  if (region.boxes.length === 0) return `    <tag ${common}>${inside}</tag>\n`
  return piecesOf(region).map(({ box, outline }) => {
    const more = `${common} occluded="0" z_order="0"${group > 0 ? ` group_id="${group}"` : ''}`
    if (outline.length > 0) return `    <polygon ${more} points="${pointsOf(outline).map((point) => point.join(',')).join(';')}">${inside}</polygon>\n`
    return `    <box ${more} xtl="${box[0]}" ytl="${box[1]}" xbr="${box[2]}" ybr="${box[3]}">${inside}</box>\n`
  }).join('')
}

export const cvat: Format = {
  name: 'cvat',
  title: 'CVAT for images 1.1',
  match: async (path) => (await filesOf(path)).length > 0,
  open: openCvat,
  write,
}

/** The file, or those of a folder. */
async function filesOf(path: string): Promise<string[]> {
  const folder = (await stat(path).catch(() => null))?.isDirectory() ?? false
  const files = folder ? (await readdir(path)).filter((name) => /\.xml$/i.test(name)).sort().map((name) => join(path, name)) : [path]
  const looked = await Promise.all(files.map(async (file) => /<annotations[\s>]/.test(await headOf(file))))
  return files.filter((_, i) => looked[i])
}

async function openCvat(path: string): Promise<OpenSource> {
  const found = await filesOf(path)
  const files = found.length > 0 ? found : [path]
  const root = dirname(files[0]!)
  return {
    imageRoots: [root, join(root, 'images')],
    fields: [{ from: 'label', to: 'phrase' }, { from: 'box, polygon', to: 'boxes and outlines' }, { from: 'group_id', to: 'boxes of one region' }, { from: 'subset', to: 'split' }, { from: 'attribute', to: 'status, tags, note' }],
    entries: async function* (signal) {
      for (const file of files) {
        const name = basename(file)
        const parts = readXmlChildren(file, (top) => {
          if (top.name !== 'annotations') throw new AppError('bad-input', `${name} is not CVAT for images: it begins with <${top.name}>.`, '<annotations> is expected.', `${name}:${top.line}`)
        }, signal)
        for await (const part of parts) {
          if (part.name === 'image') yield* readImage(part, name)
          else if (part.name === 'track') yield { skipped: { file: name, line: part.line, reason: 'A track belongs to a video; it was left out.' } }
        }
      }
    },
  }
}

function* readImage(image: Element, file: string): Generator<RawItem> {
  const name = image.attributes['name'] ?? ''
  if (name === '') return yield { skipped: { file, line: image.line, reason: 'An image has no name.' } }
  const groups = new Map<string, { phrase: string; pieces: { box: Box; outline: Outline }[]; elements: Element[] }>()
  for (const [i, element] of image.children.entries()) {
    const attributes = attributesIn(element)
    const phrase = phraseIn(attributes, ['phrase', 'caption']) ?? element.attributes['label']
    const piece = pieceOf(element)
    if (phrase === undefined || typeof piece === 'string') {
      yield { skipped: { file, line: element.line, reason: phrase === undefined ? `A <${element.name}> has no label.` : (piece as string) }, of: { imageRef: name } }
      continue
    }
    const id = element.attributes['group_id'] ?? '0'
    const key = id === '0' ? `#${i}` : JSON.stringify([phrase, id])
    const group = groups.get(key) ?? { phrase, pieces: [], elements: [] }
    if (piece) group.pieces.push(piece)
    group.elements.push(element)
    groups.set(key, group)
  }
  const regions = [...groups.values()].map(({ phrase, pieces, elements }): RawRegion => {
    const review = reviewIn(attributesIn(elements[0]!))
    return { phrase, ...joined(pieces), unit: 'pixels', file, line: elements[0]!.line, raw: { elements: elements.map(written) }, ...(review ? { review } : {}) }
  })
  yield { imageRef: name, file, line: image.line, split: image.attributes['subset']?.trim() || splitOfName(file), regions }
}

function attributesIn(element: Element): Record<string, string> {
  return Object.fromEntries(element.children.filter((one) => one.name === 'attribute').map((one) => [one.attributes['name'] ?? '', one.text]))
}

/** Null for a tag, which has no place; or why there is none. */
function pieceOf({ name, attributes }: Element): { box: Box; outline: Outline } | null | string {
  if (name === 'tag') return null
  if (name === 'box') {
    const box = ['xtl', 'ytl', 'xbr', 'ybr'].map((side) => (attributes[side]?.trim() ? Number(attributes[side]) : NaN))
    if (!box.every(Number.isFinite)) return `The box of "${attributes['label'] ?? ''}" is not four numbers.`
    return { box: box as unknown as Box, outline: [] }
  }
  if (name !== 'polygon') return `A <${name}> has no inside that a region could be; it was left out.`
  const outline = (attributes['points'] ?? '').split(';').flatMap((point) => point.split(',').map(Number))
  if (outline.length < 6 || outline.length % 2 !== 0 || !outline.every(Number.isFinite)) return `The polygon of "${attributes['label'] ?? ''}" is not a list of at least three points x,y;x,y;...`
  return { box: outlineBounds(outline), outline }
}

/** The element as it was, but for the order and quotes of its attributes. */
function written(element: Element): string {
  const attributes = Object.entries(element.attributes).map(([name, value]) => ` ${name}="${xml(value)}"`).join('')
  return `<${element.name}${attributes}>${xml(element.children.length > 0 ? element.text.trim() : element.text)}${element.children.map(written).join('')}</${element.name}>`
}
