/**
 * TensorBoard's event files: records of a length, its checksum, the bytes, their checksum (TFRecord), each of them an Event of
 * protocol buffers. Only what scalars need.
 */
import type { MetricRow } from '../../shared/domain.ts'

const POLYNOMIAL = 0x82f63b78 // CRC-32C, reversed
const TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let crc = i
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  return crc
})

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

/** So that the checksum of bytes which hold checksums is still one. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

export function tfRecord(data: Uint8Array): Buffer {
  const record = Buffer.alloc(data.length + 16)
  record.writeBigUInt64LE(BigInt(data.length), 0)
  record.writeUInt32LE(masked(crc32c(record.subarray(0, 8))), 8)
  record.set(data, 12)
  record.writeUInt32LE(masked(crc32c(data)), 12 + data.length)
  return record
}

/** First record of every file. @param time in seconds since 1970 */
export function versionEvent(time: number): Buffer {
  return tfRecord(Buffer.concat([wallTime(time), bytesField(3, Buffer.from('brain.Event:2'))]))
}

/** The values of a step. `loss.total` becomes the tag `loss/total`, so that TensorBoard groups by the first part. */
export function scalarsEvent(time: number, { step, values }: MetricRow): Buffer {
  const summary = Object.entries(values).map(([name, value]) => bytesField(1, Buffer.concat([bytesField(1, Buffer.from(name.replace('.', '/'))), floatField(2, value)])))
  return tfRecord(Buffer.concat([wallTime(time), Buffer.from([0x10, ...varint(step)]), bytesField(5, Buffer.concat(summary))]))
}

function wallTime(seconds: number): Buffer {
  const field = Buffer.alloc(9)
  field[0] = 0x09
  field.writeDoubleLE(seconds, 1)
  return field
}

function floatField(number: number, value: number): Buffer {
  const field = Buffer.alloc(5)
  field[0] = (number << 3) | 5
  field.writeFloatLE(value, 1)
  return field
}

function bytesField(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes])
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}
