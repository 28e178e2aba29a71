/** Edits of many regions that something else comes between: locked regions, changes past the ledger, a dataset that is removed. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { BulkAction, Selection } from '../../src/shared/contract/bulk.ts'
import type { EngineCore } from '../../src/main/engine/engine.ts'
import { applyBulk } from '../../src/main/features/regions/bulk.ts'
import { annotationsOf, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

/** More than one part of an edit, which is 400. */
const REGIONS = 450
const ACCEPT: BulkAction = { kind: 'status', status: 'accepted' }
let engine: EngineCore
let projectDir: string
let datasetId: string

beforeEach(async () => {
  projectDir = join(await temporaryFolder(), 'project')
  engine = await openTestEngine({ projectDir })
  datasetId = await importInto(engine, await writeDataset(join(projectDir, 'data'), annotationsOf(3, REGIONS / 3)))
})

const bulk = (selection: Selection, action: BulkAction, keep?: readonly string[]) => engine.handlers.regions.bulk({ editId: randomUUID(), selection, action, ...(keep ? { keep: [...keep] } : {}) })
const all = (): Selection => ({ filter: { datasetId } })
const count = (where: string): number => engine.context.db.get<{ n: number }>(`SELECT count(*) AS n FROM regions WHERE ${where}`)!.n
const ids = (limit: number): string[] => engine.context.db.column<string>('SELECT id FROM regions ORDER BY position LIMIT ?', limit)
const leftovers = () => [engine.context.db.all('SELECT * FROM open_edits'), engine.context.db.all('SELECT c.edit_id FROM edit_changes c LEFT JOIN edits e ON e.id = c.edit_id WHERE e.id IS NULL')]
const failure = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    return error
  }
  return null
}
/** Does something once, after the first part of an edit was written. */
const afterFirstPart = (meddle: () => unknown): void => {
  const stop = engine.context.events.on((event) => {
    if (event.type !== 'regions.edited') return
    stop()
    meddle()
  })
}

describe('regions that are locked', () => {
  test('are not deleted with the others, and are counted', async () => {
    const locked = ids(3)
    expect(await bulk(all(), { kind: 'delete' }, [...locked, 'somewhere else'])).toMatchObject({ selected: REGIONS, changed: REGIONS - 3, kept: 3, undoLabel: 'Delete 447 regions' })
    expect(engine.context.db.column<string>('SELECT id FROM regions WHERE deleted = 0 ORDER BY position')).toEqual(locked)
    expect(await bulk({ ids: locked }, { kind: 'delete' }, locked)).toMatchObject({ selected: 3, changed: 0, kept: 3, undoLabel: 'Delete 447 regions' })
    await engine.handlers.regions.undo({})
    expect(count('deleted = 1')).toBe(0)
  })

  test('change in everything that leaves their boxes alone', async () => {
    expect(await bulk({ ids: ids(5) }, ACCEPT, ids(3))).toMatchObject({ changed: 5, kept: 0 })
  })
})

describe('an edit that is called by what was written', () => {
  test('though some of it was done otherwise after it was looked at', async () => {
    const late = ids(REGIONS).slice(-20)
    afterFirstPart(() => engine.context.db.run(`UPDATE regions SET status = 'accepted' WHERE id IN (SELECT value FROM json_each(?))`, JSON.stringify(late)))
    expect(await bulk(all(), ACCEPT)).toMatchObject({ selected: REGIONS, changed: REGIONS - 20, undoLabel: 'Accept 430 regions' })
    expect((await engine.handlers.regions.history({ id: ids(1)[0]! }))[0]).toMatchObject({ label: 'Accept 430 regions' })
    await engine.handlers.regions.undo({})
    expect(count("status = 'accepted'")).toBe(20)
  })

  test('of few regions reads them again as it writes them', async () => {
    const [one, two] = ids(2)
    const { db } = engine.context
    const rows = Float64Array.from(db.column<number>('SELECT rowid FROM regions ORDER BY position LIMIT 3'))
    const meddling = {
      ...db,
      transaction: <T>(work: () => T): T => {
        db.run("UPDATE regions SET note = 'theirs' WHERE id = ?", one!)
        db.run("UPDATE regions SET status = 'accepted' WHERE id = ?", two!)
        return db.transaction(work)
      },
    }
    const outcome = await applyBulk(meddling, { editId: randomUUID(), rows, action: ACCEPT }, { name: 'Ann', at: new Date().toISOString() })
    expect(outcome).toMatchObject({ selected: 3, changed: 2, datasetId })
    expect(await engine.handlers.regions.undoState({})).toMatchObject({ undoLabel: 'Accept 2 regions' })
    expect(count("status = 'accepted' AND note = 'theirs'")).toBe(1)
  })
})

