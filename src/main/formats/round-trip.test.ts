/**
 * Every format that can be written: what goes out and comes in again is the same, up to what the report of losses names. One property for
 * all, so that a new format is proven by being in the registry.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Box } from '../../shared/geometry.ts'
import { outlineBounds, shapeOf } from '../../shared/shape.ts'
import { keptShape, lossCounter } from './losses.ts'
import { openDataset } from './read-dataset.ts'
import { FORMATS } from './registry.ts'
import type { ExportRegion, ExportSample, Format, FormatWriter, Holds, ReadSample } from './types.ts'
import { writeDataset } from './write-dataset.ts'

const SIZE = { width: 200, height: 100 }
const NAMES = ['a.png', 'sub/b.png', 'c d é.png', 'sub/deeper/a.png']
const EXACT = ['amc-json', 'amc-jsonl', 'amc-csv']
const HEAD = { name: 'any', at: '2026-01-02T03:04:05.000Z' }

let dir: string
let made = 0
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'amc-round-'))
  const bytes = await sharp({ create: { ...SIZE, channels: 3, background: '#567' } }).png().toBuffer()
  for (const name of NAMES) {
    await mkdir(join(dir, 'source', name, '..'), { recursive: true })
    await writeFile(join(dir, 'source', name), bytes)
  }
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const phrase = fc.oneof(
  fc.constantFrom('a red mug', 'the man', 'two\nlines', 'comma, "quote"; <tag> & amp', "it's", '42', 'true', ' edge ', 'ünï 漢字 🐈', '=1+1', 'line\u2028separator', '#', '[/EN#1/x y]'),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
)
const coordinate = (most: number) => fc.oneof(fc.integer({ min: 0, max: most }), fc.double({ min: -20, max: most + 20, noNaN: true }))
const box: fc.Arbitrary<Box> = fc.tuple(coordinate(SIZE.width - 20), coordinate(SIZE.height - 20), fc.double({ min: 0.5, max: 60, noNaN: true }), fc.double({ min: 0.5, max: 60, noNaN: true }))
  .map(([x, y, w, h]) => [x + 0, y + 0, x + w, y + h]) // no negative zero: the project keeps boxes as JSON, which has none
const words = fc.array(fc.constantFrom('blurry', 'a, b', 'check "it"', 'ü'), { maxLength: 2 })
const region: fc.Arbitrary<ExportRegion> = fc.record({
  id: fc.uuid(), phrase, shape: fc.array(fc.tuple(box, fc.boolean()), { maxLength: 3 }), status: fc.constantFrom('unreviewed', 'accepted', 'rejected', 'skipped'), tags: fc.uniqueArray(fc.constantFrom('blurry', 'a, b', 'check "it"', 'ü'), { maxLength: 2 }),
  note: fc.oneof(fc.constant(''), fc.constantFrom('look again', 'two\nlines; <b>')), flags: fc.constantFrom<string[]>([], ['inverted']), concepts: fc.oneof(fc.constant(null), words.filter((w) => w.length > 0)), untouched: fc.constant(false),
}).map(({ shape, ...one }) => {
  const outlines = shape.map(([[x1, y1, x2, y2], is]) => (is ? [x1, y1, x2, y1, (x1 + x2) / 2, y2] : []))
  return { ...one, ...shapeOf(shape.map(([b], i) => (outlines[i]!.length > 0 ? outlineBounds(outlines[i]!) : b)), outlines) }
})
const samples = fc.uniqueArray(fc.record({
  name: fc.constantFrom(...NAMES), split: fc.constantFrom('train', 'val', 'test', 'testA'), kind: fc.constantFrom(null, 'scene'), concepts: fc.constantFrom(null, ['cat', 'dog']), regions: fc.array(region, { maxLength: 5 }),
}), { minLength: 1, maxLength: NAMES.length, selector: (one) => one.name }).map((list): ExportSample[] => list.map(({ name, regions, ...image }, i) => ({
  image: { ...image, ...SIZE, id: `im${i}`, name, path: join(dir, 'source', name) }, regions,
})))

/** What must come back, by the writer's own account of what it holds. */
function expected(list: readonly ExportSample[], writer: FormatWriter): Map<string, unknown> {
  const { holds } = writer
  const held = new Set<string>(holds.fields)
  const names = new Map<string, unknown>()
  for (const { image, regions } of list) {
    const kept = regions.flatMap((one) => {
      const shape = keptShape(one, image, holds)
      if (shape === null) return []
      const boxes = holds.rounds ? shape.boxes.map((b) => b.map(Math.round) as unknown as Box) : shape.boxes
      if (holds.boxes !== 'one' || boxes.length < 2) return [{ ...one, boxes, outlines: shape.outlines }]
      return boxes.map((b, i) => ({ ...one, ...shapeOf([b], [shape.outlines[i] ?? []]) }))
    })
    if (kept.length === 0 && !held.has('emptyImages')) continue
    names.set(image.path, {
      split: held.has('split') ? (holds.split && !holds.split(image.split) ? null : image.split) : null, ...(held.has('kind') ? { kind: image.kind } : {}), ...(held.has('imageConcepts') ? { concepts: image.concepts } : {}),
      regions: unique(merged(kept, holds).map((one) => view(one, holds)), held),
    })
  }
  return names
}

