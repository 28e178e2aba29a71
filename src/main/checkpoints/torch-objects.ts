/** What torch.save puts into a pickle: the harmless names, storages, and tensors as views on them. */
import { AppError } from '../../shared/errors.ts'
import { PyAttributes, type PyGlobal, PyOrderedDict, PyTuple } from './pickle.ts'
import { BYTES_OF, checkShape, countOf, decodeValues, type Dtype, type HostArray, type HostTensor, readStretches, readValues, TORCH_NAME } from './tensor-file.ts'

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

/** A tensor of a type that we do not read. It is refused by its name, which only its place in the object tells. */
export class UnsupportedTensor {
  readonly type: string
  constructor(type: string) {
    this.type = type
  }
}

const STORAGE_TYPES: Readonly<Record<string, Dtype>> = {
  DoubleStorage: 'F64', FloatStorage: 'F32', HalfStorage: 'F16', BFloat16Storage: 'BF16', LongStorage: 'I64',
  IntStorage: 'I32', ShortStorage: 'I16', CharStorage: 'I8', ByteStorage: 'U8', BoolStorage: 'BOOL',
}
/** Harmless, and no weights come in them. */
const OTHER_STORAGES: Readonly<Record<string, string>> = {
  ComplexFloatStorage: 'complex64', ComplexDoubleStorage: 'complex128', QInt8Storage: 'qint8', QUInt8Storage: 'quint8', QInt32Storage: 'qint32',
}
const OTHER_TYPES = ['float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz', 'float8_e8m0fnu', 'float4_e2m1fn_x2', 'complex32', 'complex64', 'complex128']

class StorageType implements PyGlobal {
  readonly name: string
  readonly dtype: Dtype | string
  constructor(name: string, dtype: Dtype | string) {
    this.name = name
    this.dtype = dtype
  }
}

/** A storage whose elements we do not read. */
class UnsupportedStorage {
  readonly type: string
  constructor(type: string) {
    this.type = type
  }
}

class TensorType implements PyGlobal {
  readonly name: string
  readonly type: string
  constructor(type: string) {
    this.name = `torch.${type}`
    this.type = type
  }
}

/** A numpy type as its code ('f8'): a figure among the settings may be numpy's. */
class NumpyType {
  readonly code: string
  constructor(code: string) {
    this.code = code
  }
}

/** The allow-list. Everything here builds plain data; nothing here does anything. */
export function torchGlobals(place: string): (name: string) => PyGlobal | null {
  const known = new Map<string, PyGlobal>()
  const add = (name: string, call?: (args: readonly unknown[]) => unknown) => known.set(name, call ? { name, call } : { name })
  for (const [name, dtype] of Object.entries(STORAGE_TYPES)) known.set(`torch.${name}`, new StorageType(name, dtype))
  for (const [name, type] of Object.entries(OTHER_STORAGES)) known.set(`torch.${name}`, new StorageType(name, type))
  for (const name of ['torch.storage.UntypedStorage', 'torch.UntypedStorage']) known.set(name, new StorageType(name, 'U8'))
  for (const type of [...Object.values(TORCH_NAME), ...OTHER_TYPES]) known.set(`torch.${type}`, new TensorType(type))
  add('collections.OrderedDict', ([items]) => new PyOrderedDict(Array.isArray(items) ? items.map((pair) => pairOf(pair)) : []))
  add('torch._utils._rebuild_tensor_v2', ([storage, offset, shape, stride]) => makeTensor(storage, offset, shape, stride, place))
  add('torch._utils._rebuild_tensor_v3', ([storage, offset, shape, stride, , , type]) => makeTensor(retyped(storage, type), offset, shape, stride, place))
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
    add(`${module}.complex`, ([real, imaginary]) => new PyTuple([real, imaginary]))
    add(`${module}.object`)
  }
  add('_codecs.encode', ([text]) => Buffer.from(typeof text === 'string' ? text : '', 'latin1'))
  add('torch.device', ([name]) => (typeof name === 'string' ? name : 'cpu'))
  add('argparse.Namespace', () => new PyAttributes())
  add('copyreg._reconstructor', ([type]) => rebuilt(type))
  add('copy_reg._reconstructor', ([type]) => rebuilt(type))
  add('numpy.dtype', ([code]) => new NumpyType(typeof code === 'string' ? code : ''))
  for (const module of ['numpy.core.multiarray', 'numpy._core.multiarray']) add(`${module}.scalar`, ([type, bytes]) => numpyScalar(type, bytes, place))
  return (name) => known.get(name) ?? null
}

function rebuilt(type: unknown): unknown {
  return typeof type === 'object' && type !== null && (type as PyGlobal).name === 'argparse.Namespace' ? new PyAttributes() : null
}

function numpyScalar(type: unknown, bytes: unknown, place: string): number | bigint | boolean {
  const raw = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes instanceof Uint8Array ? Buffer.from(bytes) : null
  const code = type instanceof NumpyType ? type.code : ''
  const size = Number(code.slice(1))
  if (raw && raw.length === size) {
    if (code === 'f8') return raw.readDoubleLE()
    if (code === 'f4') return raw.readFloatLE()
    if (code === 'i8') return Number(raw.readBigInt64LE())
    if (code === 'i4') return raw.readInt32LE()
    if (code === 'b1') return raw[0] !== 0
  }
  throw new AppError('bad-input', `${place} holds a numpy value in a form that is not known.`, 'Save the weights alone (a state dict), or as safetensors.', place)
}

function pairOf(pair: unknown): [unknown, unknown] {
  const items = pair instanceof PyTuple ? pair.items : Array.isArray(pair) ? pair : []
  return [items[0], items[1]]
}

