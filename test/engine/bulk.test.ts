import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { BulkAction, Selection } from '../../src/shared/contract/bulk.ts'
import type { Region } from '../../src/shared/domain.ts'
import { diffRegion } from '../../src/shared/region-diff.ts'
import { agreement } from '../../src/main/features/regions/bulk-actions.ts'
import type { EngineCore } from '../../src/main/engine/engine.ts'
import { annotationsOf, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

/** More than one part of an edit. */
const REGIONS = 450
let engine: EngineCore
let projectDir: string
let datasetId: string

beforeEach(async () => {
  projectDir = join(await temporaryFolder(), 'project')
  engine = await openTestEngine({ projectDir })
  datasetId = await importInto(engine, await writeDataset(join(projectDir, 'data'), annotationsOf(3, REGIONS / 3)))
})

const bulk = (selection: Selection, action: BulkAction, more: { editId?: string; since?: string } = {}) => engine.handlers.regions.bulk({ editId: randomUUID(), selection, action, ...more })
const all = (): Selection => ({ filter: { datasetId } })
/** Everything a diff may change, as it lies in the database, byte for byte. */
const stored = (): string => JSON.stringify(engine.context.db.all('SELECT id, phrase, boxes, outlines, status, tags, note, deleted, split, assignee, review, second FROM regions ORDER BY id'))
const count = (where: string): number => engine.context.db.get<{ n: number }>(`SELECT count(*) AS n FROM regions WHERE ${where}`)!.n
const ids = (limit: number): string[] => engine.context.db.column<string>('SELECT id FROM regions ORDER BY position LIMIT ?', limit)
const failure = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    return error
  }
  return null
}
const regionOf = async (id: string): Promise<Region> => {
  const imageId = engine.context.db.column<string>('SELECT image_id FROM regions WHERE id = ?', id)[0]!
  return (await engine.handlers.regions.onImage({ imageId, checkpointIds: [] })).regions.find((one) => one.id === id)!
}
const as = (name: string) => engine.handlers.system.setAuthor({ author: name })

