/**
 * The queue as a window onto a list that may have a million rows. Its order is frozen when it is opened: a row that was
 * accepted does not jump away under the pointer, it shows its new status in its place, and no row is passed over because
 * others moved. A new filter, sort or scoring makes a new queue.
 */
import { type StoreApi, createStore } from 'zustand/vanilla'
import type { QueueRow, Region, RegionFilter, RegionSort } from '../../../shared/domain.ts'
import { errorData } from '../../state/errors.ts'

export interface QueueQuery {
  readonly filter: RegionFilter
  readonly sort: RegionSort
  readonly descending: boolean
  readonly seed: number
}

export interface QueuePage {
  readonly total: number
  readonly reviewed: number
  readonly rows: readonly QueueRow[]
  readonly foundAt: number | null
}

export interface PageRequest {
  readonly offset: number
  readonly limit: number
  /** The how manieth queue of this window: the engine keeps its order under this number. */
  readonly number: number
  /** A region whose place is asked for. */
  readonly find: string | null
}

export interface QueueState {
  readonly query: QueueQuery | null
  /** The question the rows answer; the old one until the new rows have come. */
  readonly answered: QueueQuery | null
  readonly total: number
  readonly reviewed: number
  /** False until the first page has come. */
  readonly loaded: boolean
  readonly error: unknown
  readonly rows: ReadonlyMap<number, QueueRow>
  /** Counts the times that the rows were overtaken as a whole. */
  readonly overtaken: number
  /** Where the sample stands that was in hand when the queue was opened, though its page may not be there. */
  readonly place: { readonly regionId: string; readonly index: number } | null
}

export interface QueueSource {
  readonly store: StoreApi<QueueState>
  open(query: QueueQuery): Promise<void>
  /** Sees to it that these rows come; rows already there cost nothing. */
  want(from: number, to: number): void
  /** As want, for the rows in view: when the queue is opened anew those places come with it, without a scroll. */
  look(from: number, to: number): void
  rowAt(index: number): Promise<QueueRow | null>
  indexOf(regionId: string): number
  /** An edit's outcome, shown in place. */
  patch(region: Region): void
  /** New scores of rows, shown in place. */
  patchScores(scores: Readonly<Record<string, { readonly insideEnergy: number; readonly pointingHit: boolean }>>): void
  /** The same queue in the order of now. */
  reload(): void
  /** The same order, and in it the rows as they are now: those in view are fetched at once, others when they come into view. */
  refresh(): void
  /** The how manieth queue of this window the rows are of. */
  number(): number
  /** Asks again for pages that could not be read. */
  retry(): void
}

export const PAGE_ROWS = 100

type Fetch = (query: QueueQuery, request: PageRequest) => Promise<QueuePage>

