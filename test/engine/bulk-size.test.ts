/** One edit of a hundred thousand regions, as the queue sends it: made, undone, made again, undone after a restart. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Db } from '../../src/main/store/db.ts'
import { openTestEngine, temporaryFolder } from '../support/engine.ts'

const REGIONS = 100_000

/** A hundred phrases an image, a fifth of them accepted. */
function fill(db: Db): void {
  db.transaction(() => {
    db.run("INSERT INTO datasets (id, name, format, source, created_at, state) VALUES ('d', 'd', 'f', 's', 't', 'ready')")
    for (let n = 0; n < REGIONS; n++) {
      const image = `i${Math.floor(n / 100)}`
      if (n % 100 === 0) db.run("INSERT INTO images (id, dataset_id, name, path, width, height, orientation, bytes, split, position) VALUES (?, 'd', ?, ?, 80, 60, 1, 1, 'train', ?)", image, image, image, n / 100)
      db.run(
        "INSERT INTO regions (id, image_id, dataset_id, position, split, phrase, boxes, box_count, status, tags, note, deleted, revision, flags) VALUES (?, ?, 'd', ?, 'train', ?, '[[1,2,30,40]]', 1, ?, '[]', '', 0, 1, '[]')",
        `r${n}`, image, n, `thing ${n % 977}`, n % 5 === 0 ? 'accepted' : 'unreviewed',
      )
    }
  })
}

test('an edit of 100,000 regions is one step, forth and back, over a restart, with every count right', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  let engine = await openTestEngine({ projectDir })
  fill(engine.context.db)
  const count = (where: string): number => engine.context.db.get<{ n: number }>(`SELECT count(*) AS n FROM regions WHERE ${where}`)!.n
  /** What the regions hold, beside their revisions. */
  const digest = (): unknown => engine.context.db.get("SELECT sum(status = 'accepted') AS accepted, sum(status = 'unreviewed') AS open, sum(review IS NULL) AS undecided, sum(deleted) AS deleted FROM regions")
  const before = digest()
  const others = REGIONS - count("status = 'accepted'")

  const snapshot = { owner: 'window', number: 1 }
  expect(await engine.handlers.regions.query({ filter: { datasetId: 'd' }, sort: 'phrase', descending: false, offset: 0, limit: 10, snapshot })).toMatchObject({ total: REGIONS })
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
