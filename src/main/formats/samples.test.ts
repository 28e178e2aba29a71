/** Datasets that the formats' own tools wrote (test/formats/make-samples.py), recognised by themselves and read whole. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDataset } from './read-dataset.ts'
import { FORMATS } from './registry.ts'
import type { ExportSample, Skipped } from './types.ts'
import { writeDataset } from './write-dataset.ts'

const SAMPLES = join(import.meta.dirname, '../../../test/formats/samples')
let dir: string
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'amc-samples-'))))
afterAll(() => rm(dir, { recursive: true, force: true }))

async function read(path: string): Promise<{ format: string; head: unknown; samples: Map<string, ExportSample>; skipped: Skipped[] }> {
  const { items, format, head } = await openDataset(path)
  const samples = new Map<string, ExportSample>()
  const skipped: Skipped[] = []
  for await (const item of items) {
    if ('skipped' in item) skipped.push(item.skipped)
    else {
      const { image, regions } = item
      const sample = { image: { ...image, id: image.path, kind: image.kind ?? null, concepts: image.concepts ?? null }, regions: [...(samples.get(image.path)?.regions ?? []), ...regions.map((one, i) => ({
        id: `${i}`, phrase: one.phrase, boxes: one.boxes, outlines: one.outlines ?? [], status: one.review?.status ?? 'unreviewed' as const, tags: one.review?.tags ?? [], note: one.review?.note ?? '', flags: one.flags,
        concepts: one.concepts ?? null, untouched: true, raw: one.raw,
      }))] }
      samples.set(image.path, sample)
    }
  }
  return { format, head: head(), samples, skipped }
}

const near = (boxes: readonly (readonly number[])[]): number[][] => boxes.map((box) => box.map((value) => Math.round(value * 100) / 100))
const BOTH = [['cat', [[4, 6, 24, 16]]], ['a red mug', [[30.5, 8.25, 50.5, 38.25]]]]
const POLYGON = ['cat', [[10, 20, 30, 40]]]

it.each([
  ['datumaro-coco_instances', 'coco', [BOTH, [...BOTH, POLYGON]]],
  ['datumaro-voc_detection', 'pascal-voc', [BOTH, BOTH]],
  ['datumaro-cvat', 'cvat', [BOTH, [...BOTH, POLYGON]]],
  ['datumaro-open_images', 'open-images', [BOTH, BOTH]],
  ['datumaro-yolo_ultralytics', 'yolo', [BOTH, BOTH]],
  ['label-studio', 'label-studio', [BOTH]],
  ['labelme', 'labelme', [[['cat', [[4, 6, 24, 16], [30, 20, 40, 40]]], ['a red mug', [[45, 25, 55, 35]]]]]],
  ['pycocotools', 'coco', [[['cat', [[4, 6, 24, 16]]]]]],
] as const)('%s', async (name, format, wanted) => {
  const found = await read(join(SAMPLES, name))
  expect(found.format).toBe(format)
  expect(found.skipped).toEqual([])
  const samples = [...found.samples.values()].sort((a, b) => (a.image.path < b.image.path ? -1 : 1))
  expect(samples.map(({ regions }) => regions.map((one) => [one.phrase, near(one.boxes)]))).toEqual(wanted)
  if (samples.length > 1) expect(samples.map(({ image }) => image.split)).toEqual(['train', 'val'])
  // What was read goes out and comes in again the same, records and all.
  const out = join(dir, name)
  const writer = FORMATS.find((one) => one.name === format)!
  await writeDataset(writer, (async function* () { yield* samples })(), { name, at: '2026-01-01T00:00:00.000Z', raw: found.head }, { out, images: 'copy', replace: false })
  const again = await read(out)
  expect(again.format).toBe(format)
  expect([...again.samples.values()].sort((a, b) => (a.image.path < b.image.path ? -1 : 1)).map(({ regions }) => regions.map(({ phrase, boxes, outlines, raw, note, tags }) => ({ phrase, boxes, outlines, raw, note, tags }))))
    .toEqual(samples.map(({ regions }) => regions.map(({ phrase, boxes, outlines, raw, note, tags }) => ({ phrase, boxes, outlines, raw, note, tags }))))
})

it('keeps a run-length mask as it came', async () => {
  const out = join(dir, 'masks')
  const { samples, head } = await read(join(SAMPLES, 'pycocotools'))
  await writeDataset(FORMATS.find((one) => one.name === 'coco')!, (async function* () { yield* samples.values() })(), { name: 'masks', at: '2026-01-01T00:00:00.000Z', raw: head }, { out, images: 'refer', replace: false })
  const annotations = async (path: string): Promise<unknown> => (JSON.parse(await readFile(path, 'utf8')) as { annotations: unknown }).annotations
  expect(await annotations(join(out, 'annotations', 'instances_train.json'))).toEqual(await annotations(join(SAMPLES, 'pycocotools', 'instances.json')))
})

it('an XML file that declares entities is refused before they are made', async () => {
  const path = join(dir, 'bomb.xml')
  await writeFile(path, `<?xml version="1.0"?>\n<!DOCTYPE annotations [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>\n<annotations><image id="0" name="&b;" width="1" height="1"/></annotations>`)
  await expect(read(path)).rejects.toMatchObject({ code: 'bad-input', message: expect.stringContaining('entities') })
  await writeFile(path, '<annotations><image id="0" name="&xxe;" width="1" height="1"/></annotations>')
  await expect(read(path)).rejects.toMatchObject({ code: 'bad-input', place: expect.stringMatching(/^bomb\.xml:1:/) })
})
