/**
 * PyTorch's .pth files: the zip form (a pickle and raw storages, stored uncompressed, read by offset) and the older stream
 * form. Nothing in the file is executed; see pickle.ts.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { AppError } from '../../shared/errors.ts'
import { PyTuple, readPickle } from './pickle.ts'
import { BYTES_OF, type TensorEntry, type TensorFile } from './tensor-file.ts'
import { readTensor, type Storage, storageFromId, torchGlobals, TorchTensor } from './torch-objects.ts'
import { readZipEntries } from './zip-entries.ts'

export interface PthFile extends TensorFile {
  /** The whole object as saved: Maps, arrays, PyTuples, numbers, strings, and TorchTensors in place of tensors. */
  readonly root: unknown
  /** Finds the tensor entry of a TorchTensor met in `root`. */
  entryOf(tensor: TorchTensor, name: string): TensorEntry
}

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn
const MAX_PICKLE_BYTES = 512 * 1024 * 1024

/**
 * Opens either form. Tensors are named by their path in the object: 'model.visual_encoder.cls_token' of {'model': {...}}.
 * @throws AppError 'bad-input' when the file is damaged, 'forbidden' when its pickle names anything outside the allow-list.
 */
export async function openPth(path: string): Promise<PthFile> {
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    const head = readAt(file, 0, Math.min(4, size), path)
    const isZip = head.length === 4 && head.readUInt32LE(0) === 0x04034b50
    const { root, readStorage } = isZip ? await readZipForm(file, path) : readLegacyForm(file, size, path)
    const entryOf = (tensor: TorchTensor, name: string): TensorEntry => ({
      name,
      dtype: tensor.storage.dtype,
      shape: tensor.shape,
      read: () => readTensor(tensor, readStorage, `${path}: ${name}`),
    })
    const tensors = new Map<string, TensorEntry>()
    collect(root, '', (name, tensor) => tensors.set(name, entryOf(tensor, name)), new Set())
    return { format: isZip ? 'pth' : 'pth-legacy', path, tensors, metadata: {}, root, entryOf, close: () => closeSync(file) }
  } catch (error) {
    closeSync(file)
    throw error
  }
}

type ReadStorage = (storage: Storage, begin: number, bytes: number) => Uint8Array

async function readZipForm(file: number, path: string): Promise<{ root: unknown; readStorage: ReadStorage }> {
  const entries = await readZipEntries(path)
  const pickleName = [...entries.keys()].find((name) => name === 'data.pkl' || name.endsWith('/data.pkl'))
  if (!pickleName) throw new AppError('bad-input', `${path} is a zip archive but not one of PyTorch: data.pkl is missing.`, 'Choose the .pth file itself.', path)
  const prefix = pickleName.slice(0, -'data.pkl'.length)
  const order = entries.get(`${prefix}byteorder`)
  if (order && readAt(file, order.start, order.bytes, path).toString() !== 'little') {
    throw new AppError('bad-input', `${path} was written on a big-endian machine, which is not supported.`, 'Save it as safetensors.', path)
  }
  const pickle = entries.get(pickleName)!
  if (pickle.bytes > MAX_PICKLE_BYTES) throw new AppError('bad-input', `The pickle of ${path} is ${pickle.bytes} bytes long, more than any checkpoint needs.`, 'Save the weights alone.', path)
  const bytes = readAt(file, pickle.start, pickle.bytes, path)
  const { value } = readPickle(bytes, 0, { place: path, allowed: torchGlobals(path), persistentLoad: (id) => storageFromId(id, path).storage })
  const readStorage: ReadStorage = (storage, begin, length) => {
    const entry = entries.get(`${prefix}data/${storage.key}`)
    if (!entry || entry.bytes < storage.length * BYTES_OF[storage.dtype]) {
      throw new AppError('bad-input', `The values of storage ${storage.key} in ${path} are ${entry ? 'cut short' : 'missing'}.`, 'Fetch the file again.', path)
    }
    return readAt(file, entry.start + begin, length, path)
  }
  return { root: value, readStorage }
}

