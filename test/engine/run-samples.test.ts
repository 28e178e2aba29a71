/** What a run is given to train on: the frozen samples, the stages of its views, and what is known to be true. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Compute } from '../../src/main/compute/client.ts'
import type { ManifestSample } from '../../src/shared/manifest.ts'
import { readLines } from '../../src/main/train/files.ts'
import { runPaths } from '../../src/main/train/run-folder.ts'
import { fakeCompute, importInto, openTestEngine, temporaryFolder, writeDataset, type Annotation } from '../support/engine.ts'

const ANNOTATIONS: readonly (Annotation & { readonly phraseConcepts?: readonly string[]; readonly imageConcepts?: readonly string[] })[] = [
  { image: 'a.png', caption: 'the red car', bbox: [[1, 1, 9, 9]], split: 'train', phraseConcepts: ['red', 'car'], imageConcepts: ['red', 'car', 'dog'] },
  { image: 'a.png', caption: 'a dog', bbox: [[11, 1, 19, 9]], split: 'train', phraseConcepts: ['dog'] },
  { image: 'b.png', caption: 'easy thing', bbox: [[1, 1, 9, 9]], split: 'train' },
  { image: 'b.png', caption: 'hard thing', bbox: [[11, 1, 19, 9]], split: 'train' },
  { image: 'c.png', caption: 'easy other thing', bbox: [[1, 1, 9, 9]], split: 'train' },
  { image: 'd.png', caption: 'easy to check', bbox: [[1, 1, 9, 9]], split: 'val' },
]

async function withDataset() {
  const arithmetic = fakeCompute()
  // The runs of these tests are never trained.
  const call: Compute['call'] = (method, request, options) => (method === 'train' ? Promise.resolve({ state: 'stopped', step: 0 } as never) : arithmetic.call(method, request, options))
  const engine = await openTestEngine({ compute: () => ({ ...arithmetic, call }) })
  const datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), ANNOTATIONS))
  const view = async (name: string, text: string) =>
    engine.handlers.views.save({ id: randomUUID(), name, filter: { datasetId, text }, sort: 'file-order', descending: false })
  const overrides = { 'batch.images': 2, steps: 10 }
  const samplesOf = async (change: Record<string, unknown>, viewId?: string): Promise<Map<string, ManifestSample>> => {
    const run = await engine.handlers.runs.start({ preset: 'demo-amc', overrides: { ...overrides, 'curriculum.closeUps': 0, 'curriculum.contrastOnly': 0, ...change }, datasetId, ...(viewId ? { viewId } : {}) })
    const lines = await readLines<ManifestSample>(runPaths(join(engine.context.project.runsDir, run.id)).manifest)
    return new Map(lines.map((line) => [line.phrase, line]))
  }
  return { engine, datasetId, view, samplesOf }
}

describe('a rejected region', () => {
  const reject = async (engine: Awaited<ReturnType<typeof withDataset>>['engine'], phrases: readonly string[]): Promise<void> => {
    for (const phrase of phrases) engine.context.db.run("UPDATE regions SET status = 'rejected' WHERE phrase = ?", phrase)
  }

  test('is neither trained nor validated on, with a view or without, unless it is asked for', async () => {
    const { engine, datasetId, view, samplesOf } = await withDataset()
    await reject(engine, ['a dog', 'hard thing', 'easy to check'])
    const kept = ['the red car', 'easy thing', 'easy other thing']
    expect([...(await samplesOf({})).keys()]).toEqual(kept)
    expect([...(await samplesOf({}, (await view('Things', 'thing')).id)).keys()]).toEqual(['easy thing', 'easy other thing'])
    expect([...(await samplesOf({ 'data.includeRejected': true })).keys()]).toEqual(ANNOTATIONS.map((one) => one.caption))
    const filter = { datasetId, statuses: ['rejected' as const, 'unreviewed' as const], text: 'thing' }
    const named = await engine.handlers.views.save({ id: randomUUID(), name: 'Named', filter, sort: 'file-order', descending: false })
    expect([...(await samplesOf({}, named.id)).keys()]).toEqual(['easy thing', 'hard thing', 'easy other thing'])
  })

  test('does not count in the plan', async () => {
    const { engine, datasetId } = await withDataset()
    await reject(engine, ['easy to check', 'a dog'])
    const plan = await engine.handlers.runs.estimate({ preset: 'demo-amc', overrides: { 'batch.images': 2 }, datasetId })
    expect([plan.trainRegions, plan.valRegions]).toEqual([4, 0])
  })
})

describe('a curriculum over views', () => {
  test('says of each training region which stages show it; validation takes no part', async () => {
    const { view, samplesOf } = await withDataset()
    await view('Easy ones', 'easy')
    await view('Things', 'thing')
    const samples = await samplesOf({ 'curriculum.views': 'Easy ones 0.3; Things 0.2; * 0.5' })
    expect(Object.fromEntries([...samples].map(([phrase, { stages }]) => [phrase, stages]))).toEqual({
      'the red car': undefined, 'a dog': undefined, 'easy thing': [0, 1], 'hard thing': [1], 'easy other thing': [0, 1], 'easy to check': undefined,
    })
  })

  test('within a run over a view, a stage shows only what both have', async () => {
    const { view, samplesOf } = await withDataset()
    await view('Easy ones', 'easy')
    const { id } = await view('Things', 'thing')
    const samples = await samplesOf({ 'curriculum.views': 'Easy ones 1; * 1' }, id)
    expect(Object.fromEntries([...samples].map(([phrase, { stages }]) => [phrase, stages]))).toEqual({ 'easy thing': [0], 'hard thing': undefined, 'easy other thing': [0] })
  })

  test.each([
    ['Eassy ones 1', /Did you mean "Easy ones"/],
    ['Easy ones', /does not end with its part/],
    ['Only val 1', /has no region of this run/],
    ['Easy ones 1', null],
  ])('%j before the start', async (views, says) => {
    const { engine, datasetId, view } = await withDataset()
    await view('Easy ones', 'easy')
    await view('Only val', 'check')
    const overrides = { 'batch.images': 2, 'curriculum.closeUps': 0, 'curriculum.contrastOnly': 0, 'curriculum.views': views }
    const { problems } = await engine.handlers.runs.estimate({ preset: 'demo-amc', overrides, datasetId })
    expect(problems.filter((one) => one.blocking)).toEqual(says ? [{ key: 'curriculum.views', blocking: true, message: expect.stringMatching(says) }] : [])
  })

  test('with the curriculum by kind as well is refused', async () => {
    const { engine, datasetId } = await withDataset()
    const { problems } = await engine.handlers.runs.estimate({ preset: 'demo-amc', overrides: { 'batch.images': 2, 'curriculum.views': '* 1' }, datasetId })
    expect(problems).toContainEqual(expect.objectContaining({ key: 'curriculum.views', blocking: true }))
  })
})

describe('what is known to be true', () => {
  test('goes with the samples: concepts of the import, and phrases that a view leaves out', async () => {
    const { view, samplesOf } = await withDataset()
    const { id } = await view('Easy ones', 'easy')
    const all = await samplesOf({})
    expect(all.get('the red car')).toMatchObject({ imageConcepts: ['red', 'car', 'dog'], phraseConcepts: ['red', 'car'] })
    expect([...all.values()].some((sample) => sample.imagePhrases)).toBe(false)
    const easy = await samplesOf({}, id)
    expect([...easy.keys()]).toEqual(['easy thing', 'easy other thing', 'easy to check'])
    expect(easy.get('easy thing')!.imagePhrases).toEqual(['hard thing'])
    expect(easy.get('easy other thing')!.imagePhrases).toBeUndefined()
  })

  test('concepts of an imported phrase are not those of what somebody wrote instead', async () => {
    const { engine, samplesOf } = await withDataset()
    const id = engine.context.db.get<{ id: string }>("SELECT id FROM regions WHERE phrase = 'the red car'")!.id
    const edit = (before: string, after: string, revision: number) =>
      engine.handlers.regions.apply({ editId: randomUUID(), label: 'phrase', edits: [{ regionId: id, revision, diff: { phrase: { before, after } } }] })
    await edit('the red car', 'the blue car', 1)
    expect((await samplesOf({})).get('the blue car')!.phraseConcepts).toBeUndefined()
    await edit('the blue car', 'the red car', 2)
    expect((await samplesOf({})).get('the red car')!.phraseConcepts).toEqual(['red', 'car'])
  })
})
