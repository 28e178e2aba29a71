import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { bicubicPeak, prepareHeat, scoreRegion } from '../../src/shared/consistency.ts'
import type { Region, RegionFields } from '../../src/shared/domain.ts'
import type { Box } from '../../src/shared/geometry.ts'
import { diffRegion } from '../../src/shared/region-diff.ts'
import { shapeOf } from '../../src/shared/shape.ts'
import type { EngineCore } from '../../src/main/engine/engine.ts'
import { manifestSamples } from '../../src/main/store/manifest-rows.ts'
import { addCheckpoint, annotationsOf, type FakeCompute, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

let engine: EngineCore & { compute: FakeCompute }
let datasetId: string

beforeEach(async () => {
  engine = await openTestEngine()
  datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(3, 2)))
})

const regions = async (): Promise<Region[]> => {
  const { rows } = await engine.handlers.regions.query({ filter: { datasetId }, sort: 'file-order', descending: false, offset: 0, limit: 100 })
  const images = [...new Set(rows.map((row) => row.imageId))]
  const found: Region[] = []
  for (const imageId of images) found.push(...(await engine.handlers.regions.onImage({ imageId, checkpointIds: [] })).regions)
  return found
}
const fieldsOf = ({ phrase, boxes, outlines, status, tags, note, deleted }: Region): RegionFields => ({ phrase, boxes, outlines, status, tags, note, deleted })
const edit = (region: Region, change: Partial<RegionFields>, label = 'Edit') =>
  engine.handlers.regions.apply({ editId: randomUUID(), label, edits: [{ regionId: region.id, revision: region.revision, diff: diffRegion(fieldsOf(region), { ...fieldsOf(region), ...change }) }] })
const failure = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    return error
  }
  return null
}

describe('an edit', () => {
  test('gives a new revision, and the history tells who did what, from the import on', async () => {
    const [region] = await regions()
    const { regions: [after], undoLabel, redoLabel } = await edit(region!, { phrase: 'the other thing' }, 'Change phrase')
    expect(after).toMatchObject({ phrase: 'the other thing', revision: 2, boxes: region!.boxes })
    expect([undoLabel, redoLabel]).toEqual(['Change phrase', null])
    const history = await engine.handlers.regions.history({ id: region!.id })
    expect(history.map((entry) => [entry.revision, entry.label, entry.fields.phrase])).toEqual([[2, 'Change phrase', 'the other thing'], [1, 'Imported', region!.phrase]])
    expect(history[0]!.actor).toBe(engine.context.author())
  })

  test('made on an older revision is a conflict and overwrites nothing', async () => {
    const [region] = await regions()
    await edit(region!, { note: 'first' })
    expect(await failure(() => edit(region!, { note: 'second' }))).toMatchObject({ code: 'conflict' })
    expect((await regions())[0]!.note).toBe('first')
  })

  test('sent twice under one id is made once', async () => {
    const [region] = await regions()
    const request = { editId: randomUUID(), label: 'Accept', edits: [{ regionId: region!.id, revision: 1, diff: { status: { before: 'unreviewed' as const, after: 'accepted' as const } } }] }
    const first = await engine.handlers.regions.apply(request)
    expect(await engine.handlers.regions.apply(request)).toEqual(first)
    expect((await regions())[0]!.revision).toBe(2)
  })

  test('of several regions is made as a whole or not at all', async () => {
    const [a, b] = await regions()
    const diff = { note: { before: '', after: 'both' } }
    const edits = [{ regionId: a!.id, revision: 1, diff }, { regionId: b!.id, revision: 7, diff }]
    expect(await failure(() => engine.handlers.regions.apply({ editId: randomUUID(), label: 'Both', edits }))).toMatchObject({ code: 'conflict' })
    expect((await regions()).every((region) => region.note === '' && region.revision === 1)).toBe(true)
    expect(await engine.handlers.regions.undoState({})).toEqual({ undoLabel: null, redoLabel: null, undoEditId: null, redoEditId: null })
  })

  test('that changes one region in steps is undone backwards', async () => {
    const [region] = await regions()
    const step = (revision: number, before: string, after: string) => ({ regionId: region!.id, revision, diff: { note: { before, after } } })
    await engine.handlers.regions.apply({ editId: randomUUID(), label: 'Steps', edits: [step(1, '', 'one'), step(2, 'one', 'two'), step(3, 'two', 'three')] })
    expect((await regions())[0]!.note).toBe('three')
    await engine.handlers.regions.undo({})
    expect((await regions())[0]!.note).toBe('')
    await engine.handlers.regions.redo({})
    expect((await regions())[0]!.note).toBe('three')
  })

  test.each([
    ['without area', { boxes: [[5, 5, 5, 9]] as Box[] }],
    ['inverted', { boxes: [[9, 5, 5, 9]] as Box[] }],
  ])('with a box %s is refused', async (_name, change) => {
    const [region] = await regions()
    expect(await failure(() => edit(region!, change))).toMatchObject({ code: 'bad-input' })
  })

  test('is announced to every page with the names of what undo would do', async () => {
    const heard: unknown[] = []
    engine.context.events.on((event) => heard.push(event))
    const [region] = await regions()
    await edit(region!, { status: 'accepted' }, 'Accept')
    expect(heard).toContainEqual({ type: 'regions.changed', datasetId, imageIds: [region!.imageId], regionIds: [region!.id], undoLabel: 'Accept', redoLabel: null, undoEditId: expect.any(String) as string, redoEditId: null })
  })
})

