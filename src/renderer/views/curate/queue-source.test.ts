import { describe, expect, it } from 'vitest'
import type { QueueRow, Region } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { PAGE_ROWS, type PageRequest, type QueueQuery, createQueueSource, sameWalk } from './queue-source.ts'

const row = (n: number, over: Partial<QueueRow> = {}): QueueRow => ({ id: `r${n}`, imageId: `i${n}`, phrase: `phrase ${n}`, status: 'unreviewed', split: 'train', boxes: 1, consistency: n / 1000, hit: true, ...over })
const query = (over: Partial<QueueQuery['filter']> = {}): QueueQuery => ({ filter: { datasetId: 'd', ...over }, sort: 'file-order', descending: false, seed: 1 })
const edited = (n: number, over: Partial<Region>): Region => ({ id: `r${n}`, imageId: `i${n}`, datasetId: 'd', revision: 2, split: 'train', flags: [], assignee: null, review: null, second: null, phrase: `phrase ${n}`, boxes: [[0, 0, 1, 1]], outlines: [], status: 'unreviewed', tags: [], note: '', deleted: false, ...over })
const settle = () => new Promise((resolve) => setTimeout(resolve))

/** An engine that freezes the order of each queue, as the real one does, over rows that change and orders that are lost. */
function engine(count: number) {
  const rows = Array.from({ length: count }, (_, n) => row(n))
  const asked: [number, number][] = []
  const faults: unknown[] = []
  let kept: { number: number; ids: string[] } | null = null
  return {
    rows, asked, faults,
    restart: () => (kept = null),
    fetch: async (wanted: QueueQuery, { offset, limit, number, find }: PageRequest) => {
      asked.push([offset, limit])
      const fault = faults.shift()
      if (fault) throw fault
      if (kept?.number !== number) {
        if (offset > 0) throw new AppError('not-found', 'The order of this queue is not kept any more.', 'Fetch it again.')
        kept = { number, ids: rows.filter((entry) => !wanted.filter.statuses || wanted.filter.statuses.includes(entry.status)).map((entry) => entry.id) }
      }
      const { ids } = kept
      return {
        total: ids.length, reviewed: rows.filter((entry) => entry.status === 'accepted').length, foundAt: find !== null && ids.includes(find) ? ids.indexOf(find) : null,
        rows: ids.slice(offset, offset + limit).map((id) => rows.find((entry) => entry.id === id)!),
      }
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

  it('opens anew when the engine does not have its order any more, and finds the sample in hand', async () => {
    const host = engine(350)
    const queue = createQueueSource(host.fetch, () => 'r180')
    await queue.open(query())
    expect(queue.store.getState().place).toEqual({ regionId: 'r180', index: 180 })
    host.restart()
    host.rows.reverse()
    expect(await queue.rowAt(150)).toBeNull()
    await settle()
    expect(queue.store.getState().place).toEqual({ regionId: 'r180', index: 169 })
    expect((await queue.rowAt(169))?.id).toBe('r180')
  })

  it('keeps its rows when one page cannot be read, and reads it when asked again', async () => {
    const host = engine(350)
    const queue = createQueueSource(host.fetch)
    await queue.open(query())
    host.faults.push(new Error('away'))
    queue.want(100, 120)
    await settle()
    expect(queue.store.getState()).toMatchObject({ error: new Error('away'), total: 350, loaded: true })
    expect(queue.store.getState().rows.size).toBe(100)
    queue.want(100, 120)
    await settle()
    expect(host.asked).toHaveLength(2)
    queue.retry()
    await settle()
    expect(queue.store.getState()).toMatchObject({ error: null })
    expect(queue.store.getState().rows.get(110)?.id).toBe('r110')
  })

  it('shows an edit in its place and counts what is decided', async () => {
    const queue = createQueueSource(engine(10).fetch)
    await queue.open(query())
    queue.patch(edited(3, { status: 'accepted', phrase: 'a cat' }))
    expect(queue.store.getState().rows.get(3)).toMatchObject({ status: 'accepted', phrase: 'a cat' })
    // The old score was of the old phrase.
    expect(queue.store.getState().rows.get(3)).toMatchObject({ consistency: null, hit: null })
    expect(queue.store.getState().reviewed).toBe(1)
    queue.patch(edited(3, { status: 'skipped', phrase: 'a cat' }))
    expect(queue.store.getState().reviewed).toBe(0)
    expect(queue.indexOf('r3')).toBe(3)
    queue.patchScores({ r3: { insideEnergy: 0.5, pointingHit: false } })
    expect(queue.store.getState().rows.get(3)).toMatchObject({ consistency: 0.5, hit: false })
  })

  it('drops a late answer to an earlier question', async () => {
    const answers: (() => void)[] = []
    const queue = createQueueSource((wanted) => new Promise((resolve) => answers.push(() => resolve({ total: 1, reviewed: 0, foundAt: null, rows: [row(wanted.filter.text === 'new' ? 2 : 1)] }))))
    const first = queue.open(query({ text: 'old' }))
    const second = queue.open(query({ text: 'new' }))
    answers[1]!()
    await second
    answers[0]!()
    await first
    expect(queue.store.getState().rows.get(0)?.id).toBe('r2')
  })

  it('keeps the number of the order that is shown until another is: what is selected meanwhile is of that one', async () => {
    const host = engine(350)
    const queue = createQueueSource(host.fetch)
    await queue.open(query())
    const shown = queue.number()
    const opening = queue.open({ ...query(), sort: 'phrase' })
    expect([queue.number(), queue.store.getState().rows.size]).toEqual([shown, 100])
    await opening
    expect(queue.number()).toBe(shown + 1)
    // One that could not be opened shows nothing, so nothing of it can be selected.
    host.faults.push(new Error('away'))
    await queue.open(query())
    expect([queue.number(), queue.store.getState().total]).toEqual([shown + 2, 0])
  })

  it('brings the rows in view along when it is opened anew, though nobody scrolls', async () => {
    const host = engine(350)
    const queue = createQueueSource(host.fetch)
    await queue.open(query())
    queue.look(210, 225)
    await settle()
    queue.reload()
    await settle()
    expect([210, 225].map((index) => queue.store.getState().rows.get(index)?.id)).toEqual(['r210', 'r225'])
    expect(host.asked.map(([offset]) => offset)).toEqual([0, 200, 0, 200])
  })

  it('asks for pages wanted while it is opened anew only when it is there, and of the new order', async () => {
    const host = engine(350)
    const queue = createQueueSource(host.fetch)
    await queue.open(query())
    await queue.rowAt(250)
    host.rows.reverse()
    queue.reload()
    queue.want(200, 310)
    queue.refresh()
    queue.want(0, 120)
    expect(host.asked.slice(2).map(([offset]) => offset)).toEqual([0])
    await settle()
    const { rows } = queue.store.getState()
    expect([...rows].every(([index, { id }]) => id === `r${349 - index}`)).toBe(true)
    expect([50, 150, 250, 310].map((index) => rows.get(index)?.id)).toEqual(['r299', 'r199', 'r99', 'r39'])
    // A queue that became shorter is asked for no page past its end.
    host.asked.length = 0
    host.rows.length = 120
    queue.reload()
    queue.want(200, 349)
    await settle()
    expect([queue.store.getState().total, host.asked.map(([offset]) => offset)]).toEqual([120, [0]])
  })

  it('says what went wrong and fetches again when asked', async () => {
    const host = engine(1)
    host.faults.push(new Error('away'))
    const queue = createQueueSource(host.fetch)
    await queue.open(query())
    expect(queue.store.getState()).toMatchObject({ error: new Error('away'), total: 0 })
    queue.retry()
    await settle()
    expect(queue.store.getState()).toMatchObject({ error: null, total: 1 })
    expect(PAGE_ROWS).toBeGreaterThan(1)
  })

  it('is the same walk under another checkpoint, and another under another filter or order', () => {
    expect(sameWalk(query({ checkpointId: 'a' }), query({ checkpointId: 'b' }))).toBe(true)
    expect(sameWalk(query(), query({ checkpointId: 'b' }))).toBe(true)
    expect(sameWalk(query(), query({ text: 'cat' }))).toBe(false)
    expect(sameWalk(query(), { ...query(), sort: 'suspect' })).toBe(false)
    expect(sameWalk(null, query())).toBe(false)
  })
})
