/** Grad-CAM of the image encoder's self-attention for image-text similarity: the other explanation of the published evaluation ("itc"). */
import { encodeText, paddingBias } from './bert.ts'
import { valueAndGradient } from './custom-op.ts'
import { imageFeature, textFeature } from './features.ts'
import { clampAtZero } from './nn.ts'
import { variableOf } from './params.ts'
import { tf, type Tensor, type Tensor2D, type Tensor4D } from './tf.ts'
import type { ModelParams, TokenBatch } from './types.ts'
import { embedImage, finalNorm, tappedBlock } from './vit.ts'

export interface ImageAttentionInput {
  readonly params: ModelParams
  /** Normalised pixels, [B, 3, S, S]; text n belongs to image n. */
  readonly images: Float32Array
  readonly text: TokenBatch
  /** Block of the image encoder, from 0. */
  readonly layer: number
  readonly pad: number
}

export interface ImageAttention {
  readonly attention: Tensor4D // [B, h, T, T]
  /** d (sum of each image's similarity to its own text) / d attention. */
  readonly gradient: Tensor4D
  readonly imageUnit: Tensor2D // [B, E]
  readonly textUnit: Tensor2D // [B, E]
  /** Over the temperature. */
  readonly similarity: Tensor2D // [B, B]
  /** What [CLS] looks at, times the gradient where positive, mean over heads. */
  readonly maps: Tensor2D // [B, T - 1]
}

/** The caller's scope owns the tensors. */
export function imageAttentionTensors({ params, images, text, layer, pad }: ImageAttentionInput): ImageAttention {
  const { size, depth } = params.config.image
  const count = text.count
  let x = embedImage(params, tf.tensor4d(images, [count, 3, size, size]))
  const through = (index: number, rows: Tensor2D): Tensor2D => {
    const { attention, rest } = tappedBlock(params, index, rows, count)
    return rest(attention)
  }
  for (let index = 0; index < layer; index++) x = through(index, x)
  const { attention, rest } = tappedBlock(params, layer, x, count)
  const textRows = encodeText(params, text, paddingBias(text), pad)
  const textUnit = textFeature(params, textRows, count)
  const imageUnit = (probabilities: Tensor4D): Tensor2D => {
    let rows = rest(probabilities)
    for (let index = layer + 1; index < depth; index++) rows = through(index, rows)
    return imageFeature(params, finalNorm(params, rows), count)
  }
  const similarityOf = (unit: Tensor2D): Tensor2D => tf.div(tf.matMul(unit, textUnit, false, true), variableOf(params, 'temp') as Tensor)
  const { value, gradient } = valueAndGradient(() => similarityOf(imageUnit(attention)), attention, tf.eye(count))
  return { attention, gradient: gradient as Tensor4D, imageUnit: imageUnit(attention), textUnit, similarity: value, maps: classMaps(attention, gradient as Tensor4D) }
}

/** [B, h, T, T] -> [B, T - 1] */
function classMaps(attention: Tensor4D, gradient: Tensor4D): Tensor2D {
  const [count, heads, tokens] = attention.shape
  const row = (x: Tensor4D): Tensor4D => tf.slice(x, [0, 0, 0, 1], [count, heads, 1, tokens - 1])
  return tf.mean(tf.mul(row(attention), clampAtZero(row(gradient))), [1, 2])
}
