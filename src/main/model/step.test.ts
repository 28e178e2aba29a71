import { expect, test } from 'vitest'
import { SMALL_STEP, smallBatch, smallConfig } from '../../../test/support/small-model.ts'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { applyAdamW, createAdamW, disposeAdamW, REFERENCE_ADAMW } from '../train/optimizer.ts'
import { encodeImages, explainHeatmaps } from './explain.ts'
import * as k from './kernels.ts'
import { createParams, disposeParams, variableOf } from './params.ts'
import { createRandom } from './random.ts'
import { stepGradients } from './step.ts'
import { tf } from './tf.ts'
import type { ModelParams, StepChoices, StepOptions, StepResult, TrainBatch } from './types.ts'

function choicesFor(batch: TrainBatch, negativeImages: number[], negativeTexts: number[]): StepChoices {
  const labels = new Int32Array(batch.text.ids.length).fill(-100)
  const inputIds = batch.text.ids.slice()
  for (let n = 0; n < batch.text.count; n++) {
    labels[n * batch.text.length + 2] = inputIds[n * batch.text.length + 2]!
    inputIds[n * batch.text.length + 2] = 4
  }
  return { mlm: { inputIds, labels }, negativeImages: Int32Array.from(negativeImages), negativeTexts: Int32Array.from(negativeTexts) }
}

function run(batch: TrainBatch, choices: StepChoices, options: Partial<StepOptions> = {}, config = smallConfig()): StepResult & { values: Map<string, Float32Array> } {
  const params = createParams(config, 5)
  const result = stepGradients(params, batch, { ...SMALL_STEP, ...options }, { choices })
  const values = new Map([...result.gradients].map(([name, gradient]) => [name, gradient.dataSync<'float32'>()]))
  tf.dispose([...result.gradients.values()])
  disposeParams(params)
  return { ...result, values }
}

/** Largest difference of two sets of gradients as a share of the largest entry of each tensor; key biases aside. */
function gap(a: Map<string, Float32Array>, b: Map<string, Float32Array>): number {
  expect([...a.keys()].sort()).toEqual([...b.keys()].sort())
  let worst = 0
  for (const [name, want] of b) {
    if (name.endsWith('.key.bias') || name.endsWith('qkv.bias')) continue
    const largest = Math.max(...want.map(Math.abs), 1e-4)
    a.get(name)!.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - want[i]!) / largest)))
  }
  return worst
}

/** The same batch with every image repeated for each of its texts, one text each. */
function ungrouped(batch: TrainBatch): TrainBatch {
  const perImage = batch.phrasesPerImage
  const images = batch.images as Float32Array
  const size = images.length / batch.imageCount
  const repeated = new Float32Array(size * batch.text.count)
  for (let n = 0; n < batch.text.count; n++) repeated.set(images.subarray(Math.floor(n / perImage) * size, (Math.floor(n / perImage) + 1) * size), n * size)
  return { ...batch, images: repeated, imageCount: batch.text.count, phrasesPerImage: 1 }
}

