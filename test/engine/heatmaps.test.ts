import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import type { EngineCore } from '../../src/main/engine/engine.ts'
import { MOST_HEATS, trimHeats } from '../../src/main/store/heat-rows.ts'
import { addCheckpoint, annotationsOf, type FakeCompute, fillDisk, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

let engine: EngineCore & { compute: FakeCompute }
let wanted: { imageId: string; checkpointId: string; phrase: string }

beforeEach(async () => {
  engine = await openTestEngine()
  const datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(1, 1)))
  const { rows: [row] } = await engine.handlers.regions.query({ filter: { datasetId }, sort: 'file-order', descending: false, offset: 0, limit: 1 })
  wanted = { imageId: row!.imageId, checkpointId: (await addCheckpoint(engine.context.project, 'one')).id, phrase: row!.phrase }
})

test('is computed once, then comes from the store with the same figures', async () => {
  const first = await engine.handlers.heatmaps.get(wanted)
  const second = await engine.handlers.heatmaps.get(wanted)
  expect([first.stored, second.stored]).toEqual([false, true])
  expect({ ...second, stored: false, computeMs: first.computeMs }).toEqual(first)
  expect(engine.compute.explained).toHaveLength(1)
})

test('asked for by many at the same moment is computed once', async () => {
  const gate = Promise.withResolvers<void>()
  engine.compute.gate = gate.promise
  const all = Array.from({ length: 20 }, () => engine.handlers.heatmaps.get(wanted))
  gate.resolve()
  expect(new Set((await Promise.all(all)).map((heat) => JSON.stringify(heat))).size).toBe(1)
  expect(engine.compute.explained).toHaveLength(1)
})

test('is cancelled when the last who wanted it has gone, not before, and can be asked for again', async () => {
  const gate = Promise.withResolvers<void>()
  engine.compute.gate = gate.promise
  const [one, two] = [new AbortController(), new AbortController()]
  const first = Promise.resolve(engine.handlers.heatmaps.get(wanted, { signal: one.signal })).catch((error: unknown) => error)
  const second = Promise.resolve(engine.handlers.heatmaps.get(wanted, { signal: two.signal })).catch((error: unknown) => error)
  one.abort()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const third = engine.handlers.heatmaps.get(wanted)
  gate.resolve()
  expect(await second).toMatchObject({ phrase: wanted.phrase })
  expect(await third).toMatchObject({ phrase: wanted.phrase })
  await first
  expect(engine.compute.explained).toHaveLength(1)

  engine.compute.gate = new Promise(() => undefined)
  const alone = new AbortController()
  const other = { ...wanted, phrase: 'something new' }
  const left = Promise.resolve(engine.handlers.heatmaps.get(other, { signal: alone.signal })).catch((error: unknown) => error)
  await new Promise((resolve) => setTimeout(resolve, 20))
  alone.abort()
  expect(await left).toMatchObject({ code: 'cancelled' })
  engine.compute.gate = null
  expect(await engine.handlers.heatmaps.get(other)).toMatchObject({ phrase: 'something new' })
})

test('of a checkpoint removed meanwhile is answered but not kept', async () => {
  const gate = Promise.withResolvers<void>()
  engine.compute.gate = gate.promise
  const heat = engine.handlers.heatmaps.get(wanted)
  await engine.handlers.checkpoints.remove({ id: wanted.checkpointId })
  gate.resolve()
  expect(await heat).toMatchObject({ phrase: wanted.phrase })
  expect(engine.context.db.get<{ n: number }>('SELECT count(*) AS n FROM heatmaps')!.n).toBe(0)
})

test.each([
  ['an empty phrase', { phrase: '  ' }, 'bad-input'],
  ['an image that is not there', { imageId: 'x' }, 'not-found'],
  ['a checkpoint that is not there', { checkpointId: 'x' }, 'not-found'],
])('of %s is refused in words', async (_name, change, code) => {
  await expect((async () => engine.handlers.heatmaps.get({ ...wanted, ...change }))()).rejects.toMatchObject({ code })
})

test('of free text gives no score to any region; that of a region its own does', async () => {
  await engine.handlers.heatmaps.get({ ...wanted, phrase: 'anything at all' })
  const scores = async () => (await engine.handlers.regions.onImage({ imageId: wanted.imageId, checkpointIds: [wanted.checkpointId] })).scores[wanted.checkpointId]!
  expect(await scores()).toEqual({})
  await engine.handlers.heatmaps.get(wanted)
  expect(Object.keys(await scores())).toHaveLength(1)
})

test('of another file under the same path is computed anew', async () => {
  const { writeFile } = await import('node:fs/promises')
  await engine.handlers.heatmaps.get(wanted)
  const path = join(engine.context.project.dir, 'checkpoints', 'one.safetensors')
  const { writeSafetensors } = await import('../../src/main/checkpoints/safetensors.ts')
  const { registerCheckpoint } = await import('../../src/main/features/register-checkpoint.ts')
  const { TINY } = await import('../support/tiny-runs.ts')
  await writeFile(path, '')
  writeSafetensors(path, new Map([['temp', { shape: [1], data: Float32Array.of(0.5) }]]), { 'amc.modelConfig': JSON.stringify(TINY) })
  expect((await registerCheckpoint(engine.context.project, { path, name: 'one', origin: 'imported' })).id).toBe(wanted.checkpointId)
  expect((await engine.handlers.heatmaps.get(wanted)).stored).toBe(false)
})

test('is shown on a full disk too, computed or stored; it is only not kept', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const stored = await engine.handlers.heatmaps.get(wanted)
  engine.context.db.run('UPDATE heatmaps SET used_at = ?', '2020-01-01T00:00:00Z') // long ago: looking at it notes that
  const makeRoom = fillDisk(engine)
  expect(await engine.handlers.heatmaps.get(wanted)).toMatchObject({ stored: true, grid: stored.grid })
  expect(await engine.handlers.heatmaps.get({ ...wanted, phrase: 'something else' })).toMatchObject({ stored: false, phrase: 'something else' })
  expect(told).toHaveBeenCalledTimes(2)
  makeRoom()
  expect((await engine.handlers.heatmaps.get({ ...wanted, phrase: 'something else' })).stored).toBe(false)
  expect((await engine.handlers.heatmaps.get({ ...wanted, phrase: 'something else' })).stored).toBe(true)
})

test('of long ago gives way when there are too many; scores stay', async () => {
  const { db } = engine.context
  await engine.handlers.heatmaps.get(wanted)
  db.transaction(() => {
    for (let i = 0; i < 200; i++) {
      db.run(
        `INSERT INTO heatmaps SELECT checkpoint_id, image_id, ?, width, height, grid, peak_x, peak_y, match_probability, layer, mask_size, tokens, truncated, ? FROM heatmaps WHERE phrase = ?`,
        `phrase ${i}`, `2030-01-01T00:00:00.${String(i).padStart(3, '0')}Z`, wanted.phrase,
      )
    }
  })
  trimHeats(db, 201)
  expect(db.get('SELECT count(*) AS n FROM heatmaps')).toEqual({ n: 201 })
  trimHeats(db, 100)
  expect(db.get('SELECT count(*) AS n, min(used_at) AS oldest FROM heatmaps')).toEqual({ n: 95, oldest: '2030-01-01T00:00:00.105Z' })
  expect(db.get('SELECT count(*) AS n FROM scores')).toEqual({ n: 1 })
  expect(MOST_HEATS * 2500).toBeLessThan(1.1e9) // about a gigabyte
})
