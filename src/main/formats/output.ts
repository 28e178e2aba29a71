/**
 * Writes a file or a folder so that it is there whole or not at all: under a temporary name beside its place, synced, renamed.
 * Everything goes out in pieces; memory does not grow with the dataset.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path'
import { AppError } from '../../shared/errors.ts'

export interface TextFile {
  readonly write: (text: string) => Promise<void>
  readonly close: () => Promise<void>
}
export interface Output {
  /** A new file below the folder; '/' in the name makes folders. */
  readonly create: (name: string) => Promise<TextFile>
  /** Pieces of a file that is put together from them at the end, for lists that grow side by side. */
  readonly part: () => Promise<Part>
  readonly copy: (from: string, name: string) => Promise<void>
  readonly binary: (name: string) => Promise<BinaryFile>
}
export interface BinaryFile {
  readonly write: (bytes: Uint8Array) => Promise<void>
  readonly close: () => Promise<void>
}
/** A text that waits in a file of its own. */
export interface Part extends TextFile {
  readonly pipe: (into: TextFile) => Promise<void>
}

const BUFFER = 256 * 1024

export interface Staging extends Output {
  /** Puts everything in its place. */
  readonly commit: () => Promise<void>
  readonly discard: () => Promise<void>
}

/**
 * @param target a folder that does not exist or is empty; or, with `onlyFile`, a file
 * @param onlyFile the name of the one file that the format writes
 * @throws AppError 'bad-input' when something is there already, 'disk-full', 'forbidden'
 */
export async function stage(target: string, options: { onlyFile: string | null; replace: boolean }): Promise<Staging> {
  const place = resolve(target)
  const { onlyFile } = options
  const there = await stat(place).catch(() => null)
  if (onlyFile !== null && there?.isDirectory()) throw new AppError('bad-input', `${place} is a folder.`, 'Name a file that is to be made.', place)
  if (onlyFile !== null && there && !options.replace) throw new AppError('bad-input', `${place} exists already. Nothing was written.`, 'Choose another name.', place)
  if (onlyFile === null && there && (!there.isDirectory() || (await readdir(place)).length > 0)) {
    throw new AppError('bad-input', `${place} is not an empty folder. Nothing was written.`, 'Choose a folder that is empty or does not exist.', place)
  }
  return told(place, async () => {
    await mkdir(dirname(place), { recursive: true })
    // Not mkdtemp: it shuts out all others, and the folder keeps its permissions when it gets its name.
    const folder = join(dirname(place), `.${basename(place)}.part-${randomUUID().slice(0, 8)}`)
    await mkdir(folder)
    const open = new Set<FileHandle>()
    let parts = 0
    const create = async (path: string): Promise<TextFile> => {
      await mkdir(dirname(path), { recursive: true })
      return textFile(path, open, place)
    }
    const inside = (name: string): string => {
      const path = join(folder, name)
      if (!path.startsWith(folder + sep)) throw new AppError('internal', `${name} lies outside the folder that is written.`)
      return path
    }
    return {
      create: (name) => told(place, () => create(inside(name))),
      part: async () => {
        const path = join(folder, `.part-${parts++}`)
        const file = await told(place, () => create(path))
        return {
          ...file,
          pipe: async (into) => {
            await file.close()
            for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: BUFFER })) await into.write(chunk as string)
            await rm(path)
          },
        }
      },
      copy: (from, name) => told(place, async () => {
        await mkdir(dirname(inside(name)), { recursive: true })
        await copyFile(from, inside(name))
        await syncFile(inside(name))
      }),
      binary: (name) => told(place, async () => {
        await mkdir(dirname(inside(name)), { recursive: true })
        const handle = await openNew(inside(name))
        open.add(handle)
        return {
          write: (bytes) => told(place, () => handle.appendFile(bytes)),
          close: async () => {
            await told(place, () => handle.sync())
            open.delete(handle)
            await handle.close()
          },
        }
      }),
      commit: () => told(place, async () => {
        if (onlyFile === null) {
          for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) if (entry.isDirectory()) await syncFolder(join(entry.parentPath, entry.name))
          await syncFolder(folder)
          if (there) await rmdir(place)
          await rename(folder, place)
        } else {
          await rename(join(folder, onlyFile), place)
          await rm(folder, { recursive: true, force: true })
        }
        await syncFolder(dirname(place))
      }),
      discard: async () => {
        for (const handle of open) await handle.close().catch(() => undefined)
        await rm(folder, { recursive: true, force: true })
      },
    }
  })
}

async function openNew(path: string): Promise<FileHandle> {
  return open(path, 'wx')
}

async function textFile(path: string, opened: Set<FileHandle>, place: string): Promise<TextFile> {
  const handle = await openNew(path)
  opened.add(handle)
  let waiting: string[] = []
  let length = 0
  const flush = async (): Promise<void> => {
    const text = waiting.join('')
    waiting = []
    length = 0
    if (text !== '') await told(place, () => handle.appendFile(text))
  }
  let closed = false
  return {
    write: async (text) => {
      waiting.push(text)
      length += text.length
      if (length >= BUFFER) await flush()
    },
    close: async () => {
      if (closed) return
      closed = true
      await flush()
      await told(place, () => handle.sync())
      opened.delete(handle)
      await handle.close()
    },
  }
}

/** A copy of a file that may not be written may not be either; where only what is open for writing can be synced, that one is left to the system. */
async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+').catch(() => open(path, 'r'))
  try {
    await handle.sync().catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPERM' && error.code !== 'EBADF') throw error
    })
  } finally {
    await handle.close()
  }
}

/** So that the new name is on disk too; where folders cannot be synced the system does it in its own time. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => null)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

async function told<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new AppError('disk-full', 'The disk is full, so this was not written. Nothing was left behind.', 'Free space, then try again.', place, { cause: error })
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') throw new AppError('forbidden', `${place} may not be written by this user.`, 'Choose another folder, or change its permissions.', place, { cause: error })
    if (code === 'ENOTDIR' || code === 'EEXIST') throw new AppError('bad-input', `${place} cannot be made: a file of that name is in the way.`, 'Choose another name.', place, { cause: error })
    throw error
  }
}

/** A list of JSON values in a part or file: "[\n a,\n b\n]". */
export function jsonList(file: TextFile): { add: (value: unknown) => Promise<void>; end: () => Promise<void> } {
  let count = 0
  return {
    add: (value) => file.write(`${count++ === 0 ? '[' : ','}\n${JSON.stringify(value)}`),
    end: () => file.write(count === 0 ? '[]' : '\n]'),
  }
}

/** Gives each image a name of its own below one folder: no roots, no '..', nothing twice (whatever the case of letters). */
export function uniqueNames(): (name: string) => string {
  const used = new Set<string>()
  return (name) => {
    const parts = name.replace(/^[A-Za-z]:/, '').split(/[\\/]+/).filter((part) => part !== '' && part !== '.' && part !== '..').map((part) => part.replace(/[<>:"|?*\0]/g, '_'))
    const clean = parts.length > 0 ? parts.join('/') : 'image'
    const [, stem, end] = /^(.*?)(\.[^./]*)?$/s.exec(clean) as unknown as [string, string, string | undefined]
    let next = clean
    for (let n = 2; used.has(next.toLowerCase()); n++) next = `${stem}-${n}${end ?? ''}`
    used.add(next.toLowerCase())
    return next
  }
}

export const isOutside = (name: string): boolean => isAbsolute(name) || name.split(/[\\/]/).includes('..')
