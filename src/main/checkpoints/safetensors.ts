/**
 * safetensors: 8 bytes of header length (little-endian), a JSON header {name: {dtype, shape, data_offsets}}, then raw values.
 * Read by offset; written to a temporary name, synced and renamed, so that a file under its own name is always whole.
 */
import { AppError } from '../../shared/errors.ts'
import { asBuffer, openFile, writeDurably } from './file-bytes.ts'
import {
  BYTES_OF, bytesOf, checkShape, countOf, type Dtype, floatToHalf, type HostArray, type ReadPart, readStretches, readValues, type TensorEntry, type TensorFile, unsupportedType,
} from './tensor-file.ts'

const MAX_HEADER_BYTES = 100_000_000

/** @throws AppError 'bad-input' naming the tensor when the header, the shapes and the bytes do not agree. */
export function openSafetensors(path: string): TensorFile {
  const file = openFile(path)
  try {
    const headerBytes = file.size >= 8 ? Number(asBuffer(file.read(0, 8)).readBigUInt64LE()) : 0
    if (headerBytes < 2 || headerBytes > Math.min(MAX_HEADER_BYTES, file.size - 8)) throw damaged(path, 'it does not start with a safetensors header')
    const header = parseHeader(asBuffer(file.read(8, headerBytes)).toString('utf8'), path)
    const start = 8 + headerBytes
    const { __metadata__: metadata, ...rest } = header
    const checked = Object.entries(rest).map(([name, value]) => checkEntry(name, value, file.size - start, path))
    checkLayout(checked, file.size - start, path)
    const tensors = new Map<string, TensorEntry>()
    for (const { name, dtype, shape, begin, end } of checked) {
      const part: ReadPart = (from, length, into) => file.read(start + begin + from, length, into)
      const bytes = end - begin
      tensors.set(name, {
        name, dtype, shape,
        read: () => ({ dtype, shape, data: readValues(dtype, bytes, part) }),
        readRaw: () => part(0, bytes),
        stretches: () => readStretches(dtype, bytes, part),
      })
    }
    return { format: 'safetensors', path, tensors, metadata: checkMetadata(metadata, path), close: file.close }
  } catch (error) {
    file.close()
    throw error
  }
}

function parseHeader(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Told below in one sentence for both cases.
  }
  throw damaged(path, 'its header is not a JSON object')
}

interface CheckedEntry {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

function checkEntry(name: string, value: unknown, dataBytes: number, path: string): CheckedEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown }
  if (typeof dtype !== 'string') throw damaged(path, `the type of ${name} is missing`)
  if (!Object.hasOwn(BYTES_OF, dtype)) throw unsupportedType(dtype, name, path)
  const sizes = checkShape(shape, `${path}: ${name}`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every((n) => Number.isSafeInteger(n))) throw damaged(path, `the offsets of ${name} are missing`)
  const [begin, end] = offsets as [number, number]
  if (begin < 0 || end < begin || end > dataBytes) throw damaged(path, `the tensor ${name} lies outside the file (cut short?)`)
  if (end - begin !== countOf(sizes) * BYTES_OF[dtype as Dtype]) throw damaged(path, `the shape and the bytes of ${name} disagree`)
  return { name, dtype: dtype as Dtype, shape: sizes, begin, end }
}

/** Tensors lie side by side and fill the file: bytes of two tensors, or of none, mean that the header is not of this file. */
function checkLayout(entries: readonly CheckedEntry[], dataBytes: number, path: string): void {
  let at = 0
  for (const { name, begin, end } of entries.filter(({ begin, end }) => end > begin).sort((a, b) => a.begin - b.begin)) {
    if (begin < at) throw damaged(path, `the tensor ${name} lies over another one`)
    if (begin > at) throw damaged(path, `${begin - at} bytes before the tensor ${name} belong to none`)
    at = end
  }
  if (at < dataBytes) throw damaged(path, `${dataBytes - at} bytes at its end belong to no tensor`)
}

