/** Folders as Hugging Face writes them: config.json with the sizes, weights beside it, and perhaps vocab.txt. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'
import { openTensors } from '../open-tensors.ts'
import type { TensorFile } from '../tensor-file.ts'

const size = z.int().positive()
const common = { hidden_size: size, num_hidden_layers: size, num_attention_heads: size, intermediate_size: size, hidden_act: z.string().default('gelu'), layer_norm_eps: z.number().positive().optional() }

const bertSchema = z.object({
  ...common, model_type: z.literal('bert'), vocab_size: size, max_position_embeddings: size, type_vocab_size: size.default(2),
  position_embedding_type: z.string().default('absolute'),
})
const imageSchema = z.object({ ...common, model_type: z.enum(['vit', 'deit']), image_size: size.default(224), patch_size: size.default(16), num_channels: size.default(3), qkv_bias: z.boolean().default(true) })

export type BertSizes = z.infer<typeof bertSchema>
export type ImageSizes = z.infer<typeof imageSchema>
export type HfSizes = BertSizes | ImageSizes

export interface HfFolder {
  readonly path: string
  readonly sizes: HfSizes
  readonly file: TensorFile
  /** Word pieces of vocab.txt, by id; null when the folder has none. */
  readonly vocabulary: readonly string[] | null
}

/** Whether the path is a folder with a config.json, whatever model it is of. */
export function isHfFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory() && existsSync(join(path, 'config.json'))
}

/** @throws AppError 'bad-input' naming what in config.json cannot be used, or for weights that cannot be read */
export async function openHfFolder(path: string): Promise<HfFolder> {
  const sizes = readSizes(path)
  const words = join(path, 'vocab.txt')
  const vocabulary = existsSync(words) ? readFileSync(words, 'utf8').replace(/\r/g, '').replace(/\n$/, '').split('\n') : null
  return { path, sizes, vocabulary, file: await openTensors(path) }
}

function readSizes(path: string): HfSizes {
  const place = join(path, 'config.json')
  const wrong = (what: string, cure: string) => new AppError('bad-input', `The folder ${basename(path)} cannot be used: ${what}.`, cure, place)
  if (!existsSync(place)) throw wrong('it has no config.json', 'Name the folder of a Hugging Face BERT, ViT or DeiT: config.json and its weights.')
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(place, 'utf8'))
  } catch {
    throw wrong('its config.json is not JSON', 'Fetch the folder again.')
  }
  const type = (raw as { model_type?: unknown } | null)?.model_type
  if (type !== 'bert' && type !== 'vit' && type !== 'deit') {
    throw wrong(`its model_type is ${typeof type === 'string' ? type : 'not given'}`, 'Text encoders start from bert, image encoders from vit or deit.')
  }
  const parsed = type === 'bert' ? bertSchema.safeParse(raw) : imageSchema.safeParse(raw)
  if (!parsed.success) throw wrong(`${parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')} in config.json`, 'Fetch the folder again.')
  const sizes = parsed.data
  if (sizes.hidden_act !== 'gelu') throw wrong(`its activation is ${sizes.hidden_act}, and ours is gelu`, 'Choose a model with hidden_act gelu.')
  if ('position_embedding_type' in sizes && sizes.position_embedding_type !== 'absolute') throw wrong(`its positions are ${sizes.position_embedding_type}, and ours are absolute`, 'Choose a model with absolute positions.')
  return sizes
}
