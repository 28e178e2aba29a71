import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/main/store/db.ts'
import { annotationsOf, type Client, connect, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'
import { mustStart, startEngineProcess } from '../support/engine-process.ts'

const ROUNDS = 8
/** Each start is a process of its own; beside training on two cores it takes many seconds. */
const TIMEOUT_MS = 300_000

test(`kill -9 in a storm of edits loses none that was acknowledged, ${ROUNDS} times in a row`, async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const first = await openTestEngine({ projectDir })
  const datasetId = await importInto(first, await writeDataset(join(projectDir, 'data'), annotationsOf(8, 5)))
  await first.close()
  /** What the page was told is saved: the note of each region and its revision. */
  const acknowledged = new Map<string, { note: string; revision: number }>()
  let edits = 0

  for (let round = 0; round < ROUNDS; round++) {
    const engine = await mustStart(projectDir)
    const { api } = await connect(engine)
    const state = await readAll(api, datasetId)
    for (const [id, told] of acknowledged) {
      const found = state.get(id)!
      // One edit more may be there: made, but the answer was cut off by the kill.
      expect(found.revision).toBeGreaterThanOrEqual(told.revision)
      if (found.revision === told.revision) expect(found.note).toBe(told.note)
      expect(found.revision - told.revision).toBeLessThanOrEqual(1)
    }
    for (const [id, found] of state) acknowledged.set(id, found) // read back from the disk: from now on it must not be lost either
    let running = true
    const storm = [...state].map(async ([id, start]) => {
      let now = start
      while (running) {
        const after = `round ${round}, ${edits}`
        try {
          const { regions: [region] } = await api.regions.apply({ editId: randomUUID(), label: 'storm', edits: [{ regionId: id, revision: now.revision, diff: { note: { before: now.note, after } } }] })
          now = { note: region!.note, revision: region!.revision }
          acknowledged.set(id, now)
          edits++
        } catch {
          return // the engine is gone
        }
      }
    })
    // Killed in the middle: after some answers, while forty more are on their way, at another moment each time.
    const enough = edits + 10 + ((round * 37) % 60)
    while (edits < enough) await new Promise((resolve) => setTimeout(resolve, 1))
    await new Promise((resolve) => setTimeout(resolve, (round * 5) % 17))
    await engine.kill()
    running = false
    // A call whose connection is gone may never answer.
    await Promise.race([Promise.all(storm), new Promise((resolve) => setTimeout(resolve, 300))])
  }
  expect(edits).toBeGreaterThanOrEqual(ROUNDS * 10)
  const db = openDatabase(join(projectDir, 'project.sqlite'))
  expect(db.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' })
  expect(db.all('PRAGMA foreign_key_check')).toEqual([])
  // Whatever was cut off: each region's history is whole and its last revision is the region.
  const broken = db.all(`SELECT r.id FROM regions r WHERE r.revision <> (SELECT max(revision) FROM revisions v WHERE v.region_id = r.id) OR r.revision <> (SELECT count(*) FROM revisions v WHERE v.region_id = r.id)`)
  expect(broken).toEqual([])
  const ledger = db.get<{ n: number }>("SELECT count(*) AS n FROM edits WHERE state = 'done'")!.n
  const revisions = db.get<{ n: number }>("SELECT count(*) AS n FROM revisions WHERE revision > 1")!.n
  expect(ledger).toBe(revisions)
  db.close()
}, TIMEOUT_MS)

async function readAll(api: Client, datasetId: string): Promise<Map<string, { note: string; revision: number }>> {
  const { rows } = await api.regions.query({ filter: { datasetId }, sort: 'file-order', descending: false, offset: 0, limit: 1000 })
  const found = new Map<string, { note: string; revision: number }>()
  for (const imageId of new Set(rows.map((row) => row.imageId))) {
    for (const { id, note, revision } of (await api.regions.onImage({ imageId, checkpointIds: [] })).regions) found.set(id, { note, revision })
  }
  return found
}

test.each([30, 120, 250])('kill -9 during an import (after %i ms of it) leaves no half dataset, and the import works again', async (delayMs) => {
  const projectDir = join(await temporaryFolder(), 'project')
  const path = await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(1500, 3))
  const engine = await mustStart(projectDir)
  const { api } = await connect(engine)
  await api.datasets.import({ path })
  await new Promise((resolve) => setTimeout(resolve, delayMs))
  await engine.kill()

  const again = await mustStart(projectDir)
  const second = await connect(again)
  const left = await second.api.datasets.list({})
  expect(left.every((one) => one.regions === 4500)).toBe(true) // it may have been finished
  await again.kill('SIGTERM')
  const engineAfter = await openTestEngine({ projectDir })
  await expect.poll(() => engineAfter.context.db.get<{ n: number }>("SELECT count(*) AS n FROM datasets WHERE state <> 'ready'")!.n, { timeout: 15_000 }).toBe(0)
  const counts = () => engineAfter.context.db.get<{ images: number; regions: number }>('SELECT (SELECT count(*) FROM images) AS images, (SELECT count(*) FROM regions) AS regions')!
  expect(counts()).toEqual({ images: left.length * 1500, regions: left.length * 4500 })
  await importInto(engineAfter, path)
  expect(counts()).toEqual({ images: (left.length + 1) * 1500, regions: (left.length + 1) * 4500 })
}, TIMEOUT_MS)

test('a second start on the same project says who has it; after kill -9 the next start needs no help', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const first = await mustStart(projectDir)
  const second = await startEngineProcess(projectDir)
  expect(second).toMatchObject({ code: 'locked', message: expect.stringContaining(`process ${first.pid}`), cure: expect.any(String) })
  expect(second).toMatchObject({ message: expect.stringContaining(first.url) })
  expect(JSON.stringify(second)).not.toContain(first.token)
  // The first one is unharmed.
  const { api, close } = await connect(first)
  expect(await api.datasets.list({})).toEqual([])
  close()
  await first.kill()
  const third = await mustStart(projectDir)
  expect(third.pid).not.toBe(first.pid)
}, TIMEOUT_MS)

test('two starts at the same moment: one has the project, the other says so', async () => {
  for (let round = 0; round < 3; round++) {
    const projectDir = join(await temporaryFolder(), 'project')
    const started = await Promise.all([startEngineProcess(projectDir), startEngineProcess(projectDir), startEngineProcess(projectDir)])
    expect(started.filter((one) => 'code' in one && one.code === 'locked')).toHaveLength(2)
    expect(started.filter((one) => 'pid' in one)).toHaveLength(1)
  }
}, TIMEOUT_MS)

test('within one process too, a project is opened once', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  await openTestEngine({ projectDir })
  await expect(openTestEngine({ projectDir })).rejects.toMatchObject({ code: 'locked' })
})
