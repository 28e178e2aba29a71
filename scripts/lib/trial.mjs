/** Helpers of the tests beside this file: a folder of their own, and zip archives made by hand. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { slowCrc32 } from './zip.mjs'

/** A new empty folder and how to remove it. @param {string} name */
export function scratch(name) {
  const dir = mkdtempSync(join(tmpdir(), `amc-${name}-`))
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/**
 * Writes a zip archive; returns its SHA-256.
 * @param {string} path
 * @param {Record<string, string>} files
 * @param {{stored?: boolean, wrongCrc?: boolean}} [options]
 */
export function writeZip(path, files, { stored = false, wrongCrc = false } = {}) {
  /** @type {Buffer[]} */
  const bodies = []
  /** @type {Buffer[]} */
  const entries = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const data = Buffer.from(text)
    const packed = stored ? data : deflateRawSync(data)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(stored ? 0 : 8, 4)
    common.writeUInt32LE((slowCrc32(data) ^ (wrongCrc ? 1 : 0)) >>> 0, 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(data.length, 18)
    common.writeUInt16LE(Buffer.byteLength(name), 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), packed])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    entries.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0', 'latin1'), common, tail, Buffer.from(name)]))
    bodies.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(entries)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  const whole = Buffer.concat([...bodies, directory, end])
  writeFileSync(path, whole)
  return createHash('sha256').update(whole).digest('hex')
}
