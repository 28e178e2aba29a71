import { describe, expect, test } from 'vitest'
import { peakLiveBytes } from '../../../test/support/live-bytes.ts'
import { SMALL_STEP, smallBatch, smallConfig } from '../../../test/support/small-model.ts'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { changedModel } from '../../shared/config/change-model.ts'
import { parseRunConfig, withOverrides, type RunConfig } from '../../shared/config/run-config.ts'
import { loadModelConfig } from '../train/presets.ts'
import { freezeParameters, frozenNames } from './freeze.ts'
import { explainMemory, memoryProblem, parameterCount, requireMemory, runMemory } from './memory.ts'
import { stepPeakValues } from './memory-walk.ts'
import { createParams, disposeParams } from './params.ts'
import { createRandom } from './random.ts'
import { stepGradients } from './step.ts'
import { tf } from './tf.ts'
import type { StepOptions } from './types.ts'

const MIDDLE = smallConfig({
  image: { size: 96, patch: 12, width: 96, depth: 4, heads: 4 },
  text: { vocab_size: 2000, width: 64, layers: 6, fusion_layer: 3, heads: 4, intermediate: 256, max_positions: 10 },
  gradcam_layer: 4, mask_size: 48, momentum: 0.9, queue_size: 256, embed_dim: 32,
})
const TOKENS = 6 // of smallBatch

describeWithTensorFlow('the walk through a step finds what TensorFlow holds at most', () => {
  test.each<[string, number, Partial<StepOptions>, string]>([
    ['all losses', 8, {}, ''],
    ['few images', 2, {}, ''],
    ['no consistency loss', 8, { amc: false }, ''],
    ['contrast alone', 8, { amc: false, itm: false, mlm: false }, ''],
    ['recomputed', 8, { recompute: true }, ''],
    ['the image encoder frozen', 8, {}, 'image'],
    ['the words over the sequence', 4, { mlmDistillAxis: 'sequence' }, ''],
  ])('%s: within a quarter', (_name, images, options, freeze) => {
    const params = createParams(MIDDLE, 1)
    freezeParameters(params, freeze)
    const batch = smallBatch(MIDDLE, images, 1)
    const step: StepOptions = { ...SMALL_STEP, alpha: 0.4, ...options }
    const go = (): void => {
      const { gradients } = stepGradients(params, batch, step, { random: createRandom(1) })
      tf.dispose([...gradients.values()])
    }
    const seen = peakLiveBytes(go, go) / 4
    disposeParams(params)
    const said = stepPeakValues({
      model: MIDDLE, images, phrases: 1, tokens: TOKENS, itm: step.itm, mlm: step.mlm, amc: step.amc, distilled: true,
      mlmDistillAxis: step.mlmDistillAxis, recompute: step.recompute ?? false, frozen: frozenNames(MIDDLE, freeze),
    })
    expect(said / seen).toBeGreaterThan(0.75)
    expect(said / seen).toBeLessThan(1.25)
  })
})

describe('the memory of a run', () => {
  const run = (overrides: Record<string, unknown> = {}): RunConfig => withOverrides(parseRunConfig({}), overrides)
  const SIZES = { trainImages: 1000, tokens: 12 }

  test('the shipped sizes are those of the published model', async () => {
    expect(parameterCount(await loadModelConfig('albef-base')) / 1e6).toBeCloseTo(209.6, 0)
  })

  test('every option that saves memory is seen to save it', async () => {
    const model = await loadModelConfig('albef-base')
    const total = (overrides: Record<string, unknown>): number => runMemory(changedModel(model, run(overrides)), run(overrides), SIZES).total
    const plain = total({ 'batch.images': 16 })
    for (const overrides of [
      { 'memory.recompute': true }, { freeze: 'image' }, { 'adapt.momentum': 'off' }, { 'adapt.queue': 1024 }, { 'batch.images': 8 }, { 'loss.amc': 0 }, { 'adapt.imageSize': 128 },
    ]) expect(total({ 'batch.images': 16, ...overrides }), JSON.stringify(overrides)).toBeLessThan(0.995 * plain)
    expect(total({ 'batch.images': 16, 'adapt.imageSize': 384 })).toBeGreaterThan(1.3 * plain)
    expect(total({ 'batch.images': 8, 'batch.accumulate': 2 })).toBeLessThan(plain)
    expect(total({ 'batch.images': 8, 'batch.accumulate': 2 })).toBeGreaterThan(total({ 'batch.images': 8 }))
    expect(explainMemory(model).total).toBeLessThan(2.5e9)
  })

  test('what does not fit is refused with the numbers and with what would help', async () => {
    const model = await loadModelConfig('albef-base')
    const config = run({ 'batch.images': 64 })
    const needs = runMemory(model, config, SIZES)
    expect(memoryProblem(needs, needs.total, config)).toBeNull()
    const { message, cure, key } = memoryProblem(needs, 8e9, config)!
    expect(message).toMatch(/^This needs about \d+\.\d GB of memory and 8\.0 GB are free: weights 0\.8 GB, momentum copy 0\.8 GB, queues 0\.1 GB, optimizer 1\.7 GB, .*the step itself \d+\.\d GB\.$/)
    expect(cure).toMatch(/^Set memory\.recompute, or use fewer images a step/)
    expect(key).toBe('batch.images')
    expect(() => requireMemory(needs, 8e9, config)).toThrow('This needs about')
    expect(memoryProblem(explainMemory(model), 1e9)!.cure).toBe('Close other programs, or use a smaller model.')
  })
})

describe('changes to the model of a run', () => {
  const run = (overrides: Record<string, unknown>): RunConfig => withOverrides(parseRunConfig({}), overrides)
  const model = smallConfig({ momentum: 0.9, queue_size: 8 })

  test('are none by default, and each does what it says', () => {
    expect(changedModel(model, run({}))).toEqual(model)
    expect(changedModel(model, run({ 'adapt.queue': 4 })).queue_size).toBe(4)
    expect(changedModel(model, run({ 'adapt.momentum': 'off' }))).toMatchObject({ momentum: null, queue_size: 0 })
    expect(changedModel(smallConfig(), run({ 'adapt.momentum': 'on', 'adapt.queue': 16 }))).toMatchObject({ momentum: 0.995, queue_size: 16 })
    expect(changedModel(model, run({ 'adapt.gradcamLayer': 3 })).gradcam_layer).toBe(3)
    expect(changedModel(model, run({ 'adapt.imageSize': 48 })).image.size).toBe(48)
  })

  test.each([
    [{ 'adapt.gradcamLayer': 1 }, 'adapt.gradcamLayer'],
    [{ 'adapt.imageSize': 25 }, 'adapt.imageSize'],
    [{ 'adapt.momentum': 'off', 'adapt.queue': 8 }, 'adapt.queue'],
  ])('%j is refused at its setting', (overrides, place) => {
    expect(() => changedModel(model, run(overrides))).toThrow(expect.objectContaining({ code: 'bad-input', place }))
  })
})
