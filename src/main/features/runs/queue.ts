/** The order of the runs that wait or pause. Places are only compared; a gap between two of them means nothing. */
import type { Db } from '../../store/db.ts'
import { AppError } from '../../../shared/errors.ts'
import { requireRun, type RunRow } from './rows.ts'

/** Gives a run a place, at the end when it has none. */
export function takePlace(db: Db, id: string): void {
  db.run('UPDATE runs SET queue_place = coalesce(queue_place, (SELECT coalesce(max(queue_place), 0) + 1 FROM runs)) WHERE id = ?', id)
}

/** What has a place and is not under way, in order. */
export function queued(db: Db): RunRow[] {
  return db.all<RunRow>("SELECT * FROM runs WHERE state IN ('waiting', 'paused') AND queue_place IS NOT NULL ORDER BY queue_place, number")
}

/**
 * Moves a run to an index of the queue; the others keep their order.
 * @returns the runs whose place changed
 * @throws AppError 'conflict' when it is not in the queue any more
 */
export function moveInQueue(db: Db, id: string, index: number): RunRow[] {
  return db.transaction(() => {
    const rows = queued(db)
    const from = rows.findIndex((row) => row.id === id)
    if (from < 0) throw new AppError('conflict', `${requireRun(db, id).name} does not wait any more.`, 'Look at the list of runs.', id)
    const places = rows.map((row) => row.queue_place!)
    const order = rows.toSpliced(from, 1)
    order.splice(Math.max(0, Math.min(order.length, index)), 0, rows[from]!)
    const changed = order.filter((row, i) => row.queue_place !== places[i])
    for (const [i, row] of order.entries()) db.run('UPDATE runs SET queue_place = ? WHERE id = ?', places[i]!, row.id)
    return changed.map((row) => requireRun(db, row.id))
  })
}
