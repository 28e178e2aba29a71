/** A folder of recorded values: read by name, and remembered which files were read. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openSafetensors } from '../checkpoints/safetensors.ts'
import { toFloat32, type HostTensor, type TensorFile } from '../checkpoints/tensor-file.ts'
import { AppError } from '../../shared/errors.ts'

export interface GoldenFolder {
  readonly dir: string
  readonly files: readonly string[]
  has(name: string): boolean
  json<T>(name: string): T
  text(name: string): string
  tensors(name: string): TensorFile
  /** Absolute path of a file about to be read by someone else. */
  path(name: string): string
  /** Says that a part of a file that is read is compared by nothing. */
  leaveOut(name: string, part: string): void
  /** Files nothing has read so far, and parts left out. */
  untouched(): string[]
  close(): void
}

/** @throws AppError 'not-found' when there is no such folder or it has no config.json. */
export function openGoldenFolder(dir: string): GoldenFolder {
  if (!existsSync(join(dir, 'config.json'))) {
    throw new AppError('not-found', `${dir} is not a folder of golden data: it has no config.json.`, 'Give the folder that holds config.json and the recorded tensors.', dir)
  }
  const files = (readdirSync(dir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(dir, '/').length).replaceAll('\\', '/'))
    .sort()
  const known = new Set(files)
  const read = new Set<string>()
  const leftOut = new Set<string>()
  const opened = new Map<string, TensorFile>()
  const path = (name: string): string => {
    read.add(name)
    return join(dir, name)
  }
  return {
    dir,
    files,
    has: (name) => known.has(name),
    json: <T>(name: string) => parseJson(readFileSync(path(name), 'utf8'), name) as T,
    text: (name) => readFileSync(path(name), 'utf8'),
    tensors: (name) => {
      const file = opened.get(name) ?? openSafetensors(path(name))
      opened.set(name, file)
      return file
    },
    path,
    leaveOut: (name, part) => void (known.has(name) && leftOut.add(`${name}: ${part}`)),
    untouched: () => [...files.filter((name) => !read.has(name) && !name.endsWith('.md')), ...leftOut].sort(),
    close: () => opened.forEach((file) => file.close()),
  }
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new AppError('bad-input', `${name} is not JSON: ${(error as Error).message}.`, 'Check that the folder is complete.', name, { cause: error })
  }
}

export function tensorOf(file: TensorFile, name: string): HostTensor {
  const entry = file.tensors.get(name)
  if (!entry) throw new AppError('bad-input', `${file.path} has no tensor '${name}'.`, 'Check that the folder is complete.', file.path)
  return entry.read()
}

export const floatsOf = (file: TensorFile, name: string): Float32Array => toFloat32(tensorOf(file, name))

export const intsOf = (file: TensorFile, name: string): Int32Array => Int32Array.from(tensorOf(file, name).data as ArrayLike<number> & Iterable<number | bigint>, Number)
