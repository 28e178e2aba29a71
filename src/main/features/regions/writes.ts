/** Writes take turns: an edit of many regions is made in parts, and nothing may come between them. */
import type { Db } from '../../store/db.ts'
import type { Author, EditResult } from './apply.ts'
import { takeBackOpen } from './bulk-steps.ts'
import type { QueueOrders } from './queue-orders.ts'

export interface Writes {
  inTurn(work: () => EditResult | Promise<EditResult>): Promise<EditResult>
}

export function createWrites(db: Db, orders: QueueOrders, now: () => Author): Writes {
  let before: Promise<unknown> = Promise.resolve()
  const tidy = (): void => takeBackOpen(db, now())
  try {
    tidy()
  } catch (error) {
    console.error('An edit that was not finished could not be taken back yet:', error) // tried again before the next edit
  }
  return {
    inTurn(work) {
      const mine = before.then(async () => {
        tidy()
        // An open queue keeps the order it had before.
        await orders.settle()
        return work()
      })
      before = mine.catch(() => undefined)
      return mine
    },
  }
}
