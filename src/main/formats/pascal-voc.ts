/**
 * Pascal VOC: Annotations/NAME.xml with JPEGImages beside, or XML files beside their images. Coordinates are taken as written (some tools
 * count from 1, most do not, and the files do not say). Splits are the lists of ImageSets/Main.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { headOf } from './files.ts'
import type { ExportRegion, ExportSample, Format, FormatWriter, OpenSource, RawItem, RawRegion } from './types.ts'
import { child, type Element, isXmlText, readXmlChildren, textOf, xml } from './xml.ts'

const SIDES = ['xmin', 'ymin', 'xmax', 'ymax'] as const
const OWN = ['name', 'bndbox']

const write: FormatWriter = {
  file: null, names: 'flat', needsImages: true,
  imagePath: ({ name }) => `JPEGImages/${name}`,
  holds: { boxes: 'one', fields: ['split', 'emptyImages', 'duplicates'], phrase: (text) => isXmlText(text) && text.trim() === text, split: (split) => /^[\w-]+$/.test(split), known: ['pose', 'truncated', 'difficult', 'bndbox'] },
  begin: async (out) => {
    const splits = new Map<string, string[]>()
    const labels = new Set<string>()
    return {
      add: async (sample: ExportSample) => {
        const { image } = sample
        const stem = image.name.slice(0, image.name.length - extname(image.name).length)
        const file = await out.create(`Annotations/${stem}.xml`)
        await file.write(documentOf(sample))
        await file.close()
        for (const { phrase } of sample.regions) labels.add(phrase)
        const list = splits.get(image.split) ?? []
        list.push(stem)
        splits.set(image.split, list)
      },
      finish: async () => {
        // Names beyond the twenty of the challenge have to be declared for some readers. The list itself has no way to quote.
        const map = await out.create('labelmap.txt')
        await map.write('# label:color_rgb:parts:actions\n')
        for (const label of labels) if (!/[:\r\n#]/.test(label)) await map.write(`${label}:::\n`)
        await map.close()
        for (const [split, stems] of splits) {
          const file = await out.create(`ImageSets/Main/${split.replace(/[^\w-]/g, '_')}.txt`)
          await file.write(stems.map((stem) => `${stem}\n`).join(''))
          await file.close()
        }
      },
    }
  },
}

function documentOf({ image, regions }: ExportSample): string {
  return `<annotation>\n  <folder>JPEGImages</folder>\n  <filename>${xml(image.name)}</filename>\n  <size><width>${image.width}</width><height>${image.height}</height><depth>3</depth></size>\n  <segmented>0</segmented>\n${regions.flatMap(objectsOf).join('')}</annotation>\n`
}

function objectsOf(region: ExportRegion): string[] {
  const raw = (region.raw ?? {}) as Record<string, unknown>
  const more = Object.entries(region.raw === undefined ? { pose: 'Unspecified', truncated: '0', difficult: '0' } : raw).filter(([name, value]) => typeof value === 'string' && !OWN.includes(name)).map(([name, value]) => `    <${name}>${xml(value as string)}</${name}>\n`).join('')
  const asRead = region.untouched ? (raw['bndbox'] as readonly string[] | undefined) : undefined
  return region.boxes.map((box) => `  <object>\n    <name>${xml(region.phrase)}</name>\n${more}    <bndbox>${SIDES.map((side, i) => `<${side}>${asRead?.[i] ?? box[i]}</${side}>`).join('')}</bndbox>\n  </object>\n`)
}

export const pascalVoc: Format = {
  name: 'pascal-voc',
  title: 'Pascal VOC folder',
  match: async (path) => {
    const [first] = await annotationFiles(path, 1)
    return first !== undefined && /<annotation[\s>]/.test(await headOf(first)) && /<(filename|object|size)>/.test(await headOf(first, 16384)) && !(await headOf(first, 16384)).includes('<nobndbox>')
  },
  open: openVoc,
  write,
}

/** XML files of a folder, or the one file. */
async function annotationFiles(path: string, most = Infinity): Promise<string[]> {
  const info = await stat(path).catch(() => null)
  if (info?.isFile()) return /\.xml$/i.test(path) ? [path] : []
  for (const folder of [join(path, 'Annotations'), path]) {
    const names = (await readdir(folder).catch(() => [])).filter((name) => /\.xml$/i.test(name)).sort()
    if (names.length > 0) return names.slice(0, most).map((name) => join(folder, name))
  }
  return []
}

