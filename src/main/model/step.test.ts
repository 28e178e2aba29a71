import { beforeAll, describe, expect, test } from 'vitest'
import { parseModelConfig } from '../../shared/config/model-config.ts'
import { loadBackend, readInstalledRuntime } from '../compute/backend.ts'
import { createParams, disposeParams, variableOf } from './params.ts'
import { createRandom } from './random.ts'
import { stepGradients } from './step.ts'
import { setTf, tf } from './tf.ts'
import { REFERENCE_STEP, type ModelParams, type StepOptions, type TrainBatch } from './types.ts'

const hasTensorFlow = readInstalledRuntime() !== null

/** Widths differ and the heatmap's layer is not the last, so that nothing vanishes or fits by chance. */
const config = parseModelConfig(
  {
    name: 'test',
    image: { size: 32, patch: 8, width: 24, depth: 2, heads: 3 },
    text: { vocab_size: 50, width: 20, layers: 4, fusion_layer: 1, heads: 2, intermediate: 36, max_positions: 12 },
    embed_dim: 8, queue_size: 0, momentum: null, gradcam_layer: 2, mask_size: 24, max_tokens: 8, init: 'small',
  },
  'test',
)
const [IMAGES, LENGTH] = [3, 6] as const
const specialTokens = { pad: 0, cls: 2, mask: 4 }
const options: StepOptions = { ...REFERENCE_STEP, specialTokens, alpha: 0, amcMeanMargin: 1, amcMaxMargin: 1 }
const alone: StepOptions = { ...options, itc: false, itm: false, mlm: false }

function makeBatch(): TrainBatch {
  const random = createRandom(5)
  const area = config.mask_size ** 2
  const mask = Int32Array.from({ length: IMAGES * LENGTH }, (_, i) => (i % LENGTH < LENGTH - Math.floor(i / LENGTH) ? 1 : 0))
  return {
    images: Float32Array.from({ length: IMAGES * 3 * config.image.size ** 2 }, () => random.normal()),
    imageCount: IMAGES,
    phrasesPerImage: 1,
    text: { ids: mask.map((used, i) => (i % LENGTH === 0 ? specialTokens.cls : used ? 5 + random.below(45) : specialTokens.pad)), mask, count: IMAGES, length: LENGTH },
    // A corner that is larger for each sample.
    regionMasks: Float32Array.from({ length: IMAGES * area }, (_, i) => {
      const [sample, at] = [Math.floor(i / area), i % area]
      const side = 8 + 4 * sample
      return at % config.mask_size < side && Math.floor(at / config.mask_size) < side ? 1 : 0
    }),
    hasRegion: Uint8Array.of(1, 1, 1),
  }
}

describe.skipIf(!hasTensorFlow)(`the gradient of a step${hasTensorFlow ? '' : ' (skipped: TensorFlow is not set up)'}`, () => {
  const batch = makeBatch()
  beforeAll(async () => setTf((await loadBackend()).tf))

  const run = (params: ModelParams, chosen: StepOptions) => stepGradients(params, batch, chosen, { random: createRandom(3) })
  const total = (params: ModelParams, chosen: StepOptions): number => {
    const result = run(params, chosen)
    tf.dispose([...result.gradients.values()])
    return result.total
  }

  /** Along its own gradient a parameter changes the loss by the gradient's norm: measured against predicted. */
  function agreement(params: ModelParams, chosen: StepOptions, name: string): number {
    const { gradients } = run(params, chosen)
    const variable = variableOf(params, name)
    const gradient = gradients.get(name)!
    const norm = tf.tidy(() => tf.norm(gradient).dataSync()[0]!)
    const start = variable.clone()
    // A change of the loss that float32 resolves well and that stays between the kinks of its maxima.
    const step = 1e-3 / norm
    const at = (distance: number): number => {
      tf.tidy(() => variable.assign(tf.add(start, tf.mul(gradient, distance / norm))))
      return total(params, chosen)
    }
    const measured = (at(step) - at(-step)) / (2 * step)
    variable.assign(start)
    tf.dispose([start, ...gradients.values()])
    return measured / norm
  }

  test.each([
    'itm_head.weight', // it acts through the gradient alone
    'visual_encoder.patch_embed.proj.weight',
    'visual_encoder.blocks.1.attn.qkv.weight',
    'text_encoder.bert.embeddings.word_embeddings.weight',
    'text_encoder.bert.encoder.layer.2.crossattention.self.query.weight', // below the heatmap
    'text_encoder.bert.encoder.layer.3.crossattention.self.key.weight', // above it: twice through a softmax
    'text_encoder.bert.encoder.layer.3.attention.self.query.weight',
    'text_encoder.bert.encoder.layer.2.intermediate.dense.weight',
    'text_encoder.bert.encoder.layer.2.output.LayerNorm.weight',
  ])('of consistency alone is that of finite differences: %s', (name) => {
    const params = createParams(config, 11)
    try {
      expect(agreement(params, alone, name)).toBeCloseTo(1, 1.7) // within 1 %
    } finally {
      disposeParams(params)
    }
  })

  test.each(['temp', 'vision_proj.weight', 'text_encoder.cls.predictions.transform.dense.weight', 'visual_encoder.pos_embed'])('of all losses together is that of finite differences: %s', (name) => {
    const params = createParams(config, 12)
    try {
      // The same negatives throughout: another draw would be another loss.
      const uniform = { ...options, hardNegatives: 0 }
      expect(agreement(params, uniform, name)).toBeCloseTo(1, 1.7)
    } finally {
      disposeParams(params)
    }
  })

  test('leaves no tensor behind, step after step', () => {
    const params = createParams(config, 13)
    total(params, options)
    const before = tf.memory().numTensors
    for (let i = 0; i < 3; i++) total(params, options)
    expect(tf.memory().numTensors).toBe(before)
    disposeParams(params)
  })

  test('of a batch without regions or of one sample is finite, and what is missing is said', () => {
    const params = createParams(config, 14)
    const without = stepGradients(params, { ...batch, hasRegion: new Uint8Array(IMAGES) }, options, { random: createRandom(3) })
    expect(Number.isFinite(without.total)).toBe(true)
    expect(without.notes.join(' ')).toContain('No sample of this batch has a region')
    const { text } = batch
    const single: TrainBatch = {
      ...batch, images: (batch.images as Float32Array).slice(0, 3 * config.image.size ** 2), imageCount: 1,
      text: { ids: text.ids.slice(0, LENGTH), mask: text.mask.slice(0, LENGTH), count: 1, length: LENGTH },
    }
    const one = stepGradients(params, single, options, { random: createRandom(3) })
    expect(Number.isFinite(one.total)).toBe(true)
    expect(one.notes.join(' ')).toContain('No pair of this batch may serve as a negative')
    tf.dispose([...without.gradients.values(), ...one.gradients.values()])
    disposeParams(params)
  })
})
