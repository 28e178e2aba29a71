/**
 * PyTorch's .pth files: the zip form (a pickle and raw storages, stored uncompressed, read by offset) and the older stream
 * form. Nothing in the file is executed; see pickle.ts.
 */
import { AppError, isAppError } from '../../shared/errors.ts'
import { asBuffer, openFile, type OpenFile } from './file-bytes.ts'
import { visitTensors } from './object-tree.ts'
import { PyTuple, readPickle } from './pickle.ts'
import { readRawTensor, readTensor, type Storage, storageFromId, type StorageReader, stretchesOf, torchGlobals, type TorchTensor, UnsupportedTensor } from './torch-objects.ts'
import { BYTES_OF, type TensorEntry, type TensorFile, unsupportedType } from './tensor-file.ts'
import { readZipEntries } from './zip-entries.ts'

export interface PthFile extends TensorFile {
  /** The whole object as saved: Maps, arrays, PyTuples, numbers, strings, and TorchTensors in place of tensors. */
  readonly root: unknown
  /** Every tensor of `root` by the name it has in `tensors`. */
  readonly places: ReadonlyMap<string, TorchTensor>
  /** Finds the tensor entry of a TorchTensor met in `root`. */
  entryOf(tensor: TorchTensor, name: string): TensorEntry
}

export interface OpenPthOptions {
  /** Floats in `root` are PyFloat, so that it can be written again as it was. */
  readonly exact?: boolean
}

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn
const LEGACY_PROTOCOL = 1001
/** The object of the largest published checkpoints takes less than one of these. */
const MAX_PICKLE_BYTES = 64 << 20
const LEGACY_WINDOWS = [1 << 20, 8 << 20, MAX_PICKLE_BYTES]
const ZIP_MAGIC = 0x04034b50
const EMPTY_ZIP_MAGIC = 0x06054b50

/**
 * Opens either form. Tensors are named by their path in the object: 'model.visual_encoder.cls_token' of {'model': {...}}.
 * @throws AppError 'bad-input' when the file is damaged, 'forbidden' when its pickle names anything outside the allow-list.
 */
export async function openPth(path: string, { exact = false }: OpenPthOptions = {}): Promise<PthFile> {
  const file = openFile(path)
  try {
    const magic = file.size >= 4 ? asBuffer(file.read(0, 4)).readUInt32LE(0) : 0
    const isZip = magic === ZIP_MAGIC || magic === EMPTY_ZIP_MAGIC
    const { root, reader } = isZip ? readZipForm(file, exact) : readLegacyForm(file, exact)
    const entryOf = (tensor: TorchTensor, name: string): TensorEntry => ({
      name,
      dtype: tensor.storage.dtype,
      shape: tensor.shape,
      read: () => readTensor(tensor, reader, `${path}: ${name}`),
      readRaw: () => readRawTensor(tensor, reader, `${path}: ${name}`),
      stretches: () => stretchesOf(tensor, reader, `${path}: ${name}`),
    })
    const tensors = new Map<string, TensorEntry>()
    const places = new Map<string, TorchTensor>()
    visitTensors(root, path, (written, tensor) => {
      if (tensor instanceof UnsupportedTensor) throw unsupportedType(tensor.type, written, path)
      let name = written
      for (let i = 2; tensors.has(name); i++) name = `${written}~${i}` // the keys 1 and '1' of one dictionary
      tensors.set(name, entryOf(tensor, name))
      places.set(name, tensor)
    })
    return { format: isZip ? 'pth' : 'pth-legacy', path, tensors, metadata: stringsOf(root), root, places, entryOf, close: file.close }
  } catch (error) {
    file.close()
    throw error
  }
}

/** What our own .pth files say of themselves: the strings of their dictionary 'amc', the same that a safetensors header carries. */
function stringsOf(root: unknown): Record<string, string> {
  const own: unknown = root instanceof Map ? root.get('amc') : null
  if (!(own instanceof Map)) return {}
  return Object.fromEntries([...own].filter((pair): pair is [string, string] => typeof pair[0] === 'string' && typeof pair[1] === 'string'))
}

/** Values beyond this are not settings and names of weights: a state dict makes about 20 for a tensor. */
function mostValues(pickleBytes: number): number {
  return Math.max(100_000, Math.min(8_000_000, 2 * pickleBytes))
}

function readZipForm(file: OpenFile, exact: boolean): { root: unknown; reader: StorageReader } {
  const { path } = file
  const entries = readZipEntries(file)
  const pickleName = [...entries.keys()].find((name) => name === 'data.pkl' || name.endsWith('/data.pkl'))
  if (!pickleName) throw new AppError('bad-input', `${path} is a zip archive but not one of PyTorch: data.pkl is missing.`, 'Choose the .pth file itself.', path)
  const prefix = pickleName.slice(0, -'data.pkl'.length)
  const order = entries.get(`${prefix}byteorder`)
  if (order && asBuffer(file.read(order.start, Math.min(order.bytes, 16))).toString() !== 'little') throw bigEndian(path)
  const pickle = entries.get(pickleName)!
  if (pickle.bytes > MAX_PICKLE_BYTES) throw new AppError('bad-input', `The pickle of ${path} is ${pickle.bytes} bytes long, more than any checkpoint needs.`, 'Save the weights alone.', path)
  const bytes = file.read(pickle.start, pickle.bytes)
  const { value } = readPickle(bytes, 0, {
    place: path, allowed: torchGlobals(path), exactFloats: exact, maxValues: mostValues(bytes.length),
    persistentLoad: (id) => storageFromId(id, path).storage,
  })
  const read: StorageReader['read'] = (storage, begin, length, into) => {
    const entry = entries.get(`${prefix}data/${storage.key}`)
    if (!entry || entry.bytes < storage.length * BYTES_OF[storage.dtype]) {
      throw new AppError('bad-input', `The values of storage ${storage.key} in ${path} are ${entry ? 'cut short' : 'missing'}.`, 'Fetch the file again.', path)
    }
    return file.read(entry.start + begin, length, into)
  }
  return { root: value, reader: { read, fileBytes: file.size } }
}

