/** The image-attention explanation as values by the names they are recorded under. */
import { imageAttentionTensors, type ImageAttentionInput } from '../model/image-attention.ts'

/** `pred` is [B * cells]. */
export function imageAttention(input: ImageAttentionInput): Record<string, ArrayLike<number> & Iterable<number>> {
  const { attention, gradient, imageUnit, textUnit, similarity, maps } = imageAttentionTensors(input)
  return {
    vit_attn: attention.dataSync(),
    vit_attn_grad: gradient.dataSync(),
    image_feat: imageUnit.dataSync(),
    text_feat: textUnit.dataSync(),
    sim: similarity.dataSync(),
    pred: maps.dataSync(),
  }
}