describeWithTensorFlow('one training step', () => {
  const config = smallConfig()

  test('several phrases an image, encoded once, give the same match, word and consistency losses and gradients as one image each', () => {
    const batch = smallBatch(config, 3, 2)
    const options = { itc: false }
    const grouped = run(batch, choicesFor(batch, [1, 2, 0, 2, 1, 0], [3, 4, 0, 5, 1, 2]), options)
    // Text n's image is floor(n / 2); in the plain layout image i of old is any of 2 i, 2 i + 1.
    const plain = run(ungrouped(batch), choicesFor(batch, [2, 4, 0, 4, 2, 0], [3, 4, 0, 5, 1, 2]), options)
    for (const name of ['itm', 'mlm', 'amcMean', 'amcMax'] as const) expect(grouped.parts[name], name).toBeCloseTo(plain.parts[name]!, 5)
    expect(gap(grouped.values, plain.values)).toBeLessThan(1e-3)
  })

  test('[CLS] rows alone in the last layer change neither losses nor gradients', () => {
    const batch = smallBatch(config, 3, 2)
    const choices = choicesFor(batch, [1, 2, 0, 2, 1, 0], [3, 4, 0, 5, 1, 2])
    const [short, full] = [run(batch, choices), run(batch, choices, { fullLastLayer: true })]
    expect(short.total).toBeCloseTo(full.total, 5)
    expect(gap(short.values, full.values)).toBeLessThan(1e-3)
  })

  test('a step draws the same again from the same generator state', () => {
    const batch = smallBatch(config, 3, 2)
    const draw = (): { total: number; next: number } => {
      const params = createParams(config, 5)
      const random = createRandom(11)
      const { total, gradients } = stepGradients(params, batch, { ...SMALL_STEP, hardNegatives: 0.5 }, { random })
      tf.dispose([...gradients.values()])
      disposeParams(params)
      return { total, next: random.next() }
    }
    expect(draw()).toEqual(draw())
  })

  test('a text that is true of another image is neither its negative nor its contrast', () => {
    const batch = smallBatch(config, 2, 1)
    const allTrue = { ...batch, alsoTrue: new Uint8Array(4).fill(1) }
    const params = createParams(config, 5)
    const { parts, gradients, notes } = stepGradients(params, allTrue, SMALL_STEP, { random: createRandom(1) })
    tf.dispose([...gradients.values()])
    disposeParams(params)
    expect(parts.itc).toBeCloseTo(0, 6) // only the pair itself is left to choose from
    expect(notes.join()).toContain('No pair of this batch may serve as a negative')
  })

  test('the consistency loss lowers heat outside: steps on it alone bring it down', () => {
    const batch = smallBatch(config, 4, 1)
    const params = createParams(config, 5)
    const optimizer = createAdamW(REFERENCE_ADAMW)
    const losses: number[] = []
    for (let i = 0; i < 25; i++) {
      const { total, gradients } = stepGradients(params, batch, { ...SMALL_STEP, itc: false, itm: false, mlm: false }, { random: createRandom(i) })
      applyAdamW(optimizer, params, gradients, { learningRate: 3e-3, clipNorm: 1 })
      losses.push(total)
    }
    disposeAdamW(optimizer)
    disposeParams(params)
    expect(losses.at(-1)!).toBeLessThan(0.6 * losses[0]!)
  })
})

describeWithTensorFlow('where the reference stops we say what happened and go on', () => {
  const config = smallConfig()
  const outcome = (batch: TrainBatch, options: Partial<StepOptions> = {}, changes = {}): StepResult => {
    const params = createParams(smallConfig(changes), 5)
    const result = stepGradients(params, batch, { ...SMALL_STEP, ...options }, { random: createRandom(2) })
    tf.dispose([...result.gradients.values()])
    disposeParams(params)
    expect(Number.isFinite(result.total)).toBe(true)
    return result
  }

  test('a batch without regions', () => {
    const { parts, notes } = outcome({ ...smallBatch(config, 2, 1), hasRegion: new Uint8Array(2), regionMasks: null })
    expect(parts.amcMax).toBeUndefined()
    expect(notes).toEqual(['No sample of this batch has a region, so the consistency loss was left out.'])
  })

  test('regions that are all empty or all full', () => {
    const batch = smallBatch(config, 2, 1)
    for (const [value, word] of [[0, 'are empty'], [1, 'cover their whole image']] as const) {
      const { parts, notes } = outcome({ ...batch, regionMasks: batch.regionMasks!.map(() => value) })
      expect(parts.amcMean).toBeUndefined()
      expect(parts.amcMax).toBeDefined()
      expect(notes.join()).toContain(word)
    }
  })

  test('a batch of one', () => {
    const { parts, notes } = outcome(smallBatch(config, 1, 1))
    expect(parts.itm).toBeGreaterThan(0)
    expect(notes.join()).toContain('No pair of this batch may serve as a negative')
  })

  test('no word masked', () => {
    const { parts, notes } = outcome(smallBatch(config, 2, 1), {}, { mlm_probability: 1e-9 })
    expect(parts.mlm).toBeUndefined()
    expect(notes.join()).toContain('No word of this batch was masked')
  })
})

