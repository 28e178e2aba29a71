/**
 * The order of each open queue, frozen when it was opened. A person walks it while scores and states change under it, by
 * their own edits, by others' and by scoring: pages cut from the list as it stands would skip a row for each that moved.
 */
import { AppError } from '../../../shared/errors.ts'
import type { Db } from '../../store/db.ts'
import { placeOf, queryQueue, queueOrder, type QueuePage, type QueueQuery, rowsAt } from './queue.ts'

export interface OrderedQuery extends QueueQuery {
  /** Whose queue it is, and the how manieth of theirs: the first page of a new number freezes a new order, and lets go of the old one. */
  readonly snapshot?: { readonly owner: string; readonly number: number } | undefined
  /** A region whose place is asked for. */
  readonly find?: string | undefined
}
export interface OrderedPage extends QueuePage {
  /** Place of the region asked for; null when it is not in the queue, or when none was asked for. */
  readonly foundAt: number | null
}
export interface QueueOrders {
  query(input: OrderedQuery): OrderedPage
  /** Freezes what was opened a moment ago; to be called before anything is written. */
  settle(): void
}

interface Order {
  readonly number: number
  readonly query: QueueQuery
  readonly reviewed: number
  /** Row numbers of the first page, as it was given out. */
  readonly head: readonly number[]
  /** All row numbers; null until they are needed. */
  all: Float64Array | null
}

/** Many windows may be open; each keeps 8 bytes a row here. */
const MOST_OWNERS = 16
/** The whole order is read when a queue has stood for a moment, so that typing a filter does not read one for each letter. */
const SETTLE_AFTER_MS = 150

export function createQueueOrders(db: Db): QueueOrders {
  const orders = new Map<string, Order>()
  let timer: NodeJS.Timeout | null = null

  function whole(order: Order): Float64Array {
    if (order.all) return order.all
    // What the first page showed stays in its place, whatever was written since.
    const known = new Set(order.head)
    const rest = queueOrder(db, order.query).filter((row) => !known.has(row))
    const all = new Float64Array(order.head.length + rest.length)
    all.set(order.head)
    all.set(rest, order.head.length)
    order.all = all
    return all
  }

  function settle(): void {
    if (timer) clearTimeout(timer)
    timer = null
    for (const order of orders.values()) whole(order)
  }

  function settleSoon(): void {
    if (timer) clearTimeout(timer)
    timer = setTimeout(() => {
      try {
        settle()
      } catch {
        // Whoever asks for the next page is told why it cannot be read.
      }
    }, SETTLE_AFTER_MS)
    timer.unref()
  }

  function open(input: OrderedQuery, { owner, number }: NonNullable<OrderedQuery['snapshot']>): OrderedPage {
    const page = queryQueue(db, input)
    const head = page.rows.map((row) => placeOf(db, row.id)!)
    const order: Order = { number, query: input, reviewed: page.reviewed, head, all: head.length < input.limit ? Float64Array.from(head) : null }
    orders.delete(owner)
    orders.set(owner, order)
    if (orders.size > MOST_OWNERS) orders.delete(orders.keys().next().value!)
    if (!order.all) settleSoon()
    return { ...page, foundAt: find(order, input.find) }
  }

  function find(order: Order, regionId: string | undefined): number | null {
    const row = regionId === undefined ? undefined : placeOf(db, regionId)
    if (row === undefined) return null
    const near = order.head.indexOf(row)
    const at = near >= 0 ? near : whole(order).indexOf(row)
    return at < 0 ? null : at
  }

  return {
    settle,
    query(input) {
      if (!input.snapshot) return { ...queryQueue(db, input), foundAt: null }
      const order = orders.get(input.snapshot.owner)
      if (order?.number !== input.snapshot.number) {
        if (input.offset === 0) return open(input, input.snapshot)
        throw new AppError('not-found', 'The order of this queue is not kept any more.', 'Fetch the queue again.', 'snapshot')
      }
      const all = whole(order)
      return { total: all.length, reviewed: order.reviewed, rows: rowsAt(db, all.subarray(input.offset, input.offset + input.limit), input.filter.checkpointId), foundAt: find(order, input.find) }
    },
  }
}