function readLegacyForm(file: number, size: number, path: string): { root: unknown; readStorage: ReadStorage } {
  // The pickles stand before the storages; reading stops where the last pickle ends, so only they are held in memory.
  const head = readAt(file, 0, Math.min(size, MAX_PICKLE_BYTES), path)
  const storages = new Map<string, Storage>()
  const views = new Map<string, { root: string; offset: number }>()
  const plain = { place: path, allowed: torchGlobals(path) }
  const wrong = () => new AppError('bad-input', `${path} is not a PyTorch checkpoint.`, 'Choose a .pth or .safetensors file.', path)
  let magic
  try {
    magic = readPickle(head, 0, plain)
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') throw error
    throw wrong()
  }
  if (magic.value !== LEGACY_MAGIC) throw wrong()
  const protocol = readPickle(head, magic.end, plain)
  if (protocol.value !== 1001) throw new AppError('bad-input', `${path} has the protocol ${String(protocol.value)}, not 1001.`, 'Save it anew with a current PyTorch.', path)
  const system = readPickle(head, protocol.end, plain)
  const object = readPickle(head, system.end, {
    ...plain,
    persistentLoad: (id) => {
      const { storage, id: items } = storageFromId(id, path)
      const view = items[5]
      if (view instanceof PyTuple) {
        const [key, offset, length] = view.items as [string, number, number]
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
    const storage = storages.get(String(key))
    if (!storage) throw new AppError('bad-input', `${path} holds values of a storage that nothing refers to.`, 'Fetch the file again.', path)
    const length = Number(readAt(file, at, 8, path).readBigInt64LE())
    if (length !== storage.length) throw new AppError('bad-input', `Storage ${storage.key} of ${path} has ${length} values, not ${storage.length}.`, 'Fetch the file again.', path)
    starts.set(storage.key, at + 8)
    at += 8 + length * BYTES_OF[storage.dtype]
  }
  if (at > size) throw new AppError('bad-input', `${path} ends early: ${at - size} bytes are missing.`, 'Fetch it again.', path)
  const readStorage: ReadStorage = (storage, begin, length) => {
    const view = views.get(storage.key)
    const start = starts.get(view?.root ?? storage.key)
    if (start === undefined) throw new AppError('bad-input', `The values of storage ${storage.key} in ${path} are missing.`, 'Fetch the file again.', path)
    return readAt(file, start + (view ? view.offset * BYTES_OF[storage.dtype] : 0) + begin, length, path)
  }
  return { root: object.value, readStorage }
}

/** Visits every tensor with its dotted path; a structure that contains itself is visited once. */
function collect(value: unknown, name: string, found: (name: string, tensor: TorchTensor) => void, open: Set<unknown>): void {
  if (value instanceof TorchTensor) return found(name, value)
  if (typeof value !== 'object' || value === null || open.has(value)) return
  const children =
    value instanceof Map ? [...value].map(([key, child]) => [String(key), child] as const)
    : Array.isArray(value) ? value.map((child, i) => [String(i), child] as const)
    : value instanceof PyTuple ? value.items.map((child, i) => [String(i), child] as const)
    : []
  open.add(value)
  for (const [key, child] of children) collect(child, name ? `${name}.${key}` : key, found, open)
  open.delete(value)
}

function readAt(file: number, position: number, length: number, path: string): Buffer {
  const available = fstatSync(file).size - position
  if (length > available) throw new AppError('bad-input', `${path} ends early: ${length - Math.max(0, available)} bytes are missing.`, 'Fetch it again.', path)
  const buffer = Buffer.from(new ArrayBuffer(length))
  let done = 0
  while (done < length) {
    const count = readSync(file, buffer, done, Math.min(length - done, 1 << 30), position + done)
    if (count === 0) throw new AppError('bad-input', `${path} ends early.`, 'Fetch it again.', path)
    done += count
  }
  return buffer
}
