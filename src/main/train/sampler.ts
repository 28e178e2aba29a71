/**
 * Which images a step sees. Every pool (all images, close-ups, scenes) is walked in epochs, each in its own random order
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
  /** The next indices of a pool, all different. Fewer than asked only where the pool is smaller. */
  next(pool: string, count: number): Int32Array
  state(): SamplerState
}

/** @param pools indices of images by the name of the pool */
export function createSampler(pools: Readonly<Record<string, Int32Array>>, seed: number, start: SamplerState = {}): Sampler {
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
      const indices = pools[pool]!
      const take = Math.min(count, indices.length)
      let { epoch, drawn } = positions.get(pool) ?? { epoch: 0, drawn: 0 }
      // An incomplete batch at the end of an epoch is left out, as the published loader does (drop_last).
      if (drawn + take > indices.length) {
        epoch++
        drawn = 0
      }
      const order = orderOf(pool, epoch, indices.length)
      positions.set(pool, { epoch, drawn: drawn + take })
      return Int32Array.from(order.subarray(drawn, drawn + take), (i) => indices[i]!)
    },
    state: () => Object.fromEntries(positions),
  }
}
