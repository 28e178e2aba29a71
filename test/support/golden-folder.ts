/**
 * A folder of the golden format with sizes of our choice, "recorded" from our own model. It cannot say whether the model is
 * right (the recorded folder does that); it says whether a folder of other sizes is understood.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensors, type TensorToWrite } from '../../src/main/checkpoints/safetensors.ts'
import { encodeImages, explainTensors } from '../../src/main/model/explain.ts'
import { exportTensors, paramsFromTensors } from '../../src/main/model/load-params.ts'
import { createParams, disposeParams } from '../../src/main/model/params.ts'
import { createRandom } from '../../src/main/model/random.ts'
import { stepGradients } from '../../src/main/model/step.ts'
import { tf, type Tensor } from '../../src/main/model/tf.ts'
import { REFERENCE_STEP, type ModelParams, type StepChoices, type StepOptions, type StepResult, type TokenBatch, type TrainBatch } from '../../src/main/model/types.ts'
import { applyAdamW, createAdamW, disposeAdamW, REFERENCE_ADAMW } from '../../src/main/train/optimizer.ts'
import { parseModelConfig, type ModelConfig } from '../../src/shared/config/model-config.ts'
import { writePth } from './pth-writer.ts'

export interface GoldenSizes {
  readonly image: { readonly size: number; readonly patch: number; readonly width: number; readonly depth: number; readonly heads: number }
  readonly text: { readonly vocab_size: number; readonly width: number; readonly layers: number; readonly fusion_layer: number; readonly heads: number; readonly intermediate: number; readonly max_positions: number }
  readonly embed: number
  readonly queue: number
  readonly pointer: number
  readonly batch: number
  readonly tokens: number
  readonly layer: number
  readonly otherLayer: number
  readonly mask: number
  readonly evaluationSize: number
}

const SPECIAL = { pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 }
const MOMENTUM = 0.995
const RATE = 1e-3

export async function makeGoldenFolder(dir: string, sizes: GoldenSizes): Promise<void> {
  mkdirSync(dir, { recursive: true })
  const { image, text } = sizes
  const json = (name: string, value: unknown): void => writeFileSync(join(dir, name), JSON.stringify(value))
  const tensors = (name: string, values: Record<string, TensorToWrite>): void => writeSafetensors(join(dir, name), new Map(Object.entries(values)))
  json('config.json', {
    image_res: image.size, vision_width: image.width, vit_depth: image.depth, vit_heads: image.heads, embed_dim: sizes.embed, temp: 0.07,
    mlm_probability: 0.15, queue_size: sizes.queue, momentum: MOMENTUM, max_words: 30, mask_size: sizes.mask, gcam_layer: sizes.layer, bert_config: 'bert.json',
  })
  json('bert.json', {
    hidden_size: text.width, intermediate_size: text.intermediate, max_position_embeddings: text.max_positions, num_attention_heads: text.heads,
    num_hidden_layers: text.layers, vocab_size: text.vocab_size, fusion_layer: text.fusion_layer,
  })
  const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...Array.from({ length: text.vocab_size - 5 }, (_, i) => `w${i}`)]
  writeFileSync(join(dir, 'vocab.txt'), `${words.join('\n')}\n`)
  json('inputs.json', { special_ids: SPECIAL, alpha: 0.4, amc_weights: [0.2, 0.8], margins: [0.1, 0.5] })

  const config = configOf(sizes)
  const start = startTensors(config, sizes.pointer)
  writePth(join(dir, 'checkpoint_00.pth'), start)
  const { batch, choices } = makeBatch(config, sizes)
  tensors('inputs.safetensors', inputTensors(batch, choices, config))
  const entries = new Map([...start].map(([name, { shape, data }]) => [name, { shape, read: () => ({ data }) }]))
  const withModel = <T>(use: (params: ModelParams) => T, imageSize = image.size): T => {
    const { params } = paramsFromTensors({ ...config, image: { ...config.image, size: imageSize } }, entries)
    try {
      return use(params)
    } finally {
      disposeParams(params)
    }
  }
  const options: StepOptions = { ...REFERENCE_STEP, specialTokens: SPECIAL, alpha: 0.4 }
  const step = (params: ModelParams, changes: Partial<StepOptions> = {}): StepResult => stepGradients(params, batch, { ...options, ...changes }, { choices })
  const other = { gradcamLayer: sizes.otherLayer }
  const alone = { itc: false, itm: false, mlm: false }

  json('losses.json', {
    f32: withModel((params) => losses(step(params))),
    [`gcam_layer${sizes.otherLayer}`]: withModel((params) => losses(step(params, other))),
    batch1: 'ValueError: the published code stops here',
  })
  for (const [name, changes] of Object.entries({ total: {}, amc: alone, [`amc_layer${sizes.otherLayer}`]: { ...alone, ...other } })) {
    tensors(`grads_${name}.safetensors`, withModel((params) => toWrite(step(params, changes).gradients)))
  }
  withModel((params) => tensors('forward.safetensors', explained(params, batch, sizes.layer)))
  withModel((params) => tensors(`amc_layer${sizes.otherLayer}.safetensors`, explained(params, batch, sizes.otherLayer)))
  withModel((params) => recordSteps(params, step, json, tensors))
  withModel((params) => recordEvaluation(params, batch.text, words, { json, tensors }), sizes.evaluationSize)
}

function configOf({ image, text, ...sizes }: GoldenSizes): ModelConfig {
  return parseModelConfig({
    name: 'other', image, text, embed_dim: sizes.embed, queue_size: sizes.queue, momentum: MOMENTUM, gradcam_layer: sizes.layer, mask_size: sizes.mask,
    max_tokens: Math.min(25, text.max_positions), init: 'small',
  }, 'the test')
}

/** A model whose momentum copy differs from it, its queues about to wrap. */
function startTensors(config: ModelConfig, pointer: number): ReturnType<typeof exportTensors> {
  const params = createParams(config, 21)
  const random = createRandom(22)
  const tensors = exportTensors(params)
  disposeParams(params)
  for (const [name, { data }] of tensors) {
    if (data instanceof BigInt64Array) data.fill(BigInt(pointer))
    else if (/_m\./.test(name)) for (let i = 0; i < data.length; i++) data[i]! += 0.02 * random.normal()
  }
  return tensors
}