describe('an edit of many regions', () => {
  test('is one step of undo with a name, over a restart too, and gives back every byte', async () => {
    const before = stored()
    expect(await bulk(all(), { kind: 'status', status: 'accepted' })).toMatchObject({ selected: REGIONS, changed: REGIONS, undoLabel: 'Accept 450 regions', redoLabel: null })
    const after = stored()
    expect(count("status = 'accepted' AND json_extract(review, '$.by') IS NOT NULL")).toBe(REGIONS)
    await engine.close()
    engine = await openTestEngine({ projectDir })
    expect(await engine.handlers.regions.undo({})).toMatchObject({ regions: [], undoLabel: null, redoLabel: 'Accept 450 regions' })
    expect(stored()).toBe(before)
    await engine.close()
    engine = await openTestEngine({ projectDir })
    await engine.handlers.regions.redo({})
    expect(stored()).toBe(after)
    const [first] = ids(1)
    expect((await engine.handlers.regions.history({ id: first! })).map((entry) => entry.label)).toEqual(['Redo: Accept 450 regions', 'Undo: Accept 450 regions', 'Accept 450 regions', 'Imported'])
  })

  test('changes only what is not so already, and nothing at all is no edit', async () => {
    await bulk({ ids: ids(3) }, { kind: 'status', status: 'rejected' })
    expect(await bulk({ ids: ids(5) }, { kind: 'status', status: 'rejected' })).toMatchObject({ selected: 5, changed: 2, undoLabel: 'Reject 2 regions' })
    expect(await bulk({ ids: ids(5) }, { kind: 'status', status: 'rejected' })).toMatchObject({ changed: 0, undoLabel: 'Reject 2 regions' })
  })

  test('sent twice under one id is made once', async () => {
    const editId = randomUUID()
    const first = await bulk(all(), { kind: 'tag', tag: 'odd' }, { editId })
    const once = stored()
    expect(await bulk(all(), { kind: 'tag', tag: 'odd' }, { editId })).toEqual(first)
    expect(stored()).toBe(once)
  })

  test.each<[string, BulkAction, string, string]>([
    ['tag', { kind: 'tag', tag: ' odd ' }, "tags = '[\"odd\"]'", 'Tag 450 regions “odd”'],
    ['split', { kind: 'split', split: 'held out' }, "split = 'held out'", 'Move 450 regions to held out'],
    ['assign', { kind: 'assign', to: 'Bo' }, "assignee = 'Bo'", 'Assign 450 regions to Bo'],
    ['delete', { kind: 'delete' }, 'deleted = 1', 'Delete 450 regions'],
    ['replace', { kind: 'replace', find: 'THE thing', replacement: '$& one', regex: false, matchCase: false }, "phrase LIKE '$& one number %'", 'Replace “THE thing” in 450 phrases'],
    ['replace by an expression', { kind: 'replace', find: 'the (\\w+) number (\\d+)', replacement: '$2: $1', regex: true, matchCase: true }, "phrase LIKE '%: thing'", 'Replace “the (\\w+) number (\\d+)” in 450 phrases'],
  ])('can %s, and be undone', async (_name, action, where, label) => {
    const before = stored()
    expect(await bulk(all(), action)).toMatchObject({ undoLabel: label })
    expect(count(where)).toBe(REGIONS)
    await engine.handlers.regions.undo({})
    expect(stored()).toBe(before)
  })

  test('of places of an open queue means what stood there when it was opened', async () => {
    const snapshot = { owner: 'window', number: 1 }
    const { rows } = await engine.handlers.regions.query({ filter: { datasetId, statuses: ['unreviewed'] }, sort: 'phrase', descending: true, offset: 0, limit: 50, snapshot })
    await bulk({ ids: [rows[1]!.id] }, { kind: 'status', status: 'skipped' })
    expect(await bulk({ snapshot, ranges: [[1, 3], [3, 4], [448, 5000]] }, { kind: 'tag', tag: 't' })).toMatchObject({ selected: 6, changed: 6 })
    expect(count(`tags <> '[]' AND id IN (${rows.slice(1, 5).map((row) => `'${row.id}'`).join(', ')})`)).toBe(4)
    expect(await failure(() => bulk({ snapshot: { owner: 'window', number: 2 }, ranges: [[0, 1]] }, { kind: 'delete' }))).toMatchObject({ code: 'not-found' })
  })

  test('names what somebody else changed since it was looked at, and changes nothing', async () => {
    const action: BulkAction = { kind: 'status', status: 'accepted' }
    const { since } = await engine.handlers.regions.previewBulk({ selection: all(), action, offset: 0, limit: 0 })
    await new Promise((resolve) => setTimeout(resolve, 5))
    await as('Bo')
    const region = await regionOf(ids(1)[0]!)
    await bulk({ ids: [region.id] }, { kind: 'status', status: 'rejected' })
    await as('Ann')
    const before = stored()
    expect(await failure(() => bulk(all(), action, { since }))).toMatchObject({ code: 'conflict', message: expect.stringContaining(`“${region.phrase}”`) })
    expect(stored()).toBe(before)
    expect(await bulk(all(), action)).toMatchObject({ changed: REGIONS })
  })

  test('that meets an error half way is taken back whole', async () => {
    const last = engine.context.db.column<string>('SELECT id FROM regions ORDER BY position DESC LIMIT 1')[0]!
    const region = await regionOf(last)
    await engine.handlers.regions.apply({ editId: randomUUID(), label: 'Long', edits: [{ regionId: last, revision: 1, diff: diffRegion(region, { ...region, phrase: 'x'.repeat(9999) }) }] })
    const before = stored()
    expect(await failure(() => bulk(all(), { kind: 'replace', find: '$', replacement: ' and more', regex: true, matchCase: true }))).toMatchObject({ code: 'bad-input' })
    expect(stored()).toBe(before)
    expect(engine.context.db.all('SELECT * FROM open_edits')).toEqual([])
    expect(await engine.handlers.regions.undoState({})).toMatchObject({ undoLabel: 'Long' })
  })

  test('can be cancelled while it is made, and other edits wait for its end', async () => {
    const before = stored()
    const abort = new AbortController()
    const stop = engine.context.events.on((event) => event.type === 'regions.edited' && abort.abort())
    const running = failure(() => engine.handlers.regions.bulk({ editId: randomUUID(), selection: all(), action: { kind: 'delete' } }, { signal: abort.signal }))
    const note = bulk({ ids: ids(1) }, { kind: 'tag', tag: 'after' })
    expect(await running).toMatchObject({ code: 'cancelled' })
    stop()
    expect(await note).toMatchObject({ changed: 1 })
    await engine.handlers.regions.undo({})
    expect(stored()).toBe(before)
  })

  test('is taken back by undo only as a whole: what was changed past the ledger is named', async () => {
    await bulk(all(), { kind: 'tag', tag: 't' })
    engine.context.db.run("UPDATE regions SET tags = '[]' WHERE id = ?", ids(1)[0]!)
    const before = stored()
    expect(await failure(() => engine.handlers.regions.undo({}))).toMatchObject({ code: 'conflict', message: expect.stringContaining('1 of the 450 regions') })
    expect(stored()).toBe(before)
  })
})

