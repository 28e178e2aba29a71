/** Heatmaps and scores of other explainers live beside the usual ones and never take their place. */
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import type { EngineCore } from '../../src/main/engine/engine.ts'
import { findHeat, putScores, trimHeats } from '../../src/main/store/heat-rows.ts'
import { addCheckpoint, annotationsOf, type FakeCompute, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

let engine: EngineCore & { compute: FakeCompute }
let wanted: { imageId: string; checkpointId: string; phrase: string }
let region: { id: string; datasetId: string }

const count = (table: string): number => engine.context.db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)!.n

beforeEach(async () => {
  engine = await openTestEngine()
  const datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(1, 1)))
  const { rows: [row] } = await engine.handlers.regions.query({ filter: { datasetId }, sort: 'file-order', descending: false, offset: 0, limit: 1 })
  wanted = { imageId: row!.imageId, checkpointId: (await addCheckpoint(engine.context.project, 'one')).id, phrase: row!.phrase }
  region = { id: row!.id, datasetId }
})

test('each has a heatmap of its own, kept under its name; the usual one stays where it was', async () => {
  const { get } = engine.handlers.heatmaps
  const usual = await get(wanted)
  const rollout = await get({ ...wanted, explainer: { name: 'rollout' } })
  expect(rollout.grid.values).not.toEqual(usual.grid.values)
  expect(await get({ ...wanted, explainer: { name: 'rollout', target: 'itm' } })).toMatchObject({ stored: true, grid: rollout.grid })
  expect(await get(wanted)).toMatchObject({ stored: true, grid: usual.grid })
  // Asked for by its full name the usual one is the usual one.
  expect(await get({ ...wanted, explainer: { name: 'gradcam', target: 'itm' } })).toMatchObject({ stored: true, grid: usual.grid })
  expect(engine.compute.explained.map(({ explainer }) => explainer?.name ?? null)).toEqual([null, 'rollout'])
  expect([count('heatmaps'), count('other_heatmaps')]).toEqual([1, 1])
  expect(findHeat(engine.context.db, wanted.checkpointId, wanted.imageId, wanted.phrase, 'rollout itm layer 1')).toMatchObject({ explainer: 'rollout itm layer 1' })
})

test('what it does not have is refused in words, before anything is computed', async () => {
  const ask = async (explainer: { name: 'attention' | 'gradcam'; target?: 'itc'; layer?: number }) => engine.handlers.heatmaps.get({ ...wanted, explainer })
  await expect(ask({ name: 'attention', target: 'itc' })).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('the same for every phrase') as string })
  await expect(ask({ name: 'gradcam', layer: 40 })).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('40 is none of them') as string })
  expect(engine.compute.explained).toHaveLength(0)
})

test('scores by another explainer are of another protocol, go with an edit, and are not shown as the usual ones', async () => {
  const { db } = engine.context
  const protocol = 'AMC strict, rollout itm layer 1'
  await engine.handlers.heatmaps.get(wanted)
  await engine.handlers.heatmaps.get({ ...wanted, explainer: { name: 'rollout' } })
  const [before] = await engine.handlers.scores.summary({ datasetId: region.datasetId })
  putScores(db, { checkpointId: wanted.checkpointId, regionId: region.id, datasetId: region.datasetId, revision: 1, protocol }, {
    pointingHit: true, insideEnergy: 0.123, meanMargin: 0, maxMargin: 0, amcMean: 0, amcMax: 0, softIou: 0, uncertain: false, matchProbability: 0.5,
  })
  expect(await engine.handlers.scores.summary({ datasetId: region.datasetId })).toEqual([before])
  expect(await engine.handlers.scores.summary({ datasetId: region.datasetId, protocol })).toMatchObject([{ consistency: 0.123, regions: 1 }])
  const shown = async () => (await engine.handlers.regions.onImage({ imageId: wanted.imageId, checkpointIds: [wanted.checkpointId] }))
  const { regions, scores } = await shown()
  expect(scores[wanted.checkpointId]![region.id]!.insideEnergy).not.toBe(0.123)

  await engine.handlers.regions.apply({ editId: 'e', label: 'Move', edits: [{ regionId: region.id, revision: 1, diff: { boxes: { before: regions[0]!.boxes, after: [[0, 0, 40, 30]] } } }] })
  const [after] = await engine.handlers.scores.summary({ datasetId: region.datasetId, protocol })
  expect(after!.consistency).toBeCloseTo(1, 6) // from its own stored heatmap, with the box of now
  await engine.handlers.regions.apply({ editId: 'f', label: 'Rename', edits: [{ regionId: region.id, revision: 2, diff: { phrase: { before: wanted.phrase, after: 'another thing' } } }] })
  expect(await engine.handlers.scores.summary({ datasetId: region.datasetId, protocol })).toEqual([])
})

test('when there are too many, those looked at long ago go; the usual ones have a limit of their own', async () => {
  const { db } = engine.context
  await engine.handlers.heatmaps.get(wanted)
  await engine.handlers.heatmaps.get({ ...wanted, explainer: { name: 'rollout' } })
  await engine.handlers.heatmaps.get({ ...wanted, explainer: { name: 'hirescam' } })
  db.run("UPDATE other_heatmaps SET used_at = '2020-01-01T00:00:00Z' WHERE explainer LIKE 'rollout%'")
  trimHeats(db, 1, 1)
  expect(count('heatmaps')).toBe(1)
  expect(db.all('SELECT explainer FROM other_heatmaps')).toEqual([{ explainer: 'hirescam itm layer 1' }])
})