/** The same bytes as elements of another type: how newer types are saved. */
function retyped(storage: unknown, type: unknown): unknown {
  if (!isStorage(storage) || !(type instanceof TensorType)) return null
  const dtype = (Object.keys(TORCH_NAME) as Dtype[]).find((known) => TORCH_NAME[known] === type.type)
  if (!dtype) return new UnsupportedStorage(type.type)
  return { key: storage.key, dtype, length: Math.floor((storage.length * BYTES_OF[storage.dtype]) / BYTES_OF[dtype]) } satisfies Storage
}

export function storageFromId(id: unknown, place: string): { storage: Storage; id: readonly unknown[] } {
  const items = id instanceof PyTuple ? id.items : []
  const [kind, type, key, , length] = items
  if (kind !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string' || !Number.isSafeInteger(length) || (length as number) < 0) {
    throw new AppError('bad-input', `${place} refers to data in a form that is not known.`, 'It may be written by a version of PyTorch that is not supported. Save it as safetensors.', place)
  }
  if (!Object.hasOwn(BYTES_OF, type.dtype)) return { storage: new UnsupportedStorage(type.dtype) as unknown as Storage, id: items }
  return { storage: { key, dtype: type.dtype as Dtype, length: length as number }, id: items }
}

function isStorage(value: unknown): value is Storage {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'key' in value && 'length' in value
}

function makeTensor(storage: unknown, offset: unknown, shape: unknown, stride: unknown, place: string): TorchTensor | UnsupportedTensor {
  if (storage instanceof UnsupportedStorage) return new UnsupportedTensor(storage.type)
  const sizes = checkShape(listOf(shape), place)
  const steps = listOf(stride)
  const isStride = (value: unknown): value is number[] => Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0)
  if (!isStorage(storage) || !Number.isSafeInteger(offset) || (offset as number) < 0 || !isStride(steps) || steps.length !== sizes.length) {
    throw new AppError('bad-input', `A tensor in ${place} has no valid storage, offset or stride.`, 'Fetch the file again.', place)
  }
  const tensor = new TorchTensor(storage, offset as number, sizes, steps)
  const last = countOf(sizes) === 0 ? -1 : tensor.offset + sizes.reduce((sum, n, i) => sum + (n - 1) * steps[i]!, 0)
  if (last >= tensor.storage.length) {
    throw new AppError('bad-input', `A tensor in ${place} reaches beyond its storage (element ${last} of ${tensor.storage.length}).`, 'Fetch the file again.', place)
  }
  return tensor
}

function listOf(value: unknown): unknown {
  return value instanceof PyTuple ? [...value.items] : value
}

/** Where a file's storages are read from. */
export interface StorageReader {
  /** `bytes` of a storage from `begin` on. */
  read(storage: Storage, begin: number, bytes: number, into?: Uint8Array): Uint8Array
  readonly fileBytes: number
}

/**
 * An overlapping view (expand) may stand for more elements than are stored: for no more bytes than the file has, or this many
 * in a small one, so that a few bytes cannot ask for all the memory there is.
 */
const MOST_EXPANDED_BYTES = 1 << 20

/** The values of a view in row-major order. @throws AppError 'bad-input' for a view that repeats its storage without measure */
export function readTensor(tensor: TorchTensor, reader: StorageReader, place: string): HostTensor {
  const { storage, shape, stride, offset } = tensor
  const { dtype } = storage
  const size = BYTES_OF[dtype]
  const count = countOf(shape)
  if (count > 0 && isContiguous(shape, stride)) {
    return { dtype, shape, data: readValues(dtype, count * size, (begin, length, into) => reader.read(storage, offset * size + begin, length, into)) }
  }
  return { dtype, shape, data: decodeValues(dtype, readRawTensor(tensor, reader, place)) }
}

/** The values a stretch at a time; a view that is not contiguous comes as one. */
export function stretchesOf(tensor: TorchTensor, reader: StorageReader, place: string): Iterable<HostArray> {
  const { storage, shape, stride, offset } = tensor
  const size = BYTES_OF[storage.dtype]
  if (!isContiguous(shape, stride)) return [readTensor(tensor, reader, place).data]
  return readStretches(storage.dtype, countOf(shape) * size, (begin, length, into) => reader.read(storage, offset * size + begin, length, into))
}

/** The bytes of a view's elements in row-major order. */
export function readRawTensor({ storage, shape, stride, offset }: TorchTensor, reader: StorageReader, place: string): Uint8Array {
  const count = countOf(shape)
  if (count === 0) return new Uint8Array(0)
  const size = BYTES_OF[storage.dtype]
  if (isContiguous(shape, stride)) return reader.read(storage, offset * size, count * size)
  const span = shape.reduce((sum, n, i) => sum + (n - 1) * stride[i]!, 0) + 1
  if (count * size > Math.max(span * size, reader.fileBytes, MOST_EXPANDED_BYTES)) {
    throw new AppError('bad-input', `The tensor ${place} claims ${count} values out of ${span} stored ones.`, 'The file is damaged or made to fill the memory.', place)
  }
  const bytes = reader.read(storage, offset * size, span * size)
  const elements = new ELEMENTS[size]!(bytes.buffer as ArrayBuffer, bytes.byteOffset, span)
  const picked = gather(elements, shape, stride, count)
  return new Uint8Array(picked.buffer, 0, picked.byteLength)
}

type Elements = Uint8Array | Uint16Array | Uint32Array | BigUint64Array
const ELEMENTS: Readonly<Record<number, new (buffer: ArrayBuffer, offset: number, length: number) => Elements>> = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }

export function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride[i] !== expected) return false
    expected *= shape[i]!
  }
  return true
}

function gather(values: Elements, shape: readonly number[], stride: readonly number[], count: number): Elements {
  const result = new (values.constructor as new (length: number) => Elements)(count)
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