describe('replacing text', () => {
  const preview = (action: Omit<Extract<BulkAction, { kind: 'replace' }>, 'kind'>, offset = 0) => engine.handlers.regions.previewBulk({ selection: all(), action: { kind: 'replace', ...action }, offset, limit: 3 })

  test('shows every change before it is made, page by page', async () => {
    const action = { find: 'number 1', replacement: 'no. 1', regex: false, matchCase: true }
    const page = await preview(action, 1)
    expect([page.selected, page.changed, page.changes.map(({ before, after }) => [before, after])]).toEqual([REGIONS, 111, [['the thing number 10', 'the thing no. 10'], ['the thing number 11', 'the thing no. 11'], ['the thing number 12', 'the thing no. 12']]])
  })

  test('refuses an expression that is none, one that would take for ever, and nothing to look for', async () => {
    expect(await failure(() => preview({ find: '(', replacement: '', regex: true, matchCase: true }))).toMatchObject({ code: 'bad-input', place: 'find' })
    expect(await failure(() => preview({ find: '', replacement: '', regex: false, matchCase: true }))).toMatchObject({ code: 'bad-input' })
    const region = await regionOf(ids(1)[0]!)
    await engine.handlers.regions.apply({ editId: randomUUID(), label: 'Long', edits: [{ regionId: region.id, revision: 1, diff: diffRegion(region, { ...region, phrase: `${'a'.repeat(40)}!` }) }] })
    expect(await failure(() => preview({ find: '(a+)+$', replacement: '', regex: true, matchCase: true }))).toMatchObject({ code: 'bad-input', message: expect.stringContaining('too long') })
  })
})

describe('a second review', () => {
  test('is kept beside the first, by another person, with how far the two agree', async () => {
    await as('Ann')
    const [one, two, three] = ids(3)
    await bulk({ ids: [one!, two!] }, { kind: 'status', status: 'accepted' })
    expect(await bulk({ ids: [one!] }, { kind: 'second', status: 'accepted' })).toMatchObject({ changed: 0 })
    await as('Bo')
    const region = await regionOf(two!)
    await engine.handlers.regions.apply({ editId: randomUUID(), label: 'Fix', edits: [{ regionId: two!, revision: region.revision, diff: diffRegion(region, { ...region, phrase: 'another thing', boxes: region.boxes.map(([x1, y1, x2, y2]) => [x1, y1, x1 + (x2 - x1) / 2, y2] as const) }) }] })
    expect(await bulk({ ids: [one!, two!, three!] }, { kind: 'second', status: 'rejected' })).toMatchObject({ changed: 2, undoLabel: 'Second review, rejected: 2 regions' })
    expect((await regionOf(one!))).toMatchObject({ status: 'accepted', review: { by: 'Ann' }, second: { by: 'Bo', status: 'rejected', iou: 1, samePhrase: true } })
    expect((await regionOf(two!)).second).toMatchObject({ iou: 0.5, samePhrase: false })
    await engine.handlers.regions.undo({})
    expect(count('second IS NOT NULL')).toBe(0)
  })

  test('shows in the list of agreement, the furthest apart first, in the progress of each person, and in what can be filtered by', async () => {
    await as('Ann')
    const [one, two, three] = ids(3)
    await bulk({ ids: [one!, two!, three!] }, { kind: 'status', status: 'accepted' })
    await bulk({ ids: ids(10) }, { kind: 'assign', to: 'Ann' })
    await as('Bo')
    await bulk({ ids: [one!, three!] }, { kind: 'second', status: 'accepted' })
    await bulk({ ids: [two!] }, { kind: 'second', status: 'rejected' })
    const { pairs, regions } = await engine.handlers.regions.agreement({ datasetId, limit: 2 })
    expect(pairs).toMatchObject([{ first: 'Ann', second: 'Bo', regions: 3, sameStatus: 2, samePhrase: 3, meanIou: 1 }])
    expect([regions.length, regions[0]]).toMatchObject([2, { regionId: two, firstStatus: 'accepted', secondStatus: 'rejected', iou: 1, samePhrase: true }])
    const { days, assigned } = await engine.handlers.regions.progress({ datasetId })
    expect(days.map(({ by, accepted, rejected, second }) => ({ by, accepted, rejected, second }))).toEqual([{ by: 'Ann', accepted: 3, rejected: 0, second: 0 }, { by: 'Bo', accepted: 0, rejected: 0, second: 3 }])
    expect(assigned).toEqual([{ to: 'Ann', total: 10, decided: 3 }])
    expect(await engine.handlers.regions.facets({ datasetId })).toMatchObject({ reviewers: [{ name: 'Ann', count: 3 }], assignees: [{ name: 'Ann', count: 10 }] })
    await engine.handlers.regions.undo({})
    expect((await engine.handlers.regions.agreement({ datasetId, limit: 9 })).regions).toHaveLength(2)
  })

  test('agreement of boxes is a mean over both sides', () => {
    expect(agreement([], [])).toBe(1)
    expect(agreement([[0, 0, 2, 2]], [])).toBe(0)
    expect(agreement([[0, 0, 2, 2]], [[0, 0, 2, 2], [8, 8, 9, 9]])).toBeCloseTo(2 / 3)
  })
})

