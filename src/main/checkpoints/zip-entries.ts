/**
 * Where the members of a zip archive lie in the file, for reading them by offset. Only stored (uncompressed) members are taken.
 * Every number is checked against the file before it is used: the archive may be damaged, or made to break its reader.
 */
import { AppError } from '../../shared/errors.ts'
import { asBuffer, type OpenFile } from './file-bytes.ts'

export interface ZipMember {
  /** Offset of the first byte of data. */
  readonly start: number
  readonly bytes: number
}

const END_BYTES = 22
const MOST_COMMENT_BYTES = 0xffff
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
/** A million members; no checkpoint has a hundredth of that. */
const MOST_DIRECTORY_BYTES = 128 << 20
const UNKNOWN_32 = 0xffffffff
const UNKNOWN_16 = 0xffff

/** @throws AppError 'bad-input' when the archive is damaged, its members share bytes, or a member is compressed or encrypted. */
export function readZipEntries(file: OpenFile): Map<string, ZipMember> {
  const { path } = file
  const damaged = (what: string) => new AppError('bad-input', `${path} is not a whole zip archive: ${what}.`, 'Fetch it again.', path)
  const end = findDirectory(file, damaged)
  if (end.bytes > MOST_DIRECTORY_BYTES || end.offset + end.bytes > file.size) throw damaged('its table of contents lies outside the file')
  const table = asBuffer(file.read(end.offset, end.bytes))
  const members = new Map<string, ZipMember>()
  let at = 0
  for (let i = 0; i < end.count; i++) {
    if (at + ENTRY_BYTES > table.length || table.readUInt32LE(at) !== 0x02014b50) throw damaged('its table of contents ends early')
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => table.readUInt16LE(at + offset)) as [number, number, number]
    const next = at + ENTRY_BYTES + nameBytes + extraBytes + commentBytes
    if (next > table.length) throw damaged('its table of contents ends early')
    const name = table.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes)
    const extra = table.subarray(at + ENTRY_BYTES + nameBytes, at + ENTRY_BYTES + nameBytes + extraBytes)
    const [packed, bytes, offset] = wideNumbers([20, 24, 42].map((field) => table.readUInt32LE(at + field)) as [number, number, number], extra, () => damaged(`the sizes of ${name} are missing`))
    if (table.readUInt16LE(at + 10) !== 0 || table.readUInt16LE(at + 8) & 1 || packed !== bytes) {
      throw new AppError('bad-input', `${name} in ${path} is compressed or encrypted; PyTorch stores plainly.`, 'Save the checkpoint with torch.save, not with a zip program.', path)
    }
    if (members.has(name)) throw damaged(`${name} is in it twice`)
    members.set(name, { start: startOf(file, offset, () => damaged(`${name} is not where its table says`)), bytes })
    at = next
  }
  checkPlaces(members, end.offset, damaged)
  return members
}

type Damaged = (what: string) => AppError

/** The record at the end of the file, or the wider one that it leads to. */
function findDirectory(file: OpenFile, damaged: Damaged): { count: number; bytes: number; offset: number } {
  const from = Math.max(0, file.size - END_BYTES - MOST_COMMENT_BYTES)
  const tail = asBuffer(file.read(from, file.size - from))
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== 0x06054b50 || at + END_BYTES + tail.readUInt16LE(at + 20) !== tail.length) continue
    const [count, bytes, offset] = [tail.readUInt16LE(at + 10), tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)]
    if (count !== UNKNOWN_16 && bytes !== UNKNOWN_32 && offset !== UNKNOWN_32) return { count, bytes, offset }
    if (from + at < 20) throw damaged('its wide table of contents is missing')
    const locator = asBuffer(file.read(from + at - 20, 20))
    const wide = safe(locator.readBigUInt64LE(8))
    if (locator.readUInt32LE(0) !== 0x07064b50 || wide === null || wide + 56 > file.size) throw damaged('its wide table of contents is missing')
    const record = asBuffer(file.read(wide, 56))
    const numbers = [32, 40, 48].map((field) => safe(record.readBigUInt64LE(field)))
    if (record.readUInt32LE(0) !== 0x06064b50 || numbers.includes(null)) throw damaged('its wide table of contents is missing')
    const [wideCount, wideBytes, wideOffset] = numbers as [number, number, number]
    return { count: wideCount, bytes: wideBytes, offset: wideOffset }
  }
  throw damaged('its end is missing')
}

/** Sizes and offset of an entry; those that 32 bits do not hold stand in the extra field 1, in this order: size, packed size, offset. */
function wideNumbers([packed, bytes, offset]: [number, number, number], extra: Buffer, missing: () => AppError): [number, number, number] {
  if (packed !== UNKNOWN_32 && bytes !== UNKNOWN_32 && offset !== UNKNOWN_32) return [packed, bytes, offset]
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    const end = at + 4 + extra.readUInt16LE(at + 2)
    let field = at + 4
    const take = (narrow: number): number => {
      if (narrow !== UNKNOWN_32) return narrow
      const value = field + 8 <= Math.min(end, extra.length) ? safe(extra.readBigUInt64LE(field)) : null
      if (value === null) throw missing()
      field += 8
      return value
    }
    const size = take(bytes)
    return [take(packed), size, take(offset)]
  }
  throw missing()
}

/** After the local header, whose name and extra field may be longer than those of the table. */
function startOf(file: OpenFile, offset: number, missing: () => AppError): number {
  if (offset + LOCAL_BYTES > file.size) throw missing()
  const head = asBuffer(file.read(offset, LOCAL_BYTES))
  if (head.readUInt32LE(0) !== 0x04034b50) throw missing()
  return offset + LOCAL_BYTES + head.readUInt16LE(26) + head.readUInt16LE(28)
}

/** Members that lie over one another would let a small file stand for a huge one. */
function checkPlaces(members: ReadonlyMap<string, ZipMember>, limit: number, damaged: Damaged): void {
  const sorted = [...members].filter(([, { bytes }]) => bytes > 0).sort(([, a], [, b]) => a.start - b.start)
  sorted.forEach(([name, { start, bytes }], i) => {
    if (start + bytes > limit) throw damaged(`${name} reaches into its table of contents`)
    const [other, next] = sorted[i + 1] ?? []
    if (next && start + bytes > next.start) throw damaged(`its members ${name} and ${other} share bytes`)
  })
}

function safe(value: bigint): number | null {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null
}