function makeBatch(config: ModelConfig, sizes: GoldenSizes): { batch: TrainBatch; choices: StepChoices } {
  const random = createRandom(23)
  const [count, length, side] = [sizes.batch, sizes.tokens, config.mask_size]
  const mask = Int32Array.from({ length: count * length }, (_, i) => (i % length < length - Math.floor(i / length) ? 1 : 0))
  const ids = mask.map((used, i) => (i % length === 0 ? SPECIAL.cls : used ? 5 + random.below(config.text.vocab_size - 5) : SPECIAL.pad))
  const labels = ids.map((id, i) => (i % length === 1 ? id : -100))
  const batch: TrainBatch = {
    images: Float32Array.from({ length: count * 3 * config.image.size ** 2 }, () => random.normal()),
    imageCount: count,
    phrasesPerImage: 1,
    text: { ids, mask, count, length },
    regionMasks: Float32Array.from({ length: count * side * side }, (_, i) => (i % side < side / 2 ? 1 : 0)),
    hasRegion: new Uint8Array(count).fill(1),
  }
  const next = Int32Array.from({ length: count }, (_, n) => (n + 1) % count)
  return { batch, choices: { mlm: { inputIds: ids.map((id, i) => (i % length === 1 ? SPECIAL.mask : id)), labels }, negativeImages: next, negativeTexts: next } }
}

const int64 = (data: ArrayLike<number>, shape: readonly number[]): TensorToWrite => ({ shape, data: BigInt64Array.from(Array.from(data, BigInt)) })

function inputTensors({ images, text, regionMasks, hasRegion }: TrainBatch, { mlm, negativeImages, negativeTexts }: StepChoices, { image, mask_size: side }: ModelConfig): Record<string, TensorToWrite> {
  const { count, length } = text
  return {
    image: { shape: [count, 3, image.size, image.size], data: images as Float32Array },
    input_ids: int64(text.ids, [count, length]),
    attention_mask: int64(text.mask, [count, length]),
    gt_mask: { shape: [count, side, side], data: regionMasks! },
    gt_mask_indicator: int64(hasRegion, [count, 1]),
    mlm_input_ids: int64(mlm.inputIds, [count, length]),
    mlm_labels: int64(mlm.labels, [count, length]),
    neg_image_idx: int64(negativeImages, [count]),
    neg_text_idx: int64(negativeTexts, [count]),
  }
}