/** @param inHand the region looked at, whose place is found in each new queue */
export function createQueueSource(fetchPage: Fetch, inHand: () => string | null = () => null): QueueSource {
  const empty: QueueState = { query: null, answered: null, total: 0, reviewed: 0, loaded: false, error: null, rows: new Map(), overtaken: 0, place: null }
  const store = createStore<QueueState>(() => empty)
  const get = store.getState
  let number = 0
  /** Of the order that the rows shown are in: while a new one is asked for, what is selected is still of the old one. */
  let shownNumber = 0
  let pages = new Map<number, Promise<void>>()
  let failed = new Set<number>()
  /** The first page of a queue that is being opened; no other page is asked for until it is there. */
  let opening: Promise<void> | null = null
  let places = new Map<string, number>()
  let inView: readonly [number, number] | null = null

  function page(at: number): Promise<void> {
    const known = pages.get(at)
    if (known) return known
    const mine = number
    const query = get().query
    if (!query) return Promise.resolve()
    // The rows and the total on screen are still those of the last queue: what is wanted is asked for when the new one is known.
    if (opening) return opening.then(() => (at * PAGE_ROWS < get().total && !failed.has(at) ? page(at) : undefined))
    const offset = at * PAGE_ROWS
    const loading = fetchPage(query, { offset, limit: PAGE_ROWS, number: mine, find: null }).then(
      (result) => {
        // An answer to an earlier question is dropped.
        if (mine !== number) return
        failed.delete(at)
        store.setState({ rows: put(get().rows, result.rows, offset), total: result.total, error: failed.size > 0 ? get().error : null })
      },
      (error: unknown) => {
        if (mine !== number) return
        // An engine that was started again does not have the order any more: a new one is made, and the sample found in it.
        if (errorData(error).code === 'not-found') return reload()
        pages.delete(at)
        failed.add(at)
        store.setState({ error })
      },
    )
    pages.set(at, loading)
    return loading
  }

  function put(rows: ReadonlyMap<number, QueueRow>, more: readonly QueueRow[], offset: number): ReadonlyMap<number, QueueRow> {
    const next = new Map(rows)
    more.forEach((row, i) => {
      next.set(offset + i, row)
      places.set(row.id, offset + i)
    })
    return next
  }

  function open(query: QueueQuery): Promise<void> {
    const mine = ++number
    pages = new Map()
    failed = new Set()
    // The old rows stay until the new ones are there, unless they are of another dataset: no flash of an empty list.
    const same = get().query?.filter.datasetId === query.filter.datasetId
    store.setState({ ...(same ? {} : empty), query, error: null })
    const find = inHand()
    const loading = fetchPage(query, { offset: 0, limit: PAGE_ROWS, number: mine, find }).then(
      (result) => {
        if (mine !== number) return
        opening = null
        shownNumber = mine
        places = new Map()
        const place = find !== null && result.foundAt !== null ? { regionId: find, index: result.foundAt } : null
        store.setState({ rows: put(new Map(), result.rows, 0), answered: query, total: result.total, reviewed: result.reviewed, loaded: true, error: null, place })
        if (inView) want(...inView)
      },
      (error: unknown) => {
        if (mine !== number) return
        opening = null
        shownNumber = mine
        places = new Map()
        pages.delete(0)
        store.setState({ error, answered: query, loaded: false, rows: new Map(), total: 0, place: null })
      },
    )
    pages.set(0, loading)
    opening = loading
    return loading
  }

  function reload() {
    const { query } = get()
    if (query) void open({ ...query })
  }

  function want(from: number, to: number): void {
    for (let at = Math.floor(Math.max(0, from) / PAGE_ROWS); at <= Math.floor(Math.max(0, to) / PAGE_ROWS); at++) {
      // A page that failed waits until somebody asks for it by hand.
      if (at * PAGE_ROWS < get().total && !failed.has(at)) void page(at)
    }
  }

  return {
    store,
    open,
    want,
    look(from, to) {
      inView = [from, to]
      want(from, to)
    },
    async rowAt(index) {
      const { total, rows } = get()
      if (index < 0 || index >= total) return null
      const row = rows.get(index)
      if (row) return row
      const mine = number
      await page(Math.floor(index / PAGE_ROWS))
      return mine === number ? (get().rows.get(index) ?? null) : null
    },
    indexOf: (regionId) => places.get(regionId) ?? -1,
    patch(region) {
      const { rows, reviewed } = get()
      const index = places.get(region.id)
      const row = index === undefined ? undefined : rows.get(index)
      if (index === undefined || !row) return
      // The score was of the phrase it had; that of the new one comes with its heat.
      const score = region.phrase === row.phrase ? {} : { consistency: null, hit: null }
      const next: QueueRow = { ...row, phrase: region.phrase, status: region.status, boxes: region.boxes.length, ...score }
      if (next.phrase === row.phrase && next.status === row.status && next.boxes === row.boxes) return
      const change = Number(isDecided(next)) - Number(isDecided(row))
      store.setState({ rows: new Map(rows).set(index, next), reviewed: reviewed + change })
    },
    patchScores(scores) {
      const { rows } = get()
      let next: Map<number, QueueRow> | null = null
      for (const [regionId, score] of Object.entries(scores)) {
        const index = places.get(regionId)
        const row = index === undefined ? undefined : rows.get(index)
        if (index === undefined || !row || (score.insideEnergy === row.consistency && score.pointingHit === row.hit)) continue
        next ??= new Map(rows)
        next.set(index, { ...row, consistency: score.insideEnergy, hit: score.pointingHit })
      }
      if (next) store.setState({ rows: next })
    },
    reload,
    refresh() {
      pages = new Map()
      store.setState(({ overtaken }) => ({ overtaken: overtaken + 1 }))
    },
    number: () => shownNumber,
    retry() {
      if (!get().loaded) return reload()
      const again = [...failed]
      failed.clear()
      store.setState({ error: null })
      for (const at of again) void page(at)
    },
  }
}

/** True when only the checkpoint differs, by whose scores a queue is ordered: it is still the same walk. */
export function sameWalk(a: QueueQuery | null, b: QueueQuery | null): boolean {
  const plain = (query: QueueQuery) => JSON.stringify([{ ...query.filter, checkpointId: undefined }, query.sort, query.descending, query.seed])
  return a !== null && b !== null && plain(a) === plain(b)
}

/** Skipping is putting off, not deciding; the engine counts the same way. */
function isDecided(row: QueueRow): boolean {
  return row.status === 'accepted' || row.status === 'rejected'
}