/** The pickles stand before the values: a window that holds them is enough, and few checkpoints need more than the first. */
function readLegacyForm(file: OpenFile, exact: boolean): { root: unknown; reader: StorageReader } {
  for (const window of LEGACY_WINDOWS) {
    try {
      return readLegacyPickles(file, file.read(0, Math.min(file.size, window)), exact)
    } catch (error) {
      const mayBeCut = isAppError(error) && error.code === 'bad-input' && window < file.size && window < MAX_PICKLE_BYTES && !(error instanceof NotACheckpoint)
      if (!mayBeCut) throw error
    }
  }
  throw new AppError('internal', 'The last window is returned from or thrown out of.')
}

class NotACheckpoint extends AppError {}

function readLegacyPickles(file: OpenFile, head: Uint8Array, exact: boolean): { root: unknown; reader: StorageReader } {
  const { path } = file
  const storages = new Map<string, Storage>()
  const views = new Map<string, { root: string; offset: number }>()
  const plain = { place: path, allowed: torchGlobals(path), maxValues: mostValues(head.length) }
  const wrong = () => new NotACheckpoint('bad-input', `${path} is not a PyTorch checkpoint.`, 'Choose a .pth or .safetensors file.', path)
  let magic
  try {
    magic = readPickle(head, 0, plain)
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') throw error
    throw wrong()
  }
  if (magic.value !== LEGACY_MAGIC) throw wrong()
  const protocol = readPickle(head, magic.end, plain)
  if (protocol.value !== LEGACY_PROTOCOL) throw new AppError('bad-input', `${path} has another protocol than ${LEGACY_PROTOCOL}.`, 'Save it anew with a current PyTorch.', path)
  const system = readPickle(head, protocol.end, plain)
  if (system.value instanceof Map && system.value.get('little_endian') === false) throw bigEndian(path)
  const object = readPickle(head, system.end, {
    ...plain,
    exactFloats: exact,
    persistentLoad: (id) => {
      const { storage, id: items } = storageFromId(id, path)
      if (storage.key === undefined) return storage // of a type that is refused where it is used
      const view = items[5]
      if (view instanceof PyTuple) {
        const [key, offset, length] = view.items
        if (typeof key !== 'string' || !isSize(offset) || !isSize(length)) throw new AppError('bad-input', `${path} has a part of a storage in a form that is not known.`, 'Fetch the file again.', path)
        views.set(key, { root: storage.key, offset })
        storages.set(storage.key, storage)
        return { key, dtype: storage.dtype, length }
      }
      storages.set(storage.key, storage)
      return storage
    },
  })
  const keys = readPickle(head, object.end, plain)
  if (!Array.isArray(keys.value)) throw wrong()
  const starts = new Map<string, number>()
  let at = keys.end
  for (const key of keys.value as unknown[]) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined
    if (!storage) throw new AppError('bad-input', `${path} holds values of a storage that nothing refers to.`, 'Fetch the file again.', path)
    const length = Number(asBuffer(file.read(at, 8)).readBigInt64LE())
    if (length !== storage.length) throw new AppError('bad-input', `Storage ${storage.key} of ${path} has ${length} values, not ${storage.length}.`, 'Fetch the file again.', path)
    starts.set(storage.key, at + 8)
    at += 8 + length * BYTES_OF[storage.dtype]
  }
  if (at > file.size) throw new AppError('bad-input', `${path} ends early: ${at - file.size} bytes are missing.`, 'Fetch it again.', path)
  const read: StorageReader['read'] = (storage, begin, length, into) => {
    const view = views.get(storage.key)
    const root = storages.get(view?.root ?? storage.key)
    const start = starts.get(view?.root ?? storage.key)
    if (start === undefined || !root) throw new AppError('bad-input', `The values of storage ${storage.key} in ${path} are missing.`, 'Fetch the file again.', path)
    const offset = (view ? view.offset * BYTES_OF[storage.dtype] : 0) + begin
    if (offset + length > root.length * BYTES_OF[root.dtype]) throw new AppError('bad-input', `A tensor in ${path} reaches beyond its storage ${storage.key}.`, 'Fetch the file again.', path)
    return file.read(start + offset, length, into)
  }
  return { root: object.value, reader: { read, fileBytes: file.size } }
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function bigEndian(path: string): AppError {
  return new AppError('bad-input', `${path} was written on a big-endian machine, which is not supported.`, 'Save it as safetensors.', path)
}
