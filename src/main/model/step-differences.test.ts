import { expect, test } from 'vitest'
import { SMALL_STEP, smallBatch, smallConfig } from '../../../test/support/small-model.ts'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { createParams, disposeParams, variableOf } from './params.ts'
import { createRandom } from './random.ts'
import { stepGradients } from './step.ts'
import { tf } from './tf.ts'
import type { ModelParams, StepOptions, TrainBatch } from './types.ts'
import { writeRegionMask } from '../train/pixels.ts'

const TIMEOUT_MS = 300_000

describeWithTensorFlow('the gradient of a whole step is that of finite differences', () => {
  // Widths differ and the heatmap's layer is not the last, so that nothing vanishes or fits by chance.
  const config = smallConfig()
  const batch = smallBatch(config, 3, 1)
  // Wide margins, so that no hinge is shut; uniform negatives, since another draw would be another loss.
  const options: StepOptions = { ...SMALL_STEP, amcMeanMargin: 1, amcMaxMargin: 1, hardNegatives: 0 }
  const run = (params: ModelParams, chosen: StepOptions, on: TrainBatch) => stepGradients(params, on, chosen, { random: createRandom(3) })
  const total = (params: ModelParams, chosen: StepOptions, on: TrainBatch): number => {
    const result = run(params, chosen, on)
    tf.dispose([...result.gradients.values()])
    return result.total
  }

  /** Along its own gradient a parameter changes the loss by the gradient's norm: measured over predicted, for each name. */
  function agreement(chosen: StepOptions, names: readonly string[], on: TrainBatch = batch, distance = 1e-3): Record<string, number> {
    const params = createParams(config, 11)
    const { gradients } = run(params, chosen, on)
    const ratios = names.map((name): [string, number] => {
      const variable = variableOf(params, name)
      const gradient = gradients.get(name)!
      const norm = tf.tidy(() => tf.norm(gradient).dataSync()[0]!)
      const start = variable.clone()
      // A change of the loss that float32 resolves well and that stays between the kinks of its maxima.
      const step = distance / norm
      const at = (way: number): number => {
        tf.tidy(() => variable.assign(tf.add(start, tf.mul(gradient, way / norm))))
        return total(params, chosen, on)
      }
      const measured = (at(step) - at(-step)) / (2 * step)
      variable.assign(start)
      start.dispose()
      return [name, measured / norm]
    })
    tf.dispose([...gradients.values()])
    disposeParams(params)
    return Object.fromEntries(ratios)
  }
  const agree = (ratios: Record<string, number>): void => {
    for (const [name, ratio] of Object.entries(ratios)) expect(Math.abs(ratio - 1), name).toBeLessThan(1e-2)
  }

  test('for the consistency loss alone, which goes through a gradient', () => {
    agree(agreement({ ...options, itc: false, itm: false, mlm: false }, [
      'itm_head.weight', // it acts through the gradient alone
      'visual_encoder.patch_embed.proj.weight',
      'text_encoder.bert.embeddings.word_embeddings.weight',
      'text_encoder.bert.encoder.layer.2.crossattention.self.query.weight', // below the heatmap
      'text_encoder.bert.encoder.layer.3.crossattention.self.key.weight', // above it: twice through a softmax
      'text_encoder.bert.encoder.layer.3.attention.self.query.weight',
      'text_encoder.bert.encoder.layer.2.intermediate.dense.weight',
      'text_encoder.bert.encoder.layer.2.output.LayerNorm.weight',
    ]))
  }, TIMEOUT_MS)

  test('for the consistency loss of regions that are an outline and a box together, soft at their edges', () => {
    const { image, mask_size: side } = config
    const shape = { boxes: [[3, 2, 40, 30], [44, 36, 60, 47]] as const, outlines: [[3, 2, 40, 12, 22, 30, 9, 26], []] }
    const regionMasks = new Float32Array(batch.regionMasks!.length)
    for (let n = 0; n < batch.text.count; n++) writeRegionMask(shape, { width: 64, height: 48 }, image.size, side, n === 1, regionMasks, n * side * side)
    expect(regionMasks.some((value) => value > 0 && value < 1)).toBe(true)
    // With these shapes maxima change place within the usual step.
    agree(agreement({ ...options, itc: false, itm: false, mlm: false }, ['itm_head.weight', 'text_encoder.bert.encoder.layer.2.crossattention.self.query.weight', 'text_encoder.bert.encoder.layer.3.crossattention.self.key.weight'], { ...batch, regionMasks }, 3e-4))
  }, TIMEOUT_MS)

  test('for all losses together', () => {
    agree(agreement(options, ['temp', 'vision_proj.weight', 'text_encoder.cls.predictions.transform.dense.weight', 'visual_encoder.blocks.1.attn.qkv.weight']))
  }, TIMEOUT_MS)
})
