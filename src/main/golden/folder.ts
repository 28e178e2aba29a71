/**
 * A folder of recorded values: read by name. It remembers which files, which values of the JSON files and which tensors were
 * read, so that what a folder holds and nothing compares can be named.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { openSafetensors } from '../checkpoints/safetensors.ts'
import { toFloat32, type HostTensor, type TensorFile } from '../checkpoints/tensor-file.ts'
import { AppError } from '../../shared/errors.ts'
import { trackJson, type TrackedJson } from './tracked-json.ts'

export interface GoldenFolder {
  readonly dir: string
  readonly files: readonly string[]
  has(name: string): boolean
  /** The same object each time. Reading a value counts as comparing it: read only what is compared. */
  json<T>(name: string): T
  text(name: string): string
  tensors(name: string): TensorFile
  /** Absolute path of a file about to be read by someone else. */
  path(name: string): string
  /** Says of a value of a JSON file, or of all values below a path in it, why nothing can be compared with it. */
  leaveOut(name: string, path: string, why?: string): void
  /** What was left out and not compared all the same, with the reasons: FILE: PATH (REASON). */
  leftOut(): string[]
  /** Files, values and tensors that nothing has read and nobody has left out. */
  untouched(): string[]
  close(): void
}

/** @throws AppError 'not-found' when there is no such folder or it has no config.json. */
export function openGoldenFolder(dir: string): GoldenFolder {
  if (!existsSync(join(dir, 'config.json'))) {
    throw new AppError('not-found', `${dir} is not a folder of golden data: it has no config.json.`, 'Give the folder that holds config.json and the recorded tensors.', dir)
  }
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(dir, '/').length).replaceAll('\\', '/'))
    .sort()
  const known = new Set(files)
  const read = new Set<string>()
  const reasons: { readonly name: string; readonly path: string; readonly why: string }[] = []
  const jsons = new Map<string, TrackedJson>()
  const opened = new Map<string, { readonly file: TensorFile; readonly unread: () => string[] }>()
  const path = (name: string): string => {
    read.add(name)
    return join(dir, name)
  }
  const json = (name: string): TrackedJson => {
    const kept = jsons.get(name) ?? trackJson(parseJson(readFileSync(path(name), 'utf8'), name))
    jsons.set(name, kept)
    return kept
  }
  const isExplained = (name: string, at: string): boolean => reasons.some((one) => one.name === name && isBelow(at, one.path))
  const unreadOf = (name: string): readonly string[] => jsons.get(name)?.unread() ?? (read.has(name) ? [] : [''])
  return {
    dir,
    files,
    has: (name) => known.has(name),
    json: <T>(name: string) => json(name).value as T,
    text: (name) => readFileSync(path(name), 'utf8'),
    tensors: (name) => {
      const kept = opened.get(name) ?? trackTensors(openSafetensors(path(name)))
      opened.set(name, kept)
      return kept.file
    },
    path,
    leaveOut: (name, at, why = '') => {
      if (known.has(name) && !reasons.some((one) => one.name === name && one.path === at)) reasons.push({ name, path: at, why })
    },
    leftOut: () => reasons.filter(({ name, path: at }) => unreadOf(name).some((one) => isBelow(one, at))).map(({ name, path: at, why }) => `${name}${at ? `: ${at}` : ''}${why ? ` (${why})` : ''}`).sort(),
    untouched: () => [
      ...files.filter((name) => !read.has(name) && !isExplained(name, '')),
      ...[...jsons].flatMap(([name, { unread }]) => unread().filter((at) => !isExplained(name, at)).map((at) => `${name}: ${at}`)),
      ...[...opened].flatMap(([name, { unread }]) => unread().map((tensor) => `${name}: ${tensor}`)),
    ].sort(),
    close: () => opened.forEach(({ file }) => file.close()),
  }
}

/** `a.b` lies below `a` and below the whole file, ''; `[3]` stands for itself and `[]` for every place of a list. */
function isBelow(path: string, prefix: string): boolean {
  const at = prefix.includes('[]') ? path.replace(/\[\d+\]/g, '[]') : path
  return prefix === '' || at === prefix || at.startsWith(`${prefix}.`) || at.startsWith(`${prefix}[`)
}

function trackTensors(file: TensorFile): { file: TensorFile; unread: () => string[] } {
  const read = new Set<string>()
  const tensors = new Map(
    [...file.tensors].map(([name, entry]) => {
      const watched = () => {
        read.add(name)
        return entry.read()
      }
      return [name, { ...entry, read: watched }] as const
    }),
  )
  return { file: { ...file, tensors, close: () => file.close() }, unread: () => [...tensors.keys()].filter((name) => !read.has(name)) }
}

const NOT_FINITE: Readonly<Record<string, number>> = { '\0NaN': NaN, '\0Infinity': Infinity, '\0-Infinity': -Infinity }

/** JSON as Python writes it: NaN and Infinity may stand as bare words. */
function parseJson(text: string, name: string): unknown {
  try {
    if (!/\b(NaN|Infinity)\b/.test(text)) return JSON.parse(text)
    const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (part) => (part.startsWith('"') ? part : `"\\u0000${part}"`))
    return JSON.parse(quoted, (_, value: unknown) => (typeof value === 'string' ? (NOT_FINITE[value] ?? value) : value))
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
