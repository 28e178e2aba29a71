/**
 * Parameters out of a checkpoint's tensors, with an account of every key. A checkpoint that fits only in part gives plausible
 * but wrong heatmaps, so missing keys refuse by default and another architecture is named as such.
 */
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { AppError } from '../../shared/errors.ts'
import { list, planKeys, refuseUnfit, type KeyAccount, type KeyPlan } from './key-plan.ts'
import { assembleParams, disposeParams, emptyQueues, startAll, variableOf, type QueueValues } from './params.ts'
import { createRandom } from './random.ts'
import { bicubicMatrix } from './resize-matrix.ts'
import type { Variable } from './tf.ts'
import type { ModelParams } from './types.ts'

export { modelTensors } from './key-plan.ts'

/** What loading needs of a stored tensor; a file's entries are read one at a time. */
export interface StoredTensor {
  readonly shape: readonly number[]
  read(): { readonly data: ArrayLike<number> | BigInt64Array | BigUint64Array }
}

export interface KeyReport extends KeyAccount {
  /** Tensors that hold NaN or infinite values, which were let through because it was asked for. */
  readonly notFinite: readonly string[]
}

export interface LoadOptions {
  /** Start missing parameters anew, from this seed, instead of refusing. */
  readonly allowMissing?: { readonly seed: number }
  /** Let NaN and infinite weights through instead of refusing. */
  readonly allowNotFinite?: boolean
  /** For what must come back as it was (a saved run): nothing is fitted to another size and no queue or copy starts anew. */
  readonly exact?: boolean
  /** Named in errors: the file. */
  readonly place?: string
}

/** @throws AppError 'bad-input' when keys are missing, shapes are another architecture's, or weights are not numbers. */
export function paramsFromTensors(
  config: ModelConfig,
  stored: ReadonlyMap<string, StoredTensor>,
  { allowMissing, allowNotFinite = false, exact = false, place = 'the checkpoint' }: LoadOptions = {},
): { params: ModelParams; report: KeyReport } {
  const plan = planKeys(config, stored)
  refuseUnfit(plan, place, Boolean(allowMissing))
  if (exact && (plan.reshaped.length > 0 || plan.notes.length > 0)) {
    const what = [...plan.reshaped.map(({ name }) => `${name} has another size`), ...plan.notes]
    throw new AppError('bad-input', `${place} does not hold this model as it was: ${list(what)}`, 'Start again from a checkpoint.', place)
  }
  const notFinite: string[] = []
  const valueOf = (name: string): Float32Array | undefined => {
    const source = plan.sources.get(name)
    if (!source) return undefined
    const { data, isFinite } = plannedValues(source)
    if (!isFinite) notFinite.push(name)
    return data
  }
  const random = createRandom(allowMissing?.seed ?? 0)
  const fresh = plan.missing.length > 0 ? startAll(config, createRandom(allowMissing!.seed)) : null
  const queues = emptyQueues(config, random)
  if (queues && plan.queues) fillQueues(config, queues, plan.queues, notFinite)
  const params = assembleParams(config, new ValuesOnDemand((name) => valueOf(name) ?? fresh?.get(name)), queues)
  if (notFinite.length > 0 && !allowNotFinite) {
    disposeParams(params)
    throw new AppError(
      'bad-input', `${place} holds weights that are not numbers (NaN or infinite) in ${list(notFinite)}. Training would not recover from them, and heatmaps would be empty.`,
      'Choose a checkpoint from before they appeared; they can be let through only when asked for.', place,
    )
  }
  const { loaded, missing, unexpected, unused, reshaped } = plan
  const notes = notFinite.length > 0 ? [...plan.notes, `Weights that are not numbers (NaN or infinite) are in ${list(notFinite)}.`] : plan.notes
  return { params, report: { loaded, missing, unexpected, unused, reshaped, notes, notFinite } }
}

/** A parameter's values as the model needs them, read now; whether all of them are numbers. */
export function plannedValues({ tensor, shape, change }: { readonly tensor: StoredTensor; readonly shape: readonly number[]; readonly change: 'none' | 'positions' | 'first rows' }): { data: Float32Array; isFinite: boolean } {
  const data = toFloats(tensor)
  const finite = isFinite(data)
  if (change === 'positions') return { data: interpolatePositions(data, tensor.shape[1]!, shape[1]!, shape[2]!), isFinite: finite }
  return { data: change === 'first rows' ? data.slice(0, shape[0]! * shape[1]!) : data, isFinite: finite }
}

