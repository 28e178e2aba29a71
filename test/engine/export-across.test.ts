/** From every format into every other: what is read from one is written into the next, whatever records the first one left behind. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { openDataset } from '../../src/main/formats/read-dataset.ts'
import { FORMATS } from '../../src/main/formats/registry.ts'
import type { ExportSample } from '../../src/main/formats/types.ts'
import { writeDataset } from '../../src/main/formats/write-dataset.ts'
import { importInto, openTestEngine, temporaryFolder } from '../support/engine.ts'

/** What every format holds: one box a phrase, whole pixels, phrases that are names of classes too. */
const BOXES = [['cat', [4, 6, 24, 16]], ['red mug', [30, 8, 50, 38]], ['dog', [10, 20, 30, 40]]] as const
const WRITTEN = FORMATS.filter(({ write }) => write)

async function* each<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list
}

async function sourceIn(folder: string, name: string): Promise<string> {
  const samples: ExportSample[] = []
  await mkdir(folder, { recursive: true })
  for (const [file, split] of [['one.png', 'train'], ['two.png', 'train']] as const) {
    await sharp({ create: { width: 64, height: 48, channels: 3, background: '#777' } }).png().toFile(join(folder, file))
    samples.push({
      image: { id: file, name: file, path: join(folder, file), width: 64, height: 48, split, kind: null, concepts: null },
      regions: BOXES.map(([phrase, box], i) => ({ id: `${file}-${i}`, phrase, boxes: [[...box]], outlines: [], status: 'unreviewed', tags: [], note: '', flags: [], concepts: null, untouched: false })),
    })
  }
  const out = join(folder, name)
  await writeDataset(FORMATS.find((one) => one.name === name)!, each(samples), { name: 'small', at: '2026-01-01T00:00:00.000Z' }, { out, images: 'copy', replace: false })
  return out
}

/** Phrase and box of every region, image by image. Items of one image may come one after the other. */
async function readFrom(path: string, format: string): Promise<unknown[]> {
  const found = new Map<string, [string, number[][]][]>()
  const { items } = await openDataset(path, { format })
  for await (const item of items) {
    if ('skipped' in item) throw new Error(`${format}: ${item.skipped.file}: ${item.skipped.reason}`)
    const regions = found.get(item.image.path) ?? []
    found.set(item.image.path, regions)
    for (const { phrase, boxes } of item.regions) regions.push([phrase, boxes.map((box) => box.map((n) => Math.round(n)))])
  }
  return Array.from(found.values(), (regions) => regions.sort())
}
const WANTED = BOXES.map(([phrase, box]) => [phrase, [[...box]]]).sort()

describe('a dataset that was read from', () => {
  test.each(WRITTEN.map(({ name }) => name))('%s is written whole into every format, through our own too', async (from) => {
    const folder = await temporaryFolder()
    const engine = await openTestEngine()
    const direct = await importInto(engine, await sourceIn(join(folder, 'source'), from))
    const write = async (datasetId: string, format: string, out: string) => {
      const job = await engine.context.jobs.ended((await engine.handlers.datasets.export({ datasetId, format, out, images: 'copy', drop: true })).id)
      expect(job, `${from} to ${format}`).toMatchObject({ state: 'done', result: { images: 2, regions: 6 } })
    }
    await write(direct, 'amc-jsonl', join(folder, 'own'))
    const throughOwn = await importInto(engine, join(folder, 'own'))
    for (const [way, datasetId] of [['', direct], [' through amc-jsonl', throughOwn]] as const) {
      for (const { name } of WRITTEN) {
        const out = join(folder, `${name}${way ? '-own' : ''}`)
        await write(datasetId, name, out)
        expect(await readFrom(out, name), `${from}${way} to ${name}`).toEqual([WANTED, WANTED])
      }
    }
  }, 120_000)
})
