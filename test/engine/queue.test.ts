import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { RegionFilter, RegionSort } from '../../src/shared/domain.ts'
import { createQueueOrders } from '../../src/main/features/regions/queue-orders.ts'
import { queryQueue } from '../../src/main/features/regions/queue.ts'
import { countFromColumns } from '../../src/main/store/column-query.ts'
import { type Db, openDatabase } from '../../src/main/store/db.ts'
import { migrate } from '../../src/main/store/migrate.ts'
import { countRegions } from '../../src/main/store/region-filter.ts'
import { PROTOCOL } from '../../src/main/store/region-rows.ts'
import { temporaryFolder } from '../support/engine.ts'

interface Known {
  readonly id: string
  readonly imageId: string
  readonly position: number
  readonly split: string
  readonly phrase: string
  readonly status: string
  readonly tags: readonly string[]
  readonly flags: readonly string[]
  readonly deleted: boolean
  readonly energy: number | null
  readonly hit: boolean | null
  readonly match: number | null
  readonly other: number | null
  readonly note: string
  readonly area: number
  readonly reviewer: string | null
  readonly assignee: string | null
  readonly second: 'open' | 'same' | 'differs'
}

const PHRASES = ['the red car', 'The Cat', 'a dog_1', '100 % wool', 'back\\slash', 'dog', 'zebra', '']
const pick = <T>(list: readonly T[], n: number): T => list[n % list.length]!

/** Regions made of figures, half of them scored by the checkpoint 'c', a third by 'b'. */
function fill(db: Db, count: number): Known[] {
  db.run("INSERT INTO datasets (id, name, format, source, created_at, state) VALUES ('d', 'd', 'f', 's', 't', 'ready'), ('other', 'o', 'f', 's', 't', 'ready')")
  db.run("INSERT INTO checkpoints (id, name, origin, path, sha256, model_name, model_config, parameters, size_bytes, created_at, metrics, best) VALUES ('c', 'c', 'imported', 'p', '', 'm', '{}', 1, 1, 't', '{}', 0), ('b', 'b', 'imported', 'q', '', 'm', '{}', 1, 1, 't', '{}', 0)")
  const known: Known[] = []
  let state = 12_345
  const next = (): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) >> 8
  db.transaction(() => {
    for (let i = 0; i < count; i++) {
      const imageId = `i${Math.floor(i / 3)}`
      if (i % 3 === 0) db.run("INSERT INTO images (id, dataset_id, name, path, width, height, orientation, bytes, split, position) VALUES (?, ?, '', ?, 10, 10, 1, 1, 's', ?)", imageId, i % 30 === 0 ? 'other' : 'd', imageId, i)
      const one: Known = {
        id: `r${String(i).padStart(7, '0')}`, imageId, position: i, split: pick(['train', 'val', 'test'], next()), phrase: pick(PHRASES, next()), status: pick(['unreviewed', 'accepted', 'rejected', 'skipped'], next()),
        tags: pick([[], ['a'], ['a', 'b'], ['c']], next()), flags: pick([[], [], ['crosses-edge']], next()), deleted: next() % 11 === 0,
        ...(next() % 2 ? { energy: (next() % 20) / 20, hit: next() % 2 === 0, match: (next() % 50) / 50 } : { energy: null, hit: null, match: null }), other: next() % 3 ? null : (next() % 20) / 20,
        note: pick(['', '', 'blurred, ask Ann'], next()), area: pick([0.01, 0.04, 0.25], next()), reviewer: pick([null, 'Ann', 'Bo'], next()), assignee: pick([null, 'Bo'], next()), second: pick(['open', 'open', 'same', 'differs'] as const, next()),
      }
      const dataset = Math.floor(i / 3) % 10 === 0 ? 'other' : 'd'
      const side = Math.sqrt(one.area) * 10
      const second = one.second === 'open' ? null : { status: one.status, by: 'Cy', at: 't', iou: 1, samePhrase: one.second === 'same' }
      db.run(
        "INSERT INTO regions (id, image_id, dataset_id, position, split, phrase, boxes, box_count, status, tags, note, deleted, revision, flags, review, assignee, second) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, 1, ?, ?, ?, ?)",
        one.id, imageId, dataset, i, one.split, one.phrase, JSON.stringify([[1, 1, 1 + side, 1 + side]]), one.status, JSON.stringify(one.tags), one.note, one.deleted ? 1 : 0, JSON.stringify(one.flags),
        one.reviewer && JSON.stringify({ by: one.reviewer, at: '2026-01-01' }), one.assignee, second && JSON.stringify(second),
      )
      // As an edit does: a deleted region has no score.
      if (one.energy !== null && !one.deleted) {
        db.run('INSERT INTO scores (checkpoint_id, region_id, protocol, dataset_id, revision, pointing_hit, inside_energy, mean_margin, max_margin, amc_mean, amc_max, soft_iou, uncertain, match_probability) VALUES (?, ?, ?, ?, 1, ?, ?, 0, 0, 0, 0, 0, 0, ?)', 'c', one.id, PROTOCOL, dataset, one.hit ? 1 : 0, one.energy, one.match)
      }
      if (one.other !== null && !one.deleted) db.run('INSERT INTO scores (checkpoint_id, region_id, protocol, dataset_id, revision, pointing_hit, inside_energy, mean_margin, max_margin, amc_mean, amc_max, soft_iou, uncertain, match_probability) VALUES (?, ?, ?, ?, 1, 0, ?, 0, 0, 0, 0, 0, 0, 0)', 'b', one.id, PROTOCOL, dataset, one.other)
      if (dataset === 'd' && !one.deleted) known.push(one)
    }
  })
  return known
}

