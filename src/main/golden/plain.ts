import { PyTuple } from '../checkpoints/pickle.ts'

/** What a pickle holds as plain data: dictionaries as records, tuples and sets as lists. */
export function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...(value as ReadonlyMap<unknown, unknown>)].map(([key, one]) => [String(key), plain(one)]))
  if (value instanceof PyTuple) return value.items.map(plain)
  if (value instanceof Set) return [...value].map(plain)
  if (typeof value === 'bigint') return String(value)
  return Array.isArray(value) ? value.map(plain) : value
}
