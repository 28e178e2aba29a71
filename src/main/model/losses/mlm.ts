/** Masked words (ALBEF, eq. 3 and 7), with soft labels of the momentum model. */
import { softmax } from '../nn.ts'
import { customOp } from '../custom-op.ts'
import { tf, type Scalar, type Tensor, type Tensor2D, type Tensor3D } from '../tf.ts'

/** Rows of the flattened [N * L] positions that are asked, and the words expected there. */
export interface MaskedPositions {
  readonly rows: Int32Array // [M]
  readonly words: Int32Array // [M]
}

export function maskedPositions(labels: Int32Array): MaskedPositions {
  const rows: number[] = []
  labels.forEach((label, row) => label >= 0 && rows.push(row))
  return { rows: Int32Array.from(rows), words: Int32Array.from(rows, (row) => labels[row]!) }
}

/** Mean over the masked positions of -log softmax(logits)[word]; logits [M, V]. */
export function wordCrossEntropy(logits: Tensor2D, words: Int32Array): Scalar {
  const [count, vocabulary] = logits.shape
  const hot = (): Tensor => tf.cast(tf.oneHot(tf.tensor1d(words, 'int32'), vocabulary), 'float32')
  return customOp(
    { logits },
    (save) => {
      save(logits)
      return tf.neg(tf.div(tf.sum(tf.mul(tf.logSoftmax(logits), hot())), count)) as Scalar
    },
    (dy, [saved]) => ({ logits: () => tf.mul(tf.sub(softmax(saved!), hot()), tf.div(dy, count)) }),
  )
}

/**
 * Mean over the masked positions of -sum_v log softmax(logits)_v * soft_v.
 * @param logits [N, L, V] when the axis is 'sequence' (the reference's slip: every position takes part), else [M, V].
 * @param soft softmax of the momentum model's logits over the vocabulary at the masked positions, [M, V]; no gradient.
 */
export function softWordCrossEntropy(logits: Tensor, soft: Tensor2D, positions: MaskedPositions, axis: 'sequence' | 'vocabulary'): Scalar {
  const count = positions.rows.length
  if (axis === 'vocabulary') {
    return customOp(
      { logits },
      (save) => {
        save(logits, soft)
        return tf.neg(tf.div(tf.sum(tf.mul(tf.logSoftmax(logits), soft)), count)) as Scalar
      },
      (dy, saved) => ({ logits: () => tf.mul(tf.sub(softmax(saved[0]!), saved[1]!), tf.div(dy, count)) }),
    )
  }
  return sequenceCrossEntropy(logits as Tensor3D, soft, positions)
}

function sequenceCrossEntropy(logits: Tensor3D, soft: Tensor2D, positions: MaskedPositions): Scalar {
  const [texts, length, vocabulary] = logits.shape
  const count = positions.rows.length
  // Targets spread to all positions, zero where nothing is asked.
  const spread = (target: Tensor2D): Tensor3D =>
    tf.reshape(tf.unsortedSegmentSum(target, tf.tensor1d(positions.rows, 'int32'), texts * length), [texts, length, vocabulary])
  return customOp(
    { logits },
    (save) => {
      save(logits, soft)
      const shifted = tf.sub(logits, tf.max(logits, 1, true))
      const logProbabilities = tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), 1, true)))
      return tf.neg(tf.div(tf.sum(tf.mul(logProbabilities, spread(soft))), count)) as Scalar
    },
    (dy, saved) => ({
      logits: () => {
        const [x, target] = saved as [Tensor3D, Tensor2D]
        const shifted = tf.exp(tf.sub(x, tf.max(x, 1, true)))
        const probabilities = tf.div(shifted, tf.sum(shifted, 1, true)) // over the sequence
        const spreadTarget = spread(target)
        const difference = tf.sub(tf.mul(probabilities, tf.sum(spreadTarget, 1, true)), spreadTarget)
        return tf.mul(difference, tf.div(dy, count))
      },
    }),
  )
}
