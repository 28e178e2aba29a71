/** Walks what a pickle held and finds its tensors. Nothing here trusts the shape of the object: it may contain itself, or itself twice. */
import { AppError } from '../../shared/errors.ts'
import { PyTuple } from './pickle.ts'
import { TorchTensor, UnsupportedTensor } from './torch-objects.ts'

const MOST_TENSORS = 200_000
const DEEPEST = 64

export type FoundTensor = TorchTensor | UnsupportedTensor

/** The parts of a container with the names their places have; null for a plain value. */
export function partsOf(value: unknown): Iterable<readonly [string, unknown]> | null {
  if (value instanceof Map) return mapParts(value)
  if (Array.isArray(value)) return listParts(value)
  return value instanceof PyTuple ? listParts(value.items) : null
}

function* mapParts(map: ReadonlyMap<unknown, unknown>): Iterable<readonly [string, unknown]> {
  for (const [key, value] of map) yield [keyText(key), value]
}

function* listParts(list: readonly unknown[]): Iterable<readonly [string, unknown]> {
  for (let i = 0; i < list.length; i++) yield [String(i), list[i]]
}

function keyText(key: unknown): string {
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean' ? String(key) : '?'
}

/**
 * Calls `found` for every tensor with its dotted path. A part that is met on several paths is visited on each, as names need,
 * but only where it holds tensors at all; a structure that contains itself is entered once on a path.
 * @throws AppError 'bad-input' when there are more tensors than any checkpoint holds
 */
export function visitTensors(root: unknown, place: string, found: (name: string, tensor: FoundTensor) => void): void {
  const holders = tensorHolders(root)
  const open = new Set<unknown>()
  let visits = 0
  const visit = (value: unknown, name: string): void => {
    if (isTensor(value)) {
      found(name, value)
      return
    }
    if (!holders.has(value) || open.has(value)) return
    if (++visits > MOST_TENSORS || open.size >= DEEPEST) throw new AppError('bad-input', `${place} holds more tensors, or nests them deeper, than any checkpoint does.`, 'The file is damaged, or made to fill the memory.', place)
    open.add(value)
    for (const [key, child] of partsOf(value)!) {
      if (isTensor(child) && ++visits > MOST_TENSORS) throw new AppError('bad-input', `${place} holds more tensors than any checkpoint does.`, 'The file is damaged, or made to fill the memory.', place)
      visit(child, name ? `${name}.${key}` : key)
    }
    open.delete(value)
  }
  visit(root, '')
}

function isTensor(value: unknown): value is FoundTensor {
  return value instanceof TorchTensor || value instanceof UnsupportedTensor
}

/** The containers from which a tensor can be reached. Without recursion: a hostile pickle nests a million deep. */
function tensorHolders(root: unknown): Set<unknown> {
  const parents = new Map<unknown, unknown[]>()
  const withTensor: unknown[] = []
  const waiting: unknown[] = [root]
  const seen = new Set<unknown>([root])
  while (waiting.length > 0) {
    const value = waiting.pop()
    const parts = partsOf(value)
    if (!parts) continue
    for (const [, child] of parts) {
      if (isTensor(child)) withTensor.push(value)
      else if (typeof child === 'object' && child !== null) {
        const known = parents.get(child)
        if (known) known.push(value)
        else parents.set(child, [value])
        if (!seen.has(child)) {
          seen.add(child)
          waiting.push(child)
        }
      }
    }
  }
  const holders = new Set<unknown>()
  while (withTensor.length > 0) {
    const value = withTensor.pop()
    if (holders.has(value)) continue
    holders.add(value)
    for (const parent of parents.get(value) ?? []) if (!holders.has(parent)) withTensor.push(parent)
  }
  return holders
}