async function openVoc(path: string): Promise<OpenSource> {
  const files = await annotationFiles(path)
  if (files.length === 0) throw new AppError('bad-input', `${basename(path)} holds no annotation files (*.xml).`, 'Choose the folder that holds Annotations and JPEGImages.', path)
  const folder = dirname(files[0]!)
  const root = basename(folder) === 'Annotations' ? dirname(folder) : folder
  const splits = await readSplits(join(root, 'ImageSets', 'Main'))
  return {
    imageRoots: [join(root, 'JPEGImages'), join(root, 'images'), root, folder],
    fields: [{ from: 'name', to: 'phrase (one region a box)' }, { from: 'bndbox', to: 'boxes' }, { from: 'ImageSets/Main', to: 'split' }],
    entries: async function* (signal) {
      for (const file of files) yield* readFileEntries(file, splits, signal)
    },
  }
}

async function* readFileEntries(path: string, splits: ReadonlyMap<string, string>, signal?: AbortSignal): AsyncGenerator<RawItem> {
  const file = basename(path)
  const stem = file.replace(/\.xml$/i, '')
  let filename = ''
  const objects: Element[] = []
  const parts = readXmlChildren(path, (root) => {
    if (root.name !== 'annotation') throw new AppError('bad-input', `${file} is not Pascal VOC: it begins with <${root.name}>.`, 'An <annotation> is expected.', `${file}:${root.line}`)
  }, signal)
  for await (const part of parts) {
    if (part.name === 'filename') filename = part.text.trim()
    if (part.name === 'object') objects.push(part)
  }
  if (filename === '') yield { skipped: { file, line: null, reason: 'It names no image (<filename>); an image of the same name is looked for.' } }
  const regions: RawRegion[] = []
  for (const object of objects) {
    const name = textOf(object, 'name')
    const box = child(object, 'bndbox')
    const texts = SIDES.map((side) => (box ? textOf(box, side) : undefined) ?? '')
    const numbers = texts.map((text) => (text === '' ? NaN : Number(text)))
    if (name === undefined) yield { skipped: { file, line: object.line, reason: 'An object has no name.' } }
    else if (!numbers.every(Number.isFinite)) yield { skipped: { file, line: object.line, reason: `The box of "${name}" is not four numbers (${texts.join(', ')}).` } }
    else {
      const simple = Object.fromEntries(object.children.filter((one) => one.children.length === 0 && !OWN.includes(one.name)).map((one) => [one.name, one.text.trim()]))
      regions.push({ phrase: name, boxes: [numbers as unknown as Box], unit: 'pixels', file, line: object.line, raw: { ...simple, bndbox: texts } })
    }
  }
  yield { imageRef: filename || `${stem}.jpg`, file, line: null, split: splits.get(stem) ?? 'train', regions }
}

/** Name of an image without its ending -> split; lists such as cat_train.txt are of classes, and trainval names both. */
async function readSplits(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.txt') && name !== 'trainval.txt')
  const whole = names.filter((name) => !names.some((other) => name.endsWith(`_${other}`)))
  const splits = new Map<string, string>()
  for (const name of whole.sort()) {
    for (const line of (await readFile(join(folder, name), 'utf8')).split(/\r?\n/)) {
      const stem = line.trim().split(/\s+-?[01]$/)[0]!
      if (stem !== '' && !splits.has(stem)) splits.set(stem, name.replace(/\.txt$/, ''))
    }
  }
  return splits
}
