import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { smallConfig } from '../../../test/support/small-model.ts'
import { openTensors } from '../checkpoints/open-tensors.ts'
import { PyFloat, PyTuple } from '../checkpoints/pickle.ts'
import { openPth } from '../checkpoints/pth.ts'
import { type TensorToWrite, writeSafetensors } from '../checkpoints/safetensors.ts'
import type { TensorEntry } from '../checkpoints/tensor-file.ts'
import { momentumName, parameterSpecs } from '../model/params.ts'
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { exportCheckpoint } from './export-checkpoint.ts'
import { checkpointHeader, openCheckpoint } from './model-files.ts'
import { recogniseModel } from './recognise.ts'
import { loadModelConfig } from './presets.ts'

const folder = mkdtempSync(join(tmpdir(), 'amc-export-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const golden = join(import.meta.dirname, '../../../test/golden/tiny-a')
const config = smallConfig({ momentum: 0.9, queue_size: 4 })

let next = 0
function modelTensors(model: ModelConfig, without: readonly string[] = []): Map<string, TensorToWrite> {
  const tensors = new Map<string, TensorToWrite>()
  const add = (name: string, shape: readonly number[]) => tensors.set(name, { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => ++next / 1e4) })
  for (const { name, shape } of parameterSpecs(model)) {
    add(name, shape)
    if (model.momentum !== null && momentumName(name)) add(momentumName(name)!, shape)
  }
  if (model.queue_size > 0) {
    for (const queue of ['image_queue', 'text_queue']) add(queue, [model.embed_dim, model.queue_size])
    for (const pointer of ['queue_ptr_img', 'queue_ptr_txt']) tensors.set(pointer, { shape: [1], data: BigInt64Array.of(2n) })
  }
  for (const name of without) tensors.delete(name)
  return tensors
}
const save = (name: string, tensors = modelTensors(config)) => {
  writeSafetensors(at(name), tensors, checkpointHeader(config, { step: 12, metrics: {} }))
  return tensors
}
const get = (root: unknown, ...path: unknown[]): unknown => path.reduce((value, key) => (Array.isArray(value) ? value[key as number] : (value as Map<unknown, unknown>).get(key)), root)

describe('a checkpoint for the published code', () => {
  test('has the five parts, the tied weights and the position ids, and every value', async () => {
    const tensors = save('model.safetensors')
    const done = await exportCheckpoint({ source: at('model.safetensors'), target: at('model.pth'), epoch: 3 })
    expect(done).toMatchObject({ tensors: tensors.size, moments: 0, keys: { missing: [], unexpected: [] } })
    const file = await openPth(at('model.pth'), { exact: true })
    expect([...(file.root as Map<string, unknown>).keys()]).toEqual(['model', 'optimizer', 'lr_scheduler', 'config', 'epoch', 'amc'])
    for (const [name, { shape, data }] of tensors) {
      const read = file.tensors.get(`model.${name}`)!.read()
      expect([read.shape, read.data], name).toEqual([shape, data])
    }
    for (const encoder of ['text_encoder', 'text_encoder_m']) {
      const key = (name: string) => file.places.get(`model.${encoder}.${name}`)!.storage.key
      expect(key('cls.predictions.decoder.weight')).toBe(key('bert.embeddings.word_embeddings.weight'))
      expect(key('cls.predictions.decoder.bias')).toBe(key('cls.predictions.bias'))
      expect(file.tensors.get(`model.${encoder}.bert.embeddings.position_ids`)!.read()).toMatchObject({ dtype: 'I64', shape: [1, config.text.max_positions] })
    }
    expect(get(file.root, 'epoch')).toBe(3)
    expect(get(file.root, 'config', 'image_res')).toBe(config.image.size)
    expect(get(file.root, 'optimizer', 'param_groups', 0, 'betas')).toEqual(new PyTuple([new PyFloat(0.9), new PyFloat(0.999)]))
    file.close()
  })

  test('is read again by this program with its sizes, and every key loads', async () => {
    save('model.safetensors')
    await exportCheckpoint({ source: at('model.safetensors'), target: at('again.pth') })
    const opened = await openCheckpoint(at('again.pth'))
    expect(opened.config).toEqual(config)
    expect(opened.info).toEqual({ step: 12, metrics: {} })
    opened.file.close()
    const back = await exportCheckpoint({ source: at('again.pth'), target: at('again.safetensors') })
    expect(back.keys).toMatchObject({ missing: [], unexpected: [], reshaped: [] })
  })

  test('without momentum and queues, in half the width, is what evaluation needs', async () => {
    save('model.safetensors')
    await exportCheckpoint({ source: at('model.safetensors'), target: at('small.safetensors'), weightsOnly: true, precision: 'fp16' })
    const file = await openTensors(at('small.safetensors'))
    expect([...file.tensors.keys()].sort()).toEqual(parameterSpecs(config).map(({ name }) => name).sort())
    expect([...file.tensors.values()].every(({ dtype }) => dtype === 'F16')).toBe(true)
    file.close()
  })

  test('that lacks parameters is not written', async () => {
    save('partial.safetensors', modelTensors(config, ['itm_head.weight']))
    await expect(exportCheckpoint({ source: at('partial.safetensors'), target: at('partial.pth') })).rejects.toMatchObject({ code: 'bad-input', keys: { missing: ['itm_head.weight'] } })
    expect(existsSync(at('partial.pth'))).toBe(false)
  })

  const recorded = <T>(name: string) => JSON.parse(readFileSync(join(golden, name), 'utf8')) as T
  function recordedModel(): ModelConfig {
    const [run, text] = [recorded<Record<string, number>>('config.json'), recorded<Record<string, number>>('bert_config.json')]
    return {
      ...config, queue_size: run['queue_size']!, embed_dim: run['embed_dim']!, gradcam_layer: run['gcam_layer']!,
      image: { ...config.image, size: run['image_res']!, patch: 16, width: run['vision_width']!, depth: run['vit_depth']!, heads: run['vit_heads']! },
      text: { ...config.text, vocab_size: text['vocab_size']!, width: text['hidden_size']!, layers: text['num_hidden_layers']!, fusion_layer: text['fusion_layer']!, heads: 2, intermediate: text['intermediate_size']!, max_positions: text['max_position_embeddings']! },
    }
  }

  // The order of parameters decides whose moments are whose.
  test('numbers its parameters as the published optimizer does', () => {
    const groups = recorded<{ no_decay: string[]; decay: string[] }>('optimizer_groups.json')
    const specs = parameterSpecs(recordedModel())
    const isSpared = ({ name, shape }: { name: string; shape: readonly number[] }) => shape.length === 1 || name.endsWith('.bias')
    expect(specs.filter(isSpared).map(({ name }) => name)).toEqual(groups.no_decay)
    expect(specs.filter((spec) => !isSpared(spec)).map(({ name }) => name)).toEqual(groups.decay)
  })

  test('has exactly the keys and bits of the checkpoint that the published code wrote', async () => {
    writeFileSync(at('tiny.yaml'), stringify(recordedModel()))
    const source = join(golden, 'checkpoint_00.pth')
    await exportCheckpoint({ source, target: at('tiny.safetensors'), modelConfig: at('tiny.yaml') })
    await exportCheckpoint({ source: at('tiny.safetensors'), target: at('tiny.pth') })
    const [theirs, ours] = [await openPth(source), await openPth(at('tiny.pth'))]
    const model = (file: typeof ours) => [...file.tensors.keys()].filter((name) => name.startsWith('model.')).sort()
    expect(model(ours)).toEqual(model(theirs))
    for (const name of model(theirs)) {
      const [a, b] = [theirs, ours].map((file) => file.tensors.get(name)!) as [TensorEntry, TensorEntry]
      expect([b.dtype, b.shape, Buffer.from(b.readRaw()).toString('hex')], name).toEqual([a.dtype, a.shape, Buffer.from(a.readRaw()).toString('hex')])
    }
    const keys = (value: unknown) => [...(value as Map<string, unknown>).keys()].sort()
    expect(keys(get(ours.root, 'lr_scheduler'))).toEqual(keys(get(theirs.root, 'lr_scheduler')))
    for (const file of [theirs, ours]) file.close()
  })
})

describe('a checkpoint that does not say its sizes', () => {
  test('is recognised when it fits a known model in every tensor, and only then', async () => {
    const known = await loadModelConfig('albef-base')
    const shapes = new Map(parameterSpecs(known).map(({ name, shape }) => [`model.${name}`, { shape }]))
    for (const queue of ['image_queue', 'text_queue']) shapes.set(`model.${queue}`, { shape: [known.embed_dim, known.queue_size] })
    for (const { name, shape } of parameterSpecs(known)) if (momentumName(name)) shapes.set(`model.${momentumName(name)}`, { shape })
    expect((await recogniseModel(shapes))?.name).toBe('albef-base')
    for (const copy of ['', '_m']) shapes.set(`model.visual_encoder${copy}.pos_embed`, { shape: [1, 577, 768] })
    expect((await recogniseModel(shapes))?.name).toBe('albef-base-384')
    shapes.set('model.vision_proj.weight', { shape: [128, 768] })
    expect(await recogniseModel(shapes)).toBeNull()
  })
})
