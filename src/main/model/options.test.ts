import { expect, test } from 'vitest'
import { SMALL_STEP, smallBatch, smallConfig } from '../../../test/support/small-model.ts'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { applyAdamW, createAdamW, disposeAdamW, REFERENCE_ADAMW } from '../train/optimizer.ts'
import { ACCUMULATION_NOTE, accumulatedGradients } from './accumulate.ts'
import { FREEZABLE_PARTS, freezeParameters, frozenNames } from './freeze.ts'
import * as k from './kernels.ts'
import { createParams, disposeParams, momentumName, variableOf } from './params.ts'
import { createRandom } from './random.ts'
import { stepGradients } from './step.ts'
import { tf } from './tf.ts'
import type { ModelParams, StepOptions, StepResult, TrainBatch } from './types.ts'

const WITH_COPY = smallConfig({ momentum: 0.9, queue_size: 8 })

interface Outcome extends StepResult {
  readonly values: ReadonlyMap<string, Float32Array>
}

function outcome(options: Partial<StepOptions>, freeze = '', config = WITH_COPY, batches?: readonly TrainBatch[]): Outcome {
  const params = createParams(config, 5)
  freezeParameters(params, freeze)
  const step: StepOptions = { ...SMALL_STEP, alpha: config.momentum === null ? 0 : 0.4, ...options }
  const result = accumulatedGradients(params, batches ?? [smallBatch(config, 3, 2)], step, { random: createRandom(3) })
  const values = new Map([...result.gradients].map(([name, gradient]) => [name, gradient.dataSync<'float32'>().slice()]))
  tf.dispose([...result.gradients.values()])
  disposeParams(params)
  return { ...result, values }
}

const ALL_LOSSES: readonly Partial<StepOptions>[] = [{}, { mlmDistillAxis: 'sequence' }, { gradcamLayer: 3 }, { fullLastLayer: true }, { amc: false }, { itm: false, amc: false }]

describeWithTensorFlow('recomputing activations', () => {
  test.each(ALL_LOSSES)('gives exactly the same losses and gradients with %j', (options) => {
    const [kept, again] = [outcome(options), outcome({ ...options, recompute: true })]
    expect(again.total).toBe(kept.total)
    expect(again.parts).toEqual(kept.parts)
    expect(again.values).toEqual(kept.values)
  })
})

/** Bytes alive when the forward pass has ended and the reverse pass begins. */
function heldBytes(options: Partial<StepOptions>, freeze = ''): number {
  const params = createParams(WITH_COPY, 5)
  freezeParameters(params, freeze)
  let bytes = 0
  const engine = tf.engine() as unknown as { gradients: ReturnType<typeof tf.engine>['gradients'] }
  const { gradients: real } = engine
  engine.gradients = function (this: ReturnType<typeof tf.engine>, f, xs, dy, allow) {
    return real.call(this, () => {
      const value = f()
      bytes = tf.memory().numBytes
      return value
    }, xs, dy, allow)
  } as typeof real
  try {
    const { gradients } = stepGradients(params, smallBatch(WITH_COPY, 6, 2), { ...SMALL_STEP, amc: false, ...options }, { random: createRandom(3) })
    tf.dispose([...gradients.values()])
  } finally {
    engine.gradients = real
    disposeParams(params)
  }
  return bytes
}

describeWithTensorFlow('memory held for the reverse pass', () => {
  test('is less when activations are recomputed, and when layers below what learns are frozen', () => {
    const [all, again, image, most] = [heldBytes({}), heldBytes({ recompute: true }), heldBytes({}, 'image'), heldBytes({}, 'image, text')]
    expect(again).toBeLessThan(0.7 * all)
    expect(image).toBeLessThan(0.9 * all)
    expect(most).toBeLessThan(0.95 * image)
  })
})

