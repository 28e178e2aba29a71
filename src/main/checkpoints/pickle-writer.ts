/** Plain data as a pickle of protocol 2, in the instructions that PyTorch's own safe reader (weights_only) takes. */
import { AppError } from '../../shared/errors.ts'
import { PyFloat, PyOrderedDict, PyTuple } from './pickle.ts'

const DEEPEST = 200
const BATCH = 1000

/** Instructions for what plain data does not cover; null leaves the value to the writer. */
export type WriteOther = (value: unknown) => Uint8Array | null

/**
 * Numbers that are whole become ints; wrap them in PyFloat to keep them floats.
 * @throws AppError 'bad-input' for data that contains itself, nests too deeply or is of a kind that has no place in a checkpoint
 */
export function writePickle(root: unknown, other: WriteOther, place: string): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x80, 2])]
  const open = new Set<unknown>()
  const put = (value: unknown): void => {
    const special = other(value)
    if (special) parts.push(special)
    else if (value === null || value === undefined) parts.push(Buffer.from('N'))
    else if (typeof value === 'boolean') parts.push(Buffer.from([value ? 0x88 : 0x89]))
    else if (typeof value === 'number') parts.push(Number.isSafeInteger(value) && !Object.is(value, -0) ? pickleInteger(value) : pickleFloat(value))
    else if (typeof value === 'bigint') parts.push(pickleInteger(value))
    else if (value instanceof PyFloat) parts.push(pickleFloat(value.value))
    else if (typeof value === 'string') parts.push(pickleText(value))
    else if (value instanceof Uint8Array) parts.push(pickleGlobal('_codecs', 'encode'), Buffer.from('('), pickleText(Buffer.from(value).toString('latin1')), pickleText('latin1'), Buffer.from('tR'))
    else putContainer(value)
  }
  const putContainer = (value: unknown): void => {
    if (open.has(value) || open.size >= DEEPEST) throw new AppError('bad-input', `${place} holds data that contains itself or nests too deeply, and cannot be written as a .pth file.`, 'Write the weights alone.', place)
    open.add(value)
    if (value instanceof PyTuple) {
      parts.push(Buffer.from('('))
      for (const item of value.items) put(item)
      parts.push(Buffer.from('t'))
    } else if (Array.isArray(value)) {
      parts.push(Buffer.from(']'))
      putBatches(value, 'e', put)
    } else if (value instanceof Map) {
      parts.push(value instanceof PyOrderedDict ? Buffer.concat([pickleGlobal('collections', 'OrderedDict'), Buffer.from(')R')]) : Buffer.from('}'))
      putBatches([...(value as Map<unknown, unknown>)], 'u', ([key, item]) => {
        put(key)
        put(item)
      })
    } else if (value instanceof Set) {
      parts.push(pickleGlobal('__builtin__', 'set'), Buffer.from('(]'))
      putBatches([...(value as Set<unknown>)], 'e', put)
      parts.push(Buffer.from('tR'))
    } else {
      throw new AppError('bad-input', `${place} holds a value that cannot be written as a .pth file.`, 'Write the weights alone.', place)
    }
    open.delete(value)
  }
  const putBatches = <T>(items: readonly T[], end: string, putItem: (item: T) => void): void => {
    for (let i = 0; i < items.length; i += BATCH) {
      parts.push(Buffer.from('('))
      for (const item of items.slice(i, i + BATCH)) putItem(item)
      parts.push(Buffer.from(end))
    }
  }
  put(root)
  parts.push(Buffer.from('.'))
  return Buffer.concat(parts)
}

export function pickleGlobal(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`)
}

export function pickleText(value: string): Buffer {
  const text = Buffer.from(value)
  const head = Buffer.alloc(5)
  head.write('X', 'latin1')
  head.writeUInt32LE(text.length, 1)
  return Buffer.concat([head, text])
}

export function pickleInteger(value: number | bigint): Buffer {
  const whole = BigInt(value)
  if (whole >= 0n && whole < 256n) return Buffer.from([0x4b, Number(whole)])
  if (whole >= -(2n ** 31n) && whole < 2n ** 31n) {
    const bytes = Buffer.alloc(5)
    bytes.write('J', 'latin1')
    bytes.writeInt32LE(Number(whole), 1)
    return bytes
  }
  let length = 5
  while (whole < -(2n ** BigInt(8 * length - 1)) || whole >= 2n ** BigInt(8 * length - 1)) length++
  const bits = BigInt.asUintN(8 * length, whole)
  return Buffer.from([0x8a, length, ...Array.from({ length }, (_, i) => Number((bits >> BigInt(8 * i)) & 255n))])
}

function pickleFloat(value: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes.write('G', 'latin1')
  bytes.writeDoubleBE(value, 1)
  return bytes
}
