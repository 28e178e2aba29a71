/**
 * The order of each open queue, frozen when it was opened. A person walks it while scores and states change under it, by
 * their own edits, by others' and by scoring: pages cut from the list as it stands would skip a row for each that moved.
 */
import { AppError } from '../../../shared/errors.ts'
import { orderedRows, scoresOf } from '../../store/column-query.ts'
import { columnsOf } from '../../store/column-store.ts'
import type { Db } from '../../store/db.ts'
import { isQuickInSql, placeOf, queryQueue, type QueuePage, type QueueQuery, rowsAt } from './queue.ts'

export interface Snapshot {
  readonly owner: string
  readonly number: number
}
export interface OrderedQuery extends QueueQuery {
  /** Whose queue it is, and the how manieth of theirs: the first page of a new number freezes a new order, and lets go of the old one. */
  readonly snapshot?: Snapshot | undefined
  /** A region whose place is asked for. */
  readonly find?: string | undefined
}
export interface OrderedPage extends QueuePage {
  /** Place of the region asked for; null when it is not in the queue, or when none was asked for. */
  readonly foundAt: number | null
}
export interface QueueOrders {
  query(input: OrderedQuery): Promise<OrderedPage>
  /** Resolves when every open queue has its whole order; to be waited for before anything is written. Null when nothing need be waited for. */
  settle(): Promise<unknown> | null
  /** All row numbers of an open queue. @throws AppError 'not-found' when it is not kept any more */
  rows(snapshot: Snapshot): Promise<Float64Array>
}

interface Order {
  readonly number: number
  readonly reviewed: number
  /** Null until the columns are read, when the first page came from the database. */
  all: Float64Array | null
  readonly whole: Promise<Float64Array>
}

/** Many windows may be open; each keeps 8 bytes a row here. */
const MOST_OWNERS = 16

export function createQueueOrders(db: Db): QueueOrders {
  const orders = new Map<string, Order>()
  const gone = (): AppError => new AppError('not-found', 'The order of this queue is not kept any more.', 'Fetch the queue again.', 'snapshot')

  /** The rows of a question, and its first page; the rows come later where the columns are still to be read. */
  async function answer(input: QueueQuery): Promise<{ page: QueuePage; head: Float64Array; rest: Promise<Float64Array> | null }> {
    const scores = scoresOf(input)
    const { datasetId } = input.filter
    const ready = columnsOf(db).now(datasetId, scores)
    if (!ready && isQuickInSql(input)) {
      const page = queryQueue(db, input)
      const head = Float64Array.from(page.rows, (row) => placeOf(db, row.id)!)
      return { page, head, rest: columnsOf(db).load(datasetId, scores).then((columns) => (columns ? orderedRows(db, columns, input).rows : head)) }
    }
    const columns = ready ?? (await columnsOf(db).load(datasetId, scores))
    const { rows, reviewed } = columns ? orderedRows(db, columns, input) : { rows: new Float64Array(0), reviewed: 0 }
    return { page: { total: rows.length, reviewed, rows: rowsAt(db, rows.subarray(input.offset, input.offset + input.limit), input.filter.checkpointId) }, head: rows, rest: null }
  }

  async function open(input: OrderedQuery, { owner, number }: Snapshot): Promise<OrderedPage> {
    const { page, head, rest } = await answer(input)
    const whole = rest === null || head.length < input.limit ? Promise.resolve(head) : rest.then((rows) => continued(head, rows))
    const order: Order = { number, reviewed: page.reviewed, all: rest === null ? head : null, whole }
    whole.then((rows) => (order.all = rows), () => undefined) // whoever asks for the next page is told why it cannot be read
    orders.delete(owner)
    orders.set(owner, order)
    if (orders.size > MOST_OWNERS) orders.delete(orders.keys().next().value!)
    return { ...page, foundAt: await find(order, input.find, head) }
  }

  async function find(order: Order, regionId: string | undefined, head: Float64Array | null): Promise<number | null> {
    const row = regionId === undefined ? undefined : placeOf(db, regionId)
    if (row === undefined) return null
    const near = head?.indexOf(row) ?? -1
    const at = near >= 0 ? near : (order.all ?? (await order.whole)).indexOf(row)
    return at < 0 ? null : at
  }

  return {
    settle() {
      const open = [...orders.values()].filter((order) => !order.all)
      return open.length === 0 ? null : Promise.allSettled(open.map((order) => order.whole))
    },
    async rows({ owner, number }) {
      const order = orders.get(owner)
      if (order?.number !== number) throw gone()
      return order.all ?? order.whole
    },
    async query(input) {
      if (!input.snapshot) return { ...(await answer(input)).page, foundAt: null }
      const order = orders.get(input.snapshot.owner)
      if (order?.number !== input.snapshot.number) {
        if (input.offset === 0) return open(input, input.snapshot)
        throw gone()
      }
      const all = order.all ?? (await order.whole)
      return { total: all.length, reviewed: order.reviewed, rows: rowsAt(db, all.subarray(input.offset, input.offset + input.limit), input.filter.checkpointId), foundAt: await find(order, input.find, null) }
    },
  }
}

/** What the first page showed stays in its place, whatever was written since. */
function continued(head: Float64Array, rows: Float64Array): Float64Array {
  const known = new Set(head)
  const rest = rows.filter((row) => !known.has(row))
  const all = new Float64Array(head.length + rest.length)
  all.set(head)
  all.set(rest, head.length)
  return all
}
