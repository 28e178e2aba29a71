/** What every checkpoint file looks like to its readers: named tensors that are read one at a time, on demand. */
import { AppError } from '../../shared/errors.ts'

export type Dtype = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U64' | 'U32' | 'U16' | 'U8' | 'BOOL'

export const BYTES_OF: Readonly<Record<Dtype, number>> = {
  F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1,
}

/** The names PyTorch uses for them, which is what people know. */
export const TORCH_NAME: Readonly<Record<Dtype, string>> = {
  F64: 'float64', F32: 'float32', F16: 'float16', BF16: 'bfloat16', I64: 'int64', I32: 'int32', I16: 'int16', I8: 'int8',
  U64: 'uint64', U32: 'uint32', U16: 'uint16', U8: 'uint8', BOOL: 'bool',
}

/** Values in row-major order. F16 and BF16 are widened to float32, BOOL is 0 or 1. */
export type HostArray =
  | Float32Array | Float64Array | BigInt64Array | BigUint64Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array

export interface HostTensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly data: HostArray
}

export interface TensorEntry {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** Reads the values; nothing of the tensor is in memory before. */
  read(): HostTensor
  /** The little-endian bytes of the values in row-major order, as stored: nothing is widened. */
  readRaw(): Uint8Array
  /** The values a stretch at a time, in order: what is larger than memory can still be looked through. */
  stretches(): Iterable<HostArray>
}

export interface TensorFile {
  readonly format: 'safetensors' | 'safetensors-sharded' | 'pth' | 'pth-legacy' | 'pth-sharded'
  readonly path: string
  readonly tensors: ReadonlyMap<string, TensorEntry>
  /** Free-form strings of a safetensors header; empty for others. */
  readonly metadata: Readonly<Record<string, string>>
  close(): void
}

export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1)
}

export function bytesOf({ dtype, shape }: { readonly dtype: Dtype; readonly shape: readonly number[] }): number {
  return countOf(shape) * BYTES_OF[dtype]
}

/** Raw little-endian bytes as values. The bytes are copied where they would not be aligned. */
export function decodeValues(dtype: Dtype, bytes: Uint8Array): HostArray {
  const size = BYTES_OF[dtype]
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  const { buffer, byteOffset, byteLength } = aligned
  const count = byteLength / size
  switch (dtype) {
    case 'F64':
      return new Float64Array(buffer, byteOffset, count)
    case 'F32':
      return new Float32Array(buffer, byteOffset, count)
    case 'F16':
    case 'BF16':
      return widen(dtype, new Uint16Array(buffer, byteOffset, count), new Float32Array(count))
    case 'I64':
      return new BigInt64Array(buffer, byteOffset, count)
    case 'U64':
      return new BigUint64Array(buffer, byteOffset, count)
    case 'I32':
      return new Int32Array(buffer, byteOffset, count)
    case 'U32':
      return new Uint32Array(buffer, byteOffset, count)
    case 'I16':
      return new Int16Array(buffer, byteOffset, count)
    case 'U16':
      return new Uint16Array(buffer, byteOffset, count)
    case 'I8':
      return new Int8Array(buffer, byteOffset, count)
    case 'U8':
    case 'BOOL':
      return new Uint8Array(buffer, byteOffset, count)
  }
}

/** Reads a part of a tensor's bytes, into the memory given or new. */
export type ReadPart = (begin: number, length: number, into?: Uint8Array) => Uint8Array

/**
 * `bytes` of values by a reader of parts. Half-width floats are read into the second half of their own result and widened from
 * the front, so that nothing but the result is ever in memory.
 */
export function readValues(dtype: Dtype, bytes: number, readPart: ReadPart): HostArray {
  if (dtype !== 'F16' && dtype !== 'BF16') return decodeValues(dtype, readPart(0, bytes))
  const result = new Float32Array(bytes / 2)
  readPart(0, bytes, new Uint8Array(result.buffer, bytes))
  return widen(dtype, new Uint16Array(result.buffer, bytes), result)
}

const STRETCH_BYTES = 16 << 20

/** Values of `bytes` by a reader of parts, decoded a stretch at a time. */
export function* readStretches(dtype: Dtype, bytes: number, readPart: ReadPart): Iterable<HostArray> {
  for (let begin = 0; begin < bytes; begin += STRETCH_BYTES) yield decodeValues(dtype, readPart(begin, Math.min(STRETCH_BYTES, bytes - begin)))
}