describeWithTensorFlow('freezing', () => {
  const free = () => outcome({})

  test.each(FREEZABLE_PARTS)('%s leaves the gradients of all others as they were', (part) => {
    const frozen = frozenNames(WITH_COPY, part)
    const [all, some] = [free(), outcome({}, part)]
    expect(some.total).toBe(all.total)
    expect([...some.values.keys()].sort()).toEqual([...all.values.keys()].filter((name) => !frozen.has(name)).sort())
    for (const [name, value] of some.values) expect(value, name).toEqual(all.values.get(name))
  })

  test('everything below the heads, with recomputation: only what learns has gradients, and they are right', () => {
    const [all, some] = [free(), outcome({ recompute: true }, 'image, text, fusion')]
    expect([...some.values.keys()].every((name) => /^(temp|vision_proj|text_proj|itm_head|text_encoder\.cls)/.test(name))).toBe(true)
    for (const [name, value] of some.values) expect(value, name).toEqual(all.values.get(name))
  })

  test('a frozen parameter does not move, is not decayed, and its copy follows it', () => {
    const params = createParams(WITH_COPY, 5)
    const sentence = freezeParameters(params, 'visual_encoder.blocks.0.*, heads')
    expect(sentence).toMatch(/^Frozen: visual_encoder\.blocks\.0\.\*, heads \([\d,]+ of [\d,]+ weights stay as they are\)\.$/)
    const read = (name: string): Float32Array => variableOf(params, name).dataSync<'float32'>().slice()
    const before = new Map(params.trainable.map((name) => [name, read(name)]))
    const optimizer = createAdamW(REFERENCE_ADAMW)
    const copy = momentumName('visual_encoder.blocks.0.norm1.weight')!
    variableOf(params, copy).assign(tf.zerosLike(variableOf(params, copy)))
    for (let i = 0; i < 2; i++) {
      const { gradients } = stepGradients(params, smallBatch(WITH_COPY, 3, 1), SMALL_STEP, { random: createRandom(i) })
      applyAdamW(optimizer, params, gradients, { learningRate: 0.01, clipNorm: null })
    }
    const frozen = frozenNames(WITH_COPY, 'visual_encoder.blocks.0.*, heads')
    for (const name of params.trainable) {
      if (frozen.has(name)) expect(read(name), name).toEqual(before.get(name))
      else if (!name.endsWith('.key.bias')) expect(read(name), name).not.toEqual(before.get(name))
    }
    expect(read(copy)[0]).toBeCloseTo(1 - 0.9 ** 2, 5)
    disposeAdamW(optimizer)
    disposeParams(params)
  })

  test('no tensor is left behind, whatever is frozen', () => {
    const count = () => tf.memory().numTensors - k.constantCount()
    outcome({}, 'image')
    const before = count()
    for (const part of [...FREEZABLE_PARTS, 'image, text', 'image, text, fusion, heads', 'text, fusion']) outcome({ recompute: part.length > 6 }, part)
    expect(count()).toBe(before)
  })

  test('a word that names nothing, or a list that names everything, is refused in words', () => {
    expect(() => frozenNames(WITH_COPY, 'image, fusoin')).toThrow('"fusoin" names no part of this model.')
    expect(() => frozenNames(WITH_COPY, '*')).toThrow('Everything would be frozen, so nothing could learn.')
    expect(frozenNames(WITH_COPY, ' ').size).toBe(0)
    expect([...frozenNames(WITH_COPY, 'visual_encoder.blocks.?.norm1.bias')]).toEqual(['visual_encoder.blocks.0.norm1.bias', 'visual_encoder.blocks.1.norm1.bias'])
  })
})

