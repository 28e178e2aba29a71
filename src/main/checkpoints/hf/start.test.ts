import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { smallConfig } from '../../../../test/support/small-model.ts'
import { SavedTensor, writePth } from '../pth-writer.ts'
import { rawTensor, type TensorToWrite, writeSafetensors } from '../safetensors.ts'
import { imageStart, textStart } from './start.ts'

const root = mkdtempSync(join(tmpdir(), 'amc-hf-'))
afterAll(() => rmSync(root, { recursive: true }))

const config = smallConfig()
const { text, image } = config
const words = Array.from({ length: text.vocab_size }, (_, i) => `w${i}`)
const cells = (config.image.size / config.image.patch) ** 2

let made = 0
function folder(settings: Readonly<Record<string, unknown>>, tensors: ReadonlyMap<string, TensorToWrite>, vocabulary?: readonly string[]): string {
  const path = join(root, String(made++))
  mkdirSync(path)
  writeFileSync(join(path, 'config.json'), JSON.stringify(settings))
  writeSafetensors(join(path, 'model.safetensors'), tensors)
  if (vocabulary) writeFileSync(join(path, 'vocab.txt'), vocabulary.join('\n'))
  return path
}

let next = 0
const filled = (...shape: number[]): TensorToWrite => ({ shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next++) })

const bertSettings = {
  model_type: 'bert', hidden_size: text.width, num_hidden_layers: text.layers, num_attention_heads: text.heads, intermediate_size: text.intermediate,
  vocab_size: text.vocab_size, max_position_embeddings: text.max_positions + 3, layer_norm_eps: 1e-12, hidden_act: 'gelu',
}

function bert(prefix = '', { layers = text.layers, gamma = false } = {}): Map<string, TensorToWrite> {
  const w = text.width
  const tensors = new Map<string, TensorToWrite>()
  const norm = (name: string) => tensors.set(`${name}.LayerNorm.${gamma ? 'gamma' : 'weight'}`, filled(w)).set(`${name}.LayerNorm.${gamma ? 'beta' : 'bias'}`, filled(w))
  const linear = (name: string, outputs: number, inputs: number) => tensors.set(`${name}.weight`, filled(outputs, inputs)).set(`${name}.bias`, filled(outputs))
  tensors.set(`${prefix}embeddings.word_embeddings.weight`, filled(text.vocab_size, w)).set(`${prefix}embeddings.position_embeddings.weight`, filled(text.max_positions + 3, w))
  tensors.set(`${prefix}embeddings.token_type_embeddings.weight`, filled(2, w))
  norm(`${prefix}embeddings`)
  for (let i = 0; i < layers; i++) {
    const layer = `${prefix}encoder.layer.${i}.`
    for (const part of ['query', 'key', 'value']) linear(`${layer}attention.self.${part}`, w, w)
    linear(`${layer}attention.output.dense`, w, w)
    norm(`${layer}attention.output`)
    linear(`${layer}intermediate.dense`, text.intermediate, w)
    linear(`${layer}output.dense`, w, text.intermediate)
    norm(`${layer}output`)
  }
  linear(`${prefix}pooler.dense`, w, w)
  return tensors
}

