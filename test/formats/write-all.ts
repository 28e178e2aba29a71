/** Writes one small dataset in every format, for the formats' own tools to read: node write-all.ts FOLDER, then check-written.py FOLDER. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { FORMATS } from '../../src/main/formats/registry.ts'
import type { ExportRegion, ExportSample } from '../../src/main/formats/types.ts'
import { writeDataset } from '../../src/main/formats/write-dataset.ts'

const folder = process.argv[2]!
await mkdir(folder, { recursive: true })
const base = { status: 'unreviewed', tags: [], note: '', flags: [], concepts: null, untouched: false } as const
const outline = [10, 20, 30, 20, 20, 40]
const regions: ExportRegion[] = [
  { ...base, id: '1', phrase: 'cat', boxes: [[4, 6, 24, 16]], outlines: [], note: 'on the left', tags: ['blurry'], status: 'accepted' }, { ...base, id: '2', phrase: 'a red mug', boxes: [[30, 8, 50, 38]], outlines: [] },
  { ...base, id: '3', phrase: 'a leaf', boxes: [[10, 20, 30, 40]], outlines: [outline] },
]
const samples: ExportSample[] = []
for (const [name, split] of [['one.png', 'train'], ['two.png', 'val']] as const) {
  await sharp({ create: { width: 64, height: 48, channels: 3, background: '#777' } }).png().toFile(join(folder, name))
  samples.push({ image: { id: name, name, path: join(folder, name), width: 64, height: 48, split, kind: null, concepts: null }, regions })
}
const boxes = samples.map((sample) => ({ ...sample, regions: sample.regions.map((region) => ({ ...region, outlines: [] })) }))
await writeDataset(FORMATS.find((one) => one.name === 'yolo')!, (async function* () { yield* boxes })(), { name: 'small', at: '2026-01-01T00:00:00.000Z' }, { out: join(folder, 'yolo-boxes'), images: 'copy', replace: false })
for (const format of FORMATS) {
  if (format.write) await writeDataset(format, (async function* () { yield* samples })(), { name: 'small', at: '2026-01-01T00:00:00.000Z' }, { out: join(folder, format.name), images: 'copy', replace: false })
}
