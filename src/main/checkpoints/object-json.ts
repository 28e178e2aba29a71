/**
 * The object of a .pth file (settings, optimizer groups, epoch, where each tensor stands) as text, so that a safetensors file
 * can carry it and the .pth can be written again as it was. Kinds that JSON does not know are lists that begin with a letter.
 */
import { AppError } from '../../shared/errors.ts'
import { PyFloat, PyOrderedDict, PyTuple } from './pickle.ts'

const DEEPEST = 200
const MOST_VALUES = 2_000_000

/** @param tensorName the name a tensor has in the file, or null when the value is no tensor */
export function encodeObject(root: unknown, tensorName: (value: unknown) => string | null, place: string): string {
  let values = 0
  const encode = (value: unknown, depth: number): unknown => {
    if (depth > DEEPEST || ++values > MOST_VALUES) throw new AppError('bad-input', `${place} holds data that contains itself or is larger than any settings.`, 'Convert the weights alone.', place)
    const all = (items: readonly unknown[]): unknown[] => items.map((item) => encode(item, depth + 1))
    const name = tensorName(value)
    if (name !== null) return ['T', name]
    if (value === null || value === undefined) return null
    if (typeof value === 'boolean' || typeof value === 'string') return value
    if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : ['f', String(value)]
    if (value instanceof PyFloat) return ['f', Object.is(value.value, -0) ? '-0' : String(value.value)]
    if (typeof value === 'bigint') return ['i', String(value)]
    if (value instanceof PyTuple) return ['t', ...all(value.items)]
    if (Array.isArray(value)) return ['l', ...all(value)]
    if (value instanceof Set) return ['s', ...all([...(value as Set<unknown>)])]
    if (value instanceof Map) return [value instanceof PyOrderedDict ? 'o' : 'd', ...[...(value as Map<unknown, unknown>)].map(([key, item]) => [encode(key, depth + 1), encode(item, depth + 1)])]
    if (value instanceof Uint8Array) return ['b', Buffer.from(value).toString('base64')]
    throw new AppError('bad-input', `${place} holds a value that cannot be written as safetensors.`, 'Convert the weights alone.', place)
  }
  return JSON.stringify(encode(root, 0))
}

/** @throws AppError 'bad-input' when the text is not one that encodeObject wrote */
export function decodeObject(text: string, tensorOf: (name: string) => unknown, place: string): unknown {
  const wrong = () => new AppError('bad-input', `${place} carries a description of its .pth form that cannot be read.`, 'Convert the original file again.', place)
  const decode = (value: unknown, depth: number): unknown => {
    if (depth > DEEPEST) throw wrong()
    if (!Array.isArray(value)) {
      if (typeof value === 'object' && value !== null) throw wrong()
      return value
    }
    const [kind, ...rest] = value as unknown[]
    const all = (): unknown[] => rest.map((item) => decode(item, depth + 1))
    const pairs = (): [unknown, unknown][] => rest.map((pair) => {
      if (!Array.isArray(pair) || pair.length !== 2) throw wrong()
      return [decode(pair[0], depth + 1), decode(pair[1], depth + 1)]
    })
    const first = typeof rest[0] === 'string' ? rest[0] : ''
    switch (kind) {
      case 'T': return tensorOf(first)
      case 'f': return new PyFloat(Number(first))
      case 'i':
        if (!/^-?\d{1,2500}$/.test(first)) throw wrong()
        return BigInt(first)
      case 't': return new PyTuple(all())
      case 'l': return all()
      case 's': return new Set(all())
      case 'd': return new Map(pairs())
      case 'o': return new PyOrderedDict(pairs())
      case 'b': return new Uint8Array(Buffer.from(first, 'base64'))
      default: throw wrong()
    }
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw wrong()
  }
  return decode(parsed, 0)
}