describe('the outline of a box', () => {
  const TRIANGLE = [3, 3, 30, 3, 3, 24]
  const triangle = { boxes: [[3, 3, 30, 24]] as Box[], outlines: [TRIANGLE] }

  test('is kept with its revision, told by the history, taken back and made again', async () => {
    const [region] = await regions()
    await edit(region!, triangle, 'Outline drawn')
    expect((await regions())[0]).toMatchObject({ ...triangle, revision: 2 })
    expect((await engine.handlers.regions.history({ id: region!.id })).map(({ fields }) => fields.outlines)).toEqual([[TRIANGLE], []])
    await engine.handlers.regions.undo({})
    expect((await regions())[0]).toMatchObject({ boxes: region!.boxes, outlines: [] })
    await engine.handlers.regions.redo({})
    expect((await regions())[0]).toMatchObject(triangle)
  })

  test('must have its box as its bounds, whoever sends it', async () => {
    const [region] = await regions()
    const { regions: [outlined] } = await edit(region!, triangle)
    // A page that knows nothing of outlines moves the box alone.
    const moved = { boxes: { before: outlined!.boxes, after: [[4, 3, 31, 24] as const] } }
    expect(await failure(() => engine.handlers.regions.apply({ editId: randomUUID(), label: 'Box moved', edits: [{ regionId: region!.id, revision: 2, diff: moved }] })))
      .toMatchObject({ code: 'bad-input', place: 'outlines', message: expect.stringContaining('Box 1 is [4, 3, 31, 24]') as string })
    expect(await failure(() => edit(outlined!, { outlines: [[3, 3, 30, 24]] }))).toMatchObject({ code: 'bad-input', place: 'outlines' })
    expect(await failure(() => engine.handlers.regions.apply({
      editId: randomUUID(), label: 'New', edits: [{ regionId: 'new', imageId: region!.imageId, create: { ...fieldsOf(region!), outlines: [TRIANGLE] } }],
    }))).toMatchObject({ code: 'bad-input', place: 'outlines' })
    expect((await regions()).map(({ revision }) => revision)).toEqual([2, ...(await regions()).slice(1).map(() => 1)])
  })

  test('comes with a new region, and a page that does not know of it makes one without', async () => {
    const [region] = await regions()
    const { outlines: _none, ...older } = fieldsOf(region!)
    await engine.handlers.regions.apply({ editId: randomUUID(), label: 'New', edits: [
      { regionId: 'outlined', imageId: region!.imageId, create: { ...older, ...triangle } }, { regionId: 'plain', imageId: region!.imageId, create: older },
    ] })
    const made = new Map((await regions()).map((one) => [one.id, one]))
    expect(made.get('outlined')).toMatchObject(triangle)
    expect(made.get('plain')).toMatchObject({ boxes: region!.boxes, outlines: [] })
  })

  test('edited on an older revision is a conflict', async () => {
    const [region] = await regions()
    await edit(region!, triangle)
    expect(await failure(() => edit(region!, { ...triangle, outlines: [[3, 3, 30, 24, 3, 24]] }))).toMatchObject({ code: 'conflict' })
    expect((await regions())[0]).toMatchObject(triangle)
  })

  test('is frozen with the sample that a compute process is given', async () => {
    const [region] = await regions()
    await edit(region!, triangle)
    const samples = [...manifestSamples(engine.context.db, { datasetId }, (path) => path)]
    expect(samples.find(({ regionId }) => regionId === region!.id)).toMatchObject(triangle)
    expect(samples.filter(({ regionId }) => regionId !== region!.id).every((sample) => !('outlines' in sample))).toBe(true)
  })
})

