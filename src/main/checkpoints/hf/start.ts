/**
 * Encoders that start from a model made for something else: BERT for the text and fusion layers, ViT or DeiT for the image.
 * What a folder should bring and does not is refused; what it cannot bring (cross-attention, projections) starts anew and is said.
 */
import { basename } from 'node:path'
import type { ModelConfig } from '../../../shared/config/model-config.ts'
import { AppError } from '../../../shared/errors.ts'
import { openTensors } from '../open-tensors.ts'
import type { TensorFile } from '../tensor-file.ts'
import { type BertSizes, type ImageSizes, isHfFolder, openHfFolder } from './folder.ts'
import { type NamedTensor, renameBert, renameImage } from './names.ts'

export interface EncoderStart {
  readonly tensors: ReadonlyMap<string, NamedTensor>
  /** What was taken and what was not, in plain sentences. */
  readonly notes: readonly string[]
  close(): void
}

/**
 * @param vocabulary the model's own word pieces: ids must mean the same words
 * @throws AppError 'bad-input' naming the sizes or words that differ, or the tensors that are missing
 */
export async function textStart(path: string, config: ModelConfig, vocabulary: readonly string[]): Promise<EncoderStart> {
  const folder = await openHfFolder(path)
  return guarded(folder.file, () => {
    const { text } = config
    const sizes = folder.sizes as BertSizes
    if (folder.sizes.model_type !== 'bert') throw misfit(path, [`it is a model of images (${folder.sizes.model_type})`], 'Name it as the start of the image encoder.')
    const faults = [
      ...differs('width', sizes.hidden_size, text.width), ...differs('attention heads', sizes.num_attention_heads, text.heads),
      ...differs('inner width', sizes.intermediate_size, text.intermediate), ...differs('words', sizes.vocab_size, text.vocab_size),
      ...(sizes.max_position_embeddings < text.max_positions ? [`it reads ${sizes.max_position_embeddings} word pieces, this model ${text.max_positions}`] : []),
      ...wordFault(folder.vocabulary, vocabulary),
    ]
    if (faults.length > 0) throw misfit(path, faults, 'Choose a BERT of the model\'s sizes and vocabulary, or a model configuration of its.')
    const { tensors } = renameBert(folder.file.tensors)
    const layers = Math.min(sizes.num_hidden_layers, text.layers)
    const wanted = [...tensors.keys()].filter((name) => layerOf(name, 'layer') < layers)
    requireLayers(path, tensors, 'text_encoder.bert.encoder.layer.', layers, ['attention.self.query.weight', 'output.LayerNorm.bias'])
    for (const name of ['word_embeddings.weight', 'position_embeddings.weight', 'LayerNorm.weight']) requireTensor(path, tensors, `text_encoder.bert.embeddings.${name}`)
    const notes = [
      `The text encoder starts from ${basename(path)}: its word embeddings and ${layers} of its ${sizes.num_hidden_layers} layers.`,
      ...(sizes.num_hidden_layers < text.layers ? [`This model has ${text.layers} text and fusion layers; those from ${sizes.num_hidden_layers} on start anew.`] : []),
      `Cross-attention starts anew${tensors.has('text_encoder.cls.predictions.bias') ? '' : ', and so does the head that guesses masked words'}.`,
      ...epsilonNote(sizes.layer_norm_eps, 1e-12),
    ]
    return { tensors: new Map(wanted.map((name) => [name, tensors.get(name)!])), notes, close: folder.file.close }
  })
}

