/**
 * Which images a step sees. Every pool (all images, those of a kind, those of a view) is walked in epochs, each in its own random order
 * given by the seed, the pool and the number of the epoch: two whole numbers a pool are the whole state to save.
 */
import { namedRandom, permutation } from './random.ts'

export interface PoolPosition {
  readonly epoch: number
  /** How many images of this epoch were drawn. */
  readonly drawn: number
}
export type SamplerState = Readonly<Record<string, PoolPosition>>

export interface Sampler {
  /** The next images of a pool, counted within it, all different. Fewer than asked only where the pool is smaller. */
  next(pool: string, count: number): Int32Array
  state(): SamplerState
}

/** @param pools how many images each pool has */
export function createSampler(pools: ReadonlyMap<string, number>, seed: number, start: SamplerState = {}): Sampler {
  const positions = new Map<string, PoolPosition>(Object.entries(start))
  const orders = new Map<string, { epoch: number; order: Int32Array }>()

  function orderOf(pool: string, epoch: number, size: number): Int32Array {
    const known = orders.get(pool)
    if (known?.epoch === epoch) return known.order
    const order = permutation(namedRandom(seed, 'order', pool, epoch), size)
    orders.set(pool, { epoch, order })
    return order
  }

  return {
    next(pool, count) {
      const size = pools.get(pool)!
      const take = Math.min(count, size)
      let { epoch, drawn } = positions.get(pool) ?? { epoch: 0, drawn: 0 }
      // An incomplete batch at the end of an epoch is left out, as the published loader does (drop_last).
      if (drawn + take > size) {
        epoch++
        drawn = 0
      }
      positions.set(pool, { epoch, drawn: drawn + take })
      return orderOf(pool, epoch, size).slice(drawn, drawn + take)
    },
    state: () => Object.fromEntries(positions),
  }
}
