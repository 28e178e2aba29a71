/** One edit of a hundred thousand regions, as the queue sends it: made, undone, made again, undone after a restart. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeSyntheticQueue } from '../../src/main/bench/synthetic-queue.ts'
import { openTestEngine, temporaryFolder } from '../support/engine.ts'

const REGIONS = 100_000

test('an edit of 100,000 regions is one step, forth and back, over a restart, with every count right', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  let engine = await openTestEngine({ projectDir })
  const { datasetId } = await makeSyntheticQueue(engine.context.db, REGIONS, 1, () => undefined)
  const count = (where: string): number => engine.context.db.get<{ n: number }>(`SELECT count(*) AS n FROM regions WHERE ${where}`)!.n
  /** What the regions hold, beside their revisions. */
  const digest = (): unknown => engine.context.db.get("SELECT sum(status = 'accepted') AS accepted, sum(status = 'rejected') AS rejected, sum(status = 'skipped') AS skipped, sum(review IS NULL) AS open, sum(length(tags)) AS tags, sum(deleted) AS deleted FROM regions")
  const before = digest()
  const others = REGIONS - count("status = 'accepted'")

  const snapshot = { owner: 'window', number: 1 }
  expect(await engine.handlers.regions.query({ filter: { datasetId }, sort: 'phrase', descending: false, offset: 0, limit: 10, snapshot })).toMatchObject({ total: REGIONS })
  const steps: number[] = []
  const stop = engine.context.events.on((event) => event.type === 'regions.edited' && steps.push(event.done))
  const label = `Accept ${others.toLocaleString('en-US')} regions`
  expect(await engine.handlers.regions.bulk({ editId: randomUUID(), selection: { snapshot, ranges: [[0, REGIONS - 1]] }, action: { kind: 'status', status: 'accepted' } })).toMatchObject({ selected: REGIONS, changed: others, kept: 0, undoLabel: label, redoLabel: null })
  stop()
  expect([steps.at(-1), steps.every((done, i) => i === 0 || done >= steps[i - 1]!)]).toEqual([others, true])
  expect(count("status = 'accepted'")).toBe(REGIONS)
  const after = digest()

  expect(await engine.handlers.regions.undo({})).toMatchObject({ undoLabel: null, redoLabel: label })
  expect(digest()).toEqual(before)
  expect(await engine.handlers.regions.redo({})).toMatchObject({ undoLabel: label, redoLabel: null })
  expect(digest()).toEqual(after)
  await engine.close()
  engine = await openTestEngine({ projectDir })
  expect(await engine.handlers.regions.undoState({})).toMatchObject({ undoLabel: label })
  expect(await engine.handlers.regions.undo({})).toMatchObject({ undoLabel: null, redoLabel: label })
  expect(digest()).toEqual(before)
  // The imported state, the edit, undone, again, undone.
  expect(engine.context.db.get('SELECT count(*) AS n FROM revisions')).toEqual({ n: 5 * others })
  expect([count('revision = 5'), count('revision = 1')]).toEqual([others, REGIONS - others])
  expect(engine.context.db.all('SELECT * FROM open_edits')).toEqual([])
}, 900_000)