/** What the queue must show, in plain code. */
function expected(known: readonly Known[], filter: RegionFilter, sort: RegionSort, descending: boolean): Known[] {
  const asked = filter.consistencyMin !== undefined || filter.consistencyMax !== undefined || filter.hit !== undefined || filter.matchMax !== undefined
  const rows = known.filter((one) =>
    (!filter.splits?.length || filter.splits.includes(one.split)) && (!filter.statuses?.length || filter.statuses.includes(one.status as 'accepted')) &&
    finds(one, filter.text ?? '') && (!filter.tags?.length || filter.tags.some((tag) => one.tags.includes(tag))) &&
    (filter.imageId === undefined || one.imageId === filter.imageId) && (filter.flagged === undefined || one.flags.length > 0 === filter.flagged) &&
    (filter.hasNote === undefined || (one.note !== '') === filter.hasNote) && one.area >= (filter.areaMin ?? 0) && one.area < (filter.areaMax ?? 9) &&
    (!filter.reviewers?.length || filter.reviewers.includes(one.reviewer ?? '-')) && (!filter.assignees?.length || filter.assignees.includes(one.assignee ?? '')) &&
    (!filter.second || (filter.second === 'open') === (one.second === 'open') && (filter.second !== 'differs' || one.second === 'differs')) && (filter.matchMax === undefined || (one.match !== null && one.match <= filter.matchMax)) &&
    (!asked || (one.energy !== null && one.energy >= (filter.consistencyMin ?? 0) && one.energy <= (filter.consistencyMax ?? 1) && (filter.hit === undefined || one.hit === filter.hit))))
  const way = descending ? -1 : 1
  const byScore = sort === 'consistency' || sort === 'suspect' || sort === 'match'
  if (byScore && filter.checkpointId) {
    const value = (one: Known): number => (sort === 'match' ? one.match! : sort === 'suspect' ? -one.energy! : one.energy!)
    const turn = sort === 'suspect' ? -way : way
    return [
      ...rows.filter((one) => one.energy !== null).sort((a, b) => way * (value(a) - value(b)) || turn * (a.position - b.position)),
      ...rows.filter((one) => one.energy === null),
    ]
  }
  if (sort === 'area') return rows.sort((a, b) => way * (a.area - b.area || a.position - b.position))
  if (sort === 'disagreement') {
    const apart = (one: Known): number => (one.energy === null || one.other === null ? NaN : Math.abs(one.energy - one.other))
    return [...rows.filter((one) => !Number.isNaN(apart(one))).sort((a, b) => way * (apart(a) - apart(b) || a.position - b.position)), ...rows.filter((one) => Number.isNaN(apart(one)))]
  }
  if (sort === 'phrase') return rows.sort((a, b) => way * (a.phrase.toLowerCase() < b.phrase.toLowerCase() ? -1 : a.phrase.toLowerCase() > b.phrase.toLowerCase() ? 1 : a.position - b.position))
  return rows.sort((a, b) => way * (a.position - b.position))
}

/** Each word begins a word of phrase, tags or note; signs occur as they are; words in quotes stand side by side. */
function finds(one: Known, text: string): boolean {
  const columns = [one.phrase, one.tags.join(' '), one.note].map((column) => column.toLowerCase())
  const words = columns.map((column) => column.match(/[a-z0-9]+/g) ?? [])
  const quoted = /^"(.*)"$/.exec(text)?.[1]
  if (quoted !== undefined) return words.some((list) => ` ${list.join(' ')} `.includes(` ${quoted} `))
  return text.toLowerCase().split(/\s+/).filter(Boolean).every((part) => (/[a-z0-9]/.test(part) ? words.flat().some((word) => word.startsWith(part)) : columns.some((column) => column.includes(part))))
}

