/** Seeded draws on pure-rand. Each image has its own generator, so no image depends on how many came before it. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'
import { skipN } from 'pure-rand/utils/skipN'

export type Random = RandomGenerator

/** The generator of one stream of one seed: the same three values give the same draws. */
export function randomOf(seed: number, stream: string, index = 0): Random {
  let hash = mix(seed | 0)
  for (let i = 0; i < stream.length; i++) hash = mix(hash ^ stream.charCodeAt(i))
  const random = xoroshiro128plus(mix(hash ^ index))
  // Neighbouring seeds start alike; the state has spread after some draws.
  skipN(random, 24)
  return random
}

/** Uniform in [from, to). */
export function between(random: Random, from: number, to: number): number {
  return from + (to - from) * uniformFloat64(random)
}

/** A whole number in [from, to], both included. */
export function wholeBetween(random: Random, from: number, to: number): number {
  return uniformInt(random, from, to)
}

export function chance(random: Random, probability: number): boolean {
  return uniformFloat64(random) < probability
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[uniformInt(random, 0, items.length - 1)]!
}

/** The items in random order; the given list stays as it is. */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i)
    ;[result[i], result[j]] = [result[j]!, result[i]!]
  }
  return result
}

/** Normal with mean 0 and deviation 1 (Box-Muller, one of the pair). */
export function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(random)))
  return radius * Math.cos(2 * Math.PI * uniformFloat64(random))
}

/** A bijection of 32-bit integers that scatters neighbours (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let x = (value + 0x9e3779b9) | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}
