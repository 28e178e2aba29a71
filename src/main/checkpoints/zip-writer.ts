/** The zip form PyTorch reads: members stored plainly, their values at multiples of 64 bytes, zip64 where 32 bits are not enough. */
import { crc32 } from 'node:zlib'

const ALIGNMENT = 64
const MOST_32 = 0xffffffff
const MOST_16 = 0xffff
const UTF8_NAMES = 0x800
/** 1 January 1980: the same content gives the same file at any time. */
const DATE = 0x21

export interface ZipRecord {
  readonly name: string
  readonly bytes: number
  readonly crc: number
  /** Of the local header. */
  readonly offset: number
}

/** What stands before a member's bytes; its length brings them to a multiple of 64. */
export function localHeader({ name, bytes, crc, offset }: ZipRecord): Buffer {
  const encoded = Buffer.from(name)
  const large = bytes >= MOST_32 ? zip64Field([bytes, bytes]) : Buffer.alloc(0)
  const unpadded = offset + 30 + encoded.length + large.length + 4
  const padding = Buffer.alloc(4 + ((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT))
  padding.write('FB', 'latin1')
  padding.writeUInt16LE(padding.length - 4, 2)
  const head = Buffer.alloc(30)
  head.writeUInt32LE(0x04034b50, 0)
  writeCommon(head, 4, { bytes, crc, nameBytes: encoded.length, extraBytes: large.length + padding.length })
  return Buffer.concat([head, encoded, large, padding])
}

/** The table at the end of the archive, which begins at `offset`. */
export function centralDirectory(records: readonly ZipRecord[], offset: number): Buffer {
  const entries = records.map((record) => {
    const encoded = Buffer.from(record.name)
    const wide = [...(record.bytes >= MOST_32 ? [record.bytes, record.bytes] : []), ...(record.offset >= MOST_32 ? [record.offset] : [])]
    const large = wide.length > 0 ? zip64Field(wide) : Buffer.alloc(0)
    const head = Buffer.alloc(46)
    head.writeUInt32LE(0x02014b50, 0)
    head.writeUInt16LE(45, 4)
    writeCommon(head, 6, { bytes: record.bytes, crc: record.crc, nameBytes: encoded.length, extraBytes: large.length })
    head.writeUInt32LE(Math.min(record.offset, MOST_32), 42)
    return Buffer.concat([head, encoded, large])
  })
  const table = Buffer.concat(entries)
  const [count, bytes] = [records.length, table.length]
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(count, MOST_16), 8)
  end.writeUInt16LE(Math.min(count, MOST_16), 10)
  end.writeUInt32LE(Math.min(bytes, MOST_32), 12)
  end.writeUInt32LE(Math.min(offset, MOST_32), 16)
  const needs64 = count >= MOST_16 || bytes >= MOST_32 || offset >= MOST_32
  return Buffer.concat([table, ...(needs64 ? [end64(count, bytes, offset)] : []), end])
}

function writeCommon(head: Buffer, at: number, { bytes, crc, nameBytes, extraBytes }: { bytes: number; crc: number; nameBytes: number; extraBytes: number }): void {
  head.writeUInt16LE(bytes >= MOST_32 ? 45 : 20, at)
  head.writeUInt16LE(UTF8_NAMES, at + 2)
  head.writeUInt16LE(DATE, at + 8)
  head.writeUInt32LE(crc, at + 10)
  head.writeUInt32LE(Math.min(bytes, MOST_32), at + 14)
  head.writeUInt32LE(Math.min(bytes, MOST_32), at + 18)
  head.writeUInt16LE(nameBytes, at + 22)
  head.writeUInt16LE(extraBytes, at + 24)
}

function zip64Field(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(8 * values.length, 2)
  values.forEach((value, i) => field.writeBigUInt64LE(BigInt(value), 4 + 8 * i))
  return field
}

function end64(count: number, bytes: number, offset: number): Buffer {
  const record = Buffer.alloc(56)
  record.writeUInt32LE(0x06064b50, 0)
  record.writeBigUInt64LE(44n, 4)
  record.writeUInt16LE(45, 12)
  record.writeUInt16LE(45, 14)
  record.writeBigUInt64LE(BigInt(count), 24)
  record.writeBigUInt64LE(BigInt(count), 32)
  record.writeBigUInt64LE(BigInt(bytes), 40)
  record.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([record, locator])
}

/** Writes members one after the other; `finish` ends the archive. */
export function createZipWriter(write: (bytes: Uint8Array) => void): { add(name: string, bytes: Uint8Array): void; finish(): void } {
  const records: ZipRecord[] = []
  let offset = 0
  const put = (bytes: Uint8Array) => {
    write(bytes)
    offset += bytes.byteLength
  }
  return {
    add: (name, bytes) => {
      const record = { name, bytes: bytes.byteLength, crc: crc32(bytes), offset }
      records.push(record)
      put(localHeader(record))
      put(bytes)
    },
    finish: () => put(centralDirectory(records, offset)),
  }
}