test('any sequence of single edits, edits of many, undos and redos gives exactly the states a simple stack gives', async () => {
  const action = fc.oneof(
    fc.constantFrom<BulkAction>({ kind: 'delete' }, { kind: 'tag', tag: 'a' }, { kind: 'tag', tag: 'b' }, { kind: 'untag', tag: 'a' }, { kind: 'split', split: 'val' }, { kind: 'assign', to: 'Bo' }, { kind: 'assign', to: null }),
    fc.constantFrom('accepted', 'rejected', 'unreviewed', 'skipped').map((status): BulkAction => ({ kind: 'status', status: status as 'accepted' })),
    fc.constantFrom('accepted', 'rejected', null).map((status): BulkAction => ({ kind: 'second', status: status as 'accepted' })),
    fc.record({ find: fc.constantFrom('t', 'number', '1', '^the', 'zz'), replacement: fc.constantFrom('', '$&$&', 'é'), regex: fc.boolean(), matchCase: fc.boolean() }).map((one): BulkAction => ({ kind: 'replace', ...one })),
  )
  const command = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('bulk' as const), action, size: fc.constantFrom(1, 3, 450), author: fc.constantFrom('Ann', 'Bo') }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('edit' as const), which: fc.nat(5), note: fc.string({ maxLength: 3 }) }) },
    { weight: 3, arbitrary: fc.constant({ kind: 'undo' as const }) }, { weight: 2, arbitrary: fc.constant({ kind: 'redo' as const }) },
  )
  const live = (): string => JSON.stringify(engine.context.db.all('SELECT id, phrase, boxes, status, tags, note, split, assignee, review, second FROM regions WHERE deleted = 0 ORDER BY id'))
  await fc.assert(fc.asyncProperty(fc.array(command, { maxLength: 9 }), async (commands) => {
    engine.context.db.run("UPDATE edits SET state = 'dropped'")
    let [past, future, now]: [string[], string[], string] = [[], [], live()]
    for (const one of commands) {
      if (one.kind === 'bulk') {
        await as(one.author)
        const { changed } = await bulk({ ids: ids(one.size) }, one.action)
        if (changed > 0) [past, future, now] = [[...past, now], [], live()]
      } else if (one.kind === 'edit') {
        const row = engine.context.db.get<{ id: string; revision: number; note: string }>('SELECT id, revision, note FROM regions WHERE deleted = 0 ORDER BY id LIMIT 1 OFFSET ?', one.which)
        if (!row || row.note === one.note) continue
        await engine.handlers.regions.apply({ editId: randomUUID(), label: 'Note', edits: [{ regionId: row.id, revision: row.revision, diff: { note: { before: row.note, after: one.note } } }] })
        ;[past, future, now] = [[...past, now], [], live()]
      } else if (one.kind === 'undo') {
        await engine.handlers.regions.undo({})
        const before = past.pop()
        if (before !== undefined) [future, now] = [[...future, now], before]
      } else {
        await engine.handlers.regions.redo({})
        const after = future.pop()
        if (after !== undefined) [past, now] = [[...past, now], after]
      }
      expect(live()).toBe(now)
    }
  }), { numRuns: 15 })
}, 300_000)
