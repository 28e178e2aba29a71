import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { smallConfig } from '../../../test/support/small-model.ts'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { parseRunConfig } from '../../shared/config/run-config.ts'
import { writeSafetensors, type TensorToWrite } from '../checkpoints/safetensors.ts'
import { exportTensors } from '../model/load-params.ts'
import { createParams, disposeParams, variableOf } from '../model/params.ts'
import { checkpointHeader } from './model-files.ts'
import { startWeights } from './start-weights.ts'

const folder = mkdtempSync(join(tmpdir(), 'amc-start-'))
afterAll(() => rmSync(folder, { recursive: true }))

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...Array.from({ length: 25 }, (_, i) => `w${i}`)]
const base = smallConfig()
const modelConfig = { ...base, text: { ...base.text, vocabulary: words } }
const config = (init: Record<string, unknown> = {}) => parseRunConfig({ seed: 5, init })

/** A BERT with the values of a model of ours, under the names of Hugging Face. */
function bertFolder(): string {
  const path = join(folder, 'bert')
  mkdirSync(path, { recursive: true })
  const { text } = modelConfig
  writeFileSync(join(path, 'config.json'), JSON.stringify({
    model_type: 'bert', hidden_size: text.width, num_hidden_layers: text.layers, num_attention_heads: text.heads, intermediate_size: text.intermediate,
    vocab_size: text.vocab_size, max_position_embeddings: text.max_positions, hidden_act: 'gelu',
  }))
  writeFileSync(join(path, 'vocab.txt'), words.join('\n'))
  const params = createParams(modelConfig, 99)
  const tensors = new Map<string, TensorToWrite>()
  for (const [name, { shape, data }] of exportTensors(params)) {
    if (/^text_encoder\.bert\.(?!.*crossattention)/.test(name)) tensors.set(name.replace('text_encoder.', ''), { shape, data: data.slice() as Float32Array })
  }
  disposeParams(params)
  writeSafetensors(join(path, 'model.safetensors'), tensors)
  return path
}

describeWithTensorFlow('the weights a run starts from', () => {
  test('a BERT folder fills the text encoder; the rest starts as it would from the seed', async () => {
    const { params, notes } = await startWeights({ modelConfig, config: config({ text: bertFolder() }), startCheckpoint: null })
    const [bert, fresh] = [createParams(modelConfig, 99), createParams(modelConfig, 5)]
    const value = (from: typeof params, name: string) => Array.from(variableOf(from, name).dataSync())
    for (const name of ['text_encoder.bert.encoder.layer.3.attention.self.query.weight', 'text_encoder.bert.embeddings.word_embeddings.weight']) expect(value(params, name), name).toEqual(value(bert, name))
    for (const name of ['text_encoder.bert.encoder.layer.3.crossattention.self.query.weight', 'visual_encoder.blocks.0.attn.qkv.weight', 'itm_head.weight']) expect(value(params, name), name).toEqual(value(fresh, name))
    for (const one of [params, bert, fresh]) disposeParams(one)
    expect(notes[0]).toMatch(/starts from bert: its word embeddings and 4 of its 4 layers/)
    expect(notes.at(-1)).toMatch(/^Parameters that start anew, as these models do not have them: \d+\.$/)
  })

  test('a checkpoint with NaN or with parts missing is refused unless the settings let it through', async () => {
    const params = createParams(modelConfig, 1)
    const tensors = new Map<string, TensorToWrite>(Array.from(exportTensors(params), ([name, { shape, data }]) => [name, { shape, data: data.slice() }]))
    disposeParams(params)
    const path = join(folder, 'start.safetensors')
    const save = () => writeSafetensors(path, tensors, checkpointHeader(modelConfig, { step: 1, metrics: {} }))
    ;(tensors.get('vision_proj.bias')!.data as Float32Array)[0] = NaN
    save()
    await expect(startWeights({ modelConfig, config: config(), startCheckpoint: path })).rejects.toThrow(/not numbers/)
    const asked = await startWeights({ modelConfig, config: config({ acceptNotFinite: true }), startCheckpoint: path })
    expect(asked.notes.join(' ')).toMatch(/not numbers \(NaN or infinite\) are in vision_proj\.bias/)
    disposeParams(asked.params)
    ;(tensors.get('vision_proj.bias')!.data as Float32Array)[0] = 0
    tensors.delete('itm_head.weight')
    save()
    await expect(startWeights({ modelConfig, config: config(), startCheckpoint: path })).rejects.toThrow(/lacks 1 of the model's parameters/)
    const missing = await startWeights({ modelConfig, config: config({ acceptMissing: true }), startCheckpoint: path })
    expect(missing.notes.join(' ')).toMatch(/lacks some parameters, which start anew \(1\): itm_head\.weight/)
    disposeParams(missing.params)
  })
})
