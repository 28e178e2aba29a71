/**
 * Convolutions before the transformer, for small images: 5x5 stride 3, then twice 3x3 stride 2, each followed by a
 * normalisation over the whole sample and GELU, then 1x1. Cells of 12 px. 'same' padding (one pixel more at the far side where it is odd).
 */
import { gelu, linear } from './nn.ts'
import { customOp } from './custom-op.ts'
import { variableOf } from './params.ts'
import { tf, type Tensor, type Tensor2D, type Tensor4D, type Variable } from './tf.ts'
import type { ModelParams } from './types.ts'

const STRIDES = [3, 2, 2] as const
const GROUP_EPSILON = 1e-5

/** [B, 3, S, S] -> [B * g * g, width] */
export function convStem(params: ModelParams, images: Tensor4D, prefix: string): Tensor2D {
  let x = tf.transpose(images, [0, 2, 3, 1]) as Tensor4D // channels last: the only layout TensorFlow convolves on a CPU
  STRIDES.forEach((stride, i) => {
    const v = (key: string): Variable => variableOf(params, `${prefix}.stem.${i}.${key}`)
    const filter = tf.transpose(v('conv.weight'), [2, 3, 1, 0]) as Tensor4D // [h, w, in, out]
    x = tf.add(tf.conv2d(x, filter, stride, 'same'), v('conv.bias'))
    x = gelu(sampleNorm(x, v('norm.weight'), v('norm.bias')))
  })
  const rows = tf.reshape(x, [-1, x.shape[3]]) as Tensor2D // [B * g * g, width]
  return linear(rows, variableOf(params, `${prefix}.stem.proj.weight`), variableOf(params, `${prefix}.stem.proj.bias`))
}

/** GroupNorm with one group: normalised over height, width and channels of each sample, [B, H, W, C]. */
function sampleNorm(x: Tensor4D, gamma: Tensor, beta: Tensor): Tensor4D {
  const [batch, height, width, channels] = x.shape
  return customOp(
    { x, gamma, beta },
    (save) => {
      const flat = tf.reshape(x, [batch, -1])
      const centred = tf.sub(flat, tf.mean(flat, 1, true))
      const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), GROUP_EPSILON)) // [B, 1]
      const normal = tf.reshape(tf.mul(centred, scale), x.shape)
      save(normal, scale)
      return tf.add(tf.mul(normal, gamma), beta) as Tensor4D
    },
    (dy, saved) => {
      const [normal, scale] = saved as [Tensor4D, Tensor]
      return {
        x: () => {
          const d = tf.reshape(tf.mul(dy, gamma), [batch, -1])
          const n = tf.reshape(normal, [batch, -1])
          const parallel = tf.mul(n, tf.mean(tf.mul(d, n), 1, true))
          return tf.reshape(tf.mul(tf.sub(tf.sub(d, tf.mean(d, 1, true)), parallel), scale), x.shape)
        },
        gamma: () => tf.sum(tf.reshape(tf.mul(dy, normal), [batch * height * width, channels]), 0),
        beta: () => tf.sum(tf.reshape(dy, [batch * height * width, channels]), 0),
      }
    },
  )
}
