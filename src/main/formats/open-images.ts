/**
 * Open Images: class-descriptions*.csv (LabelName, name) and SPLIT-annotations-bbox.csv, a box a row in fractions; images as SPLIT/ID.jpg or images/SPLIT/ID.jpg, the tables in the folder or in annotations/.
 * "validation" is our split val. What a box says besides (IsOccluded, ...) is kept and goes back.
 */
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { parse } from 'csv-parse'
import { AppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { csvLine, readCsv } from './csv-rows.ts'
import type { TextFile } from './output.ts'
import type { ExportRegion, ExportSample, Format, FormatWriter, OpenSource, RawItem } from './types.ts'

const CLASSES = 'class-descriptions.csv'
const ENDING = '-annotations-bbox.csv'
const COLUMNS = ['ImageID', 'Source', 'LabelName', 'Confidence', 'XMin', 'XMax', 'YMin', 'YMax', 'IsOccluded', 'IsTruncated', 'IsGroupOf', 'IsDepiction', 'IsInside']
const nameOf = (split: string): string => (split === 'val' ? 'validation' : split.replace(/[^\w]/g, '_'))
const splitOf = (name: string): string => (name === 'validation' ? 'val' : name)

const write: FormatWriter = {
  file: null, names: 'flat', needsImages: true,
  imagePath: ({ name, split }) => `images/${nameOf(split)}/${name}`,
  holds: { boxes: 'one', fields: ['split', 'duplicates'], split: (split) => splitOf(nameOf(split)) === split && nameOf(split) !== '', known: [...COLUMNS, 'names'] },
  begin: async (out, head) => {
    const before = (head.raw as { names?: readonly (readonly [string, string])[] } | null | undefined)?.names ?? []
    const ids = new Map(before.map(([id, name]) => [name, id]))
    const taken = new Set(before.map(([id]) => id))
    const files = new Map<string, TextFile>()
    let next = 0
    const idOf = (phrase: string): string => {
      const known = ids.get(phrase)
      if (known !== undefined) return known
      do next++
      while (taken.has(`/amc/${next}`))
      ids.set(phrase, `/amc/${next}`)
      return `/amc/${next}`
    }
    return {
      add: async ({ image, regions }: ExportSample) => {
        const name = `annotations/${nameOf(image.split)}${ENDING}`
        let file = files.get(name)
        if (!file) {
          file = await out.create(name)
          await file.write(csvLine(COLUMNS))
          files.set(name, file)
        }
        const id = image.name.slice(0, image.name.length - extname(image.name).length)
        for (const region of regions) for (const row of rowsOf(region, id, idOf(region.phrase), image)) await file.write(csvLine(row))
      },
      finish: async () => {
        for (const file of files.values()) await file.close()
        const classes = await out.create(`annotations/${CLASSES}`)
        for (const [name, id] of ids) await classes.write(csvLine([id, name]))
        await classes.close()
      },
    }
  },
}

function rowsOf(region: ExportRegion, id: string, label: string, size: { width: number; height: number }): (string | number)[][] {
  const raw = region.raw as Record<string, string> | undefined
  if (raw && region.untouched) return [COLUMNS.map((column) => (column === 'ImageID' ? id : (raw[column] ?? '')))]
  const kept = raw ? COLUMNS.slice(8).map((column) => raw[column] ?? '0') : ['0', '0', '0', '0', '0']
  return region.boxes.map(([x1, y1, x2, y2]) => [id, raw?.['Source'] ?? 'xclick', label, raw?.['Confidence'] ?? '1', x1 / size.width, x2 / size.width, y1 / size.height, y2 / size.height, ...kept])
}

export const openImages: Format = {
  name: 'open-images',
  title: 'Open Images',
  match: async (path) => (await boxFiles(path)).length > 0,
  open: openOpenImages,
  write,
}

async function boxFiles(path: string): Promise<string[]> {
  const info = await stat(path).catch(() => null)
  if (info?.isFile()) return path.endsWith(ENDING) ? [path] : []
  const found = await Promise.all([path, join(path, 'annotations')].map(async (folder) => (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(ENDING)).sort().map((name) => join(folder, name))))
  return found.flat()
}

async function openOpenImages(path: string): Promise<OpenSource> {
  const files = await boxFiles(path)
  if (files.length === 0) throw new AppError('bad-input', `${basename(path)} holds no *${ENDING}.`, 'Choose the folder that holds it.', path)
  const own = dirname(files[0]!)
  const names = await readClasses(own)
  const root = basename(own) === 'annotations' ? dirname(own) : own
  const folders = (await Promise.all([root, join(root, 'images')].map(async (place) => (await readdir(place, { withFileTypes: true }).catch(() => [])).filter((entry) => entry.isDirectory()).map((entry) => join(place, entry.name))))).flat()
  // Rows name images without their ending: it is looked up once.
  const places = new Map<string, string>()
  for (const folder of [root, ...folders]) for (const name of await readdir(folder)) if (/\.(jpe?g|png|webp|bmp|gif|tiff?|avif)$/i.test(name)) places.set(name.slice(0, name.length - extname(name).length), name)
  return {
    imageRoots: [root, join(root, 'images'), ...folders],
    fields: [{ from: 'ImageID', to: 'image' }, { from: 'LabelName', to: 'phrase (its name)' }, { from: 'XMin, XMax, YMin, YMax', to: 'boxes' }, { from: 'file name', to: 'split' }],
    head: () => ({ names: [...names] }),
    entries: async function* (signal) {
      for (const file of files) {
        const name = basename(file)
        const split = splitOf(name.slice(0, -ENDING.length))
        for await (const { row, line } of readCsv(file, ['ImageID', 'LabelName', 'XMin', 'XMax', 'YMin', 'YMax'], signal)) yield readRow(row, names, places, { file: name, line, split })
      }
    },
  }
}

function readRow(row: Readonly<Record<string, string>>, names: ReadonlyMap<string, string>, places: ReadonlyMap<string, string>, { file, line, split }: { file: string; line: number; split: string }): RawItem {
  const id = row['ImageID']!
  const phrase = names.get(row['LabelName']!)
  const box = ['XMin', 'YMin', 'XMax', 'YMax'].map((column) => (row[column]!.trim() === '' ? NaN : Number(row[column])))
  if (phrase === undefined) return { skipped: { file, line, reason: `The class ${row['LabelName']} has no name in ${CLASSES}.` } }
  if (!box.every(Number.isFinite)) return { skipped: { file, line, reason: 'XMin, XMax, YMin and YMax are not four numbers.' } }
  return { imageRef: places.get(id) ?? `${id}.jpg`, file, line, split, regions: [{ phrase, boxes: [box as unknown as Box], unit: 'fractions', file, line, raw: { ...row } }] }
}

/** LabelName -> name. */
async function readClasses(root: string): Promise<ReadonlyMap<string, string>> {
  const file = (await readdir(root)).find((name) => /^(oidv\d+-)?class-descriptions.*\.csv$/.test(name))
  if (!file) throw new AppError('bad-input', `The classes of ${basename(root)} have no names: ${CLASSES} is missing.`, 'Put it into the folder.', root)
  const names = new Map<string, string>()
  const parser = createReadStream(join(root, file)).pipe(parse({ bom: true, relax_column_count: true, skip_empty_lines: true, record_delimiter: ['\r\n', '\n'] }))
  for await (const [id, name] of parser as AsyncIterable<string[]>) if (id !== undefined && name !== undefined && id !== 'LabelName') names.set(id, name)
  return names
}
