/** Reading parts of files by offset: no more is in memory than was asked for, and a file that ends early says so. */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from '../../shared/errors.ts'

/** Largest single read or write: some systems take no more than 2 GiB at once. */
const PART_BYTES = 1 << 30

export interface OpenFile {
  readonly path: string
  readonly size: number
  /**
   * @param into where the bytes go; memory is taken for them when it is left away
   * @throws AppError 'bad-input' when the file does not reach that far; nothing is allocated before that is known
   */
  read(position: number, length: number, into?: Uint8Array): Uint8Array
  close(): void
}

/** Bytes as a Buffer, for reading numbers and texts out of them; nothing is copied. */
export function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

export function openFile(path: string): OpenFile {
  const file = openSync(path, 'r')
  const stat = fstatSync(file)
  if (!stat.isFile()) {
    closeSync(file)
    throw new AppError('bad-input', `${path} is not a file.`, 'Choose the checkpoint file itself.', path)
  }
  const { size } = stat
  let isOpen = true
  return {
    path,
    size,
    read: (position, length, into) => {
      if (position < 0 || length > size - position) {
        throw new AppError('bad-input', `${path} ends early: ${length - Math.max(0, size - position)} bytes are missing.`, 'Fetch it again.', path)
      }
      const buffer = into ?? new Uint8Array(length)
      for (let done = 0; done < length; ) {
        const count = readSync(file, buffer, done, Math.min(length - done, PART_BYTES), position + done)
        if (count === 0) throw new AppError('bad-input', `${path} became shorter while it was read.`, 'Fetch it again.', path)
        done += count
      }
      return buffer
    },
    close: () => {
      if (isOpen) closeSync(file)
      isOpen = false
    },
  }
}

/** Writes to a temporary name beside it, syncs, renames, syncs the folder: the old file or the new one, never a part. */
export function writeDurably(path: string, fill: (write: (bytes: Uint8Array) => void) => void): void {
  const temporary = `${path}.${process.pid}.tmp`
  const file = openSync(temporary, 'w')
  try {
    try {
      fill((bytes) => {
        for (let done = 0; done < bytes.byteLength; ) done += writeSync(file, bytes, done, Math.min(bytes.byteLength - done, PART_BYTES))
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
