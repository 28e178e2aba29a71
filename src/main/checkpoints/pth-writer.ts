/** Writes .pth files that `torch.load(path, weights_only=True)` takes: any plain data with tensors in it, in the zip form. */
import { AppError } from '../../shared/errors.ts'
import { writeDurably } from './file-bytes.ts'
import { pickleGlobal, pickleInteger, pickleText, writePickle } from './pickle-writer.ts'
import { type RawTensor } from './safetensors.ts'
import { bytesOf, countOf, type Dtype, TORCH_NAME } from './tensor-file.ts'
import { createZipWriter } from './zip-writer.ts'

/** A tensor in the object to write. The same one in several places is stored once and stays shared. */
export class SavedTensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly bytes: () => Uint8Array
  constructor({ dtype, shape, bytes }: RawTensor) {
    this.dtype = dtype
    this.shape = shape
    this.bytes = bytes
  }
}

const STORAGE_OF: Partial<Record<Dtype, string>> = {
  F64: 'DoubleStorage', F32: 'FloatStorage', F16: 'HalfStorage', BF16: 'BFloat16Storage', I64: 'LongStorage',
  I32: 'IntStorage', I16: 'ShortStorage', I8: 'CharStorage', U8: 'ByteStorage', BOOL: 'BoolStorage',
}

/**
 * @param root Maps, arrays, PyTuples, PyFloats and plain values, with SavedTensors in place of tensors. Durable when it returns.
 * @throws AppError 'bad-input' for data that has no place in a checkpoint
 */
export function writePth(path: string, root: unknown): void {
  const keys = new Map<SavedTensor, string>()
  const keyOf = (tensor: SavedTensor): string => {
    const key = keys.get(tensor) ?? String(keys.size)
    keys.set(tensor, key)
    return key
  }
  const pickle = writePickle(root, (value) => (value instanceof SavedTensor ? pickleTensor(value, keyOf(value)) : null), path)
  writeDurably(path, (write) => {
    const zip = createZipWriter(write)
    zip.add('archive/data.pkl', pickle)
    zip.add('archive/byteorder', Buffer.from('little'))
    for (const [tensor, key] of keys) {
      const bytes = tensor.bytes()
      if (bytes.byteLength !== bytesOf(tensor)) throw new AppError('internal', `Storage ${key} of ${path} has ${bytes.byteLength} bytes, not those of its shape.`)
      zip.add(`archive/data/${key}`, bytes)
    }
    zip.add('archive/version', Buffer.from('3\n'))
    zip.finish()
  })
}

function pickleTensor({ dtype, shape }: SavedTensor, key: string): Buffer {
  const stride = shape.map((_, i) => countOf(shape.slice(i + 1).map((n) => Math.max(1, n)))) // as PyTorch strides empty tensors too
  const type = STORAGE_OF[dtype]
  const count = countOf(shape)
  const storage = tuple([
    pickleText('storage'), type ? pickleGlobal('torch', type) : pickleGlobal('torch.storage', 'UntypedStorage'),
    pickleText(key), pickleText('cpu'), pickleInteger(type ? count : bytesOf({ dtype, shape })),
  ])
  const parts = [
    storage, Buffer.from('Q'), pickleInteger(0), tuple(shape.map(pickleInteger)), tuple(stride.map(pickleInteger)),
    Buffer.from([0x89]), pickleGlobal('collections', 'OrderedDict'), Buffer.from(')R'),
  ]
  // Types younger than the named storages are bytes with their type beside.
  if (type) return Buffer.concat([pickleGlobal('torch._utils', '_rebuild_tensor_v2'), tuple(parts), Buffer.from('R')])
  return Buffer.concat([pickleGlobal('torch._utils', '_rebuild_tensor_v3'), tuple([...parts, pickleGlobal('torch', TORCH_NAME[dtype])]), Buffer.from('R')])
}

function tuple(items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')])
}
