/** What is searched and filtered by follows every write, whoever makes it, and what older projects bring along. */
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { orderByKey } from '../../src/main/store/column-order.ts'
import { matching, orderedRows, scoresOf } from '../../src/main/store/column-query.ts'
import { columnsOf } from '../../src/main/store/column-store.ts'
import { type Db, openDatabase } from '../../src/main/store/db.ts'
import { migrate, MIGRATIONS } from '../../src/main/store/migrate.ts'
import { countRegions } from '../../src/main/store/region-filter.ts'
import { indexRegions } from '../../src/main/store/region-search.ts'
import { PROTOCOL } from '../../src/main/store/region-rows.ts'
import type { RegionFilter } from '../../src/shared/domain.ts'
import { annotationsOf, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

async function open(file = 's.sqlite'): Promise<Db> {
  const db = openDatabase(join(await temporaryFolder(), file))
  onTestFinished(() => db.close())
  return db
}
function addDataset(db: Db, state = 'ready'): void {
  db.run("INSERT INTO datasets (id, name, format, source, created_at, state) VALUES ('d', 'd', 'f', 's', 't', ?)", state)
  db.run("INSERT INTO images (id, dataset_id, name, path, width, height, orientation, bytes, split, position) VALUES ('i', 'd', '', 'p', 20, 10, 1, 1, 's', 0)")
  db.run("INSERT INTO checkpoints (id, name, origin, path, sha256, model_name, model_config, parameters, size_bytes, created_at, metrics, best) VALUES ('c', 'c', 'imported', 'p', '', 'm', '{}', 1, 1, 't', '{}', 0)")
}
function addRegion(db: Db, n: number, phrase: string, boxes = '[[0,0,4,5]]'): void {
  db.run(
    "INSERT INTO regions (id, image_id, dataset_id, position, split, phrase, boxes, box_count, status, tags, note, deleted, revision, flags) VALUES (?, 'i', 'd', ?, 's', ?, ?, 1, 'unreviewed', '[]', '', 0, 1, '[]')",
    `r${n}`, n, phrase, boxes,
  )
}
/** The same number from the columns and from the database, or the test fails. */
function count(db: Db, filter: Partial<RegionFilter>): number {
  const whole = { datasetId: 'd', checkpointId: 'c', ...filter }
  const { total } = countRegions(db, whole)
  const columns = columnsOf(db).now('d', scoresOf({ filter: whole, sort: 'file-order' }))!
  expect(matching(db, columns, whole)).toHaveLength(total)
  return total
}

test('a search follows phrases, tags and notes as they are written, deleted and brought back, and the columns follow all of them', async () => {
  const db = await open()
  migrate(db)
  addDataset(db)
  addRegion(db, 1, 'A red Übermug')
  addRegion(db, 2, 'une tasse rougé', '[[0,0,20,5],[0,0,20,10]]')
  addRegion(db, 3, '一只红色的杯子')
  expect(['red', 'uber', 'rouge', 'RED über', '红色', 'blue', '"red ubermug"', '"ubermug red"', 'it\'s "'].map((text) => count(db, { text }))).toEqual([1, 1, 1, 1, 1, 0, 1, 0, 0])
  expect(db.column('SELECT area FROM regions ORDER BY position')).toEqual([0.1, 1, 0.1])
  db.run("UPDATE regions SET phrase = 'a blue mug', tags = '[\"odd one\"]', note = 'see Bo' WHERE id = 'r1'")
  expect(['red', 'blue', 'odd', 'see bo'].map((text) => count(db, { text }))).toEqual([0, 1, 1, 1])
  expect([count(db, { tags: ['odd one'] }), count(db, { hasNote: true }), count(db, { areaMin: 0.5 })]).toEqual([1, 1, 1])
  db.run("UPDATE regions SET boxes = '[[0,0,10,10]]', status = 'accepted', review = '{\"by\":\"Ann\",\"at\":\"t\"}', assignee = 'Bo' WHERE id = 'r1'")
  expect([count(db, { areaMin: 0.5 }), count(db, { reviewers: ['Ann'] }), count(db, { assignees: ['Bo'] }), count(db, { assignees: [''] }), count(db, { statuses: ['accepted'] })]).toEqual([2, 1, 1, 2, 1])
  db.run("INSERT INTO scores (checkpoint_id, region_id, protocol, dataset_id, revision, pointing_hit, inside_energy, mean_margin, max_margin, amc_mean, amc_max, soft_iou, uncertain, match_probability) VALUES ('c', 'r2', ?, 'd', 1, 1, 0.25, 0, 0, 0, 0, 0, 0, 0.5)", PROTOCOL)
  expect([count(db, { hit: true }), count(db, { consistencyMax: 0.3 }), count(db, { consistencyMin: 0.3 })]).toEqual([1, 1, 0])
  db.run("UPDATE scores SET inside_energy = 0.75, pointing_hit = 0 WHERE region_id = 'r2'")
  expect([count(db, { hit: true }), count(db, { consistencyMin: 0.3 })]).toEqual([0, 1])
  db.run("UPDATE regions SET deleted = 1 WHERE id = 'r1'")
  expect([count(db, { text: 'blue' }), count(db, {})]).toEqual([0, 2])
  addRegion(db, 4, 'a late red one')
  db.run("DELETE FROM regions WHERE id = 'r2'")
  expect([count(db, { text: 'red' }), count(db, { consistencyMin: 0.3 }), count(db, {})]).toEqual([1, 0, 2])
  expect(() => db.transaction(() => {
    db.run("UPDATE regions SET phrase = 'green' WHERE id = 'r4'")
    throw new Error('no')
  })).toThrow('no')
  expect([count(db, { text: 'green' }), count(db, { text: 'late' })]).toEqual([0, 1])
  db.run("DELETE FROM checkpoints WHERE id = 'c'")
  expect(count(db, { hit: true })).toBe(0)
  db.run("UPDATE datasets SET state = 'removing' WHERE id = 'd'")
  expect(columnsOf(db).now('d', [])).toBeNull()
})

test('the order of phrases follows what is written, taken back and removed', async () => {
  const db = await open()
  migrate(db)
  addDataset(db)
  for (const [n, phrase] of ['pear', 'Apple', 'fig', 'apple'].entries()) addRegion(db, n, phrase)
  const phrases = (descending = false): string => {
    const query = { filter: { datasetId: 'd' }, sort: 'phrase', descending } as const
    return Array.from(orderedRows(db, columnsOf(db).now('d', [])!, query).rows, (row) => db.get<{ phrase: string }>('SELECT phrase FROM regions WHERE rowid = ?', row)!.phrase).join()
  }
  expect([phrases(), phrases(true)]).toEqual(['Apple,apple,fig,pear', 'pear,fig,apple,Apple'])
  db.run("UPDATE regions SET phrase = 'zebra' WHERE id = 'r2'")
  expect(phrases()).toBe('Apple,apple,pear,zebra')
  expect(() => db.transaction(() => {
    db.run("UPDATE regions SET phrase = 'aardvark' WHERE id = 'r0'")
    throw new Error('no')
  })).toThrow('no')
  expect(phrases()).toBe('Apple,apple,pear,zebra')
  db.run("UPDATE regions SET deleted = 1 WHERE id = 'r3'")
  expect(phrases(true)).toBe('zebra,pear,Apple')
  db.run("UPDATE regions SET deleted = 0 WHERE id = 'r3'")
  addRegion(db, 4, 'banana')
  db.run("DELETE FROM regions WHERE id = 'r1'")
  expect(phrases()).toBe('apple,banana,pear,zebra')
})

test('a project of the version before is searched like a new one', async () => {
  const db = await open()
  const before = MIGRATIONS.findIndex(({ version }) => version === 7)
  migrate(db, MIGRATIONS.slice(0, before))
  addDataset(db)
  addRegion(db, 1, 'a red mug')
  addRegion(db, 2, 'a dog', '[]')
  migrate(db)
  expect([count(db, { text: 'mu' }), count(db, { text: 'dog' }), count(db, { areaMin: 0.05, areaMax: 0.2 }), count(db, { areaMax: 0.01 })]).toEqual([1, 1, 1, 1])
  db.run("UPDATE regions SET phrase = 'a blue mug' WHERE id = 'r1'")
  expect([count(db, { text: 'red' }), count(db, { text: 'blue' })]).toEqual([0, 1])
})

test('a copy made by VACUUM finds the same rows', async () => {
  const db = await open()
  migrate(db)
  addDataset(db)
  for (let n = 0; n < 50; n++) addRegion(db, n, n % 2 ? `word${n}` : 'even')
  db.run("DELETE FROM regions WHERE position % 3 = 0")
  const copyFile = `${db.file}.copy`
  db.run('VACUUM INTO ?', copyFile)
  const copy = openDatabase(copyFile)
  for (const one of [db, copy]) {
    expect(count(one, { text: 'even' })).toBe(16)
    expect(one.all("SELECT r.phrase FROM regions r WHERE r.rowid IN (SELECT rowid FROM region_search WHERE region_search MATCH 'word35')")).toEqual([{ phrase: 'word35' }])
  }
  copy.exec('VACUUM')
  expect(copy.all("SELECT r.phrase FROM regions r WHERE r.rowid IN (SELECT rowid FROM region_search WHERE region_search MATCH 'word35')")).toEqual([{ phrase: 'word35' }])
  copy.close()
})

test('while an import goes on rows are not indexed one by one; when it is over all of them are, once', async () => {
  const db = await open()
  migrate(db)
  addDataset(db, 'importing')
  for (let n = 0; n < 30; n++) addRegion(db, n, 'mug')
  expect(db.column('SELECT count(*) FROM region_search')).toEqual([0])
  expect([...indexRegions(db, 'd')]).toEqual([30])
  expect([...indexRegions(db, 'd')]).toEqual([])
  db.run("UPDATE datasets SET state = 'ready'")
  expect(count(db, { text: 'mug' })).toBe(30)
  db.run("DELETE FROM regions")
  expect(db.column('SELECT count(*) FROM region_search')).toEqual([0])
})

test('columns can be waited for again and again, by several at once', async () => {
  const db = await open()
  migrate(db)
  addDataset(db)
  addRegion(db, 1, 'mug')
  for (let i = 0; i < 2; i++) {
    const all = await Promise.all([columnsOf(db).load('d', []), columnsOf(db).load('d', scoresOf({ filter: { datasetId: 'd', checkpointId: 'c', hit: true }, sort: 'match' })), columnsOf(db).load('gone', [])])
    expect(all.map((columns) => columns?.count)).toEqual([1, 1, undefined])
  }
})

test('rows that were brought in past the search are found after all', async () => {
  const db = await open()
  migrate(db)
  addDataset(db, 'importing')
  addRegion(db, 1, 'mug')
  db.run("UPDATE datasets SET state = 'ready'")
  columnsOf(db).now('d', [])
  expect(count(db, { text: 'mug' })).toBe(1)
})

test('an imported dataset is searched, and a question to it reads no row but those shown', async () => {
  const engine = await openTestEngine()
  const datasetId = await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(40, 5)))
  const ask = (filter: Partial<RegionFilter>, sort: 'area' | 'file-order' = 'area') => engine.handlers.regions.query({ filter: { datasetId, ...filter }, sort, descending: true, offset: 0, limit: 10 })
  expect((await ask({ text: '"number 17"' })).total).toBe(1)
  expect((await ask({ text: 'thing' })).total).toBe(200)
  const { db } = engine.context
  let read = 0
  const all = db.all
  Object.assign(db, { all: <T>(sql: string, ...values: never[]): T[] => {
    const rows = all<T>(sql, ...values)
    read += rows.length
    return rows
  } })
  await ask({ splits: ['train'], statuses: ['unreviewed'], areaMax: 0.9, hasNote: false })
  expect(read).toBe(10)
})

test('the search asks its index, not each row', async () => {
  const db = await open()
  migrate(db)
  addDataset(db)
  const plan = db.all<{ detail: string }>("EXPLAIN QUERY PLAN SELECT rowid FROM region_search WHERE region_search MATCH 'mug'").map((row) => row.detail).join('\n')
  expect(plan).toMatch(/region_search VIRTUAL TABLE INDEX 0:M/)
})

test('ordering by keys is what comparing gives, and equal keys stay in their order', () => {
  const key = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity, 5e-324), fc.integer({ min: -3, max: 3 }))
  fc.assert(fc.property(fc.array(key, { maxLength: 60 }), fc.constantFrom(1, 100), (some, times) => {
    const keys = Array.from({ length: times }, () => some).flat()
    const places = Int32Array.from(keys.keys())
    const want = Array.from(places).sort((a, b) => (keys[a]! < keys[b]! ? -1 : keys[a]! > keys[b]! ? 1 : a - b))
    expect(Array.from(orderByKey(places, (at) => keys[at]!))).toEqual(want)
  }), { numRuns: 150 })
})
