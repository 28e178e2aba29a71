/** What torch.save puts into a pickle: the harmless names, storages, and tensors as views on them. */
import { AppError } from '../../shared/errors.ts'
import { type PyGlobal, PyTuple } from './pickle.ts'
import { BYTES_OF, checkShape, countOf, decodeValues, type Dtype, type HostArray, type HostTensor } from './tensor-file.ts'

export interface Storage {
  readonly key: string
  readonly dtype: Dtype
  /** Elements of dtype. */
  readonly length: number
}

/** A view: element (i, j, ...) is storage[offset + i * stride[0] + j * stride[1] + ...]. */
export class TorchTensor {
  readonly storage: Storage
  readonly offset: number
  readonly shape: readonly number[]
  readonly stride: readonly number[]
  constructor(storage: Storage, offset: number, shape: readonly number[], stride: readonly number[]) {
    this.storage = storage
    this.offset = offset
    this.shape = shape
    this.stride = stride
  }
}

const STORAGE_TYPES: Readonly<Record<string, Dtype>> = {
  DoubleStorage: 'F64', FloatStorage: 'F32', HalfStorage: 'F16', BFloat16Storage: 'BF16', LongStorage: 'I64',
  IntStorage: 'I32', ShortStorage: 'I16', CharStorage: 'I8', ByteStorage: 'U8', BoolStorage: 'BOOL',
}

class StorageType implements PyGlobal {
  readonly name: string
  readonly dtype: Dtype
  constructor(name: string, dtype: Dtype) {
    this.name = name
    this.dtype = dtype
  }
}

/** The allow-list. Everything here builds plain data; nothing here does anything. */
export function torchGlobals(place: string): (name: string) => PyGlobal | null {
  const known = new Map<string, PyGlobal>()
  const add = (name: string, call?: (args: readonly unknown[]) => unknown) => known.set(name, call ? { name, call } : { name })
  for (const [name, dtype] of Object.entries(STORAGE_TYPES)) known.set(`torch.${name}`, new StorageType(name, dtype))
  add('collections.OrderedDict', ([items]) => new Map(Array.isArray(items) ? items.map((pair) => pairOf(pair)) : []))
  add('torch._utils._rebuild_tensor_v2', ([storage, offset, shape, stride]) => makeTensor(storage, offset, shape, stride, place))
  add('torch._utils._rebuild_tensor', ([storage, offset, shape, stride]) => makeTensor(storage, offset, shape, stride, place))
  add('torch._utils._rebuild_parameter', ([data]) => data)
  add('torch.nn.parameter.Parameter', ([data]) => data)
  add('torch.Size', ([sizes]) => (sizes instanceof PyTuple ? [...sizes.items] : sizes))
  for (const module of ['__builtin__', 'builtins']) {
    add(`${module}.set`, ([items]) => new Set(Array.isArray(items) ? items : []))
    add(`${module}.frozenset`, ([items]) => new Set(Array.isArray(items) ? items : []))
    add(`${module}.list`, ([items]) => (Array.isArray(items) ? [...items] : []))
    add(`${module}.dict`, () => new Map())
    add(`${module}.tuple`, ([items]) => new PyTuple(Array.isArray(items) ? items : []))
    add(`${module}.int`, ([value]) => value ?? 0)
    add(`${module}.float`, ([value]) => value ?? 0)
    add(`${module}.bool`, ([value]) => Boolean(value))
    add(`${module}.complex`, ([real, imaginary]) => ({ real, imaginary }))
  }
  add('_codecs.encode', ([text]) => Buffer.from(String(text), 'latin1'))
  for (const dtype of ['float16', 'float32', 'float64', 'bfloat16', 'int8', 'int16', 'int32', 'int64', 'uint8', 'bool']) add(`torch.${dtype}`)
  add('torch.device', ([name]) => String(name))
  return (name) => known.get(name) ?? null
}

function pairOf(pair: unknown): [unknown, unknown] {
  const items = pair instanceof PyTuple ? pair.items : Array.isArray(pair) ? pair : []
  return [items[0], items[1]]
}

export function storageFromId(id: unknown, place: string): { storage: Storage; id: readonly unknown[] } {
  const items = id instanceof PyTuple ? id.items : []
  const [kind, type, key, , length] = items
  if (kind !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string' || !Number.isSafeInteger(length) || (length as number) < 0) {
    throw new AppError('bad-input', `${place} refers to data in a form that is not known.`, 'It may be written by a version of PyTorch that is not supported. Save it as safetensors.', place)
  }
  return { storage: { key, dtype: type.dtype, length: length as number }, id: items }
}

function makeTensor(storage: unknown, offset: unknown, shape: unknown, stride: unknown, place: string): TorchTensor {
  const isStorage = typeof storage === 'object' && storage !== null && 'dtype' in storage && 'key' in storage
  const sizes = checkShape(listOf(shape), place)
  const steps = checkShape(listOf(stride), place)
  if (!isStorage || !Number.isSafeInteger(offset) || (offset as number) < 0 || steps.length !== sizes.length) {
    throw new AppError('bad-input', `A tensor in ${place} has no valid storage, offset or stride.`, 'Fetch the file again.', place)
  }
  const tensor = new TorchTensor(storage as Storage, offset as number, sizes, steps)
  const last = countOf(sizes) === 0 ? -1 : tensor.offset + sizes.reduce((sum, n, i) => sum + (n - 1) * steps[i]!, 0)
  if (last >= tensor.storage.length) {
    throw new AppError('bad-input', `A tensor in ${place} reaches beyond its storage (element ${last} of ${tensor.storage.length}).`, 'Fetch the file again.', place)
  }
  return tensor
}

function listOf(value: unknown): unknown {
  return value instanceof PyTuple ? [...value.items] : value
}

/**
 * The values of a view in row-major order. A small overlapping view (expand) may stand for many elements: more than
 * `maxElements` are refused, so that a few bytes cannot ask for all the memory there is.
 */
export function readTensor(tensor: TorchTensor, readBytes: (storage: Storage, begin: number, bytes: number) => Uint8Array, place: string): HostTensor {
  const { storage, shape, stride, offset } = tensor
  const count = countOf(shape)
  if (count === 0) return { dtype: storage.dtype, shape, data: decodeValues(storage.dtype, new Uint8Array(0)) }
  const span = shape.reduce((sum, n, i) => sum + (n - 1) * stride[i]!, 0) + 1
  if (count > Math.max(span * 64, 1 << 20)) {
    throw new AppError('bad-input', `The tensor ${place} claims ${count} values out of ${span} stored ones.`, 'The file is damaged or made to fill the memory.', place)
  }
  const size = BYTES_OF[storage.dtype]
  const values = decodeValues(storage.dtype, readBytes(storage, offset * size, span * size))
  return { dtype: storage.dtype, shape, data: isContiguous(shape, stride) ? values : gather(values, shape, stride, count) }
}

export function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride[i] !== expected) return false
    expected *= shape[i]!
  }
  return true
}

function gather(values: HostArray, shape: readonly number[], stride: readonly number[], count: number): HostArray {
  const result = new (values.constructor as new (length: number) => HostArray)(count)
  const index = new Array<number>(shape.length).fill(0)
  let source = 0
  for (let i = 0; i < count; i++) {
    result[i] = values[source]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++
      source += stride[axis]!
      if (index[axis]! < shape[axis]!) break
      source -= stride[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return result
}