/** Values that are read when they are asked for, so that a large checkpoint is never in memory twice. */
class ValuesOnDemand extends Map<string, Float32Array> {
  readonly find: (name: string) => Float32Array | undefined
  constructor(find: (name: string) => Float32Array | undefined) {
    super()
    this.find = find
  }
  override get(name: string): Float32Array | undefined {
    return this.find(name)
  }
}

/** Puts stored queues into fresh ones. A queue of the same size is taken as it is. Of a larger one the newest features are, of a smaller one all; the oldest stands first. */
export function fillQueues(config: ModelConfig, queues: QueueValues, stored: NonNullable<KeyPlan<StoredTensor>['queues']>, notFinite: string[]): void {
  const [rows, columns] = [config.embed_dim, config.queue_size]
  const has = stored.image.shape[1]!
  const pointerOf = (tensor: StoredTensor | null): number => (tensor ? Math.max(0, Math.trunc(Number(tensor.read().data[0] ?? 0))) % has : 0)
  const fill = (name: string, into: Float32Array, tensor: StoredTensor, pointer: number): void => {
    const data = toFloats(tensor)
    if (!isFinite(data)) notFinite.push(name)
    if (has === columns) return into.set(data)
    const kept = Math.min(has, columns)
    for (let i = 0; i < kept; i++) {
      const from = (pointer + has - kept + i) % has
      for (let r = 0; r < rows; r++) into[r * columns + i] = data[r * has + from]!
    }
  }
  const [imagePointer, textPointer] = [pointerOf(stored.imagePointer), pointerOf(stored.textPointer)]
  fill('image_queue', queues.image, stored.image, imagePointer)
  fill('text_queue', queues.text, stored.text, textPointer)
  const next = (pointer: number): number => (has === columns ? pointer : Math.min(has, columns) % columns)
  Object.assign(queues, { imagePointer: next(imagePointer), textPointer: next(textPointer) })
}

/** x - x is 0 for a number and NaN for everything else: one sum tells of a whole tensor. */
function isFinite(data: Float32Array): boolean {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i]! - data[i]!
  return sum === 0
}

function toFloats(tensor: StoredTensor): Float32Array {
  const { data } = tensor.read()
  if (data instanceof Float32Array) return data
  return data instanceof BigInt64Array || data instanceof BigUint64Array ? Float32Array.from(data as BigInt64Array, Number) : Float32Array.from(data)
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

/** A tensor of the model whose values are read from TensorFlow each time they are asked for, so that a large model is never on the host as a whole. */
export interface LiveTensor {
  readonly shape: readonly number[]
  readonly dtype: 'F32' | 'I64'
  readonly data: Float32Array | BigInt64Array
}

/**
 * Every tensor of the model under its state-dict name, as a checkpoint holds it; tied copies and position ids are left out.
 * Queue pointers are int64 of one element.
 */
export function liveTensors(params: ModelParams): Map<string, LiveTensor> {
  const tensors = new Map<string, LiveTensor>()
  const add = (name: string, variable: Variable): void => {
    tensors.set(name, {
      shape: variable.shape, dtype: 'F32',
      get data() {
        return variable.dataSync<'float32'>()
      },
    })
  }
  for (const name of params.variables.keys()) add(name, variableOf(params, name))
  const { queues } = params
  if (queues) {
    add('image_queue', queues.image)
    add('text_queue', queues.text)
    tensors.set('queue_ptr_img', { shape: [1], dtype: 'I64', data: BigInt64Array.of(BigInt(queues.imagePointer)) })
    tensors.set('queue_ptr_txt', { shape: [1], dtype: 'I64', data: BigInt64Array.of(BigInt(queues.textPointer)) })
  }
  return tensors
}

/** The same with all values as they are now. */
export function exportTensors(params: ModelParams): Map<string, { shape: readonly number[]; data: Float32Array | BigInt64Array }> {
  return new Map(Array.from(liveTensors(params), ([name, { shape, data }]) => [name, { shape, data }]))
}