/** Value i is read before element i is written, and element i never reaches a value after it: `values` may lie at the end of `into`. */
function widen(dtype: 'F16' | 'BF16', values: Uint16Array, into: Float32Array): Float32Array {
  if (dtype === 'BF16') {
    const bits = new Uint32Array(into.buffer, into.byteOffset, into.length)
    for (let i = 0; i < values.length; i++) bits[i] = values[i]! << 16
  } else {
    const table = halfTable()
    for (let i = 0; i < values.length; i++) into[i] = table[values[i]!]!
  }
  return into
}

let halves: Float32Array | null = null
function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => halfToFloat(bits))
  return halves
}

/** IEEE 754 binary16 to a number, subnormals, infinities and NaN included. */
export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const floatView = new Float32Array(1)
const bitsView = new Uint32Array(floatView.buffer)

/** A float32 as IEEE 754 binary16, rounded to nearest, ties to even; what is too large becomes infinite. */
export function floatToHalf(value: number): number {
  floatView[0] = value
  const bits = bitsView[0]!
  const sign = (bits >>> 16) & 0x8000
  const exponent = (bits >>> 23) & 0xff
  const fraction = bits & 0x7fffff
  if (exponent === 255) return sign | 0x7c00 | (fraction ? 0x200 : 0)
  const shifted = exponent - 112 // re-biased from 127 to 15
  if (shifted >= 31) return sign | 0x7c00
  if (shifted <= 0) {
    if (shifted < -10) return sign
    const mantissa = fraction | 0x800000
    return sign | roundShift(mantissa, 14 - shifted)
  }
  return sign | roundShift((shifted << 23) | fraction, 13)
}

/** A float32 as bfloat16, rounded to nearest, ties to even. */
export function floatToBfloat(value: number): number {
  floatView[0] = value
  const bits = bitsView[0]!
  if (Number.isNaN(value)) return (bits >>> 16) | 0x40
  return (((bits >>> 16) + (((bits & 0xffff) + ((bits >>> 16) & 1)) > 0x8000 ? 1 : 0)) & 0xffff) >>> 0
}

function roundShift(value: number, shift: number): number {
  const half = 2 ** (shift - 1)
  const low = value % (half * 2)
  const high = Math.floor(value / (half * 2))
  return low > half || (low === half && high % 2 === 1) ? high + 1 : high
}

/** The values as float32, the form in which the model takes weights. 64-bit integers must be exact in float64. */
export function toFloat32(tensor: HostTensor): Float32Array {
  const { data } = tensor
  if (data instanceof Float32Array) return data
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float32Array.from(data as BigInt64Array, Number)
  return Float32Array.from(data)
}

export function isFloat(dtype: Dtype): boolean {
  return dtype === 'F64' || dtype === 'F32' || dtype === 'F16' || dtype === 'BF16'
}

/** The bytes of a tensor in another floating type, rounded to nearest; integers and booleans stay as they are. */
export function rawAs(entry: TensorEntry, wanted: 'F32' | 'F16' | 'BF16'): { dtype: Dtype; bytes: Uint8Array } {
  if (!isFloat(entry.dtype) || entry.dtype === wanted) return { dtype: entry.dtype, bytes: entry.readRaw() }
  const values = toFloat32(entry.read())
  if (wanted === 'F32') return { dtype: wanted, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) }
  const narrow = Uint16Array.from(values, wanted === 'F16' ? floatToHalf : floatToBfloat)
  return { dtype: wanted, bytes: new Uint8Array(narrow.buffer) }
}

export function checkShape(shape: unknown, place: string): number[] {
  const ok = Array.isArray(shape) && shape.length <= 32 && shape.every((n) => Number.isSafeInteger(n) && (n as number) >= 0)
  if (!ok || !Number.isSafeInteger(countOf(shape as number[]))) {
    throw new AppError('bad-input', `The shape of ${place} is not a list of sizes.`, 'The file is damaged or is not a checkpoint. Fetch it again.', place)
  }
  return shape as number[]
}

/** Types that exist and that no weights of ours come in: named, so that the person knows what to change. */
export function unsupportedType(type: string, tensor: string, path: string): AppError {
  const isFp8 = /^(F8|F4|F6|float8|float4)/i.test(type)
  const why = isFp8 ? ': 8-bit floats keep too little of a weight, and mean nothing without the scales they were stored with' : ''
  return new AppError('bad-input', `The tensor ${tensor} in ${path} has the type ${type}, which is not supported${why}.`, 'Convert it to float32, float16 or bfloat16 where it was made.', `${path}: ${tensor}`)
}