describe('a new region', () => {
  const create = (imageId: string, regionId: string) =>
    engine.handlers.regions.apply({
      editId: randomUUID(), label: 'Draw', edits: [{ regionId, imageId, create: { phrase: 'a new thing', boxes: [[1, 2, 9, 9.5]], status: 'unreviewed', tags: ['new'], note: '', deleted: false } }],
    })

  test('stands after the others, goes by undo and comes back by redo', async () => {
    const before = await regions()
    const { regions: [made] } = await create(before[0]!.imageId, 'made-here')
    expect(made).toMatchObject({ id: 'made-here', revision: 1, phrase: 'a new thing', boxes: [[1, 2, 9, 9.5]], split: before[0]!.split })
    expect((await regions()).length).toBe(before.length + 1)
    await engine.handlers.regions.undo({})
    expect((await regions()).map((region) => region.id)).toEqual(before.map((region) => region.id))
    await engine.handlers.regions.redo({})
    expect((await regions()).find((region) => region.id === 'made-here')).toMatchObject({ phrase: 'a new thing', tags: ['new'] })
  })

  test('cannot take an id that is there, nor an image that is not', async () => {
    const [first] = await regions()
    expect(await failure(() => create(first!.imageId, first!.id))).toMatchObject({ code: 'conflict' })
    expect(await failure(() => create('nowhere', 'fresh'))).toMatchObject({ code: 'not-found' })
  })
})

describe('a step that names its edit', () => {
  const undo = (editId: string) => engine.handlers.regions.undo({ editId })
  const redo = (editId: string) => engine.handlers.regions.redo({ editId })

  test('takes back that edit and, asked again, no other', async () => {
    const [region] = await regions()
    const first = (await edit(region!, { note: 'first' }, 'First')).undoEditId!
    const second = (await edit((await regions())[0]!, { note: 'second' }, 'Second')).undoEditId!
    expect(second).not.toBe(first)
    const answer = await undo(second)
    expect(answer).toMatchObject({ undoEditId: first, redoEditId: second, redoLabel: 'Second' })
    expect(await undo(second)).toEqual(answer)
    expect((await regions())[0]!.note).toBe('first')
    const again = await redo(second)
    expect(await redo(second)).toEqual(again)
    expect((await regions())[0]!.note).toBe('second')
  })

  test('is a conflict when another edit was made since, and changes nothing', async () => {
    const [region, other] = await regions()
    const first = (await edit(region!, { note: 'first' }, 'First')).undoEditId!
    await edit(other!, { note: 'elsewhere' })
    expect(await failure(() => undo(first))).toMatchObject({ code: 'conflict' })
    expect(await failure(() => redo(first))).toMatchObject({ code: 'conflict' })
    expect(await failure(() => undo('nobody'))).toMatchObject({ code: 'conflict' })
    expect((await regions()).map((entry) => entry.note).slice(0, 2)).toEqual(['first', 'elsewhere'])
    await engine.handlers.regions.undo({})
    await undo(first)
    await edit((await regions())[0]!, { note: 'third' })
    expect(await failure(() => redo(first))).toMatchObject({ code: 'conflict' })
  })
})