describe('an edit that does not come to its end', () => {
  test('is taken back, and what was changed otherwise meanwhile stays as it is', async () => {
    const [first] = ids(1)
    const abort = new AbortController()
    afterFirstPart(() => {
      engine.context.db.run("UPDATE regions SET status = 'skipped' WHERE id = ?", first!)
      abort.abort()
    })
    expect(await failure(() => engine.handlers.regions.bulk({ editId: randomUUID(), selection: all(), action: ACCEPT }, { signal: abort.signal }))).toMatchObject({ code: 'cancelled' })
    expect([count("status = 'skipped'"), count("status = 'unreviewed'")]).toEqual([1, REGIONS - 1])
    expect(leftovers()).toEqual([[], []])
    expect(await bulk(all(), ACCEPT)).toMatchObject({ changed: REGIONS })
  })

  test('as an undo leaves what stood before it, and the undo is offered again', async () => {
    await bulk(all(), { kind: 'tag', tag: 't' })
    const [first] = ids(1)
    // Undone from the end: the first region comes with the last part.
    afterFirstPart(() => engine.context.db.run("UPDATE regions SET tags = '[\"other\"]' WHERE id = ?", first!))
    expect(await failure(() => engine.handlers.regions.undo({}))).toMatchObject({ code: 'conflict' })
    expect([count(`tags = '["t"]'`), count(`tags = '["other"]'`)]).toEqual([REGIONS - 1, 1])
    expect(leftovers()).toEqual([[], []])
    expect(await engine.handlers.regions.undoState({})).toMatchObject({ undoLabel: 'Tag 450 regions “t”', redoLabel: null })
    engine.context.db.run("UPDATE regions SET tags = '[\"t\"]' WHERE id = ?", first!)
    await engine.handlers.regions.undo({})
    expect(count("tags = '[]'")).toBe(REGIONS)
  })
})

describe('a dataset that is removed', () => {
  test('while it is edited ends the edit and leaves nothing in the way of the next', async () => {
    const other = await importInto(engine, await writeDataset(join(projectDir, 'more'), annotationsOf(1, 2)))
    let removed: unknown = null
    afterFirstPart(() => (removed = engine.handlers.datasets.remove({ id: datasetId })))
    expect(await failure(() => bulk(all(), ACCEPT))).toMatchObject({ code: 'conflict' })
    await removed
    expect(leftovers()).toEqual([[], []])
    expect(await engine.handlers.regions.undoState({})).toMatchObject({ undoLabel: null, redoLabel: null })
    expect(await bulk({ filter: { datasetId: other } }, ACCEPT)).toMatchObject({ changed: 2 })
  })

  test.each(['undo', 'redo'] as const)('while a step is under way (%s) ends it the same way', async (direction) => {
    const other = await importInto(engine, await writeDataset(join(projectDir, 'more'), annotationsOf(1, 2)))
    await bulk(all(), ACCEPT)
    if (direction === 'redo') await engine.handlers.regions.undo({})
    let removed: unknown = null
    afterFirstPart(() => (removed = engine.handlers.datasets.remove({ id: datasetId })))
    expect(await failure(() => engine.handlers.regions[direction]({}))).toMatchObject({ code: 'conflict' })
    await removed
    expect(leftovers()).toEqual([[], []])
    expect(await bulk({ filter: { datasetId: other } }, ACCEPT)).toMatchObject({ changed: 2, undoLabel: 'Accept 2 regions' })
    await engine.close()
    engine = await openTestEngine({ projectDir })
    expect(await engine.handlers.regions.undo({})).toMatchObject({ undoLabel: null, redoLabel: 'Accept 2 regions' })
  })
})
