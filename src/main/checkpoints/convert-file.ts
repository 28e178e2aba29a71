/**
 * One file form into the other, tensor by tensor, every value as its bytes are. What a .pth holds beside tensors goes along as
 * text, so that .pth -> safetensors -> .pth gives the same object with the same bits.
 */
import { statSync } from 'node:fs'
import { extname } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { decodeObject, encodeObject } from './object-json.ts'
import { isPth, openTensors } from './open-tensors.ts'
import { PyOrderedDict } from './pickle.ts'
import type { PthFile } from './pth.ts'
import { SavedTensor, writePth } from './pth-writer.ts'
import { type RawTensor, writeRawSafetensors } from './safetensors.ts'
import { bytesOf, rawAs, isFloat, type TensorEntry, type TensorFile } from './tensor-file.ts'
import { TorchTensor } from './torch-objects.ts'

/** The object of the .pth, in a safetensors header. */
const OBJECT_KEY = 'amc.object'
/** In the 'amc' dictionary of a .pth: its 'model' is a flat safetensors file, whose header strings stand beside. */
const FLAT_KEY = 'amc.flat'

export type Precision = 'fp32' | 'fp16' | 'bf16'
const PRECISIONS = { fp32: 'F32', fp16: 'F16', bf16: 'BF16' } as const

export interface Converted {
  readonly from: TensorFile['format']
  readonly to: 'safetensors' | 'pth'
  readonly tensors: number
  readonly bytes: number
}

/** Views may share bytes in the file and are written out each; a file made to grow without measure is refused. */
const MOST_GROWTH = 8

export function formOf(path: string): 'safetensors' | 'pth' {
  const ending = extname(path).toLowerCase()
  if (ending === '.safetensors') return 'safetensors'
  if (['.pth', '.pt', '.bin'].includes(ending)) return 'pth'
  throw new AppError('usage', `The ending of ${path} does not say which form to write.`, 'End it in .safetensors or .pth.', path)
}

/**
 * @param precision other width for floating tensors; left away, every value keeps its bits
 * @throws AppError as openTensors, and 'usage' for an ending that is no form
 */
export async function convertFile(source: string, target: string, precision?: Precision): Promise<Converted> {
  const to = formOf(target)
  const file = await openTensors(source, { exact: true })
  try {
    const list = [...file.tensors.values()]
    const total = list.reduce((sum, tensor) => sum + bytesOf(tensor), 0)
    if (file.format.startsWith('pth') && isPth(file) && total > MOST_GROWTH * statSync(file.path).size + (64 << 20)) {
      throw new AppError('bad-input', `The tensors of ${source} claim ${total} bytes, far more than the file has.`, 'The file is damaged, or made to fill the disk.', source)
    }
    const raw = (entry: TensorEntry): RawTensor => rawOf(entry, precision)
    if (to === 'safetensors') toSafetensors(file, target, raw)
    else toPth(file, target, raw)
    return { from: file.format, to, tensors: list.length, bytes: statSync(target).size }
  } finally {
    file.close()
  }
}

export function rawOf(entry: TensorEntry, precision?: Precision): RawTensor {
  if (!precision || !isFloat(entry.dtype)) return { dtype: entry.dtype, shape: entry.shape, bytes: () => entry.readRaw() }
  const dtype = PRECISIONS[precision]
  return { dtype, shape: entry.shape, bytes: () => rawAs(entry, dtype).bytes }
}

type Raw = (entry: TensorEntry) => RawTensor

function toSafetensors(file: TensorFile | PthFile, target: string, raw: Raw): void {
  if (!isPth(file)) return writeRawSafetensors(target, mapped(file.tensors, (entry) => raw(entry)), file.metadata)
  const { [FLAT_KEY]: flat, ...strings } = file.metadata
  if (flat !== undefined && file.root instanceof Map) {
    const bare = new Map([...file.tensors].map(([name, entry]) => [name.replace(/^model\./, ''), raw(entry)]))
    return writeRawSafetensors(target, bare, strings)
  }
  const names = tensorNames(file)
  const object = encodeObject(file.root, (value) => (value instanceof TorchTensor ? (names.get(value) ?? null) : null), file.path)
  writeRawSafetensors(target, mapped(file.tensors, (entry) => raw(entry)), { format: 'pt', ...strings, [OBJECT_KEY]: object })
}

/** The name under which each tensor is written; tensors that are the same view of the same bytes have the name of the first. */
function tensorNames(file: PthFile): Map<TorchTensor, string> {
  const names = new Map<TorchTensor, string>()
  const firsts = new Map<string, string>()
  for (const [name, tensor] of file.places) {
    const { storage, offset, shape, stride } = tensor
    const view = JSON.stringify([storage.key, storage.dtype, offset, shape, stride])
    const first = firsts.get(view) ?? name
    firsts.set(view, first)
    if (!names.has(tensor)) names.set(tensor, first)
  }
  return names
}

function toPth(file: TensorFile | PthFile, target: string, raw: Raw): void {
  const saved = new Map([...file.tensors].map(([name, entry]) => [name, new SavedTensor(raw(entry))]))
  if (isPth(file)) {
    const names = tensorNames(file)
    return writePth(target, replaceTensors(file.root, (tensor) => saved.get(names.get(tensor)!)!, file.path))
  }
  const { [OBJECT_KEY]: object, ...strings } = file.metadata
  if (object !== undefined) {
    let missing = ''
    const root = decodeObject(object, (name) => saved.get(name) ?? void (missing = name), file.path)
    if (missing) throw new AppError('bad-input', `${file.path} lacks the tensor ${missing} that its description names.`, 'Convert the original file again.', file.path)
    return writePth(target, root)
  }
  const amc = new Map<string, string>([...Object.entries(strings), [FLAT_KEY, '1']])
  writePth(target, new Map<string, unknown>([['model', new PyOrderedDict(saved)], ['amc', amc]]))
}

function replaceTensors(root: unknown, saved: (tensor: TorchTensor) => SavedTensor, place: string): unknown {
  const found: SavedTensor[] = []
  const index = new Map<SavedTensor, string>()
  const text = encodeObject(root, (value) => {
    if (!(value instanceof TorchTensor)) return null
    const tensor = saved(value)
    if (!index.has(tensor)) index.set(tensor, String(found.push(tensor) - 1))
    return index.get(tensor)!
  }, place)
  return decodeObject(text, (name) => found[Number(name)], place)
}

function mapped<V, W>(map: ReadonlyMap<string, V>, to: (value: V) => W): Map<string, W> {
  return new Map(Array.from(map, ([name, value]) => [name, to(value)]))
}