function checkMetadata(value: unknown, path: string): Record<string, string> {
  if (value === undefined) return {}
  const ok = typeof value === 'object' && value !== null && Object.values(value).every((v) => typeof v === 'string')
  if (!ok) throw damaged(path, 'its metadata are not strings')
  return value as Record<string, string>
}

function damaged(path: string, what: string): AppError {
  return new AppError('bad-input', `${path} is not a whole safetensors file: ${what}.`, 'Fetch or write it again.', path)
}

/** A tensor whose bytes are made when their turn comes, so that one at a time is in memory. */
export interface RawTensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** Little-endian, row-major. */
  bytes(): Uint8Array
}

export interface TensorToWrite {
  readonly shape: readonly number[]
  /** May be a getter that makes the values when their turn comes; dtype must be given then. */
  readonly data: HostArray
  /** Written as stored in data unless given; F16 halves the size of float32 values. */
  readonly dtype?: Dtype
}

/** Writes all tensors in the order given; durable when it returns. */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, TensorToWrite>, metadata: Readonly<Record<string, string>> = {}): void {
  writeRawSafetensors(path, new Map(Array.from(tensors, ([name, tensor]) => [name, rawTensor(name, tensor)])), metadata)
}

export function rawTensor(name: string, tensor: TensorToWrite): RawTensor {
  const { shape } = tensor
  const dtype = tensor.dtype ?? dtypeOf(tensor.data)
  return {
    dtype, shape,
    bytes: () => {
      const { data } = tensor
      if (countOf(shape) !== data.length) throw new AppError('internal', `The tensor ${name} has ${data.length} values, not those of its shape.`)
      return encodeValues(data, dtype)
    },
  }
}

/** Like writeSafetensors, of bytes that are read or made one tensor after the other. */
export function writeRawSafetensors(path: string, tensors: ReadonlyMap<string, RawTensor>, metadata: Readonly<Record<string, string>> = {}): void {
  const header: Record<string, unknown> = Object.create(null) as Record<string, unknown> // a tensor may be called __proto__
  if (Object.keys(metadata).length > 0) header['__metadata__'] = metadata
  let offset = 0
  for (const [name, tensor] of tensors) {
    if (name === '__metadata__') throw new AppError('bad-input', 'A tensor called __metadata__ cannot be written as safetensors: the format keeps that name for itself.', 'Write a .pth instead.', path)
    const end = offset + bytesOf(tensor)
    header[name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] }
    offset = end
  }
  const json = JSON.stringify(header)
  const text = Buffer.from(json + ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8))
  const lengthBytes = Buffer.alloc(8)
  lengthBytes.writeBigUInt64LE(BigInt(text.length))
  writeDurably(path, (write) => {
    write(lengthBytes)
    write(text)
    for (const [name, tensor] of tensors) {
      const bytes = tensor.bytes()
      if (bytes.byteLength !== bytesOf(tensor)) throw new AppError('internal', `The tensor ${name} has ${bytes.byteLength} bytes, not those of its shape.`)
      write(bytes)
    }
  })
}

function dtypeOf(data: HostArray): Dtype {
  if (data instanceof Float32Array) return 'F32'
  if (data instanceof Float64Array) return 'F64'
  if (data instanceof BigInt64Array) return 'I64'
  if (data instanceof BigUint64Array) return 'U64'
  if (data instanceof Int32Array) return 'I32'
  if (data instanceof Uint32Array) return 'U32'
  if (data instanceof Int16Array) return 'I16'
  if (data instanceof Uint16Array) return 'U16'
  return data instanceof Int8Array ? 'I8' : 'U8'
}

function encodeValues(data: HostArray, dtype: Dtype): Uint8Array {
  if (dtype === dtypeOf(data) || (dtype === 'BOOL' && data instanceof Uint8Array)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (dtype === 'F16' && data instanceof Float32Array) return new Uint8Array(Uint16Array.from(data, floatToHalf).buffer)
  throw new AppError('internal', `Values of ${dtypeOf(data)} cannot be written as ${dtype}.`)
}
