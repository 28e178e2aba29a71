/** Scaled dot-product attention over heads, twice differentiable. layers.ts has the quick form. */
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
