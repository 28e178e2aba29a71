/** Opens weights in any form we read, by what the file holds and not by its name: .pth, safetensors, several parts with an index, a folder. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { asBuffer, openFile } from './file-bytes.ts'
import { openPth, type PthFile } from './pth.ts'
import { openSafetensors } from './safetensors.ts'
import type { TensorEntry, TensorFile } from './tensor-file.ts'

const MAX_INDEX_BYTES = 64 << 20
/** In the order in which a folder is searched; safetensors first, as nothing of it has to be interpreted. */
const FOLDER_FILES = ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin', 'pytorch_model.bin.index.json']

export interface OpenOptions {
  /** Keep ints and floats of a .pth apart, to write it again. */
  readonly exact?: boolean
}

/** @throws AppError 'not-found', 'bad-input' for what cannot be read, 'forbidden' for a pickle that names what it must not */
export async function openTensors(path: string, options: OpenOptions = {}): Promise<TensorFile | PthFile> {
  if (!existsSync(path)) throw new AppError('not-found', 'The checkpoint is missing.', 'Check its path, or put it back.', path)
  if (statSync(path).isDirectory()) return openTensors(weightsIn(path), options)
  if (path.endsWith('.index.json')) return openSharded(path)
  return isSafetensors(path) ? openSafetensors(path) : openPth(path, options)
}

export function isPth(file: TensorFile | PthFile): file is PthFile {
  return 'root' in file
}

function weightsIn(folder: string): string {
  const found = FOLDER_FILES.find((name) => existsSync(join(folder, name)))
  if (found) return join(folder, found)
  const others = readdirSync(folder).filter((name) => /\.(safetensors|pth|pt|bin)$/.test(name))
  if (others.length === 1) return join(folder, others[0]!)
  throw new AppError(
    'bad-input', `The folder ${basename(folder)} has ${others.length === 0 ? 'no weights' : 'several files of weights'}.`,
    `Name the file itself, or a folder with one of ${FOLDER_FILES.join(', ')}.`, folder,
  )
}

/** A header of plausible length and a brace after it; other content is left to the .pth reader, unless the name says safetensors. */
function isSafetensors(path: string): boolean {
  const file = openFile(path)
  try {
    if (file.size < 10) return path.endsWith('.safetensors')
    const head = asBuffer(file.read(0, 9))
    const begins = head.readBigUInt64LE(0) <= BigInt(file.size) && head[8] === 0x7b
    const isPickleOrZip = head[0] === 0x80 || head.readUInt32LE(0) === 0x04034b50
    return begins || (path.endsWith('.safetensors') && !isPickleOrZip)
  } finally {
    file.close()
  }
}

/**
 * The parts that an index names ({"weight_map": {tensor: file}}), as one file. Every tensor must be where the index says.
 * @throws AppError 'bad-input' naming the part or the tensor that is missing
 */
async function openSharded(path: string): Promise<TensorFile> {
  const parts = new Map<string, TensorFile>()
  const close = () => parts.forEach((part) => part.close())
  try {
    const tensors = new Map<string, TensorEntry>()
    const metadata: Record<string, string> = {}
    for (const [name, part] of weightMap(path)) {
      let file = parts.get(part)
      if (!file) {
        file = await openPart(join(dirname(path), part), path)
        parts.set(part, file)
        Object.assign(metadata, file.metadata)
      }
      const entry = file.tensors.get(name)
      if (!entry) throw new AppError('bad-input', `The tensor ${name} is not in ${part}, where ${basename(path)} says it is.`, 'Fetch all parts again.', path)
      tensors.set(name, entry)
    }
    const isPickled = [...parts.values()].some((part) => part.format !== 'safetensors')
    return { format: isPickled ? 'pth-sharded' : 'safetensors-sharded', path, tensors, metadata, close }
  } catch (error) {
    close()
    throw error
  }
}

async function openPart(part: string, index: string): Promise<TensorFile> {
  if (!existsSync(part)) throw new AppError('bad-input', `The part ${basename(part)} that ${basename(index)} names is missing.`, 'Put all parts beside the index.', part)
  return isSafetensors(part) ? openSafetensors(part) : openPth(part)
}

function weightMap(path: string): [string, string][] {
  const wrong = (what: string) => new AppError('bad-input', `${path} is not an index of weights: ${what}.`, 'It should look like {"weight_map": {"tensor": "file"}}.', path)
  if (statSync(path).size > MAX_INDEX_BYTES) throw wrong('it is too large')
  let index: unknown
  try {
    index = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    throw wrong('it is not JSON')
  }
  const map = (index as { weight_map?: unknown } | null)?.weight_map
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw wrong('weight_map is missing')
  const entries = Object.entries(map as Record<string, unknown>)
  if (entries.length === 0) throw wrong('weight_map is empty')
  for (const [name, part] of entries) {
    // A part lies beside its index: a path would let an index reach for other files.
    if (typeof part !== 'string' || part === '' || part !== basename(part) || part.includes('\\') || part.startsWith('.')) throw wrong(`the file of ${name} is not a plain file name`)
  }
  return entries as [string, string][]
}
