/** What strangers' files do: for every format that can be written, its own files damaged, and its neighbours taken for it. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { openDataset } from './read-dataset.ts'
import { FORMATS } from './registry.ts'
import type { ExportRegion, ExportSample, ReadItem } from './types.ts'
import { writeDataset } from './write-dataset.ts'

const SIZE = { width: 200, height: 100 }
const WRITERS = FORMATS.filter((format) => format.write)
let dir: string
let made = 0
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'amc-dirty-'))
  for (const name of ['a.png', 'b.png']) await sharp({ create: { ...SIZE, channels: 3, background: '#567' } }).png().toFile(join(dir, name))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const region = (phrase: string, ...boxes: Box[]): ExportRegion => ({ id: phrase, phrase, boxes, outlines: [], status: 'unreviewed', tags: [], note: '', flags: [], concepts: null, untouched: false })
const sample = (name: string, regions: readonly ExportRegion[]): ExportSample => ({ image: { ...SIZE, id: name, name, path: join(dir, name), split: 'train', kind: null, concepts: null }, regions })
async function written(name: string, samples: readonly ExportSample[]): Promise<string> {
  const out = join(dir, `out-${made++}`)
  await writeDataset(FORMATS.find((one) => one.name === name)!, (async function* () { yield* samples })(), { name, at: '2026-01-01T00:00:00.000Z' }, { out, images: 'copy', replace: false })
  return out
}
async function read(path: string, format?: string): Promise<ReadItem[]> {
  const items: ReadItem[] = []
  for await (const item of (await openDataset(path, format ? { format } : {})).items) items.push(item)
  return items
}
async function filesOf(folder: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true })
  const files = await Promise.all(all.map(async (name) => ((await stat(join(folder, name))).isFile() ? [join(folder, name)] : [])))
  return files.flat()
}
const good = () => [sample('a.png', [region('a cat', [1, 2, 30, 40]), region('a dog', [50, 20, 90, 80])]), sample('b.png', [region('a bird', [10, 10, 20, 30])])]

describe.each(WRITERS)('$name', ({ name }) => {
  it('flags boxes over the edge, keeps them as they are, and leaves inverted ones out with a reason', async () => {
    const items = await read(await written(name, [sample('a.png', [region('over the edge', [-5, -7, 30, 40]), region('inverted', [50, 40, 10, 20]), region('good', [1, 2, 30, 40])])]))
    const regions = items.flatMap((item) => ('image' in item ? item.regions : []))
    const over = regions.find((one) => one.phrase === 'over the edge')!
    expect(over.flags).toEqual(['crosses-edge'])
    over.boxes[0]!.forEach((value, i) => expect(value).toBeCloseTo([-5, -7, 30, 40][i]!, 6))
    // labelme and VIA do not say which corner comes first.
    if (name !== 'labelme') expect(items.some((item) => 'skipped' in item && item.skipped.reason.includes('inverted'))).toBe(true)
    expect(regions.map((one) => one.phrase)).toContain('good')
  })

  it('tells an image that is missing, once, and reads the rest', async () => {
    const out = await written(name, good())
    const [image] = (await filesOf(out)).filter((file) => file.endsWith('a.png'))
    await rm(image!)
    const items = await read(out)
    if (name !== 'yolo') expect(items.filter((item) => 'skipped' in item && item.skipped.reason.includes('missing'))).toHaveLength(1)
    expect(items.flatMap((item) => ('image' in item ? item.regions.map((one) => one.phrase) : []))).toEqual(['a bird'])
  })

  it('ends in an error with a place, or in a list of what was left out, wherever a file is cut off or not what it should be', async () => {
    const out = await written(name, good())
    for (const file of (await filesOf(out)).filter((one) => !one.endsWith('.png'))) {
      const whole = await readFile(file)
      for (const [what, damage] of [
        ['cut', () => truncate(file, Math.floor(whole.length * 0.6))], ['empty', () => truncate(file, 0)], ['numbers are words', () => writeFile(file, whole.toString('latin1').replaceAll(/\d+(\.\d+)?/g, 'x'), 'latin1')],
        ['zeros', () => writeFile(file, Buffer.alloc(200))],
      ] as const) {
        await damage()
        const failed = await read(out).then(() => null, (error: unknown) => error)
        expect(failed === null || (isAppError(failed) && failed.code === 'bad-input'), `${file} ${what}: ${String(failed)} ${failed instanceof Error ? failed.stack : ''}`).toBe(true)
        if (what === 'cut' && isAppError(failed)) expect(failed.message.length).toBeGreaterThan(20)
        await writeFile(file, whole)
      }
    }
  })

  it('is recognised, and named when it is taken for another format', async () => {
    const out = await written(name, good())
    expect((await openDataset(out)).format).toBe(name)
    for (const other of FORMATS.filter((one) => one.name !== name && one.name !== 'labelme').slice(0, 6)) {
      await expect(read(out, other.name)).rejects.toMatchObject({ code: 'bad-input' })
    }
  })
})

it('a pickle that names something to run is refused, and nothing of it is run', async () => {
  const out = await written('refcoco', good())
  const marker = join(dir, 'was-run')
  await writeFile(join(out, 'refs(amc).p'), `cos\nsystem\n(S'touch ${marker}'\ntR.`)
  await expect(read(out)).rejects.toMatchObject({ code: 'forbidden', message: expect.stringContaining('os.system') })
  await expect(stat(marker)).rejects.toMatchObject({ code: 'ENOENT' })
})

it('Visual Genome: negative coordinates are kept and flagged, records without an image or a box told, images without regions kept', async () => {
  const folder = join(dir, 'vg')
  await mkdir(join(folder, 'VG_100K'), { recursive: true })
  for (const id of [1, 2]) await writeFile(join(folder, 'VG_100K', `${id}.png`), await readFile(join(dir, 'a.png')))
  await writeFile(join(folder, 'image_data.json'), JSON.stringify([1, 2].map((id) => ({ image_id: id, width: 200, height: 100, url: `https://example.org/VG_100K/${id}.png`, coco_id: null }))))
  const record = { region_id: 7, image_id: 1, phrase: 'a tree', x: -3, y: 2, width: 20, height: 30, synsets: ['tree.n.01'] }
  await writeFile(join(folder, 'region_descriptions.json'), JSON.stringify([{ id: 1, regions: [record, { region_id: 8, image_id: 1, phrase: 'no box', x: 'a' }] }, { id: 99, regions: [record] }]))
  await writeFile(join(folder, 'relationships.json'), JSON.stringify([{ image_id: 1, relationships: [{ relationship_id: 3, predicate: 'ON', subject: { name: 'cup', x: 1, y: 2, w: 10, h: 10 }, object: { names: ['table'], x: 0, y: 5, w: 100, h: 50 } }] }]))
  const items = await read(folder)
  expect(items.flatMap((item) => ('image' in item ? item.regions.map((one) => [one.phrase, one.boxes, one.flags]) : []))).toEqual([
    ['a tree', [[-3, 2, 17, 32]], ['crosses-edge']], ['cup on table', [[1, 2, 11, 12], [0, 5, 100, 55]], []],
  ])
  expect(items.flatMap((item) => ('skipped' in item ? [item.skipped.reason] : []))).toEqual(['Entry 2 of the image 1: the box is not four finite numbers x, y, width, height.', 'The image 99 is not in image_data.json.'])
  expect(items.filter((item) => 'image' in item && item.regions.length === 0)).toHaveLength(1)
})

describe('a list of expressions that refers to parts of itself', () => {
  const listOf = async (...pieces: (string | number)[]): Promise<string> => {
    const folder = join(dir, `refs-${made++}`)
    await mkdir(folder)
    await writeFile(join(folder, 'instances.json'), '{"images": [], "annotations": []}')
    await writeFile(join(folder, 'refs(x).p'), Buffer.concat([Buffer.from([0x80, 2]), ...pieces.map((piece) => (typeof piece === 'number' ? Buffer.from([piece]) : Buffer.from(piece, 'latin1'))), Buffer.from('.')]))
    return folder
  }

  it.each([
    ['so often that it would fill the memory', ['(]q', 0, ...Array.from({ length: 50 }, (_, i) => ['](h', i, 'h', i, 'eq', i + 1]).flat(), 't']],
    ['as a whole', [']q', 0, 'h', 0, 'a']],
  ])('%s is refused in words', async (_what, pieces) => {
    await expect(listOf(...pieces).then(read)).rejects.toMatchObject({ code: 'bad-input', message: expect.stringContaining('refers to parts of itself so often') })
  })

  it('here and there is read', async () => {
    const items = await read(await listOf('](', ']q', 0, 'h', 0, 'h', 0, 'e'))
    expect(items.map((item) => ('skipped' in item ? item.skipped.reason : ''))).toEqual([1, 2, 3].map((i) => `Expression ${i}: it needs ref_id, ann_id, image_id, split and sentences.`))
  })
})
