/** Which rows a selection means, in the order in which they are shown. */
import type { Selection } from '../../../shared/contract/bulk.ts'
import { orderedRows, scoresOf } from '../../store/column-query.ts'
import { columnsOf } from '../../store/column-store.ts'
import type { Db } from '../../store/db.ts'
import type { QueueOrders } from './queue-orders.ts'

/** @throws AppError 'not-found' for a queue that is not kept any more */
export async function selectedRows(db: Db, orders: QueueOrders, selection: Selection): Promise<Float64Array> {
  if ('ids' in selection) return Float64Array.from(db.column<number>('SELECT r.rowid FROM json_each(?) j CROSS JOIN regions r ON r.id = j.value GROUP BY r.rowid ORDER BY min(j.key)', JSON.stringify(selection.ids)))
  if ('filter' in selection) {
    const query = { filter: selection.filter, sort: 'file-order', descending: false } as const
    const columns = await columnsOf(db).load(selection.filter.datasetId, scoresOf(query))
    return columns ? orderedRows(db, columns, query).rows : new Float64Array(0)
  }
  const all = await orders.rows(selection.snapshot)
  const rows = new Set<number>()
  for (const [from, to] of selection.ranges) for (const row of all.subarray(from, to + 1)) rows.add(row)
  return Float64Array.from(rows)
}