function merged(regions: readonly ExportRegion[], holds: Holds): ExportRegion[] {
  if (holds.boxes !== 'phrase') return [...regions]
  return [...Map.groupBy(regions, (one) => one.phrase).values()].map((group) => ({
    ...group[0]!, ...mergedShape(group),
  }))
}

function mergedShape(group: readonly ExportRegion[]) {
  const all = group.flatMap((one) => one.boxes.map((b, i) => [b, one.outlines[i] ?? []] as const))
  const once = [...new Map(all.map((pair) => [JSON.stringify(pair), pair])).values()]
  return shapeOf(once.map(([b]) => b), once.map(([, outline]) => outline))
}

function view(one: ExportRegion, holds: Holds) {
  const held = new Set<string>(holds.fields)
  return {
    phrase: one.phrase, boxes: one.boxes, ...(held.has('outlines') ? { outlines: one.outlines } : {}), ...(held.has('status') ? { status: one.status } : {}), ...(held.has('tags') ? { tags: one.tags } : {}), ...(held.has('note') ? { note: one.note } : {}),
    ...(held.has('concepts') ? { concepts: one.concepts } : {}), ...(held.has('flags') ? { inverted: one.flags.includes('inverted') } : {}),
  }
}

function unique<T extends { phrase: string; boxes: unknown }>(list: readonly T[], held: ReadonlySet<string>): T[] {
  return held.has('duplicates') ? [...list] : [...new Map([...list].reverse().map((one) => [JSON.stringify([one.phrase, one.boxes]), one])).values()].reverse()
}

async function readBack(path: string, writer: FormatWriter, copies: ReadonlyMap<string, string>): Promise<Map<string, unknown>> {
  const { items, format } = await openDataset(path)
  const byImage = new Map<string, { image: ReadSample['image']; regions: ExportRegion[] }>()
  const held = new Set<string>(writer.holds.fields)
  for await (const item of items) {
    if ('skipped' in item) {
      if (/already/.test(item.skipped.reason)) continue // a duplicate, which the format's account names
      throw new Error(`${format}: ${item.skipped.file}: ${item.skipped.reason}`)
    }
    const known = byImage.get(item.image.path) ?? { image: item.image, regions: [] }
    byImage.set(item.image.path, known)
    known.regions.push(...item.regions.map((one): ExportRegion => ({
      id: '', phrase: one.phrase, boxes: one.boxes, outlines: one.outlines ?? [], status: one.review?.status ?? 'unreviewed', tags: one.review?.tags ?? [], note: one.review?.note ?? '', flags: one.flags, concepts: one.concepts ?? null, untouched: true,
    })))
  }
  return new Map([...byImage].map(([file, { image, regions }]) => [copies.get(file) ?? file, {
    split: held.has('split') && (writer.holds.split?.(image.split) ?? true) ? image.split : null, ...(held.has('kind') ? { kind: image.kind ?? null } : {}), ...(held.has('imageConcepts') ? { concepts: image.concepts ?? null } : {}),
    regions: regions.map((one) => view(one, writer.holds)),
  }]))
}

/** Numbers to nine digits where a format writes them in other units. */
const near = (value: unknown): unknown =>
  typeof value === 'number' ? Math.round(value * 1e6) / 1e6 + 0 : Array.isArray(value) ? value.map(near) : value instanceof Map ? new Map([...value].map(([k, v]) => [k, near(v)])) : typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, near(v)])) : value

/** COCO keeps captions in a file of their own, so their place among the boxes is not held. */
function captionsLast(map: Map<string, unknown>): Map<string, unknown> {
  return new Map([...map].map(([key, one]) => {
    const { regions, ...rest } = one as { regions: { boxes: unknown[] }[] }
    return [key, { ...rest, regions: [...regions].sort((a, b) => Number(a.boxes.length === 0) - Number(b.boxes.length === 0)) }]
  }))
}

async function trip(format: Format, list: readonly ExportSample[]): Promise<{ back: Map<string, unknown>; out: string }> {
  const writer = format.write!
  const copies = new Map<string, string>()
  const out = join(dir, `out-${made++}`)
  const originals = new Map(list.map(({ image }) => [image.id, image.path]))
  const spied: FormatWriter = {
    ...writer, imagePath: (image) => {
      copies.set(join(out, writer.imagePath(image)), originals.get(image.id)!)
      return writer.imagePath(image)
    },
  }
  await writeDataset({ ...format, write: spied }, each(list), HEAD, { out, images: 'copy', replace: false })
  return { back: await readBack(out, writer, copies), out }
}

async function* each<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list
}

