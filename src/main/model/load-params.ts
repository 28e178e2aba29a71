/**
 * Parameters out of a checkpoint's tensors, with an account of every key. A checkpoint that fits only in part gives plausible
 * but wrong heatmaps, so missing keys refuse by default and another architecture is named as such.
 */
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { AppError } from '../../shared/errors.ts'
import { assembleParams, emptyQueues, momentumName, parameterSpecs, startAll, variableOf, type QueueValues } from './params.ts'
import { createRandom } from './random.ts'
import { bicubicMatrix } from './resize-matrix.ts'
import type { ModelParams } from './types.ts'

/** What loading needs of a stored tensor; a file's entries are read one at a time. */
export interface StoredTensor {
  readonly shape: readonly number[]
  read(): { readonly data: ArrayLike<number> | BigInt64Array | BigUint64Array }
}

export interface KeyReport {
  readonly loaded: readonly string[]
  readonly missing: readonly string[]
  /** In the file but not in the model. */
  readonly unexpected: readonly string[]
  /** Known and not needed: copies of tied weights, position ids, parts that this configuration does not use. */
  readonly unused: readonly string[]
  /** Interpolated to another number of cells. */
  readonly reshaped: readonly { readonly name: string; readonly from: readonly number[]; readonly to: readonly number[] }[]
  /** What was started anew, in plain sentences. */
  readonly notes: readonly string[]
}

export interface LoadOptions {
  /** Start missing parameters anew, from this seed, instead of refusing. */
  readonly allowMissing?: { readonly seed: number }
  /** Named in errors: the file. */
  readonly place?: string
}

/** @throws AppError 'bad-input' when keys are missing or shapes are another architecture's. */
export function paramsFromTensors(
  config: ModelConfig,
  stored: ReadonlyMap<string, StoredTensor>,
  { allowMissing, place = 'the checkpoint' }: LoadOptions = {},
): { params: ModelParams; report: KeyReport } {
  const named = modelTensors(stored)
  const values = new Map<string, Float32Array>()
  const used = new Set<string>()
  const [loaded, missing, reshaped, notes]: [string[], string[], KeyReport['reshaped'][number][], string[]] = [[], [], [], []]
  const wrongShape: string[] = []

  const take = (name: string, shape: readonly number[], optional: boolean): void => {
    const tensor = named.get(name)
    if (!tensor) {
      if (!optional) missing.push(name)
      return
    }
    used.add(name)
    if (sameShape(tensor.shape, shape)) values.set(name, toFloats(tensor))
    else if (isInterpolable(name, tensor.shape, shape)) {
      values.set(name, interpolatePositions(toFloats(tensor), tensor.shape[1]!, shape[1]!, shape[2]!))
      reshaped.push({ name, from: tensor.shape, to: shape })
    } else wrongShape.push(`${name} is ${sizes(tensor.shape)}, but this model needs ${sizes(shape)}`)
    loaded.push(name)
  }
  const specs = parameterSpecs(config)
  for (const { name, shape } of specs) take(name, shape, false)
  const copies = specs.flatMap(({ name, shape }) => (momentumName(name) ? [{ name: momentumName(name)!, shape }] : []))
  if (config.momentum !== null) {
    const before = loaded.length
    for (const { name, shape } of copies) take(name, shape, true)
    if (loaded.length === before) notes.push('There is no momentum copy in it; the copy starts equal to the model.')
  }
  refuse({ wrongShape, missing, loaded, allowMissing: Boolean(allowMissing), place })

  const random = createRandom(allowMissing?.seed ?? 0)
  if (missing.length > 0) fillMissing(config, values, allowMissing!.seed)
  const queues = takeQueues(config, named, used, notes) ?? emptyQueues(config, random)
  const copyNames = new Set(copies.map(({ name }) => name))
  const left = [...named.keys()].filter((name) => !used.has(name))
  const isUnused = (name: string): boolean => copyNames.has(name) || isRedundant(name) || /^(image|text|idx)_queue$|^queue_ptr/.test(name)
  return {
    params: assembleParams(config, values, queues),
    report: { loaded, missing, unexpected: left.filter((n) => !isUnused(n)), unused: left.filter(isUnused), reshaped, notes },
  }
}

/**
 * The model's tensors under the names of the training code: a surrounding 'model.' or 'module.' is taken off, and the
 * evaluation code's 'text_encoder.x' gets its 'bert.' back.
 */
export function modelTensors<T>(stored: ReadonlyMap<string, T>): Map<string, T> {
  const inModel = [...stored.keys()].some((name) => name.startsWith('model.'))
  const named = new Map<string, T>()
  for (const [name, tensor] of stored) {
    if (inModel && !name.startsWith('model.')) continue // the optimizer's state and the like
    const bare = name.replace(/^model\./, '').replace(/^module\./, '')
    named.set(bare.replace(/^(text_encoder(?:_m)?)\.(embeddings|encoder)\./, '$1.bert.$2.'), tensor)
  }
  return named
}

function isRedundant(name: string): boolean {
  return name.endsWith('.position_ids') || /\.cls\.predictions\.decoder\.(weight|bias)$/.test(name)
}

