import { expect, test } from 'vitest'
import { smallConfig } from '../../../test/support/small-model.ts'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { createParams, disposeParams, variableOf } from '../model/params.ts'
import { createRandom } from '../model/random.ts'
import { tf, type Tensor } from '../model/tf.ts'
import type { ModelParams } from '../model/types.ts'
import { applyAdamW, createAdamW, disposeAdamW, isDecayed, readMoments, restoreMoments, type AdamWState } from './optimizer.ts'

const SETTINGS = { weightDecay: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 }

function gradientsOf(params: ModelParams, names: readonly string[], seed: number): Map<string, Tensor> {
  const random = createRandom(seed)
  return new Map(names.map((name) => {
    const { shape, size } = variableOf(params, name)
    return [name, tf.tensor(Float32Array.from({ length: size }, () => random.normal()), shape)]
  }))
}

/** Plain AdamW on host numbers. */
function plain(value: number, gradients: readonly number[], rate: number, decayed: boolean): number {
  let [p, m, v] = [value, 0, 0]
  gradients.forEach((g, i) => {
    m = 0.9 * m + 0.1 * g
    v = 0.99 * v + 0.01 * g * g
    if (decayed) p *= 1 - rate * SETTINGS.weightDecay
    p -= (rate / (1 - 0.9 ** (i + 1))) * (m / (Math.sqrt(v) / Math.sqrt(1 - 0.99 ** (i + 1)) + 1e-8))
  })
  return p
}

const snapshot = (params: ModelParams): Map<string, Float32Array> => new Map(params.trainable.map((name) => [name, variableOf(params, name).dataSync<'float32'>().slice()]))

describeWithTensorFlow('AdamW', () => {
  test('is the textbook update for every entry, with decay where it belongs', () => {
    const params = createParams(smallConfig(), 1)
    const before = snapshot(params)
    const state = createAdamW(SETTINGS)
    const seen = new Map<string, Float32Array[]>()
    for (const seed of [1, 2, 3]) {
      const gradients = gradientsOf(params, params.trainable, seed)
      for (const [name, gradient] of gradients) seen.set(name, [...(seen.get(name) ?? []), gradient.dataSync<'float32'>().slice()])
      applyAdamW(state, params, gradients, { learningRate: 0.01, clipNorm: null })
    }
    for (const [name, after] of snapshot(params)) {
      const decayed = isDecayed(name, variableOf(params, name).rank)
      after.forEach((value, i) => expect(Math.abs(value - plain(before.get(name)![i]!, seen.get(name)!.map((g) => g[i]!), 0.01, decayed))).toBeLessThan(1e-5))
    }
    disposeAdamW(state)
    disposeParams(params)
  })

  test('a parameter without a gradient rests, and goes on from its own moments', () => {
    const params = createParams(smallConfig(), 1)
    const state = createAdamW(SETTINGS)
    const [first, second] = ['vision_proj.weight', 'itm_head.weight']
    const start = snapshot(params)
    const seen: Float32Array[] = []
    for (const [seed, names] of [[1, [first, second]], [2, [first]], [3, [first, second]]] as const) {
      const gradients = gradientsOf(params, names, seed)
      if (names.length === 2) seen.push(gradients.get(second)!.dataSync<'float32'>().slice())
      applyAdamW(state, params, gradients, { learningRate: 0.01, clipNorm: null })
    }
    const after = snapshot(params)
    after.get(second)!.forEach((value, i) => expect(value).toBeCloseTo(plain(start.get(second)![i]!, seen.map((g) => g[i]!), 0.01, true), 5))
    expect(after.get('text_proj.weight')).toEqual(start.get('text_proj.weight'))
    expect(readMoments(state).get(first)!.step).toBe(3)
    expect(readMoments(state).get(second)!.step).toBe(2)
    disposeAdamW(state)
    disposeParams(params)
  })

  test('the norm of all gradients is told, and clipping scales them all', () => {
    const params = createParams(smallConfig(), 1)
    const state = createAdamW(SETTINGS)
    const names = ['vision_proj.weight', 'itm_head.bias']
    const gradients = gradientsOf(params, names, 4)
    const values = names.map((name) => gradients.get(name)!.dataSync<'float32'>().slice())
    const norm = Math.hypot(...values.flatMap((v) => [...v]))
    const { gradientNorm } = applyAdamW(state, params, gradients, { learningRate: 0.01, clipNorm: norm / 2 })
    expect(gradientNorm).toBeCloseTo(norm, 4)
    expect(readMoments(state).get(names[1]!)!.first[0]).toBeCloseTo(0.1 * 0.5 * values[1]![0]!, 5)
    disposeAdamW(state)
    disposeParams(params)
  })

  test('saved and restored moments give the unbroken run, bit for bit', () => {
    const run = (interrupt: boolean): Map<string, Float32Array> => {
      const params = createParams(smallConfig(), 1)
      let state: AdamWState = createAdamW(SETTINGS)
      for (const seed of [1, 2, 3, 4]) {
        const names = seed === 1 ? params.trainable.slice(0, 20) : params.trainable
        applyAdamW(state, params, gradientsOf(params, names, seed), { learningRate: 0.01, clipNorm: 1 })
        if (!interrupt || seed !== 2) continue
        const moments = readMoments(state)
        disposeAdamW(state)
        state = createAdamW(SETTINGS)
        restoreMoments(state, moments)
      }
      const values = snapshot(params)
      disposeAdamW(state)
      disposeParams(params)
      return values
    }
    expect(run(true)).toEqual(run(false))
  })
})

describeWithTensorFlow('AdamW on a parameter of several pieces', () => {
  test('is the update of its values one by one, and its moments survive saving', () => {
    // 1,300,000 values: one whole piece and a part.
    const config = smallConfig({ text: { vocab_size: 108_334, width: 12, layers: 3, fusion_layer: 1, heads: 3, intermediate: 20, max_positions: 10 }, gradcam_layer: 1 })
    const name = 'text_encoder.bert.embeddings.word_embeddings.weight'
    const params = createParams(config, 1)
    const start = variableOf(params, name).dataSync<'float32'>().slice()
    expect(start.length).toBeGreaterThan(1 << 20)
    let state = createAdamW(SETTINGS)
    const seen: Float32Array[] = []
    for (const seed of [1, 2, 3]) {
      const gradients = gradientsOf(params, [name], seed)
      seen.push(gradients.get(name)!.dataSync<'float32'>().slice())
      const { gradientNorm } = applyAdamW(state, params, gradients, { learningRate: 0.01, clipNorm: null })
      expect(gradientNorm / Math.sqrt(seen.at(-1)!.reduce((sum, g) => sum + g * g, 0))).toBeCloseTo(1, 5)
      if (seed !== 2) continue
      const moments = readMoments(state)
      expect(moments.get(name)!.first.length).toBe(start.length)
      disposeAdamW(state)
      state = createAdamW(SETTINGS)
      restoreMoments(state, moments)
    }
    const after = variableOf(params, name).dataSync<'float32'>()
    let worst = 0
    for (let i = 0; i < start.length; i += 7) worst = Math.max(worst, Math.abs(after[i]! - plain(start[i]!, seen.map((g) => g[i]!), 0.01, true)))
    expect(worst).toBeLessThan(1e-5)
    disposeAdamW(state)
    disposeParams(params)
  })
})