test('undo goes with the removed dataset: there is nothing to undo in what is gone', async () => {
  const [region] = await regions()
  await edit(region!, { note: 'x' })
  await engine.handlers.datasets.remove({ id: datasetId })
  expect(await engine.handlers.regions.undoState({})).toEqual({ undoLabel: null, redoLabel: null, undoEditId: null, redoEditId: null })
  expect(await engine.handlers.regions.undo({})).toMatchObject({ regions: [] })
})

test('any sequence of edits, undos and redos gives exactly the states a simple stack gives', async () => {
  const box = fc.tuple(fc.double({ min: -20, max: 60, noNaN: true }), fc.double({ min: -20, max: 60, noNaN: true }), fc.double({ min: 0.25, max: 40, noNaN: true }), fc.double({ min: 0.25, max: 40, noNaN: true }))
    .map(([x, y, w, h]): Box => [x, y, x + w, y + h]).filter((b) => b[2] > b[0] && b[3] > b[1])
  const change = fc.record({
    phrase: fc.string({ maxLength: 12 }), boxes: fc.array(box, { maxLength: 3 }), status: fc.constantFrom('accepted' as const, 'rejected' as const, 'unreviewed' as const),
    tags: fc.array(fc.string({ maxLength: 4 }), { maxLength: 2 }), note: fc.string({ maxLength: 5 }), deleted: fc.boolean(),
  }, { requiredKeys: [] }).map((fields) => ({
    ...fields, // about half of the boxes have an outline
    ...(fields.boxes ? shapeOf(fields.boxes, fields.boxes.map(([x, y, u, v]) => (Math.round(x + y) % 2 ? [x, y, u, y, x, v] : []))) : {}),
  }))
  const command = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('edit' as const), which: fc.nat(20), change, second: fc.option(fc.tuple(fc.nat(20), change), { nil: null }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('create' as const), which: fc.nat(20), change }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'undo' as const }) }, { weight: 2, arbitrary: fc.constant({ kind: 'redo' as const }) },
  )
  const all = (): Map<string, RegionFields & { revision: number }> =>
    new Map(engine.context.db.all<{ id: string; phrase: string; boxes: string; outlines: string; status: string; tags: string; note: string; deleted: number; revision: number }>('SELECT * FROM regions ORDER BY id')
      .map((row) => [row.id, { phrase: row.phrase, boxes: JSON.parse(row.boxes) as Box[], outlines: JSON.parse(row.outlines) as number[][], status: row.status as 'accepted', tags: JSON.parse(row.tags) as string[], note: row.note, deleted: row.deleted === 1, revision: row.revision }]))
  const states = (): string => JSON.stringify([...all()].filter(([, region]) => !region.deleted).map(([id, { revision: _revision, ...fields }]) => [id, fields]))

  const imageId = (await regions())[0]!.imageId
  await fc.assert(fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
    engine.context.db.run("UPDATE edits SET state = 'dropped'") // each run starts with an empty ledger, on whatever the last one left
    let [past, future, now]: [string[], string[], string] = [[], [], states()]
    for (const one of commands) {
      const here = [...all()]
      if (one.kind === 'edit') {
        const target = (which: number, to: Partial<RegionFields>) => {
          const [regionId, { revision, ...fields }] = here[which % here.length]!
          return { regionId, revision, diff: diffRegion(fields, { ...fields, ...to }) }
        }
        const edits = [target(one.which, one.change)]
        if (one.second && one.second[0] % here.length !== one.which % here.length) edits.push(target(...one.second))
        if (edits.every(({ diff }) => Object.keys(diff).length === 0)) continue
        await engine.handlers.regions.apply({ editId: randomUUID(), label: 'edit', edits })
        ;[past, future, now] = [[...past, now], [], states()]
      } else if (one.kind === 'create') {
        const fields = { phrase: 'p', boxes: [], outlines: [], status: 'unreviewed' as const, tags: [], note: '', ...one.change, deleted: false }
        await engine.handlers.regions.apply({ editId: randomUUID(), label: 'create', edits: [{ regionId: randomUUID(), imageId, create: fields }] })
        ;[past, future, now] = [[...past, now], [], states()]
      } else if (one.kind === 'undo') {
        await engine.handlers.regions.undo({})
        const before = past.pop()
        if (before !== undefined) [future, now] = [[...future, now], before]
      } else {
        await engine.handlers.regions.redo({})
        const after = future.pop()
        if (after !== undefined) [past, now] = [[...past, now], after]
      }
      expect(states()).toBe(now)
      const labels = await engine.handlers.regions.undoState({})
      expect([labels.undoLabel !== null, labels.redoLabel !== null]).toEqual([past.length > 0, future.length > 0])
    }
  }), { numRuns: 60 })
})

