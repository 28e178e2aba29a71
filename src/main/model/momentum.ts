/** The momentum copy and the feature queues (ALBEF, section 3.3): both change outside the graph. */
import * as k from './kernels.ts'
import { inPieces } from './pieces.ts'
import { momentumName, variableOf } from './params.ts'
import { tf, type Tensor2D, type Variable } from './tf.ts'
import type { FeatureQueues, ModelParams } from './types.ts'

/** copy = m * copy + (1 - m) * parameter, before the copy's features are used in a step. */
export function updateMomentum(params: ModelParams): void {
  const { momentum } = params.config
  if (momentum === null) return
  for (const name of params.trainable) {
    const copyName = momentumName(name)
    if (!copyName) continue
    const copy = variableOf(params, copyName)
    tf.tidy(() => copy.assign(inPieces([copy, variableOf(params, name)], ([old, now]) => k.add(k.mul(old!, momentum), k.mul(now!, 1 - momentum)))))
  }
}

/**
 * Writes features over the oldest ones. The reference's rule: an exact fit wraps the pointer to 0; what does not fit goes
 * on at the start. More features than places: the last ones stay.
 * @param image [B, E] @param text [N, E]
 */
export function enqueue(queues: FeatureQueues, image: Tensor2D, text: Tensor2D): void {
  queues.imagePointer = writeRing(queues.image, image, queues.imagePointer)
  queues.textPointer = writeRing(queues.text, text, queues.textPointer)
}

/** @returns the next place. */
function writeRing(queue: Variable, rows: Tensor2D, pointer: number): number {
  const [width, places] = queue.shape as [number, number]
  const count = rows.shape[0]
  tf.tidy(() => {
    const dropped = Math.max(0, count - places)
    const kept = tf.transpose(tf.slice(rows, [dropped, 0], [count - dropped, width])) // [E, kept]
    const start = (pointer + dropped) % places
    const fitting = Math.min(count - dropped, places - start)
    const wrapped = count - dropped - fitting
    const part = (from: Tensor2D, begin: number, size: number): Tensor2D => tf.slice(from, [0, begin], [width, size])
    const old = queue as unknown as Tensor2D
    const pieces = [
      part(kept as Tensor2D, fitting, wrapped),
      part(old, wrapped, start - wrapped),
      part(kept as Tensor2D, 0, fitting),
      part(old, start + fitting, places - start - fitting),
    ].filter((piece) => piece.shape[1] > 0)
    queue.assign(tf.concat(pieces, 1))
  })
  return (pointer + count) % places
}