describeWithTensorFlow('memory', () => {
  const trial = (params: ModelParams, options: Partial<StepOptions>): number => {
    const batch = smallBatch(params.config, 3, 2)
    const optimizer = createAdamW(REFERENCE_ADAMW)
    const counts: number[] = []
    for (let i = 0; i < 3; i++) {
      const { gradients } = stepGradients(params, batch, { ...SMALL_STEP, ...options }, { random: createRandom(4) })
      applyAdamW(optimizer, params, gradients, { learningRate: 1e-3, clipNorm: 1 })
      counts.push(tf.memory().numTensors - k.constantCount())
    }
    expect(counts[2]).toBe(counts[1])
    disposeAdamW(optimizer)
    return counts[2]!
  }

  test('the number of tensors stays flat from step to step, whatever is switched on', () => {
    const before = tf.memory().numTensors - k.constantCount()
    const plain = createParams(smallConfig(), 1)
    trial(plain, {})
    trial(plain, { itm: false, mlm: false, amc: false })
    trial(plain, { itc: false }) // the projections are then on no path to the loss
    trial(plain, { gradcamLayer: 3 })
    disposeParams(plain)
    const slow = createParams(smallConfig({ momentum: 0.9, queue_size: 8 }), 1)
    trial(slow, { alpha: 0.4, mlmDistillAxis: 'sequence' })
    trial(slow, { alpha: 0.4 })
    disposeParams(slow)
    expect(tf.memory().numTensors - k.constantCount()).toBe(before)
  })

  test('explaining frees what it computed, and padding changes a map in scale only', () => {
    const params = createParams(config(), 1)
    const batch = smallBatch(config(), 2, 1)
    const before = tf.memory().numTensors - k.constantCount()
    const features = encodeImages(params, batch.images)
    const padded = explainHeatmaps(params, { features, text: batch.text, padId: 0 })
    const trimmed = { ids: batch.text.ids.subarray(6, 11), mask: batch.text.mask.subarray(6, 11), count: 1, length: 5 } // text 1 has one padded place
    const second = encodeImages(params, (batch.images as Float32Array).subarray((batch.images as Float32Array).length / 2))
    const alone = explainHeatmaps(params, { features: second, text: trimmed, padId: 0 })
    const cells = padded.grid ** 2
    const top = Math.max(...alone.maps)
    alone.maps.forEach((value, i) => expect(Math.abs((padded.maps[cells + i]! * 6) / 5 - value) / top).toBeLessThan(1e-4))
    expect(alone.matchProbability[0]).toBeCloseTo(padded.matchProbability[1]!, 5)
    features.dispose()
    second.dispose()
    expect(tf.memory().numTensors - k.constantCount()).toBe(before)
    disposeParams(params)
  })
  const config = smallConfig

  test('the momentum copy follows, and the temperature stays in its range', () => {
    const params = createParams(smallConfig({ momentum: 0.75, queue_size: 8 }), 1)
    const name = 'visual_encoder.norm.weight'
    variableOf(params, name).assign(tf.fill(variableOf(params, name).shape, 3))
    variableOf(params, 'temp').assign(tf.scalar(9))
    const { gradients } = stepGradients(params, smallBatch(params.config, 3, 2), SMALL_STEP, { random: createRandom(4) })
    tf.dispose([...gradients.values()])
    expect(variableOf(params, 'visual_encoder_m.norm.weight').dataSync()[0]).toBeCloseTo(1.5, 6)
    expect(variableOf(params, 'temp').dataSync()[0]).toBe(0.5)
    expect([params.queues!.imagePointer, params.queues!.textPointer]).toEqual([3, 6])
    disposeParams(params)
  })
})