function refuse(found: { wrongShape: string[]; missing: string[]; loaded: string[]; allowMissing: boolean; place: string }): void {
  const { wrongShape, missing, loaded, allowMissing, place } = found
  if (loaded.length === 0) {
    throw new AppError('bad-input', `${place} holds none of this model's parameters: it is not a checkpoint of this kind of model.`, 'Choose an ALBEF or AMC checkpoint.', place)
  }
  if (wrongShape.length > 0) {
    throw new AppError('bad-input', `${place} belongs to a model of other sizes: ${list(wrongShape)}.`, 'Choose the model configuration that this checkpoint was made with.', place)
  }
  if (missing.length > 0 && !allowMissing) {
    throw new AppError('bad-input', `${place} lacks ${missing.length} of the model's parameters: ${list(missing)}.`, 'Choose a complete checkpoint or the configuration it was made with; missing parts can be started anew only when asked for.', place)
  }
}

function list(items: readonly string[]): string {
  return items.length > 4 ? `${items.slice(0, 4).join(', ')} and ${items.length - 4} more` : items.join(', ')
}

function fillMissing(config: ModelConfig, values: Map<string, Float32Array>, seed: number): void {
  const fresh = startAll(config, createRandom(seed))
  for (const [name, data] of fresh) if (!values.has(name)) values.set(name, data)
}

function takeQueues(config: ModelConfig, named: ReadonlyMap<string, StoredTensor>, used: Set<string>, notes: string[]): QueueValues | null {
  if (config.queue_size === 0) return null
  const [image, text] = [named.get('image_queue'), named.get('text_queue')]
  const shape = [config.embed_dim, config.queue_size]
  if (!image || !text || !sameShape(image.shape, shape) || !sameShape(text.shape, shape)) {
    notes.push(`${image ? 'Its queues have another size' : 'There are no queues in it'}; they start anew.`)
    return null
  }
  const pointer = (...names: string[]): number => {
    const name = names.find((candidate) => named.has(candidate))
    if (!name) return 0
    used.add(name)
    return Number(named.get(name)!.read().data[0])
  }
  used.add('image_queue').add('text_queue')
  return {
    image: toFloats(image),
    text: toFloats(text),
    imagePointer: pointer('queue_ptr_img', 'queue_ptr'),
    textPointer: pointer('queue_ptr_txt', 'queue_ptr'),
  }
}

function toFloats(tensor: StoredTensor): Float32Array {
  const { data } = tensor.read()
  if (data instanceof Float32Array) return data
  return data instanceof BigInt64Array || data instanceof BigUint64Array ? Float32Array.from(data as BigInt64Array, Number) : Float32Array.from(data)
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((n, i) => n === b[i])
const sizes = (shape: readonly number[]): string => (shape.length === 0 ? 'a single number' : shape.join(' x '))

function isInterpolable(name: string, from: readonly number[], to: readonly number[]): boolean {
  const square = (tokens: number): boolean => Number.isInteger(Math.sqrt(tokens - 1))
  return name.endsWith('.pos_embed') && from.length === 3 && from[0] === 1 && from[2] === to[2] && square(from[1]!)
}

/** [1, 1 + a * a, width] -> [1, 1 + b * b, width]: bicubic, the [CLS] position untouched. */
export function interpolatePositions(data: ArrayLike<number>, fromTokens: number, toTokens: number, width: number): Float32Array {
  const from = Math.round(Math.sqrt(fromTokens - 1))
  const to = Math.round(Math.sqrt(toTokens - 1))
  const weights = bicubicMatrix(from, to)
  const out = new Float32Array(toTokens * width)
  for (let c = 0; c < width; c++) out[c] = data[c]!
  const columns = new Float64Array(from * to * width) // interpolated along x: [from, to, width]
  for (let y = 0; y < from; y++) {
    for (let x = 0; x < to; x++) {
      for (let s = 0; s < from; s++) {
        const weight = weights[x * from + s]!
        if (weight === 0) continue
        for (let c = 0; c < width; c++) columns[(y * to + x) * width + c]! += weight * data[(1 + y * from + s) * width + c]!
      }
    }
  }
  for (let y = 0; y < to; y++) {
    for (let x = 0; x < to; x++) {
      for (let c = 0; c < width; c++) {
        let sum = 0
        for (let s = 0; s < from; s++) sum += weights[y * from + s]! * columns[(s * to + x) * width + c]!
        out[(1 + y * to + x) * width + c] = sum
      }
    }
  }
  return out
}

/**
 * Every tensor of the model under its state-dict name, as a checkpoint holds it; tied copies and position ids are left out.
 * Queue pointers are int64 of one element.
 */
export function exportTensors(params: ModelParams): Map<string, { shape: readonly number[]; data: Float32Array | BigInt64Array }> {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array | BigInt64Array }>()
  for (const name of params.variables.keys()) {
    const variable = variableOf(params, name)
    tensors.set(name, { shape: variable.shape, data: variable.dataSync<'float32'>() })
  }
  const { queues } = params
  if (queues) {
    tensors.set('image_queue', { shape: queues.image.shape, data: queues.image.dataSync<'float32'>() })
    tensors.set('text_queue', { shape: queues.text.shape, data: queues.text.dataSync<'float32'>() })
    tensors.set('queue_ptr_img', { shape: [1], data: BigInt64Array.of(BigInt(queues.imagePointer)) })
    tensors.set('queue_ptr_txt', { shape: [1], data: BigInt64Array.of(BigInt(queues.textPointer)) })
  }
  return tensors
}
