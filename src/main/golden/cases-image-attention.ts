/** Grad-CAM of the image encoder's self-attention for image-text similarity: the other explanation of the published evaluation. */
import { encodeText, paddingBias } from '../model/bert.ts'
import { valueAndGradient } from '../model/custom-op.ts'
import { imageFeature, textFeature } from '../model/features.ts'
import { variableOf } from '../model/params.ts'
import { clampAtZero } from '../model/nn.ts'
import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../model/tf.ts'
import type { ModelParams, TokenBatch } from '../model/types.ts'
import { embedImage, finalNorm, tappedBlock } from '../model/vit.ts'

export interface ImageAttentionInput {
  readonly params: ModelParams
  /** Normalised pixels, [B, 3, S, S]; text n belongs to image n. */
  readonly images: Float32Array
  readonly text: TokenBatch
  /** Block of the image encoder, from 0. */
  readonly layer: number
  readonly pad: number
}

/** Values by the names they are recorded under; `pred` is [B * cells]. */
export function imageAttention({ params, images, text, layer, pad }: ImageAttentionInput): Record<string, ArrayLike<number> & Iterable<number>> {
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
  const textUnit = textFeature(params, textRows, count) // [B, E]
  const imageUnit = (probabilities: Tensor4D): Tensor2D => {
    let rows = rest(probabilities)
    for (let index = layer + 1; index < depth; index++) rows = through(index, rows)
    return imageFeature(params, finalNorm(params, rows), count)
  }
  const similarity = (unit: Tensor2D): Tensor2D => tf.div(tf.matMul(unit, textUnit, false, true), variableOf(params, 'temp') as Tensor)
  const { value, gradient } = valueAndGradient(() => similarity(imageUnit(attention)), attention, tf.eye(count))
  return {
    vit_attn: attention.dataSync(),
    vit_attn_grad: gradient.dataSync(),
    image_feat: imageUnit(attention).dataSync(),
    text_feat: textUnit.dataSync(),
    sim: value.dataSync(),
    pred: classMaps(attention, gradient as Tensor4D).dataSync(),
  }
}

/** What [CLS] looks at, weighted by the gradient where positive: [B, h, T, T] -> [B, T - 1] */
function classMaps(attention: Tensor4D, gradient: Tensor4D): Tensor {
  const [count, heads, tokens] = attention.shape
  const row = (x: Tensor4D): Tensor4D => tf.slice(x, [0, 0, 0, 1], [count, heads, 1, tokens - 1])
  return tf.mean(tf.mul(row(attention), clampAtZero(row(gradient))), [1, 2])
}