describe('a BERT folder', () => {
  test.each([['', false], ['bert.', false], ['bert.', true]])('names with "%s" before them (gamma and beta: %s) become those of the text encoder', async (prefix, gamma) => {
    const tensors = bert(prefix, { gamma })
    const start = await textStart(folder(bertSettings, tensors, words), config, words)
    const { width } = text
    expect(start.tensors.get('text_encoder.bert.encoder.layer.1.attention.self.key.weight')!.read().data).toEqual(tensors.get(`${prefix}encoder.layer.1.attention.self.key.weight`)!.data)
    expect(start.tensors.get('text_encoder.bert.embeddings.LayerNorm.weight')!.shape).toEqual([width])
    expect([...start.tensors.keys()].some((name) => name.includes('pooler'))).toBe(false)
    expect(start.tensors.size).toBe(5 + text.layers * 16)
    expect(start.notes.join(' ')).toMatch(new RegExp(`${text.layers} of its ${text.layers} layers.*Cross-attention starts anew, and so does the head`))
    start.close()
  })

  test('of fewer layers brings those, and says which start anew', async () => {
    const start = await textStart(folder({ ...bertSettings, num_hidden_layers: 1 }, bert('', { layers: 1 }), words), config, words)
    expect(start.notes.join(' ')).toMatch(/those from 1 on start anew/)
    start.close()
  })

  test('brings the head that guesses masked words where it has one', async () => {
    const tensors = bert('bert.')
    for (const [name, shape] of [['bias', [text.vocab_size]], ['transform.dense.weight', [text.width, text.width]], ['decoder.weight', [text.vocab_size, text.width]]] as const) tensors.set(`cls.predictions.${name}`, filled(...shape))
    const start = await textStart(folder(bertSettings, tensors, words), config, words)
    expect(start.tensors.has('text_encoder.cls.predictions.transform.dense.weight')).toBe(true)
    expect(start.tensors.has('text_encoder.cls.predictions.decoder.weight')).toBe(false) // tied
    expect(start.notes.join(' ')).not.toMatch(/so does the head/)
    start.close()
  })

  test.each([
    ['another width', { hidden_size: 99 }, /its width is 99, this model's/],
    ['other heads', { num_attention_heads: 1 }, /its attention heads is 1, this model's/],
    ['fewer words', { vocab_size: 7 }, /its words is 7/],
    ['shorter texts', { max_position_embeddings: 2 }, /it reads 2 word pieces/],
    ['another activation', { hidden_act: 'relu' }, /its activation is relu/],
    ['relative positions', { position_embedding_type: 'relative_key' }, /its positions are relative_key/],
    ['another model', { model_type: 'gpt2' }, /its model_type is gpt2/],
    ['a size that is none', { hidden_size: 'big' }, /hidden_size/],
    ['a model of images', { model_type: 'vit' }, /it is a model of images/],
  ])('of %s is refused in words', async (_, change, message) => {
    await expect(textStart(folder({ ...bertSettings, ...change }, bert(), words), config, words)).rejects.toThrow(message)
  })

  test('whose words mean other ids, or that lacks a layer, is refused', async () => {
    await expect(textStart(folder(bertSettings, bert(), ['[PAD]', ...words.slice(1)]), config, words)).rejects.toThrow(/word 0 is "\[PAD\]" in its vocab\.txt and "w0" in this model/)
    const tensors = bert()
    tensors.delete('encoder.layer.1.attention.self.query.weight')
    await expect(textStart(folder(bertSettings, tensors, words), config, words)).rejects.toThrow(/lack encoder\.layer\.1\.attention\.self\.query\.weight/)
  })
})

const imageSettings = {
  model_type: 'vit', hidden_size: image.width, num_hidden_layers: image.depth, num_attention_heads: image.heads, intermediate_size: image.width * image.mlp_ratio,
  image_size: image.size, patch_size: image.patch, layer_norm_eps: 1e-12, hidden_act: 'gelu',
}

function vit(prefix: string, { places = 1 + cells, biases = true } = {}): Map<string, TensorToWrite> {
  const w = image.width
  const inner = w * image.mlp_ratio
  const tensors = new Map<string, TensorToWrite>()
  const linear = (name: string, outputs: number, inputs: number, bias = true) => {
    tensors.set(`${name}.weight`, filled(outputs, inputs))
    if (bias) tensors.set(`${name}.bias`, filled(outputs))
  }
  const norm = (name: string) => tensors.set(`${name}.weight`, filled(w)).set(`${name}.bias`, filled(w))
  tensors.set(`${prefix}embeddings.cls_token`, filled(1, 1, w)).set(`${prefix}embeddings.position_embeddings`, filled(1, places, w))
  tensors.set(`${prefix}embeddings.patch_embeddings.projection.weight`, filled(w, 3, image.patch, image.patch)).set(`${prefix}embeddings.patch_embeddings.projection.bias`, filled(w))
  for (let i = 0; i < image.depth; i++) {
    const layer = `${prefix}encoder.layer.${i}.`
    for (const part of ['query', 'key', 'value']) linear(`${layer}attention.attention.${part}`, w, w, biases)
    linear(`${layer}attention.output.dense`, w, w)
    linear(`${layer}intermediate.dense`, inner, w)
    linear(`${layer}output.dense`, w, inner)
    norm(`${layer}layernorm_before`)
    norm(`${layer}layernorm_after`)
  }
  norm(`${prefix}layernorm`)
  return tensors
}

describe('an image folder', () => {
  test('of ViT: query, key and value stand one below the other', async () => {
    const tensors = vit('vit.')
    tensors.set('classifier.weight', filled(10, image.width))
    const start = await imageStart(folder(imageSettings, tensors), config)
    const qkv = start.tensors.get('visual_encoder.blocks.1.attn.qkv.weight')!
    const part = (name: string) => tensors.get(`vit.encoder.layer.1.attention.attention.${name}.weight`)!.data as Float32Array
    expect(qkv.shape).toEqual([3 * image.width, image.width])
    expect(qkv.read().data).toEqual(Float32Array.from([...part('query'), ...part('key'), ...part('value')]))
    expect(start.tensors.get('visual_encoder.norm.weight')!.read().data).toEqual(tensors.get('vit.layernorm.weight')!.data)
    expect([...start.tensors.keys()].some((name) => name.includes('classifier'))).toBe(false)
    expect(start.tensors.size).toBe(6 + 12 * image.depth)
    start.close()
  })

  test('of distilled DeiT: the place of the token we do not have is left out', async () => {
    const tensors = vit('deit.', { places: 2 + cells })
    tensors.set('deit.embeddings.distillation_token', filled(1, 1, image.width))
    const start = await imageStart(folder({ ...imageSettings, model_type: 'deit' }, tensors), config)
    const positions = tensors.get('deit.embeddings.position_embeddings')!.data as Float32Array
    const { width } = image
    expect(start.tensors.get('visual_encoder.pos_embed')!.shape).toEqual([1, 1 + cells, width])
    expect(start.tensors.get('visual_encoder.pos_embed')!.read().data).toEqual(Float32Array.from([...positions.subarray(0, width), ...positions.subarray(2 * width)]))
    start.close()
  })

  test('without biases of query, key and value has zeros there', async () => {
    const start = await imageStart(folder({ ...imageSettings, qkv_bias: false }, vit('', { biases: false })), config)
    expect(start.tensors.get('visual_encoder.blocks.0.attn.qkv.bias')!.read().data).toEqual(new Float32Array(3 * image.width))
    start.close()
  })

  test('or a single file with the names of the published DeiT', async () => {
    const ours = await imageStart(folder(imageSettings, vit('')), config)
    const tensors = new Map([...ours.tensors].map(([name, tensor]) => [name.replace('visual_encoder.', ''), new SavedTensor(rawTensor(name, { shape: tensor.shape, data: tensor.read().data as Float32Array }))]))
    const path = join(root, 'deit.pth')
    writePth(path, new Map([['model', tensors]]))
    const start = await imageStart(path, config)
    expect([...start.tensors.keys()].sort()).toEqual([...ours.tensors.keys()].sort())
    for (const [name, tensor] of ours.tensors) expect(start.tensors.get(name)!.read().data, name).toEqual(tensor.read().data)
    ours.close()
    start.close()
  })

  test.each([
    ['another patch', { patch_size: 99 }, /its patch is 99/], ['other heads', { num_attention_heads: 1 }, /its attention heads is 1/], ['a BERT', bertSettings, /it is a model of text/],
  ])('of %s is refused in words', async (_, change, message) => {
    await expect(imageStart(folder({ ...imageSettings, ...change }, vit('')), config)).rejects.toThrow(message)
  })

  test('is refused for a model without patches', async () => {
    await expect(imageStart(folder(imageSettings, vit('')), { ...config, image: { ...image, stem: 'conv' } })).rejects.toThrow(/convolutional stem/)
  })
})
