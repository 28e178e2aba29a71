/**
 * Arithmetic on huge tensors a stretch at a time. A chain of operations over 23 million word embeddings asks the system for a dozen
 * fresh blocks of 94 MB; faulting those in took 12 to 17 seconds a step where the arithmetic takes half a second.
 */
import * as k from './kernels.ts'
import { tf, type Tensor } from './tf.ts'

/** 4 MB: stays below what the allocator maps anew each time. */
export const PIECE_VALUES = 1 << 20

/** First value and number of values of every stretch. */
export function pieceSpans(size: number): readonly { readonly start: number; readonly length: number }[] {
  return Array.from({ length: Math.ceil(size / PIECE_VALUES) }, (_, i) => ({ start: i * PIECE_VALUES, length: Math.min(PIECE_VALUES, size - i * PIECE_VALUES) }))
}

/**
 * compute() of corresponding stretches of tensors of equal size, joined in the shape of the first. For operations that work value by
 * value, whose results are then the same to the bit. The result belongs to the surrounding tidy.
 */
export function inPieces(tensors: readonly Tensor[], compute: (pieces: readonly Tensor[], index: number) => Tensor): Tensor {
  const [{ size, shape }] = tensors as [Tensor]
  if (size <= PIECE_VALUES) return compute(tensors, 0)
  const flat = tensors.map((tensor) => k.reshape(tensor, [size]))
  const parts = pieceSpans(size).map(({ start, length }, i) => tf.tidy(() => compute(flat.map((tensor) => k.slice(tensor, [start], [length])), i)))
  const joined = k.reshape(k.concat(parts), shape)
  for (const part of parts) part.dispose()
  return joined
}
