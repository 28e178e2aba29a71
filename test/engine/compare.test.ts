/** Comparing through the engine: what is counted, what is not and told, views as populations, result files. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RegionFilter, Scores } from '../../src/shared/domain.ts'
import { putScores } from '../../src/main/store/heat-rows.ts'
import { writeResultFile } from '../support/evaluation-results.ts'
import { addCheckpoint, annotationsOf, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

const scores = (hit: boolean): Scores => ({ pointingHit: hit, insideEnergy: hit ? 0.75 : 0.25, meanMargin: 0, maxMargin: 0, amcMean: 0, amcMax: 0, softIou: 0, uncertain: !hit, matchProbability: 0.5 })

/** 16 images with 3 regions each; every fourth image is of the split val. Checkpoint k hits region i where hits says so. */
async function compared(names: readonly string[], hits: (k: number, i: number) => boolean | null) {
  const engine = await openTestEngine()
  const datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(16, 3)), { name: 'things' })
  const { db, project, events } = engine.context
  const regions = db.all<{ id: string; revision: number; split: string; image_id: string }>('SELECT id, revision, split, image_id FROM regions WHERE dataset_id = ? ORDER BY position', datasetId)
  const ids: string[] = []
  for (const [k, name] of names.entries()) {
    const checkpoint = await addCheckpoint(project, name)
    ids.push(checkpoint.id)
    regions.forEach(({ id, revision }, i) => {
      const hit = hits(k, i)
      if (hit !== null) putScores(db, { checkpointId: checkpoint.id, regionId: id, datasetId, revision }, scores(hit))
    })
    events.emit({ type: 'scores.changed', datasetId, checkpointId: checkpoint.id })
  }
  const saveView = async (name: string, filter: Omit<RegionFilter, 'datasetId'>) => (await engine.handlers.views.save({ id: `view-${name}`, name, filter: { ...filter, datasetId }, sort: 'file-order', descending: false })).id
  return { engine, datasetId, regions, ids, saveView, get: (population: object, checkpointIds = ids) => engine.handlers.compare.get({ population: { datasetId, ...population }, checkpointIds, draws: 200 }) }
}

test('counts every region once: compared, missing a score of some checkpoint, or without a phrase or box', async () => {
  const { engine, regions, ids, datasetId, get } = await compared(['one', 'two', 'three'], (k, i) => (k === 1 && i < 5 ? null : k === 2 && i === 4 ? null : (i + k) % 2 === 0))
  const emptied = (await engine.handlers.regions.onImage({ imageId: regions[40]!.image_id, checkpointIds: [] })).regions.find((one) => one.id === regions[40]!.id)!
  await engine.handlers.regions.apply({ editId: 'e1', label: 'no box', edits: [{ regionId: emptied.id, revision: 1, diff: { boxes: { before: emptied.boxes, after: [] } } }] })
  const all = await get({})
  expect(all).toMatchObject({ total: 48, withoutAnswer: 1, missing: 5, regions: 42, title: 'things, all splits', source: 'project' })
  expect(all.checkpoints.map(({ name, missing }) => [name, missing])).toEqual([['one', 0], ['two', 5], ['three', 1]])
  expect(all.total).toBe(all.regions + all.missing + all.withoutAnswer)
  expect(all.pairs.map(({ a, b }) => [a, b])).toEqual([[0, 1], [0, 2], [1, 2]])
  for (const { matrix } of all.pairs) expect(matrix.both + matrix.broken + matrix.fixed + matrix.neither).toBe(42)
  expect(all.rows).toHaveLength(42)
  // Two of them are compared on what those two have.
  expect(await get({}, [ids[0]!, ids[2]!])).toMatchObject({ missing: 1, regions: 46 })
  await expect((async () => get({}, [ids[0]!, ids[0]!]))()).rejects.toThrow(/twice/)
  await expect((async () => engine.handlers.compare.get({ population: { datasetId: `${datasetId}x` }, checkpointIds: ids }))()).rejects.toThrow(/not in the project/)
})

