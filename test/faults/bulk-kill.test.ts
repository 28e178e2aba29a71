import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { EngineCore } from '../../src/main/engine/engine.ts'
import { annotationsOf, connect, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'
import { mustStart } from '../support/engine-process.ts'

/** Five parts of an edit. */
const REGIONS = 2000
const TIMEOUT_MS = 600_000

const stored = ({ context: { db } }: EngineCore): string => JSON.stringify(db.all('SELECT id, phrase, boxes, status, tags, note, deleted, split, assignee, review, second FROM regions ORDER BY id'))

test('kill -9 in an edit of many regions, and in taking one back, leaves all of it or nothing', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const first = await openTestEngine({ projectDir })
  const datasetId = await importInto(first, await writeDataset(join(projectDir, 'data'), annotationsOf(8, REGIONS / 8)))
  await first.handlers.system.setAuthor({ author: 'Ann' })
  await first.handlers.regions.bulk({ editId: randomUUID(), selection: { filter: { datasetId } }, action: { kind: 'tag', tag: 'before' } })
  let [before, undoLabel] = [stored(first), (await first.handlers.regions.undoState({})).undoLabel]
  await first.close()

  /** Kills after so many parts; then the project holds what it held, and goes on. */
  let halfway = 0
  const cut = async (parts: number, begin: (api: Awaited<ReturnType<typeof connect>>['api']) => Promise<unknown>, done: string, back: 'undo' | 'redo'): Promise<void> => {
    const engine = await mustStart(projectDir)
    const { api } = await connect(engine)
    const events = await api.system.events({})
    const reached = (async () => {
      let seen = 0
      for await (const event of events) if (event.type === 'regions.edited' && ++seen === parts) return
    })().catch(() => undefined)
    void begin(api).catch(() => undefined)
    await reached
    await engine.kill()
    const again = await openTestEngine({ projectDir })
    expect(again.context.db.all('SELECT * FROM open_edits')).toEqual([])
    if (stored(again) === before) halfway++
    else {
      // It had come to its end before the kill reached it: then it is there whole, and one step leads back.
      expect(again.context.db.get(`SELECT count(*) AS n FROM regions WHERE ${done}`)).toEqual({ n: REGIONS })
      await again.handlers.regions[back]({})
    }
    expect(stored(again)).toBe(before)
    expect((await again.handlers.regions.undoState({})).undoLabel).toBe(undoLabel)
    expect(again.context.db.get('SELECT count(*) AS n FROM regions r WHERE r.revision <> (SELECT max(revision) FROM revisions v WHERE v.region_id = r.id)')).toEqual({ n: 0 })
    await again.close()
  }
  const edit = (api: Awaited<ReturnType<typeof connect>>['api']) => api.regions.bulk({ editId: randomUUID(), selection: { filter: { datasetId } }, action: { kind: 'replace', find: 'thing', replacement: 'other', regex: false, matchCase: true } })
  for (const parts of [1, 2]) await cut(parts, edit, "phrase LIKE '%other%'", 'undo')
  for (const parts of [1, 2]) await cut(parts, (api) => api.regions.undo({}), "tags = '[]'", 'redo')

  const last = await openTestEngine({ projectDir })
  await last.handlers.regions.undo({})
  ;[before, undoLabel] = [stored(last), null]
  expect(last.context.db.get("SELECT count(*) AS n FROM regions WHERE tags <> '[]'")).toEqual({ n: 0 })
  await last.close()
  await cut(2, (api) => api.regions.redo({}), "tags <> '[]'", 'undo')
  expect(halfway).toBeGreaterThan(0)
}, TIMEOUT_MS)
