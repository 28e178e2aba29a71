/** The place of a region in the stack of its image: an edit like any other, kept by what we write ourselves. */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Region } from '../../src/shared/domain.ts'
import type { EngineCore } from '../../src/main/engine/engine.ts'
import { annotationsOf, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

const regionsOf = async (engine: EngineCore, datasetId: string): Promise<Region[]> => {
  const [imageId] = engine.context.db.column<string>('SELECT id FROM images WHERE dataset_id = ?', datasetId)
  return (await engine.handlers.regions.onImage({ imageId: imageId!, checkpointIds: [] })).regions
}

test('a place in the stack is given, taken back, refused when stale, and goes through our own export and back', async () => {
  const folder = await temporaryFolder()
  const engine = await openTestEngine({ projectDir: join(folder, 'project') })
  const datasetId = await importInto(engine, await writeDataset(join(folder, 'data'), annotationsOf(1, 3)))
  const [first, second] = await regionsOf(engine, datasetId)
  expect(first!.z ?? 0).toBe(0)
  const lift = async (revision: number, before: number, after: number) => engine.handlers.regions.apply({ editId: randomUUID(), label: 'Phrase brought to the front', edits: [{ regionId: first!.id, revision, diff: { z: { before, after } } }] })
  expect((await lift(1, 0, 2)).regions[0]).toMatchObject({ z: 2, revision: 2, boxes: first!.boxes })
  await expect(lift(2, 0, 3)).rejects.toMatchObject({ code: 'conflict' })
  await engine.handlers.regions.undo({})
  expect((await regionsOf(engine, datasetId)).map(({ z = 0 }) => z)).toEqual([0, 0, 0])
  await engine.handlers.regions.redo({})
  await engine.handlers.regions.apply({ editId: randomUUID(), label: 'Phrase sent to the back', edits: [{ regionId: second!.id, revision: 1, diff: { z: { before: 0, after: -1 } } }] })

  const out = join(folder, 'out')
  expect(await engine.context.jobs.ended((await engine.handlers.datasets.export({ datasetId, format: 'amc-jsonl', out, images: 'copy' })).id)).toMatchObject({ state: 'done' })
  expect(await readFile(join(out, 'dataset.jsonl'), 'utf8')).toContain('"marks":{"z":2}')
  const again = await importInto(engine, join(out, 'dataset.jsonl'))
  expect((await regionsOf(engine, again)).map(({ phrase, z = 0 }) => [phrase, z])).toEqual((await regionsOf(engine, datasetId)).map(({ phrase, z = 0 }) => [phrase, z]))
  expect((await regionsOf(engine, again)).map(({ z = 0 }) => z)).toEqual([2, -1, 0])
})
