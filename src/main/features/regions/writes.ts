/** What has to be put right before regions are written, by whoever writes them. */
import type { EngineContext } from '../../engine/context.ts'
import type { Author } from './apply.ts'
import { takeBackOpen } from './bulk-steps.ts'
import type { QueueOrders } from './queue-orders.ts'

export function tidyBeforeWrites({ db, turns }: Pick<EngineContext, 'db' | 'turns'>, orders: QueueOrders, now: () => Author): void {
  const tidy = (): void => takeBackOpen(db, now())
  try {
    tidy()
  } catch (error) {
    console.error('An edit that was not finished could not be taken back yet:', error) // tried again before the next edit
  }
  turns.before(async () => {
    tidy()
    // An open queue keeps the order it had before.
    await orders.settle()
  })
}
