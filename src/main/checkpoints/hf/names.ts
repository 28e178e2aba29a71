/** Tensors of Hugging Face's BERT, ViT and DeiT under the names of our state dict. Values are read when asked for. */
import { AppError } from '../../../shared/errors.ts'
import { toFloat32, type TensorEntry } from '../tensor-file.ts'

/** What loading asks of a tensor. */
export interface NamedTensor {
  readonly shape: readonly number[]
  read(): { readonly data: Float32Array | ReturnType<TensorEntry['read']>['data'] }
}

export interface Renamed {
  readonly tensors: Map<string, NamedTensor>
  /** Names of the file that have no place in our model. */
  readonly unused: readonly string[]
}

/** `bert.encoder...` or `encoder...` -> `text_encoder.bert.encoder...`; the masked-word head comes along where there is one. */
export function renameBert(stored: ReadonlyMap<string, TensorEntry>): Renamed {
  return rename(stored, (name) => {
    const modern = name.replace(/\.gamma$/, '.weight').replace(/\.beta$/, '.bias')
    if (/^cls\.predictions\.(bias|transform\.(dense|LayerNorm)\.(weight|bias))$/.test(modern)) return `text_encoder.${modern}`
    const bare = modern.replace(/^bert\./, '')
    return /^(embeddings\.(word_embeddings|position_embeddings|token_type_embeddings|LayerNorm)|encoder\.layer\.\d+)\./.test(bare) ? `text_encoder.bert.${bare}` : null
  })
}

const BLOCK_PARTS: Readonly<Record<string, string>> = {
  'attention.output.dense': 'attn.proj', layernorm_before: 'norm1', layernorm_after: 'norm2', 'intermediate.dense': 'mlp.fc1', 'output.dense': 'mlp.fc2',
}
const IMAGE_PARTS: Readonly<Record<string, string>> = {
  'embeddings.cls_token': 'cls_token', 'embeddings.patch_embeddings.projection.weight': 'patch_embed.proj.weight',
  'embeddings.patch_embeddings.projection.bias': 'patch_embed.proj.bias', 'layernorm.weight': 'norm.weight', 'layernorm.bias': 'norm.bias',
}

/**
 * ViT and DeiT of Hugging Face, and timm's own names ('blocks.0.attn.qkv.weight', as in the published DeiT file). Query, key and
 * value become one matrix; the place of DeiT's distillation token is left out.
 */
export function renameImage(stored: ReadonlyMap<string, TensorEntry>): Renamed {
  const bare = new Map([...stored].map(([name, entry]) => [name.replace(/^(model\.)?(vit\.|deit\.)?/, ''), entry] as const))
  const isTimm = bare.has('pos_embed')
  const distilled = bare.has('embeddings.distillation_token') || bare.has('dist_token')
  const used = new Set<string>()
  const tensors = new Map<string, NamedTensor>()
  const put = (from: string, to: string, tensor: NamedTensor): void => {
    used.add(from)
    tensors.set(`visual_encoder.${to}`, tensor)
  }
  for (const [name, entry] of bare) {
    if (name === 'pos_embed' || name === 'embeddings.position_embeddings') put(name, 'pos_embed', distilled ? withoutSecond(entry) : entry)
    else if (isTimm) {
      if (/^(cls_token$|patch_embed\.proj\.|norm\.|blocks\.\d+\.(norm[12]|attn\.(qkv|proj)|mlp\.fc[12])\.(weight|bias)$)/.test(name)) put(name, name, entry)
    } else if (IMAGE_PARTS[name]) put(name, IMAGE_PARTS[name], entry)
    else {
      const found = /^encoder\.layer\.(\d+)\.(.+)\.(weight|bias)$/.exec(name)
      const [, index, part, kind] = found ?? []
      if (part !== undefined && BLOCK_PARTS[part]) put(name, `blocks.${index}.${BLOCK_PARTS[part]}.${kind}`, entry)
      else if (part === 'attention.attention.query') {
        const names = ['query', 'key', 'value'].map((one) => `encoder.layer.${index}.attention.attention.${one}.${kind}`)
        for (const one of names) used.add(one)
        put(name, `blocks.${index}.attn.qkv.${kind}`, stacked(names.map((one) => needed(bare, one))))
      }
    }
  }
  return { tensors: withZeroBiases(tensors), unused: [...bare.keys()].filter((name) => !used.has(name)) }
}

function rename(stored: ReadonlyMap<string, TensorEntry>, to: (name: string) => string | null): Renamed {
  const tensors = new Map<string, NamedTensor>()
  const unused: string[] = []
  for (const [name, entry] of stored) {
    const renamed = to(name)
    if (renamed) tensors.set(renamed, entry)
    else unused.push(name)
  }
  return { tensors, unused }
}

function needed(stored: ReadonlyMap<string, TensorEntry>, name: string): TensorEntry {
  const entry = stored.get(name)
  if (!entry) throw new AppError('bad-input', `The image encoder lacks ${name}.`, 'Fetch the folder again.', name)
  return entry
}

/** Matrices or vectors one below the other. */
function stacked(parts: readonly TensorEntry[]): NamedTensor {
  const [first] = parts
  const shape = [parts.reduce((sum, part) => sum + part.shape[0]!, 0), ...first!.shape.slice(1)]
  return {
    shape,
    read: () => {
      const values = parts.map((part) => toFloat32(part.read()))
      const data = new Float32Array(values.reduce((sum, one) => sum + one.length, 0))
      let at = 0
      for (const one of values) {
        data.set(one, at)
        at += one.length
      }
      return { data }
    },
  }
}

/** [1, 2 + cells, width] -> [1, 1 + cells, width]: the second place belongs to a token that our model does not have. */
function withoutSecond(entry: TensorEntry): NamedTensor {
  const [one, places, width] = entry.shape as [number, number, number]
  return {
    shape: [one, places - 1, width],
    read: () => {
      const data = toFloat32(entry.read())
      const kept = new Float32Array((places - 1) * width)
      kept.set(data.subarray(0, width))
      kept.set(data.subarray(2 * width), width)
      return { data: kept }
    },
  }
}

/** A model without biases of query, key and value (qkv_bias false) is one whose biases are zero. */
function withZeroBiases(tensors: Map<string, NamedTensor>): Map<string, NamedTensor> {
  for (const [name, tensor] of [...tensors]) {
    const bias = name.replace(/\.qkv\.weight$/, '.qkv.bias')
    if (bias !== name && !tensors.has(bias)) tensors.set(bias, { shape: [tensor.shape[0]!], read: () => ({ data: new Float32Array(tensor.shape[0]!) }) })
  }
  return tensors
}
