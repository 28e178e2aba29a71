/**
 * Phrases whose boxes are hidden or locked. A way of working, not a part of the data: kept for this window, so that a reload shows
 * what was shown before, and never written into the project.
 */
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'

export interface Marks {
  readonly hidden: ReadonlySet<string>
  readonly locked: ReadonlySet<string>
}
export type Mark = keyof Marks

const KEY = 'amc.curate.marks'

export function readMarks(text: string | null): Marks {
  const ids = (value: unknown) => new Set(Array.isArray(value) ? value.filter((id): id is string => typeof id === 'string') : [])
  try {
    const kept = JSON.parse(text ?? '{}') as Record<string, unknown> | null
    return { hidden: ids(kept?.['hidden']), locked: ids(kept?.['locked']) }
  } catch {
    return { hidden: new Set(), locked: new Set() }
  }
}

function stored(): string | null {
  try {
    return window.sessionStorage.getItem(KEY)
  } catch {
    return null
  }
}

const store = createStore<Marks>(() => (typeof window === 'undefined' ? readMarks(null) : readMarks(stored())))

/** Sets a mark on phrases, or takes it off. */
export function mark(kind: Mark, ids: readonly string[], on: boolean): void {
  const next = new Set(store.getState()[kind])
  for (const id of ids) {
    if (on) next.add(id)
    else next.delete(id)
  }
  store.setState({ [kind]: next })
  try {
    const { hidden, locked } = store.getState()
    window.sessionStorage.setItem(KEY, JSON.stringify({ hidden: [...hidden], locked: [...locked] }))
  } catch {
    // Without storage the marks last until the page is loaded again.
  }
}

export const getMarks = store.getState
export const useMarks = (): Marks => useStore(store)
