/** Scaled dot-product attention over heads, in a quick form (differentiable once) and a tappable one (twice). */
import { customOp, onceOnly } from './custom-op.ts'
import { softmax } from './nn.ts'
import { tf, type Tensor, type Tensor2D, type Tensor4D } from './tf.ts'

/** [B * T, h * d] -> [B, h, T, d] */
export function splitHeads(x: Tensor2D, batch: number, heads: number): Tensor4D {
  const tokens = x.shape[0] / batch
  return tf.transpose(tf.reshape(x, [batch, tokens, heads, x.shape[1] / heads]), [0, 2, 1, 3]) as Tensor4D
}

/** [B, h, T, d] -> [B * T, h * d] */
export function mergeHeads(x: Tensor4D): Tensor2D {
  const [batch, heads, tokens, depth] = x.shape
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch * tokens, heads * depth])
}

/** softmax(q k^T / sqrt(d) + bias), twice differentiable. [B, h, T, S] */
export function attentionProbabilities(q: Tensor4D, k: Tensor4D, bias: Tensor | null): Tensor4D {
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(q.shape[3])) as Tensor4D
  return softmax(bias ? (tf.add(scores, bias) as Tensor4D) : scores)
}

/**
 * The whole of attention as one operation with its gradient in closed form; it keeps the probabilities, so once only.
 * q [B, h, T, d], k and v [B, h, S, d], bias broadcast to [B, h, T, S] or null -> [B, h, T, d]
 */
export function attendOnce(q: Tensor4D, k: Tensor4D, v: Tensor4D, bias: Tensor | null): Tensor4D {
  const scale = 1 / Math.sqrt(q.shape[3])
  return customOp(
    { q, k, v },
    (save) => {
      const scores = tf.matMul(tf.mul(q, scale), k, false, true) // [B, h, T, S]
      const probabilities = tf.softmax(bias ? tf.add(scores, bias) : scores)
      save(q, k, v, probabilities)
      return tf.matMul(probabilities, v) as Tensor4D
    },
    (dy, saved) => {
      onceOnly('attention')
      const [q, k, v, probabilities] = saved as [Tensor4D, Tensor4D, Tensor4D, Tensor4D]
      // Both q and k need it: made once here, freed when both had it or else with the whole backward pass.
      const dScores = scoreGradient(tf.matMul(dy as Tensor4D, v, false, true), probabilities, scale)
      let served = 0
      const serve = (gradient: Tensor): Tensor => {
        served += 1
        if (served === 2) dScores.dispose()
        return gradient
      }
      return {
        q: () => serve(tf.matMul(dScores as Tensor4D, k)),
        k: () => serve(tf.matMul(dScores as Tensor4D, q, true, false)),
        v: () => tf.matMul(probabilities, dy as Tensor4D, true, false),
      }
    },
  )
}

/** The softmax's gradient, scaled; frees dProbabilities' temporaries at once. */
function scoreGradient(dProbabilities: Tensor, probabilities: Tensor, scale: number): Tensor {
  return tf.tidy(() => {
    const weighted = tf.mul(dProbabilities, probabilities)
    return tf.mul(tf.sub(weighted, tf.mul(probabilities, tf.sum(weighted, -1, true))), scale)
  })
}