describe('scores after an edit', () => {
  const setUp = async () => {
    const checkpoint = await addCheckpoint(engine.context.project, 'one')
    const [region] = await regions()
    const heat = await engine.handlers.heatmaps.get({ imageId: region!.imageId, checkpointId: checkpoint.id, phrase: region!.phrase })
    const scores = async () => (await engine.handlers.regions.onImage({ imageId: region!.imageId, checkpointIds: [checkpoint.id] })).scores[checkpoint.id]![region!.id]
    return { checkpoint, region: region!, heat, scores }
  }

  test('of a box are those the page computed from the same heatmap, to the last bit', async () => {
    const { region, heat, scores } = await setUp()
    const box: Box = [3.25, 4.5, 33.125, 21]
    await edit(region, { boxes: [box] })
    const image = { width: 40, height: 30 }
    expect(heat.peak).toEqual(bicubicPeak(heat.grid, image))
    const expected = scoreRegion(prepareHeat(heat.grid, heat.peak, heat.maskSize), { boxes: [box], outlines: [] }, image)
    expect(await scores()).toEqual({ ...expected, matchProbability: heat.matchProbability })
  })

  test('of an outline are those of its shape, to the last bit', async () => {
    const { region, heat, scores } = await setUp()
    const shape = { boxes: [[3.25, 4.5, 33.125, 21]] as Box[], outlines: [[3.25, 4.5, 33.125, 8, 20, 21]] }
    await edit(region, { boxes: shape.boxes })
    const ofBox = await scores()
    const { regions: [again] } = await engine.handlers.regions.undo({})
    await edit(again!, shape)
    const expected = scoreRegion(prepareHeat(heat.grid, heat.peak, heat.maskSize), shape, { width: 40, height: 30 })
    expect(await scores()).toEqual({ ...expected, matchProbability: heat.matchProbability })
    expect(expected.insideEnergy).toBeLessThan(ofBox!.insideEnergy)
  })

  test('of a phrase are dropped until its own heatmap is there, and come back with undo', async () => {
    const { checkpoint, region, scores } = await setUp()
    const before = await scores()
    expect(before).toBeDefined()
    await edit(region, { phrase: 'something else' })
    expect(await scores()).toBeUndefined()
    await engine.handlers.heatmaps.get({ imageId: region.imageId, checkpointId: checkpoint.id, phrase: 'something else' })
    expect(await scores()).toBeDefined()
    await engine.handlers.regions.undo({})
    expect(await scores()).toEqual(before)
  })

  test('of a deleted region are gone, and an accepted one keeps them', async () => {
    const { region, scores } = await setUp()
    const before = await scores()
    const { regions: [accepted] } = await edit(region, { status: 'accepted' })
    expect(await scores()).toEqual(before)
    await edit(accepted!, { deleted: true })
    expect(await scores()).toBeUndefined()
  })
})
