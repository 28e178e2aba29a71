/** Image-text contrast (ALBEF, eq. 1-2 and 6): similarities to the batch and the queues against hard and soft targets. */
import { softmax } from '../nn.ts'
import { customOp } from '../custom-op.ts'
import { tf, type Scalar, type Tensor, type Tensor2D } from '../tf.ts'

export interface ContrastInput {
  /** Unit rows of the trained model. */
  readonly image: Tensor2D // [B, E]
  readonly text: Tensor2D // [N, E]
  /** Columns compared with: momentum features and queue, or the trained features themselves. */
  readonly textColumns: Tensor2D // [E, N + Q]
  readonly imageColumns: Tensor2D // [E, B + Q]
  /** Momentum rows for the soft targets; null with alpha 0. */
  readonly momentum: { readonly image: Tensor2D; readonly text: Tensor2D } | null
  readonly temperature: Scalar
  readonly alpha: number
  /** 1 where text n and image b are a pair, [N, B]; several texts an image share its weight evenly. */
  readonly pairs: Tensor2D
  /** 1 where they are no pair but true of each other: neither a positive nor a negative. Null: none. */
  readonly ignored: Tensor2D | null
}

export interface Contrast {
  readonly simI2t: Tensor2D // [B, N + Q]
  readonly simT2i: Tensor2D // [N, B + Q]
  readonly targetsI2t: Tensor2D
  readonly targetsT2i: Tensor2D
}

export const IGNORED_SIMILARITY = -1e4

export function contrast(input: ContrastInput): Contrast {
  const { image, text, textColumns, imageColumns, temperature, ignored } = input
  const ignoredI2t = ignored && widen(tf.transpose(ignored), textColumns.shape[1])
  const ignoredT2i = ignored && widen(ignored, imageColumns.shape[1])
  const similarity = (rows: Tensor2D, columns: Tensor2D, ignore: Tensor2D | null): Tensor2D => {
    const plain = tf.div(tf.matMul(rows, columns), temperature) as Tensor2D
    return ignore ? tf.add(plain, tf.mul(ignore, IGNORED_SIMILARITY)) : plain
  }
  const hard = (pairs: Tensor2D, columns: number): Tensor2D => widen(tf.div(pairs, tf.sum(pairs, 1, true)), columns)
  const targets = (rows: Tensor2D | undefined, columns: Tensor2D, ignore: Tensor2D | null, pairs: Tensor2D): Tensor2D => {
    const own = hard(pairs, columns.shape[1])
    if (!rows || input.alpha === 0) return own
    return tf.add(tf.mul(softmax(similarity(rows, columns, ignore)), input.alpha), tf.mul(own, 1 - input.alpha))
  }
  return {
    simI2t: similarity(image, textColumns, ignoredI2t),
    simT2i: similarity(text, imageColumns, ignoredT2i),
    targetsI2t: targets(input.momentum?.image, textColumns, ignoredI2t, tf.transpose(input.pairs)),
    targetsT2i: targets(input.momentum?.text, imageColumns, ignoredT2i, input.pairs),
  }
}

/** Zeros for the queue's columns. */
function widen(x: Tensor2D, columns: number): Tensor2D {
  return x.shape[1] === columns ? x : tf.pad(x, [[0, 0], [0, columns - x.shape[1]]])
}

/** Mean of both directions. */
export function itcLoss(c: Contrast): Scalar {
  const both = tf.add(softCrossEntropy(c.simI2t, c.targetsI2t), softCrossEntropy(c.simT2i, c.targetsT2i))
  return tf.mul(both, 0.5)
}

/** -mean over rows of sum_j target_j log softmax(logits)_j; no gradient into the targets. */
export function softCrossEntropy(logits: Tensor2D, targets: Tensor): Scalar {
  return customOp(
    { logits },
    (save) => {
      save(logits, targets)
      return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), targets), 1))) as Scalar
    },
    (dy, saved) => ({
      logits: () => {
        const [x, t] = saved as [Tensor2D, Tensor2D]
        const difference = tf.sub(tf.mul(softmax(x), tf.sum(t, 1, true)), t)
        return tf.mul(difference, tf.div(dy, x.shape[0]))
      },
    }),
  )
}
