/** Ids that sort by the time they were made, so that rows of one import lie together in the database's trees. */
import { randomBytes } from 'node:crypto'

let lastMs = 0
let counter = 0

/** For example 'r_0mc2x9k1f-0004-9f2c61d0': milliseconds, a counter within them, 32 random bits. */
export function newId(prefix: string): string {
  const now = Date.now()
  if (now > lastMs) {
    lastMs = now
    counter = 0
  } else counter++
  const time = lastMs.toString(36).padStart(9, '0')
  return `${prefix}_${time}-${counter.toString(36).padStart(4, '0')}-${randomBytes(4).toString('hex')}`
}
