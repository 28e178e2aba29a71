import { expect, test } from 'vitest'
import { smallConfig } from '../../../test/support/small-model.ts'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { exportTensors, interpolatePositions, paramsFromTensors, type LoadOptions, type StoredTensor } from './load-params.ts'
import { createParams, disposeParams } from './params.ts'
import type { ModelConfig } from '../../shared/config/model-config.ts'

/** A checkpoint of a fresh model, as a file would offer it. */
function stored(config: ModelConfig, seed = 1, rename = (name: string): string => name): Map<string, StoredTensor> {
  const params = createParams(config, seed)
  const tensors = new Map<string, StoredTensor>()
  for (const [name, { shape, data }] of exportTensors(params)) tensors.set(rename(name), { shape, read: () => ({ data }) })
  disposeParams(params)
  return tensors
}

function load(config: ModelConfig, tensors: ReadonlyMap<string, StoredTensor>, options: LoadOptions = {}) {
  const { params, report } = paramsFromTensors(config, tensors, options)
  const values = exportTensors(params)
  disposeParams(params)
  return { report, values }
}

describeWithTensorFlow('loading a checkpoint', () => {
  const config = smallConfig({ momentum: 0.9, queue_size: 4 })

  test('what was exported comes back, momentum copy, queues and pointers included', () => {
    const tensors = stored(config)
    const { report, values } = load(config, tensors)
    expect([...values.keys()].sort()).toEqual([...tensors.keys()].sort())
    for (const [name, { data }] of values) expect(data, name).toEqual(tensors.get(name)!.read().data)
    expect(report).toMatchObject({ missing: [], unexpected: [], unused: [], reshaped: [], notes: [] })
  })

  test('names of the evaluation code and of wrapped models are the same names', () => {
    const plain = load(config, stored(config)).values
    for (const rename of [(n: string) => n.replace('.bert.', '.'), (n: string) => `model.${n}`, (n: string) => `module.${n}`]) {
      const { values, report } = load(config, stored(config, 1, rename))
      expect(report.unexpected).toEqual([])
      for (const [name, { data }] of plain) expect(values.get(name)!.data, name).toEqual(data)
    }
  })

  test('a missing parameter refuses, and is started anew only when asked for', () => {
    const tensors = stored(config)
    tensors.delete('itm_head.weight')
    expect(() => load(config, tensors, { place: 'a.pth' })).toThrow(/a\.pth lacks 1 of the model's parameters: itm_head\.weight/)
    const { report, values } = load(config, tensors, { allowMissing: { seed: 3 } })
    expect(report.missing).toEqual(['itm_head.weight'])
    expect(values.get('itm_head.weight')!.data.some((value) => value !== 0)).toBe(true)
  })

  test('a checkpoint of other sizes is named as such, and one of another kind too', () => {
    const wider = smallConfig({ embed_dim: 16 })
    expect(() => load(config, stored(wider))).toThrow(/belongs to a model of other sizes: vision_proj\.weight is 16 x 16, but this model needs 8 x 16/)
    const foreign = new Map([['layer1.weight', { shape: [3], read: () => ({ data: Float32Array.of(1, 2, 3) }) }]])
    expect(() => load(config, foreign)).toThrow(/it is not a checkpoint of this kind of model/)
  })

  test('without a momentum copy or with queues of another size the rest is used, and said', () => {
    const bare = stored(smallConfig())
    const { report, values } = load(config, bare)
    expect(report.notes).toEqual(['There is no momentum copy in it; the copy starts equal to the model.', 'There are no queues in it; they start anew.'])
    expect(values.get('vision_proj_m.weight')!.data).toEqual(values.get('vision_proj.weight')!.data)
    const other = load(config, stored(smallConfig({ momentum: 0.9, queue_size: 6 })))
    expect(other.report.notes).toEqual(['Its queues have another size; they start anew.'])
  })

  test('a model that needs no copy leaves those of the file unused, and keys it does not know are listed', () => {
    const tensors = stored(config)
    tensors.set('text_encoder.bert.embeddings.position_ids', { shape: [1, 10], read: () => ({ data: new BigInt64Array(10) }) })
    tensors.set('something.else', { shape: [1], read: () => ({ data: Float32Array.of(0) }) })
    const { report } = load(smallConfig(), tensors)
    expect(report.unexpected).toEqual(['something.else'])
    expect(report.unused).toEqual(expect.arrayContaining(['vision_proj_m.weight', 'image_queue', 'queue_ptr_img', 'text_encoder.bert.embeddings.position_ids']))
  })

  test('position embeddings are interpolated to another image size', () => {
    const larger = { ...config, image: { ...config.image, size: 40 } }
    const { report, values } = load(larger, stored(config))
    expect(report.reshaped.map(({ name }) => name)).toEqual(['visual_encoder.pos_embed', 'visual_encoder_m.pos_embed'])
    expect(values.get('visual_encoder.pos_embed')!.shape).toEqual([1, 26, 16])
  })
})

test('interpolation to the same size changes nothing, and a constant stays constant', () => {
  const same = Float32Array.from({ length: 10 * 2 }, (_, i) => Math.sin(i))
  expect(interpolatePositions(same, 10, 10, 2)).toEqual(same)
  for (const value of interpolatePositions(new Float32Array(10).fill(0.5), 10, 26, 1)) expect(value).toBeCloseTo(0.5, 6)
})
