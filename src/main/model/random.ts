/** Seeded random numbers whose state can be saved with a run, so that a resumed run draws what the unbroken one would have. */
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

export interface RandomSource {
  /** Uniform in [0, 1), 32 bits. */
  next(): number
  /** Uniform integer in [0, count). */
  below(count: number): number
  /** Standard normal. */
  normal(): number
  /** Plain numbers; hand them to randomFromState. */
  state(): readonly number[]
}

export function createRandom(seed: number): RandomSource {
  return wrap(xoroshiro128plus(seed))
}

export function randomFromState(state: readonly number[]): RandomSource {
  return wrap(xoroshiro128plusFromState(state))
}

function wrap(generator: ReturnType<typeof xoroshiro128plus>): RandomSource {
  const next = (): number => (generator.next() >>> 0) / 4294967296
  return {
    next,
    below: (count) => Math.floor(next() * count),
    // Box-Muller without keeping the second value: the state stays the generator's alone.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    state: () => [...generator.getState()],
  }
}

/** Index drawn with probability proportional to the weights, or -1 when they are all zero. */
export function drawWeighted(random: RandomSource, weights: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) sum += weights[i]!
  if (!(sum > 0)) return -1
  let rest = random.next() * sum
  let last = -1
  for (let i = 0; i < weights.length; i++) {
    if (weights[i]! <= 0) continue
    last = i
    rest -= weights[i]!
    if (rest < 0) return i
  }
  return last
}