test('a view is a population, a split narrows it, and a view by score says what that does', async () => {
  const { get, ids, saveView, regions } = await compared(['one', 'two'], (k, i) => (i + k) % 3 !== 0)
  const words = await saveView('seven', { text: 'number 7' })
  expect(await get({ viewId: words })).toMatchObject({ total: 1, regions: 1, title: 'things, view seven, all splits', notes: [] })
  const val = regions.filter((region) => region.split === 'val').length
  expect(await get({ split: 'val' })).toMatchObject({ total: val, regions: val })
  const train = await saveView('training', { splits: ['train'] })
  expect(await get({ viewId: train })).toMatchObject({ regions: 48 - val })
  expect(await get({ viewId: train, split: 'val' })).toMatchObject({ total: 0, regions: 0, pairs: [] })
  const low = await saveView('low', { checkpointId: ids[0]!, consistencyMax: 0.4 })
  const picked = await get({ viewId: low })
  expect(picked.regions).toBe(16)
  expect(picked.notes.join(' ')).toMatch(/picks regions by how one scored them/)
  await expect((async () => get({ viewId: 'gone' }))()).rejects.toThrow(/view is not there/)
})

test('a list of regions is a view: exactly these, in Curate and as a population', async () => {
  const { engine, datasetId, get, saveView, regions } = await compared(['one', 'two'], () => true)
  const list = [regions[3]!.id, regions[30]!.id, regions[31]!.id]
  const viewId = await saveView('list', { regionIds: list })
  expect((await engine.handlers.views.list({ datasetId })).find((view) => view.id === viewId)).toMatchObject({ count: 3, filter: { regionIds: list } })
  const page = await engine.handlers.regions.query({ filter: { datasetId, regionIds: list }, sort: 'file-order', descending: false, offset: 0, limit: 10 })
  expect(page.rows.map((row) => row.id)).toEqual(list)
  expect((await get({ viewId })).rows.map((row) => row.regionId)).toEqual(list)
})

test('missing scores are computed for a view alone, and the answer kept before is not given again', async () => {
  const { engine, datasetId, ids, saveView, get } = await compared(['one', 'two'], (k, i) => (k === 1 && i % 2 === 0 ? null : true))
  const viewId = await saveView('few', { text: 'number 4' })
  const before = await get({ viewId })
  expect(before.missing).toBeGreaterThan(0)
  const job = await engine.handlers.scores.compute({ datasetId, checkpointId: ids[1]!, viewId })
  expect(job.title).toBe('Score few with two')
  const { db, events } = engine.context
  for (const { id, revision } of db.all<{ id: string; revision: number }>('SELECT id, revision FROM regions')) putScores(db, { checkpointId: ids[1]!, regionId: id, datasetId, revision }, scores(false))
  events.emit({ type: 'scores.changed', datasetId, checkpointId: ids[1]! })
  expect(await get({ viewId })).toMatchObject({ missing: 0, regions: before.regions + before.missing })
})

test('result files of an evaluation are compared sample by sample, and others refused', async () => {
  const engine = await openTestEngine()
  const folder = join(engine.context.project.dir, 'evaluation')
  await mkdir(folder)
  await writeResultFile(folder, 'one', Array.from({ length: 60 }, (_, i) => Number(i % 2 === 0)))
  await writeResultFile(folder, 'two', Array.from({ length: 60 }, (_, i) => (i === 7 ? null : 1)), { layer: 7 })
  await writeResultFile(folder, 'other', [1, 0], { data: 'd2' })
  await writeFile(join(folder, 'log.jsonl'), '{}\n')
  await writeFile(join(folder, 'notes.json'), '{"a":1}')
  const files = await engine.handlers.compare.resultFiles({})
  expect(files.map((file) => file.name).sort()).toEqual(['one.json', 'other.json', 'two.json'])
  expect(new Set(files.map((file) => file.group)).size).toBe(2)
  const got = await engine.handlers.compare.results({ names: ['one.json', 'two.json'], draws: 200 })
  expect(got).toMatchObject({ source: 'results', total: 60, missing: 1, regions: 59, protocol: 'AMC strict', title: 'Flickr30k Entities, all splits', pairs: [{ matrix: { both: 30, fixed: 29, broken: 0, neither: 0 }, headline: { uncertain: null, matchProbability: null } }] })
  expect(got.checkpoints.map(({ missing }) => missing)).toEqual([0, 1])
  expect(got.notes.join(' ')).toMatch(/one: 1 phrases had no heatmap and count as misses.*two was evaluated at itm, layer 7/)
  expect(await engine.handlers.compare.results({ names: ['one.json', 'two.json'], split: 'val', draws: 200 })).toMatchObject({ total: 30, missing: 1 })
  await expect(engine.handlers.compare.results({ names: ['one.json', 'other.json'] })).rejects.toThrow(/other data/)
  await expect(engine.handlers.compare.results({ names: ['one.json', '../project.sqlite'] })).rejects.toThrow(/cannot be read/)
})
