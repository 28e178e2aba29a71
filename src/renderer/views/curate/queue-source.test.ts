import { describe, expect, it } from 'vitest'
import type { QueueRow, Region } from '../../../shared/domain.ts'
import { PAGE_ROWS, type QueueQuery, createQueueSource, stillMatches } from './queue-source.ts'

const row = (n: number, over: Partial<QueueRow> = {}): QueueRow => ({ id: `r${n}`, imageId: `i${n}`, phrase: `phrase ${n}`, status: 'unreviewed', split: 'train', boxes: 1, consistency: n / 1000, hit: true, ...over })
const query = (over: Partial<QueueQuery['filter']> = {}): QueueQuery => ({ filter: { datasetId: 'd', ...over }, sort: 'file-order', descending: false, seed: 1 })
const edited = (n: number, over: Partial<Region>): Region => ({ id: `r${n}`, imageId: `i${n}`, datasetId: 'd', revision: 2, split: 'train', flags: [], phrase: `phrase ${n}`, boxes: [[0, 0, 1, 1]], status: 'unreviewed', tags: [], note: '', deleted: false, ...over })

/** An engine that filters by status, as the real one does, over rows that change. */
function engine(count: number) {
  const rows = Array.from({ length: count }, (_, n) => row(n))
  const asked: [number, number][] = []
  return {
    rows, asked,
    fetch: async (wanted: QueueQuery, offset: number, limit: number) => {
      asked.push([offset, limit])
      const found = rows.filter((entry) => stillMatches(entry, wanted.filter))
      return { total: found.length, reviewed: rows.filter((entry) => entry.status === 'accepted').length, rows: found.slice(offset, offset + limit) }
    },
  }
}

describe('the queue', () => {
  it('fetches pages as they are wanted, each once', async () => {
    const host = engine(350)
    const queue = createQueueSource(host.fetch)
    await queue.open(query())
    expect(queue.store.getState()).toMatchObject({ total: 350, loaded: true })
    expect((await queue.rowAt(205))?.id).toBe('r205')
    queue.want(200, 240)
    expect((await queue.rowAt(349))?.id).toBe('r349')
    expect(await queue.rowAt(350)).toBeNull()
    expect(await queue.rowAt(-1)).toBeNull()
    expect(host.asked.map(([offset]) => offset)).toEqual([0, 200, 300])
  })

  it('leaves out no row when rows already walked no longer match the filter', async () => {
    const host = engine(350)
    const queue = createQueueSource(host.fetch)
    await queue.open(query({ statuses: ['unreviewed'] }))
    for (let n = 0; n < 60; n++) {
      host.rows[n] = row(n, { status: 'accepted' })
      queue.patch(edited(n, { status: 'accepted' }))
    }
    for (let index = 0; index < 350; index++) expect((await queue.rowAt(index))?.id).toBe(`r${index}`)
    expect(queue.store.getState().total).toBe(350)
  })

  it('shows an edit in its place and counts what is decided', async () => {
    const queue = createQueueSource(engine(10).fetch)
    await queue.open(query())
    queue.patch(edited(3, { status: 'accepted', phrase: 'a cat' }))
    expect(queue.store.getState().rows.get(3)).toMatchObject({ status: 'accepted', phrase: 'a cat' })
    expect(queue.store.getState().reviewed).toBe(1)
    queue.patch(edited(3, { status: 'skipped', phrase: 'a cat' }))
    expect(queue.store.getState().reviewed).toBe(0)
    expect(queue.indexOf('r3')).toBe(3)
    queue.patchScores({ r3: { insideEnergy: 0.5, pointingHit: false } })
    expect(queue.store.getState().rows.get(3)).toMatchObject({ consistency: 0.5, hit: false })
  })

  it('drops a late answer to an earlier question', async () => {
    const answers: (() => void)[] = []
    const queue = createQueueSource((wanted) => new Promise((resolve) => answers.push(() => resolve({ total: 1, reviewed: 0, rows: [row(wanted.filter.text === 'new' ? 2 : 1)] }))))
    const first = queue.open(query({ text: 'old' }))
    const second = queue.open(query({ text: 'new' }))
    answers[1]!()
    await second
    answers[0]!()
    await first
    expect(queue.store.getState().rows.get(0)?.id).toBe('r2')
  })

  it('says what went wrong and fetches again when asked', async () => {
    let fails = true
    const queue = createQueueSource(async () => {
      if (fails) throw new Error('away')
      return { total: 1, reviewed: 0, rows: [row(0)] }
    })
    await queue.open(query())
    expect(queue.store.getState()).toMatchObject({ error: new Error('away'), total: 0 })
    fails = false
    queue.reload()
    await new Promise((resolve) => setTimeout(resolve))
    expect(queue.store.getState()).toMatchObject({ error: null, total: 1 })
    expect(PAGE_ROWS).toBeGreaterThan(1)
  })

  it('matches words in any order, as the engine does', () => {
    const cat = row(0, { phrase: 'the Small cat' })
    expect(stillMatches(cat, { datasetId: 'd', text: 'cat small' })).toBe(true)
    expect(stillMatches(cat, { datasetId: 'd', text: 'cat dog' })).toBe(false)
    expect(stillMatches(cat, { datasetId: 'd', text: '' })).toBe(true)
  })
})