describe.each(FORMATS.flatMap((format) => (format.write ? [{ name: format.name, format, writer: format.write }] : [])))('$name', ({ name, format, writer }) => {
  const exact = EXACT.includes(name)
  it('gives back everything it says it holds', async () => {
    await fc.assert(fc.asyncProperty(samples, async (list) => {
      const wanted = expected(list, writer)
      if (wanted.size === 0) return
      const { back, out } = await trip(format, list)
      const same = exact ? (value: unknown) => value : name === 'coco' ? (value: unknown) => near(captionsLast(value as Map<string, unknown>)) : near
      const splitless = (value: Map<string, unknown>) => new Map([...value].map(([key, one]) => [key, wanted.get(key) && (wanted.get(key) as { split: unknown }).split === null ? { ...(one as object), split: null } : one]))
      expect(same(splitless(back))).toEqual(same(wanted))
      await rm(out, { recursive: true })
    }), { numRuns: 20, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: false })
  }, 120_000)

  it('names every loss: what has none comes back whole', async () => {
    const all: Holds = { ...writer.holds, boxes: 'many', fields: ['status', 'tags', 'note', 'split', 'concepts', 'kind', 'imageConcepts', 'flags', 'emptyImages', 'outlines', 'boxless', 'duplicates'] }
    const { phrase: _p, box: _b, rounds: _r, split: _s, ...wide } = all
    await fc.assert(fc.asyncProperty(samples, async (list) => {
      const counter = lossCounter(writer.holds, null)
      for (const one of list) counter.add(one)
      const whole = expected(list, { ...writer, holds: wide })
      const kept = expected(list, { ...writer, holds: { ...wide, ...writer.holds } })
      const plain = (map: Map<string, unknown>): unknown => [...map].map(([key, one]) => [key, (one as { regions: { phrase: string; boxes: unknown }[] }).regions.map((r) => [r.phrase, r.boxes])])
      if (counter.losses().length === 0) expect(plain(kept)).toEqual(plain(whole))
    }), { numRuns: 25 })
  })

  it('leaves nothing behind when it is stopped, and touches nothing that was there', async () => {
    const list: ExportSample[] = NAMES.map((file, i) => ({ image: { ...SIZE, id: `${i}`, name: file, path: join(dir, 'source', file), split: 'train', kind: null, concepts: null }, regions: [{ id: 'r', phrase: 'x', boxes: [[1, 2, 3, 4]], outlines: [], status: 'unreviewed', tags: [], note: '', flags: [], concepts: null, untouched: false }] }))
    const folder = join(dir, `stop-${name}`)
    await mkdir(folder)
    const stop = new AbortController()
    const options = { out: join(folder, 'out'), images: 'copy' as const, replace: false, signal: stop.signal, onProgress: () => stop.abort() }
    await expect(writeDataset(format, each(list), HEAD, options)).rejects.toMatchObject({ code: 'cancelled' })
    expect(await readdir(folder)).toEqual([])
    await writeFile(join(folder, 'out'), 'mine')
    await expect(writeDataset(format, each(list), HEAD, { ...options, signal: new AbortController().signal })).rejects.toMatchObject({ code: 'bad-input' })
    expect(await readFile(join(folder, 'out'), 'utf8')).toBe('mine')
    const gone = [{ ...list[0]!, image: { ...list[0]!.image, path: join(dir, 'nowhere.png') } }]
    await expect(writeDataset(format, each(gone), HEAD, { out: join(folder, 'new'), images: 'copy', replace: false })).rejects.toMatchObject({ code: 'bad-input', place: join(dir, 'nowhere.png') })
    expect(await readdir(folder)).toEqual(['out'])
  })

  if (writer.file !== null) it('writes one file when asked for one, and replaces it only when told', async () => {
    const list: ExportSample[] = [{ image: { ...SIZE, id: '0', name: 'a.png', path: join(dir, 'source', 'a.png'), split: 'train', kind: null, concepts: null }, regions: [{ id: 'r', phrase: 'x', boxes: [[1, 2, 3, 4]], outlines: [], status: 'unreviewed', tags: [], note: '', flags: [], concepts: null, untouched: false }] }]
    const file = join(dir, `single-${name}`, basename(writer.file!))
    const options = { out: file, images: 'refer' as const, replace: false }
    await writeDataset(format, each(list), HEAD, options)
    expect(await readdir(join(file, '..'))).toEqual([basename(file)])
    await expect(writeDataset(format, each(list), HEAD, options)).rejects.toMatchObject({ code: 'bad-input', cure: 'Choose another name.' })
    await writeDataset(format, each(list), HEAD, { ...options, replace: true })
    const { items } = await openDataset(file, { imagesDir: join(dir, 'source') })
    const regions = []
    for await (const item of items) {
      expect(item).toMatchObject({ image: { path: join(dir, 'source', 'a.png') } })
      if ('image' in item) regions.push(...item.regions)
    }
    expect(regions).toMatchObject([{ phrase: 'x', boxes: [[1, 2, 3, 4]] }])
    expect(existsSync(file)).toBe(true)
  })
})
