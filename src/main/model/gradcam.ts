/** Heatmaps out of attention and its gradient: A * max(G, 0), [CLS] cell dropped, padding masked, mean over heads and tokens. */
import { clampAtZero } from './nn.ts'
import type { TappedFusion } from './fusion.ts'
import { tf, type Tensor, type Tensor4D } from './tf.ts'
import type { TokenBatch } from './types.ts'

/**
 * @returns raw maps [N, cells], neither normalised nor upsampled. The mean runs over all L positions, padded ones as zeros.
 */
export function rawMaps(tap: Pick<TappedFusion, 'attention' | 'gradient'>, text: TokenBatch): Tensor {
  const [images, heads, asked, tokens] = tap.attention.shape
  const perImage = text.count / images
  const rows = asked / perImage // L, or 1 when only [CLS] asked: the other rows have no gradient and add nothing
  const weighted = tf.mul(dropFirst(tap.attention), clampAtZero(dropFirst(tap.gradient))) // [I, h, k * R, P - 1]
  const kept = tf.reshape(tf.mul(weighted, rowMask(text, images, asked, rows)), [images, heads, perImage, rows, tokens - 1])
  const sums = tf.sum(tf.sum(kept, 3), 1) // [I, k, P - 1]
  return tf.reshape(tf.div(sums, heads * text.length), [text.count, tokens - 1])
}

function dropFirst(x: Tensor4D): Tensor4D {
  const [a, b, c, d] = x.shape
  return tf.slice(x, [0, 0, 0, 1], [a, b, c, d - 1])
}

/** The text mask laid out as the queries are: [I, 1, k * R, 1] */
function rowMask(text: TokenBatch, images: number, asked: number, rows: number): Tensor4D {
  const mask = rows === text.length ? text.mask : text.mask.filter((_, i) => i % text.length === 0)
  return tf.tensor4d(Float32Array.from(mask), [images, 1, asked, 1])
}

/** The reference's view of a grouped tensor: [I, h, k * L, P] -> [N, h, L, P] */
export function ungroup(x: Tensor4D, count: number): Tensor4D {
  const [images, heads, asked, tokens] = x.shape
  const perImage = count / images
  if (perImage === 1) return x
  const split = tf.reshape(x as Tensor, [images, heads, perImage, asked / perImage, tokens])
  return tf.reshape(tf.transpose(split, [0, 2, 1, 3, 4]), [count, heads, asked / perImage, tokens])
}

