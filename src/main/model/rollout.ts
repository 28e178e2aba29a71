/**
 * Attention carried through all layers, without gradients (rollout) and with them (gradient rollout). R[i, j] says how much of token j
 * of the input is in token i; R_tt within the text, R_ii within the image, R_ti from the image into the text. The image never looks
 * at the text in this model, so there is no R_it. What the match is read from is [CLS] of the text: its row of R_ti is the heatmap.
 */
import { clampAtZero } from './nn.ts'
import { ungroup } from './gradcam.ts'
import type { AttentionStack } from './attention-stack.ts'
import { tf, type Tensor, type Tensor3D, type Tensor4D } from './tf.ts'

/** [B, T, T] */
const identity = (batch: number, tokens: number): Tensor3D => tf.tile(tf.expandDims(tf.eye(tokens), 0), [batch, 1, 1]) as Tensor3D
const product = (a: Tensor3D, b: Tensor3D): Tensor3D => tf.matMul(a, b) as Tensor3D
const half = (a: Tensor, b: Tensor): Tensor3D => tf.mul(tf.add(a, b), 0.5) as Tensor3D
const headMean = (attention: Tensor4D): Tensor3D => tf.mean(attention as Tensor, 1) as Tensor3D

interface Relevance {
  readonly tt: Tensor3D // [N, L, L]
  readonly ti: Tensor3D // [N, L, T]
  readonly ii: Tensor3D // [I, T, T]
}

/**
 * Attention rollout (Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers", section 4): each layer is A' = (A + I) / 2 with A
 * the mean over heads, and R = A'_n ... A'_1. Here for a text that also looks at an image: with A the cross-attention of a layer
 *   image block      R_ii <- (A + I) / 2 R_ii
 *   self-attention   R_tt <- (A + I) / 2 R_tt,   R_ti <- (A + I) / 2 R_ti
 *   cross-attention  R_ti <- (R_ti + A R_ii) / 2,   R_tt <- R_tt / 2
 * so that every row of [R_tt, R_ti] and of R_ii goes on summing to one. Layers before fusion change R_tt alone, never the heatmap.
 */
export function attentionRollout({ image, self, cross }: AttentionStack, texts: number): Relevance {
  const [images, , tokens] = image[0]!.shape
  const length = self[0]!.shape[2]
  let ii = identity(images, tokens)
  for (const layer of image) ii = product(half(headMean(layer), identity(images, tokens)), ii)
  let tt = identity(texts, length)
  let ti: Tensor3D = tf.zeros([texts, length, tokens])
  self.forEach((layer, index) => {
    const mixed = half(headMean(layer), identity(texts, length))
    ;[tt, ti] = [product(mixed, tt), product(mixed, ti)]
    const looked = cross[index - (self.length - cross.length)]
    if (!looked) return
    const fromImage = tf.reshape(product(headMean(looked), ii), [texts, length, tokens]) // [I, k * L, T] -> [N, L, T]
    ;[ti, tt] = [half(ti, fromImage), tf.mul(tt, 0.5) as Tensor3D]
  })
  return { tt, ti, ii }
}

/** Mean over heads of the positive part of gradient times attention (Chefer et al., eq. 5). [B, h, R, C] -> [B, R, C] */
const positive = (attention: Tensor4D, gradient: Tensor4D): Tensor3D => headMean(clampAtZero(tf.mul(attention, gradient) as Tensor4D))

/**
 * Gradient-weighted rollout (Chefer, Gur and Wolf 2021, "Generic Attention-model Explainability for Interpreting Bi-Modal and
 * Encoder-Decoder Transformers"). With A the mean over heads of max(gradient * attention, 0) (eq. 5), R_tt = R_ii = I, R_ti = 0:
 *   self-attention   R_ss <- R_ss + A R_ss,   R_sq <- R_sq + A R_sq                          (eq. 6, 7)
 *   cross-attention  R_ti <- R_ti + N(R_tt)^T A N(R_ii)                                     (eq. 10)
 *   where N(R) = (R - I) / (row sums of R - I) + I                                           (eq. 8, 9)
 * Eq. 11, R_tt <- R_tt + A R_it, adds nothing here. A row of R - I that is all zeros stays zero, where the published code divides by zero: with a
 * gradient of zero everything stays as it began. One image a text.
 */
export function gradientRollout(attention: AttentionStack, gradient: AttentionStack, texts: number): Relevance {
  const tokens = attention.image[0]!.shape[2]
  const length = attention.self[0]!.shape[2]
  const ii = imageRelevance(attention, gradient)
  let tt = identity(texts, length)
  let ti: Tensor3D = tf.zeros([texts, length, tokens])
  const fusion = attention.self.length - attention.cross.length
  attention.self.forEach((layer, index) => {
    const own = positive(layer, gradient.self[index]!)
    ;[tt, ti] = [tf.add(tt, product(own, tt)) as Tensor3D, tf.add(ti, product(own, ti)) as Tensor3D]
    if (index < fusion) return
    const looked = positive(ungroup(attention.cross[index - fusion]!, texts), ungroup(gradient.cross[index - fusion]!, texts))
    const carried = tf.matMul(normalised(tt), product(looked, normalised(ii)), true, false) as Tensor3D
    ti = tf.add(ti, carried) as Tensor3D
  })
  return { tt, ti, ii }
}

/** The image encoder alone: R_ii <- R_ii + A R_ii through its blocks. [I, T, T] */
export function imageRelevance(attention: AttentionStack, gradient: AttentionStack): Tensor3D {
  const [images, , tokens] = attention.image[0]!.shape
  let ii = identity(images, tokens)
  attention.image.forEach((layer, index) => {
    ii = tf.add(ii, product(positive(layer, gradient.image[index]!), ii)) as Tensor3D
  })
  return ii
}

function normalised(relevance: Tensor3D): Tensor3D {
  const [batch, tokens] = relevance.shape
  const added = tf.sub(relevance, identity(batch, tokens))
  const sums = tf.sum(added, 2, true) // [B, T, 1]
  const divisor = tf.where(tf.greater(sums, 0), sums, tf.onesLike(sums))
  return tf.add(tf.div(added, divisor), identity(batch, tokens)) as Tensor3D
}

/** What [CLS] has of the cells: [B, R, T] -> [B, T - 1] */
export function firstRowCells(relevance: Tensor3D): Tensor {
  const [batch, , tokens] = relevance.shape
  return tf.reshape(tf.slice(relevance, [0, 0, 1], [batch, 1, tokens - 1]), [batch, tokens - 1])
}
