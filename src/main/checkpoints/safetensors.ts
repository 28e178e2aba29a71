/**
 * safetensors: 8 bytes of header length (little-endian), a JSON header {name: {dtype, shape, data_offsets}}, then raw values.
 * Read by offset; written to a temporary name, synced and renamed, so that a file under its own name is always whole.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import {
  BYTES_OF, checkShape, countOf, decodeValues, type Dtype, floatToHalf, type HostArray, type TensorEntry, type TensorFile,
} from './tensor-file.ts'

const MAX_HEADER_BYTES = 100_000_000

/** @throws AppError 'bad-input' naming the tensor when the header, the shapes and the bytes do not agree. */
export function openSafetensors(path: string): TensorFile {
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    const headerBytes = size >= 8 ? Number(readBytes(file, 0, 8, path).readBigUInt64LE()) : 0
    if (headerBytes < 2 || headerBytes > Math.min(MAX_HEADER_BYTES, size - 8)) throw damaged(path, 'it does not start with a safetensors header')
    const header = parseHeader(readBytes(file, 8, headerBytes, path).toString('utf8'), path)
    const start = 8 + headerBytes
    const { __metadata__: metadata, ...rest } = header
    const tensors = new Map<string, TensorEntry>()
    for (const [name, value] of Object.entries(rest)) {
      const entry = checkEntry(name, value, size - start, path)
      tensors.set(name, {
        name,
        dtype: entry.dtype,
        shape: entry.shape,
        read: () => ({
          dtype: entry.dtype,
          shape: entry.shape,
          data: decodeValues(entry.dtype, readBytes(file, start + entry.begin, entry.end - entry.begin, path)),
        }),
      })
    }
    return { format: 'safetensors', path, tensors, metadata: checkMetadata(metadata, path), close: () => closeSync(file) }
  } catch (error) {
    closeSync(file)
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

function checkEntry(name: string, value: unknown, dataBytes: number, path: string) {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown }
  if (typeof dtype !== 'string' || !Object.hasOwn(BYTES_OF, dtype)) {
    throw new AppError('bad-input', `The tensor ${name} has the type ${String(dtype)}, which is not supported.`, 'Convert it to float32, float16 or bfloat16 first.', `${path}: ${name}`)
  }
  const sizes = checkShape(shape, `${path}: ${name}`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every((n) => Number.isSafeInteger(n))) throw damaged(path, `the offsets of ${name} are missing`)
  const [begin, end] = offsets as [number, number]
  if (begin < 0 || end < begin || end > dataBytes) throw damaged(path, `the tensor ${name} lies outside the file (cut short?)`)
  if (end - begin !== countOf(sizes) * BYTES_OF[dtype as Dtype]) throw damaged(path, `the shape and the bytes of ${name} disagree`)
  return { dtype: dtype as Dtype, shape: sizes, begin, end }
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

function readBytes(file: number, position: number, length: number, path: string): Buffer {
  const buffer = Buffer.from(new ArrayBuffer(length))
  let done = 0
  while (done < length) {
    const count = readSync(file, buffer, done, Math.min(length - done, 1 << 30), position + done)
    if (count === 0) throw damaged(path, 'it ends early')
    done += count
  }
  return buffer
}

export interface TensorToWrite {
  readonly shape: readonly number[]
  readonly data: HostArray
  /** Written as stored in data unless given; F16 halves the size of float32 values. */
  readonly dtype?: Dtype
}

/** Writes all tensors in the order given; durable when it returns. */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, TensorToWrite>, metadata: Readonly<Record<string, string>> = {}): void {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {}
  let offset = 0
  for (const [name, tensor] of tensors) {
    const dtype = tensor.dtype ?? dtypeOf(tensor.data)
    if (countOf(tensor.shape) !== tensor.data.length) throw new AppError('internal', `The tensor ${name} has ${tensor.data.length} values, not those of its shape.`)
    const bytes = tensor.data.length * BYTES_OF[dtype]
    header[name] = { dtype, shape: tensor.shape, data_offsets: [offset, offset + bytes] }
    offset += bytes
  }
  const json = JSON.stringify(header)
  const text = Buffer.from(json + ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8))
  const lengthBytes = Buffer.alloc(8)
  lengthBytes.writeBigUInt64LE(BigInt(text.length))
  writeDurably(path, (write) => {
    write(lengthBytes)
    write(text)
    for (const tensor of tensors.values()) write(encodeValues(tensor.data, tensor.dtype ?? dtypeOf(tensor.data)))
  })
}

function dtypeOf(data: HostArray): Dtype {
  if (data instanceof Float32Array) return 'F32'
  if (data instanceof Float64Array) return 'F64'
  if (data instanceof BigInt64Array) return 'I64'
  if (data instanceof Int32Array) return 'I32'
  if (data instanceof Int16Array) return 'I16'
  return data instanceof Int8Array ? 'I8' : 'U8'
}

function encodeValues(data: HostArray, dtype: Dtype): Uint8Array {
  if (dtype === dtypeOf(data) || (dtype === 'BOOL' && data instanceof Uint8Array)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (dtype === 'F16' && data instanceof Float32Array) return new Uint8Array(Uint16Array.from(data, floatToHalf).buffer)
  throw new AppError('internal', `Values of ${dtypeOf(data)} cannot be written as ${dtype}.`)
}

/** Writes to a temporary name beside it, syncs, renames, syncs the folder: the old file or the new one, never a part. */
export function writeDurably(path: string, fill: (write: (bytes: Uint8Array) => void) => void): void {
  const temporary = `${path}.${process.pid}.tmp`
  const file = openSync(temporary, 'w')
  try {
    try {
      fill((bytes) => {
        let done = 0
        while (done < bytes.byteLength) done += writeSync(file, bytes, done, Math.min(bytes.byteLength - done, 1 << 30))
      })
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  if (process.platform === 'win32') return // a folder cannot be synced there
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
