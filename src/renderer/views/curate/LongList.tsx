/** A list of the inspector that may have thousands of entries: the first ones, and more when asked. */
import { useState } from 'react'
import { Button } from '../../ui/Button.tsx'

export interface LongList<T> {
  readonly shown: readonly T[]
  readonly left: number
  readonly more: () => void
}

/** @param reach an entry that must be among those shown, e.g. the chosen one; -1 for none */
export function useLongList<T>(all: readonly T[], step: number, reach = -1): LongList<T> {
  const [most, setMost] = useState(step)
  const count = Math.min(all.length, Math.max(most, Math.ceil((reach + 1) / step) * step))
  return { shown: count === all.length ? all : all.slice(0, count), left: all.length - count, more: () => setMost(count + step * 5) }
}

/** @param label says how many are left */
export function MoreButton({ of, label }: { of: LongList<unknown>; label: (left: number) => string }) {
  return of.left > 0 ? <Button size="s" kind="ghost" onClick={of.more}>{label(of.left)}</Button> : null
}