async function database(): Promise<Db> {
  const db = openDatabase(join(await temporaryFolder(), 'q.sqlite'))
  onTestFinished(() => db.close())
  migrate(db)
  return db
}

test('every filter, sort, page and direction shows what plain code finds, from the database and from the columns', async () => {
  const db = await database()
  const known = fill(db, 600)
  const orders = createQueueOrders(db)
  const filter = fc.record({
    splits: fc.subarray(['train', 'val', 'none']), statuses: fc.subarray(['unreviewed' as const, 'accepted' as const, 'rejected' as const]),
    text: fc.constantFrom('', 'dog', 'DOG', '%', '_', '\\', 'car red', 'r', ' ', 'wo', '"red car"', '"car red"', 'blur', 'ann dog', 'b'),
    tags: fc.subarray(['a', 'b', 'zz']), imageId: fc.constantFrom('i5', 'i0', 'nope'), flagged: fc.boolean(), hit: fc.boolean(), hasNote: fc.boolean(),
    consistencyMin: fc.integer({ min: 0, max: 20 }).map((n) => n / 20), consistencyMax: fc.integer({ min: 0, max: 20 }).map((n) => n / 20), matchMax: fc.integer({ min: 0, max: 50 }).map((n) => n / 50),
    areaMin: fc.constantFrom(0, 0.02, 0.1), areaMax: fc.constantFrom(0.02, 0.1, 1.1), reviewers: fc.subarray(['Ann', 'Bo', 'Nobody']), assignees: fc.subarray(['', 'Bo', 'Cy']),
    second: fc.constantFrom('open' as const, 'done' as const, 'differs' as const),
  }, { requiredKeys: [] })
  const sorts = fc.constantFrom<RegionSort>('file-order', 'consistency', 'suspect', 'match', 'phrase', 'area', 'disagreement')
  await fc.assert(fc.asyncProperty(filter, sorts, fc.boolean(), fc.nat(320), fc.integer({ min: 1, max: 120 }), async (some, sort, descending, offset, limit) => {
    const all: RegionFilter = { datasetId: 'd', checkpointId: 'c', otherCheckpointId: 'b', ...some }
    const want = expected(known, all, sort, descending)
    const counts = { total: want.length, reviewed: want.filter((one) => one.status === 'accepted' || one.status === 'rejected').length }
    const pages = [await orders.query({ filter: all, sort, descending, offset, limit }), ...(sort === 'area' || sort === 'disagreement' ? [] : [queryQueue(db, { filter: all, sort, descending, offset, limit })])]
    for (const page of pages) {
      expect(page.rows.map((row) => row.id)).toEqual(want.slice(offset, offset + limit).map((one) => one.id))
      expect({ total: page.total, reviewed: page.reviewed }).toEqual(counts)
      for (const [i, row] of page.rows.entries()) expect([row.consistency, row.hit]).toEqual([want[offset + i]!.energy, want[offset + i]!.hit])
    }
    expect(countFromColumns(db, all)).toEqual(counts)
    expect(countRegions(db, all)).toEqual(counts)
  }), { numRuns: 300 })
}, 300_000)

test('a shuffle is a permutation, the same for its seed and another for another', async () => {
  const db = await database()
  const known = fill(db, 300)
  const order = (seed: number): string[] => [0, 100, 200].flatMap((offset) => queryQueue(db, { filter: { datasetId: 'd' }, sort: 'random', descending: false, seed, offset, limit: 100 }).rows.map((row) => row.id))
  expect(order(3).toSorted()).toEqual(known.map((one) => one.id).toSorted())
  expect(order(3)).toEqual(order(3))
  expect(order(3)).not.toEqual(order(4))
  expect(order(3)).not.toEqual(known.map((one) => one.id))
})