function losses({ parts, gradients, total }: StepResult): Record<string, number> {
  tf.dispose([...gradients.values()])
  return { loss_mlm: parts.mlm!, loss_ita: parts.itc!, loss_itm: parts.itm!, loss_mean: parts.amcMean!, loss_max: parts.amcMax!, total }
}

/** Reads and frees. */
function toWrite(tensors: ReadonlyMap<string, Tensor>): Record<string, TensorToWrite> {
  const values = [...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: tensor.dataSync<'float32'>() }] as const)
  tf.dispose([...tensors.values()])
  return Object.fromEntries(values)
}

function explained(params: ModelParams, { images, text }: Pick<TrainBatch, 'images' | 'text'>, layer: number): Record<string, TensorToWrite> {
  const features = encodeImages(params, images)
  const compute = (): Tensor[] => {
    const { attention, gradient } = explainTensors(params, { features, text, padId: SPECIAL.pad, layer }, false)
    return [attention, gradient]
  }
  const [attention, gradient] = tf.tidy(compute)
  features.dispose()
  return toWrite(new Map([['attn_map', attention!], ['attn_grad', gradient!]]))
}

type WriteJson = (name: string, value: unknown) => void
type WriteTensors = (name: string, values: Record<string, TensorToWrite>) => void

function recordSteps(params: ModelParams, step: (params: ModelParams) => StepResult, json: WriteJson, tensors: WriteTensors): void {
  const optimizer = createAdamW(REFERENCE_ADAMW)
  const recorded: Record<string, number>[] = []
  for (let i = 1; i <= 3; i++) {
    const { total, gradients } = step(params)
    const queues = { image_queue: 0, text_queue: 0, queue_ptr_img: 0, queue_ptr_txt: 0 }
    const state = Object.fromEntries(exportTensors(params))
    if (i === 1) tensors('queues_after_forward.safetensors', Object.fromEntries(Object.keys(queues).map((name) => [name, state[name]!])))
    applyAdamW(optimizer, params, gradients, { learningRate: RATE, clipNorm: null })
    // As in a folder that keeps only part of the momentum copy.
    const kept = [...exportTensors(params)].filter(([name]) => !name.startsWith('text_encoder_m.'))
    if (i !== 2) tensors(`step${i}.safetensors`, Object.fromEntries(kept))
    recorded.push({ total, queue_ptr_img: params.queues!.imagePointer, queue_ptr_txt: params.queues!.textPointer })
  }
  disposeAdamW(optimizer)
  json('steps.json', { losses: { f32: recorded } })
}

function recordEvaluation(params: ModelParams, text: TokenBatch, words: readonly string[], write: { json: WriteJson; tensors: WriteTensors }): void {
  const { size } = params.config.image
  const random = createRandom(29)
  const { count, length } = text
  const images = Float32Array.from({ length: count * 3 * size * size }, () => random.normal())
  const block = `itm_block${params.config.gradcam_layer}/batch0`
  const phrases = Array.from({ length: count }, (_, n) => Array.from(text.ids.slice(n * length + 1, (n + 1) * length)).filter((id) => id !== SPECIAL.pad).map((id) => words[id]!).join(' '))
  const features = encodeImages(params, images)
  const embeds = { shape: [count, features.tokens.shape[0] / count, params.config.image.width], data: features.tokens.dataSync<'float32'>() }
  features.dispose()
  const { attn_map: map, attn_grad: gradient } = explained(params, { images, text }, params.config.gradcam_layer)
  write.tensors('eval.safetensors', {
    images: { shape: [count, 3, size, size], data: images },
    image_embeds: embeds,
    [`${block}/input_ids`]: int64(text.ids, [count, length]),
    [`${block}/attention_mask`]: int64(text.mask, [count, length]),
    [`${block}/attn_map`]: map!,
    [`${block}/attn_grad`]: gradient!,
  })
  write.json('eval.json', {
    eval_image_res: size, grid: size / params.config.image.patch, phrases, pre_captions: phrases, batch_size: count,
    renamed: Object.fromEntries([...exportTensors(params).keys()].filter((name) => name.includes('bert')).map((name) => [name, name.replace('bert.', '')])),
    token_lengths: [phrases.map((phrase) => phrase.split(' ').length + 1)],
  })
}
