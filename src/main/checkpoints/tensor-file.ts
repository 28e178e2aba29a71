/** What every checkpoint file looks like to its readers: named tensors that are read one at a time, on demand. */
import { AppError } from '../../shared/errors.ts'

export type Dtype = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL'

export const BYTES_OF: Readonly<Record<Dtype, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 }

/** Values in row-major order. F16 and BF16 are widened to float32, BOOL is 0 or 1. */
export type HostArray = Float32Array | Float64Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array

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
}

export interface TensorFile {
  readonly format: 'safetensors' | 'pth' | 'pth-legacy'
  readonly path: string
  readonly tensors: ReadonlyMap<string, TensorEntry>
  /** Free-form strings of a safetensors header; empty for others. */
  readonly metadata: Readonly<Record<string, string>>
  close(): void
}

export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1)
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
      return Float32Array.from(new Uint16Array(buffer, byteOffset, count), halfToFloat)
    case 'BF16':
      return widenBfloat(new Uint16Array(buffer, byteOffset, count))
    case 'I64':
      return new BigInt64Array(buffer, byteOffset, count)
    case 'I32':
      return new Int32Array(buffer, byteOffset, count)
    case 'I16':
      return new Int16Array(buffer, byteOffset, count)
    case 'I8':
      return new Int8Array(buffer, byteOffset, count)
    case 'U8':
    case 'BOOL':
      return new Uint8Array(buffer, byteOffset, count)
  }
}

function widenBfloat(values: Uint16Array): Float32Array {
  const bits = new Uint32Array(values.length)
  for (let i = 0; i < values.length; i++) bits[i] = values[i]! << 16
  return new Float32Array(bits.buffer)
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
  if (data instanceof BigInt64Array) return Float32Array.from(data, Number)
  return Float32Array.from(data)
}

export function checkShape(shape: unknown, place: string): number[] {
  const ok = Array.isArray(shape) && shape.length <= 32 && shape.every((n) => Number.isSafeInteger(n) && (n as number) >= 0)
  if (!ok || !Number.isSafeInteger(countOf(shape as number[]))) {
    throw new AppError('bad-input', `The shape of ${place} is not a list of sizes.`, 'The file is damaged or is not a checkpoint. Fetch it again.', place)
  }
  return shape as number[]
}
