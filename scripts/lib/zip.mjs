/**
 * Takes files out of a zip archive (a Python wheel is one) without unpacking the rest. Node has inflate but no zip reader,
 * and set-up must run before any dependency is installed. Stored and deflated entries; an entry's CRC is checked.
 */
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as zlib from 'node:zlib'
import { Problem } from './problem.mjs'

const END_RECORD = 0x06054b50
const CENTRAL_ENTRY = 0x02014b50
const ZIP64_MARK = 0xffffffff

/**
 * @typedef {{name: string, method: number, crc: number, compressedSize: number, size: number, headerOffset: number}} Entry
 */

/**
 * Extracts entries; `target` names the file to write for an entry, or null to leave it. Returns what was written with
 * sizes in bytes. Throws Problem when the archive is torn or a checksum differs.
 * @param {string} archive
 * @param {(name: string) => string | null} target
 * @returns {Promise<{name: string, path: string, size: number}[]>}
 */
export async function extractZip(archive, target) {
  const file = await open(archive, 'r')
  try {
    const written = []
    for (const entry of await readDirectory(file, archive)) {
      const path = entry.name.endsWith('/') ? null : target(entry.name)
      if (path === null) continue
      await extractEntry(file, archive, entry, path)
      written.push({ name: entry.name, path, size: entry.size })
    }
    return written
  } finally {
    await file.close()
  }
}

/** @param {import('node:fs/promises').FileHandle} file @param {string} archive @returns {Promise<Entry[]>} */
async function readDirectory(file, archive) {
  const { size } = await file.stat()
  // The end record is the last 22 bytes, or earlier when a comment follows it.
  const tail = await readAt(file, archive, Math.max(0, size - 65_557), Math.min(size, 65_557))
  let end = tail.length - 22
  while (end >= 0 && tail.readUInt32LE(end) !== END_RECORD) end -= 1
  if (end < 0) throw torn(archive, 'its table of contents is missing')
  const count = tail.readUInt16LE(end + 10)
  const offset = tail.readUInt32LE(end + 16)
  if (offset === ZIP64_MARK || count === 0xffff) throw torn(archive, 'it is of the zip64 kind, which is not read here')
  const directory = await readAt(file, archive, offset, tail.readUInt32LE(end + 12))
  /** @type {Entry[]} */
  const entries = []
  for (let at = 0; entries.length < count; ) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== CENTRAL_ENTRY) throw torn(archive, 'its table of contents is damaged')
    const nameLength = directory.readUInt16LE(at + 28)
    const entry = {
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      headerOffset: directory.readUInt32LE(at + 42),
      name: directory.toString('utf8', at + 46, at + 46 + nameLength),
    }
    entries.push(entry)
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return entries
}

/** @param {import('node:fs/promises').FileHandle} file @param {string} archive @param {Entry} entry @param {string} path */
async function extractEntry(file, archive, entry, path) {
  if (entry.method !== 0 && entry.method !== 8) throw torn(archive, `${entry.name} is compressed in an unknown way`)
  const header = await readAt(file, archive, entry.headerOffset, 30)
  // The local header has its own lengths; its extra field differs from the one in the table of contents.
  const start = entry.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  mkdirSync(dirname(path), { recursive: true })
  const check = crcCheck()
  const output = createWriteStream(path)
  if (entry.compressedSize === 0) {
    await pipeline([], output)
  } else {
    const input = createReadStream(archive, { start, end: start + entry.compressedSize - 1, highWaterMark: 1 << 20 })
    try {
      if (entry.method === 0) await pipeline(input, check, output)
      else await pipeline(input, zlib.createInflateRaw({ chunkSize: 1 << 20 }), check, output)
    } catch (error) {
      if (String(/** @type {{code?: string}} */ (error).code).startsWith('Z_')) throw torn(archive, `${entry.name} does not decompress`)
      throw error
    }
  }
  if (check.result().size !== entry.size || check.result().crc !== entry.crc) throw torn(archive, `${entry.name} has another checksum`)
}

/** @param {import('node:fs/promises').FileHandle} file @param {string} archive @param {number} position @param {number} length */
async function readAt(file, archive, position, length) {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  if (bytesRead !== length) throw torn(archive, 'it ends too early')
  return buffer
}

/** @param {string} archive @param {string} what */
function torn(archive, what) {
  return new Problem(`${archive} cannot be unpacked: ${what}.`, 'Delete it and run the same command again.')
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** Node's own CRC-32 where it has one (20.15 and later), else a table; both continue from an earlier value. */
const crc32 = zlib.crc32 ?? slowCrc32

/** @param {Buffer} data @param {number} [before] */
export function slowCrc32(data, before = 0) {
  let crc = ~before
  for (const byte of data) crc = (CRC_TABLE[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8)
  return ~crc >>> 0
}

/** A stream that passes data on and counts size and CRC-32. */
function crcCheck() {
  let crc = 0
  let size = 0
  const stream = new Transform({
    transform(chunk, _encoding, done) {
      crc = crc32(chunk, crc)
      size += chunk.length
      done(null, chunk)
    },
  })
  return Object.assign(stream, { result: () => ({ crc, size }) })
}