describeWithTensorFlow('adding up gradients of several batches', () => {
  const config = smallConfig()
  const [first, second] = [smallBatch(config, 3, 1, 7), smallBatch(config, 3, 1, 8)]

  test('is their mean', () => {
    const options: Partial<StepOptions> = { hardNegatives: 0, mlm: false }
    const both = outcome(options, '', config, [first, second])
    // The generator goes on from batch to batch: the second alone must draw what it drew there.
    const params = createParams(config, 5)
    const random = createRandom(3)
    const alone = [first, second].map((batch) => stepGradients(params, batch, { ...SMALL_STEP, ...options }, { random }))
    expect(both.total).toBeCloseTo((alone[0]!.total + alone[1]!.total) / 2, 5)
    for (const [name, value] of both.values) {
      const want = alone.map(({ gradients }) => gradients.get(name)!.dataSync<'float32'>())
      value.forEach((v, i) => expect(Math.abs(v - (want[0]![i]! + want[1]![i]!) / 2), name).toBeLessThan(1e-6))
    }
    for (const { gradients } of alone) tf.dispose([...gradients.values()])
    disposeParams(params)
  })

  test('is exactly one larger batch for the maximum margin, and not for the mean margin', () => {
    const joined = joinBatches(first, second)
    const only: Partial<StepOptions> = { itc: false, itm: false, mlm: false }
    const maximum = { ...only, amcMeanWeight: 0 }
    const [parts, whole] = [outcome(maximum, '', config, [first, second]), outcome(maximum, '', config, [joined])]
    expect(parts.total).toBeCloseTo(whole.total, 6)
    for (const [name, value] of whole.values) value.forEach((v, i) => expect(Math.abs(v - parts.values.get(name)![i]!), name).toBeLessThan(2e-5))
    const mean = { ...only, amcMaxWeight: 0, amcMeanMargin: 1 }
    const smaller = { ...first, regionMasks: first.regionMasks!.map((value, at) => (at % 3 === 0 ? value : 0)) } // regions of another area
    const [apart, together] = [outcome(mean, '', config, [smaller, second]), outcome(mean, '', config, [joinBatches(smaller, second)])]
    expect(Math.abs(apart.total - together.total)).toBeGreaterThan(1e-4)
    expect(ACCUMULATION_NOTE).toContain('the mean margin of AMC')
  })

  test('moves the momentum copy once and fills the queues with every batch', () => {
    const params: ModelParams = createParams(WITH_COPY, 5)
    const name = 'visual_encoder_m.norm.weight'
    variableOf(params, name).assign(tf.zeros(variableOf(params, name).shape))
    const batches = [smallBatch(WITH_COPY, 2, 1, 1), smallBatch(WITH_COPY, 2, 1, 2), smallBatch(WITH_COPY, 2, 1, 3)]
    const { gradients } = accumulatedGradients(params, batches, SMALL_STEP, { random: createRandom(1) })
    expect(variableOf(params, name).dataSync()[0]).toBeCloseTo(0.1, 6)
    expect(params.queues!.imagePointer).toBe(6)
    tf.dispose([...gradients.values()])
    disposeParams(params)
  })
})

describeWithTensorFlow('without the momentum copy, and with another layer', () => {
  test('a model that had a copy trains as one that never had', () => {
    const [with0, without] = [smallConfig({ momentum: 0.9, queue_size: 0 }), smallConfig()]
    const params = createParams(with0, 5)
    const bare: ModelParams = { ...params, config: without }
    const { gradients, total } = stepGradients(bare, smallBatch(without, 3, 2), SMALL_STEP, { random: createRandom(3) })
    const plain = outcome({}, '', without)
    expect(total).toBe(plain.total)
    for (const [name, gradient] of gradients) expect(gradient.dataSync<'float32'>(), name).toEqual(plain.values.get(name))
    tf.dispose([...gradients.values()])
    disposeParams(params)
  })

  test('the layer of the configuration and that of the options are the same thing', () => {
    const other = outcome({}, '', smallConfig({ gradcam_layer: 3 }))
    const asked = outcome({ gradcamLayer: 3 }, '', smallConfig())
    expect(other.total).toBe(asked.total)
    expect(other.values).toEqual(asked.values)
    expect(other.total).not.toBe(outcome({}, '', smallConfig()).total)
  })

  test('weights and margins enter as the formula says', () => {
    const only: Partial<StepOptions> = { itc: false, itm: false, mlm: false }
    const plain = outcome(only)
    const { amcMean, amcMax } = plain.parts as { amcMean: number; amcMax: number }
    expect(plain.total).toBeCloseTo(0.2 * amcMean + 0.8 * amcMax, 6)
    const changed = outcome({ ...only, amcWeight: 3, amcMeanWeight: 0.5, amcMaxWeight: 0.25, amcMeanMargin: 0.4, amcMaxMargin: 0.9 })
    expect(changed.total).toBeCloseTo(3 * (0.5 * (amcMean + 0.3) + 0.25 * (amcMax + 0.4)), 5)
  })
})

/** Two batches of one phrase an image as one. */
function joinBatches(a: TrainBatch, b: TrainBatch): TrainBatch {
  const floats = (x: Float32Array, y: Float32Array): Float32Array => Float32Array.of(...x, ...y)
  const words = (x: Int32Array, y: Int32Array): Int32Array => Int32Array.of(...x, ...y)
  return {
    images: floats(a.images as Float32Array, b.images as Float32Array),
    imageCount: a.imageCount + b.imageCount,
    phrasesPerImage: 1,
    text: { ids: words(a.text.ids, b.text.ids), mask: words(a.text.mask, b.text.mask), count: a.text.count + b.text.count, length: a.text.length },
    regionMasks: floats(a.regionMasks!, b.regionMasks!),
    hasRegion: Uint8Array.of(...a.hasRegion, ...b.hasRegion),
  }
}
