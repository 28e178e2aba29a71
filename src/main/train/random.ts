/**
 * Independent streams of random numbers for the purposes of a run: drawing more for one leaves the others as they were.
 * Their states are saved with the run, so that a resumed run draws what the unbroken one would have drawn.
 */
import { createRandom, type RandomSource } from '../model/random.ts'

/** A stream for a named purpose under a seed. Equal arguments give equal numbers on every machine. */
export function namedRandom(seed: number, ...names: readonly (string | number)[]): RandomSource {
  return createRandom(hash(`${seed}/${names.join('/')}`))
}

/** The numbers 0 .. count - 1 in random order (Fisher-Yates). */
export function permutation(random: RandomSource, count: number): Int32Array {
  const order = new Int32Array(count)
  for (let i = 0; i < count; i++) order[i] = i
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}

/** FNV-1a over the text, then a final mix: near seeds must not give near states. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}