/** A folder of Hugging Face, or a single file with timm's names such as the published DeiT. */
export async function imageStart(path: string, config: ModelConfig): Promise<EncoderStart> {
  const folder = isHfFolder(path) ? await openHfFolder(path) : null
  const file = folder?.file ?? (await openTensors(path))
  return guarded(file, () => {
    const { image } = config
    if (image.stem !== 'patch') throw misfit(path, ['this model cuts images with a convolutional stem, not into patches'], 'Choose a model configuration with stem patch.')
    const { tensors } = renameImage(file.tensors)
    const sizes = folder ? (folder.sizes as ImageSizes) : sizesOf(path, tensors)
    if (folder?.sizes.model_type === 'bert') throw misfit(path, ['it is a model of text (bert)'], 'Name it as the start of the text encoder.')
    const faults = [
      ...differs('width', sizes.hidden_size, image.width), ...differs('patch', sizes.patch_size, image.patch),
      ...(folder ? differs('attention heads', sizes.num_attention_heads, image.heads) : []), ...differs('inner width', sizes.intermediate_size, image.width * image.mlp_ratio),
    ]
    if (faults.length > 0) throw misfit(path, faults, 'Choose an image model of the same sizes, or a model configuration of its.')
    const depth = Math.min(sizes.num_hidden_layers, image.depth)
    requireLayers(path, tensors, 'visual_encoder.blocks.', depth, ['attn.qkv.weight', 'mlp.fc2.bias'])
    for (const name of ['cls_token', 'pos_embed', 'patch_embed.proj.weight', 'norm.weight']) requireTensor(path, tensors, `visual_encoder.${name}`)
    const wanted = [...tensors.keys()].filter((name) => layerOf(name, 'blocks') < depth)
    const notes = [
      `The image encoder starts from ${basename(path)}: ${depth} of its ${sizes.num_hidden_layers} blocks, positions fitted to ${image.size / image.patch} x ${image.size / image.patch} cells.`,
      ...(sizes.num_hidden_layers < image.depth ? [`This model has ${image.depth} blocks; those from ${sizes.num_hidden_layers} on start anew.`] : []),
      ...epsilonNote(folder ? (sizes.layer_norm_eps ?? 1e-12) : undefined, 1e-6),
    ]
    return { tensors: new Map(wanted.map((name) => [name, tensors.get(name)!])), notes, close: file.close }
  })
}

function guarded<T>(file: TensorFile, work: () => T): T {
  try {
    return work()
  } catch (error) {
    file.close()
    throw error
  }
}

/** Sizes that shapes alone tell; heads are not among them, and timm's files of width 768 have 12. */
function sizesOf(path: string, tensors: ReadonlyMap<string, NamedTensor>): Omit<ImageSizes, 'model_type' | 'num_attention_heads'> & { num_attention_heads: number } {
  const patch = requireTensor(path, tensors, 'visual_encoder.patch_embed.proj.weight').shape
  const inner = requireTensor(path, tensors, 'visual_encoder.blocks.0.mlp.fc1.weight').shape
  const depth = 1 + Math.max(...[...tensors.keys()].map((name) => layerOf(name, 'blocks')))
  return {
    hidden_size: patch[0]!, patch_size: patch[3]!, num_channels: patch[1]!, intermediate_size: inner[0]!, num_hidden_layers: depth,
    num_attention_heads: patch[0]! / 64, hidden_act: 'gelu', image_size: 0, qkv_bias: true,
  }
}

/** Number of the layer that a name belongs to; -1 for what is outside layers. */
function layerOf(name: string, word: 'layer' | 'blocks'): number {
  const found = new RegExp(`\\.${word}\\.(\\d+)\\.`).exec(name)
  return found ? Number(found[1]) : -1
}

function requireTensor(path: string, tensors: ReadonlyMap<string, NamedTensor>, name: string): NamedTensor {
  const tensor = tensors.get(name)
  if (!tensor) throw new AppError('bad-input', `The weights in ${basename(path)} lack ${name.replace(/^(visual_encoder|text_encoder\.bert)\./, '')}.`, 'Fetch the folder again, or choose another model.', path)
  return tensor
}

function requireLayers(path: string, tensors: ReadonlyMap<string, NamedTensor>, prefix: string, count: number, names: readonly string[]): void {
  for (let i = 0; i < count; i++) for (const name of names) requireTensor(path, tensors, `${prefix}${i}.${name}`)
}

function differs(what: string, has: number, needs: number): string[] {
  return has === needs ? [] : [`its ${what} is ${has}, this model's ${needs}`]
}

function wordFault(theirs: readonly string[] | null, ours: readonly string[]): string[] {
  const at = theirs?.findIndex((word, id) => word !== ours[id]) ?? -1
  return theirs && at >= 0 ? [`word ${at} is "${theirs[at]}" in its vocab.txt and "${ours[at] ?? ''}" in this model`] : []
}

function epsilonNote(theirs: number | undefined, ours: number): string[] {
  return theirs === undefined || theirs === ours ? [] : [`Its normalisation adds ${theirs}, this model's ${ours}; the difference is below what training notices.`]
}

function misfit(path: string, faults: readonly string[], cure: string): AppError {
  return new AppError('bad-input', `${basename(path)} does not fit this model: ${faults.join('; ')}.`, cure, path)
}
