/**
 * The queue as a window onto a list that may have a million rows. Its order is held while it is walked: a row that was
 * accepted does not jump away under the pointer, it shows its new status in its place. A new filter, sort or scoring makes
 * a new queue.
 */
import { type StoreApi, createStore } from 'zustand/vanilla'
import type { QueueRow, Region, RegionFilter, RegionSort } from '../../../shared/domain.ts'

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
}

export interface QueueSource {
  readonly store: StoreApi<QueueState>
  open(query: QueueQuery): Promise<void>
  /** Sees to it that these rows come; rows already there cost nothing. */
  want(from: number, to: number): void
  rowAt(index: number): Promise<QueueRow | null>
  indexOf(regionId: string): number
  /** An edit's outcome, shown in place. */
  patch(region: Region): void
  /** New scores of rows, shown in place. */
  patchScores(scores: Readonly<Record<string, { readonly insideEnergy: number; readonly pointingHit: boolean }>>): void
  reload(): void
}

export const PAGE_ROWS = 100

type Fetch = (query: QueueQuery, offset: number, limit: number) => Promise<QueuePage>

export function createQueueSource(fetchPage: Fetch): QueueSource {
  const empty: QueueState = { query: null, answered: null, total: 0, reviewed: 0, loaded: false, error: null, rows: new Map() }
  const store = createStore<QueueState>(() => empty)
  const get = store.getState
  let generation = 0
  let pages = new Map<number, Promise<void>>()
  let reviewedAtFirst = 0

  /** Rows before this one that no longer match: the engine does not count them any more, the queue still does. */
  function gone(before: number): number {
    const { rows, query } = get()
    let count = 0
    for (const [index, row] of rows) if (index < before && query && !stillMatches(row, query.filter)) count++
    return count
  }

  function page(number: number): Promise<void> {
    const known = pages.get(number)
    if (known) return known
    const mine = generation
    const query = get().query
    if (!query) return Promise.resolve()
    const offset = number * PAGE_ROWS
    const loading = fetchPage(query, Math.max(0, offset - gone(offset)), PAGE_ROWS).then(
      (result) => {
        // An answer to an earlier question is dropped.
        if (mine !== generation) return
        const rows = new Map(get().rows)
        const have = new Set([...rows.values()].map((row) => row.id))
        result.rows.filter((row) => !have.has(row.id)).forEach((row, i) => rows.set(offset + i, row))
        const first = !get().loaded
        if (first) reviewedAtFirst = result.reviewed
        store.setState({ rows, loaded: true, error: null, ...(first ? { total: result.total, reviewed: result.reviewed } : {}) })
      },
      (error: unknown) => {
        if (mine !== generation) return
        pages.delete(number)
        store.setState({ error })
      },
    )
    pages.set(number, loading)
    return loading
  }

  function open(query: QueueQuery): Promise<void> {
    generation++
    pages = new Map()
    // The old rows stay until the new ones are there, unless they are of another dataset: no flash of an empty list.
    const same = get().query?.filter.datasetId === query.filter.datasetId
    store.setState({ ...(same ? {} : empty), query, error: null })
    const mine = generation
    const loading = fetchPage(query, 0, PAGE_ROWS).then(
      (result) => {
        if (mine !== generation) return
        reviewedAtFirst = result.reviewed
        store.setState({ rows: new Map(result.rows.map((row, i) => [i, row])), answered: query, total: result.total, reviewed: reviewedAtFirst, loaded: true, error: null })
      },
      (error: unknown) => {
        if (mine === generation) store.setState({ error, answered: query, loaded: false, rows: new Map(), total: 0 })
        pages.delete(0)
      },
    )
    pages.set(0, loading)
    return loading
  }

  return {
    store,
    open,
    want(from, to) {
      for (let number = Math.floor(Math.max(0, from) / PAGE_ROWS); number <= Math.floor(Math.max(0, to) / PAGE_ROWS); number++) {
        if (number * PAGE_ROWS < get().total) void page(number)
      }
    },
    async rowAt(index) {
      const { total, rows } = get()
      if (index < 0 || index >= total) return null
      const row = rows.get(index)
      if (row) return row
      await page(Math.floor(index / PAGE_ROWS))
      return get().rows.get(index) ?? null
    },
    indexOf(regionId) {
      for (const [index, row] of get().rows) if (row.id === regionId) return index
      return -1
    },
    patch(region) {
      const { rows, reviewed } = get()
      for (const [index, row] of rows) {
        if (row.id !== region.id) continue
        const next: QueueRow = { ...row, phrase: region.phrase, status: region.status, boxes: region.boxes.length }
        if (next.phrase === row.phrase && next.status === row.status && next.boxes === row.boxes) return
        const change = Number(isDecided(next)) - Number(isDecided(row))
        store.setState({ rows: new Map(rows).set(index, next), reviewed: reviewed + change })
        return
      }
    },
    patchScores(scores) {
      const { rows } = get()
      let next: Map<number, QueueRow> | null = null
      for (const [index, row] of rows) {
        const score = scores[row.id]
        if (!score || (score.insideEnergy === row.consistency && score.pointingHit === row.hit)) continue
        next ??= new Map(rows)
        next.set(index, { ...row, consistency: score.insideEnergy, hit: score.pointingHit })
      }
      if (next) store.setState({ rows: next })
    },
    reload() {
      const { query } = get()
      if (query) void open(query)
    },
  }
}

/** Whether a row, as edited in the page, would still be in the engine's answer. Only what an edit can change is looked at. */
export function stillMatches(row: QueueRow, filter: RegionFilter): boolean {
  if (filter.statuses && filter.statuses.length > 0 && !filter.statuses.includes(row.status)) return false
  const phrase = row.phrase.toLowerCase()
  return (filter.text ?? '').toLowerCase().split(/\s+/).every((word) => phrase.includes(word))
}

/** Skipping is putting off, not deciding; the engine counts the same way. */
function isDecided(row: QueueRow): boolean {
  return row.status === 'accepted' || row.status === 'rejected'
}
