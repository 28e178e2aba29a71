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
    const half = stored(config)
    for (const name of [...half.keys()]) if (name.startsWith('text_encoder_m.')) half.delete(name)
    expect(load(config, half).report.notes).toEqual([expect.stringMatching(/^Its momentum copy is incomplete/)])
  })

  test('of a longer queue the newest features are taken, of a shorter one all of them', () => {
    const rows = config.embed_dim
    const queue = (size: number, pointer: number) => {
      const tensors = stored(smallConfig({ momentum: 0.9, queue_size: size }))
      const data = Float32Array.from({ length: rows * size }, (_, i) => (i % size) + 100 * Math.floor(i / size)) // column + 100 * row
      for (const name of ['image_queue', 'text_queue']) tensors.set(name, { shape: [rows, size], read: () => ({ data }) })
      for (const name of ['queue_ptr_img', 'queue_ptr_txt']) tensors.set(name, { shape: [1], read: () => ({ data: BigInt64Array.of(BigInt(pointer)) }) })
      return tensors
    }
    const columns = (values: ReturnType<typeof load>['values']) => Array.from(values.get('image_queue')!.data as Float32Array).slice(0, config.queue_size)
    // The next place to write is 2 of 6, so the newest four stand in 4, 5, 0, 1.
    const longer = load(config, queue(6, 2))
    expect(columns(longer.values)).toEqual([4, 5, 0, 1])
    expect(longer.values.get('queue_ptr_img')!.data).toEqual(BigInt64Array.of(0n))
    expect(longer.report.notes).toEqual(['Its queues hold 6 features, this model\'s 4: the newest 4 are taken.'])
    const shorter = load(config, queue(3, 1))
    expect(columns(shorter.values).slice(0, 3)).toEqual([1, 2, 0])
    expect(shorter.values.get('text_queue')!.data.length).toBe(rows * 4)
    expect(shorter.values.get('queue_ptr_txt')!.data).toEqual(BigInt64Array.of(3n))
    expect(shorter.report.notes).toEqual(['Its queues hold 3 features, this model\'s 4: 1 more start anew.'])
  })

  test('what must come back as it was is refused when anything was fitted or started anew', () => {
    expect(load(config, stored(config), { exact: true }).report.missing).toEqual([])
    expect(() => load(config, stored(smallConfig()), { exact: true })).toThrow(/does not hold this model as it was: There is no momentum copy/)
    expect(() => load({ ...config, image: { ...config.image, size: 40 } }, stored(config), { exact: true })).toThrow(/visual_encoder\.pos_embed has another size/)
  })

  test('weights that are not numbers refuse, and are let through only when asked for', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const tensors = stored(config)
      const { shape, read } = tensors.get('itm_head.weight')!
      const data = Float32Array.from(read().data as Float32Array)
      data[3] = bad
      tensors.set('itm_head.weight', { shape, read: () => ({ data }) })
      expect(() => load(config, tensors, { place: 'a.pth' })).toThrow(/a\.pth holds weights that are not numbers \(NaN or infinite\) in itm_head\.weight/)
      const { report } = load(config, tensors, { allowNotFinite: true })
      expect([report.notFinite, report.notes.at(-1)]).toEqual([['itm_head.weight'], expect.stringMatching(/not numbers/)])
    }
  })

  test('a model of shorter texts takes the first places of a longer one', () => {
    const short = smallConfig({ text: { ...config.text, max_positions: 8 } })
    const tensors = stored(smallConfig())
    const name = 'text_encoder.bert.embeddings.position_embeddings.weight'
    const { report, values } = load(short, tensors)
    expect(report.reshaped).toEqual([{ name, from: [10, 12], to: [8, 12] }])
    expect(values.get(name)!.data).toEqual((tensors.get(name)!.read().data as Float32Array).slice(0, 96))
    expect(() => load(smallConfig({ text: { ...config.text, max_positions: 12 } }), tensors)).toThrow(/other sizes/)
  })

  test('the error carries the whole account', () => {
    const tensors = stored(config)
    const gone = [...tensors.keys()].filter((name) => name.startsWith('text_encoder.bert.encoder.layer.1.'))
    for (const name of gone) tensors.delete(name)
    tensors.set('head.weight', { shape: [1], read: () => ({ data: Float32Array.of(1) }) })
    try {
      load(config, tensors)
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-input', keys: { missing: gone, unexpected: ['head.weight'], reshaped: [] } })
      return
    }
    throw new Error('was accepted')
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
