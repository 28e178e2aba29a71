/** A small model and batches of it, for tests. */
import { parseModelConfig, type ModelConfig } from '../../src/shared/config/model-config.ts'
import { createRandom } from '../../src/main/model/random.ts'
import { REFERENCE_STEP, type StepOptions, type TrainBatch } from '../../src/main/model/types.ts'

export const SPECIAL = { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 }

export function smallConfig(changes: Record<string, unknown> = {}): ModelConfig {
  return parseModelConfig(
    {
      name: 'small',
      image: { size: 24, patch: 8, width: 16, depth: 2, heads: 2 },
      text: { vocab_size: 30, width: 12, layers: 4, fusion_layer: 2, heads: 3, intermediate: 20, max_positions: 10 },
      embed_dim: 8,
      gradcam_layer: 2,
      mask_size: 12,
      max_tokens: 8,
      init: 'small',
      ...changes,
    },
    'the test',
  )
}

export const SMALL_STEP: StepOptions = { ...REFERENCE_STEP, mlmDistillAxis: 'vocabulary', specialTokens: SPECIAL, alpha: 0 }

/** Random pixels and words; text n has n % 3 padded places; each region is a quarter of the mask. */
export function smallBatch(config: ModelConfig, images: number, perImage: number, seed = 7): TrainBatch {
  const random = createRandom(seed)
  const [count, length, side] = [images * perImage, 6, config.mask_size]
  const ids = new Int32Array(count * length)
  const mask = new Int32Array(count * length)
  for (let n = 0; n < count; n++) {
    for (let t = 0; t < length - (n % 3); t++) {
      ids[n * length + t] = t === 0 ? SPECIAL.cls : 5 + random.below(config.text.vocab_size - 5)
      mask[n * length + t] = 1
    }
  }
  const regionMasks = new Float32Array(count * side * side)
  for (let n = 0; n < count; n++) {
    const [left, top] = [random.below(side / 2), random.below(side / 2)]
    for (let y = top; y < top + side / 2; y++) regionMasks.fill(1, (n * side + y) * side + left, (n * side + y) * side + left + side / 2)
  }
  return {
    images: Float32Array.from({ length: images * 3 * config.image.size ** 2 }, () => random.normal()),
    imageCount: images,
    phrasesPerImage: perImage,
    text: { ids, mask, count, length },
    regionMasks,
    hasRegion: new Uint8Array(count).fill(1),
  }
}