describe('an open queue', () => {
  const suspects = { filter: { datasetId: 'd', checkpointId: 'c' }, sort: 'suspect' as const, descending: true, limit: 50 }
  const snapshot = { owner: 'window', number: 1 }

  test('is walked to its end without a gap or a repeat while what was walked is mended, whatever the sort', async () => {
    const db = await database()
    const known = fill(db, 600)
    for (const [number, sort] of (['suspect', 'consistency', 'match', 'file-order', 'phrase', 'random'] as const).entries()) {
      const orders = createQueueOrders(db)
      const asked = { ...suspects, sort, snapshot: { owner: 'window', number } }
      const want = queryQueue(db, { ...asked, offset: 0, limit: 2000 }).rows.map((row) => row.id)
      const walked: string[] = []
      const { total } = await orders.query({ ...asked, offset: 0 })
      await orders.settle()
      while (walked.length < total) {
        const { rows } = await orders.query({ ...asked, offset: walked.length })
        walked.push(...rows.map((row) => row.id))
        // A mended region leaves its place in every order: it scores high, is decided, and is called otherwise.
        db.transaction(() => {
          for (const row of rows) {
            db.run('UPDATE scores SET inside_energy = 0.99, match_probability = 0.99 WHERE region_id = ?', row.id)
            db.run("UPDATE regions SET status = 'accepted', phrase = 'aaa ' || phrase WHERE id = ?", row.id)
          }
        })
      }
      expect(walked).toEqual(want)
      expect(walked).toHaveLength(known.length)
    }
  })

  test('keeps the page it showed first, though something was written before the rest was read', async () => {
    const db = await database()
    fill(db, 600)
    const orders = createQueueOrders(db)
    const first = (await orders.query({ ...suspects, snapshot, offset: 0 })).rows.map((row) => row.id)
    const behind = queryQueue(db, { ...suspects, offset: 60, limit: 1 }).rows[0]!.id
    db.run('UPDATE scores SET inside_energy = 0.99 WHERE region_id = ?', first[3]!)
    db.run('UPDATE scores SET inside_energy = -1 WHERE region_id = ?', behind)
    const all = (await orders.query({ ...suspects, snapshot, offset: 0, limit: 2000 })).rows.map((row) => row.id)
    expect(all.slice(0, 50)).toEqual(first)
    expect(new Set(all).size).toBe(all.length)
    expect(all).toContain(behind)
  })

  test('shows in its rows what they are now, and finds the place of a region', async () => {
    const db = await database()
    fill(db, 600)
    const orders = createQueueOrders(db)
    await orders.query({ ...suspects, snapshot, offset: 0 })
    const row = (await orders.query({ ...suspects, snapshot, offset: 120 })).rows[5]!
    db.run("UPDATE regions SET status = 'accepted' WHERE id = ?", row.id)
    expect((await orders.query({ ...suspects, snapshot, offset: 120 })).rows[5]).toEqual({ ...row, status: 'accepted' })
    expect((await orders.query({ ...suspects, snapshot: { owner: 'window', number: 2 }, offset: 0, find: row.id })).foundAt).toBe(125)
    expect((await orders.query({ ...suspects, snapshot: { owner: 'window', number: 2 }, offset: 0, find: 'nobody' })).foundAt).toBeNull()
  })

  test('that is not kept any more says so, instead of going on in another order', async () => {
    const db = await database()
    fill(db, 300)
    const orders = createQueueOrders(db)
    await orders.query({ ...suspects, snapshot, offset: 0 })
    await orders.query({ ...suspects, snapshot: { owner: 'window', number: 2 }, offset: 0 })
    await expect(orders.query({ ...suspects, snapshot, offset: 50 })).rejects.toThrow(expect.objectContaining({ code: 'not-found' }))
    for (let i = 0; i < 40; i++) await orders.query({ ...suspects, snapshot: { owner: `window ${i}`, number: 1 }, offset: 0 })
    await expect(orders.query({ ...suspects, snapshot: { owner: 'window', number: 2 }, offset: 50 })).rejects.toThrow(expect.objectContaining({ code: 'not-found' }))
    expect((await orders.query({ ...suspects, snapshot: { owner: 'window 39', number: 1 }, offset: 50 })).rows).toHaveLength(50)
  })
})

describe('in a demo of its usual size', () => {
  let db: Db
  beforeAll(async () => {
    const { mkdtemp } = await import('node:fs/promises')
    const { tmpdir } = await import('node:os')
    db = openDatabase(join(await mkdtemp(join(tmpdir(), 'amc-queue-')), 'q.sqlite'))
    migrate(db)
    fill(db, 6000)
    return async () => {
      db.close()
      await import('node:fs/promises').then(({ rm }) => rm(join(db.file, '..'), { recursive: true }))
    }
  })

  test.each<[RegionSort, RegExp]>([['file-order', /regions_by_position/], ['consistency', /scores_by_energy/], ['match', /scores_by_match/], ['phrase', /regions_by_phrase/]])('sorting by %s walks its index instead of sorting a million rows', (sort, index) => {
    const seen: string[] = []
    const spy: Db = { ...db, all: (sql, ...values) => (seen.push(...db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values).map((row) => row.detail)), db.all(sql, ...values)) }
    queryQueue(spy, { filter: { datasetId: 'd', checkpointId: 'c' }, sort, descending: false, offset: 0, limit: 100 })
    expect(seen.join('\n')).toMatch(index)
    // What follows "SCAN p" concerns the rows of the page only.
    expect(seen.join('\n').split('SCAN p')[0]).not.toMatch(/USE TEMP B-TREE FOR ORDER BY/)
  })
})
