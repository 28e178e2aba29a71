/**
 * Edits that the engine has not acknowledged, kept in the browser so that a reload or a page with a new key sends them. Each
 * page writes a list of its own, in order; the next page of the same project takes over all lists. An edit may so be sent
 * twice: its id makes that harmless.
 */
import type { PendingEdit } from './edit-steps.ts'

export type Storage = Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>

const PREFIX = 'amc-unsaved '

export interface Keeper {
  /** From now on edits are kept under this project. Without it none can be. */
  setProject(path: string): void
  /** Writes what is pending. False when the browser could not keep it. */
  keep(pending: readonly PendingEdit[]): boolean
  /** What earlier pages left, in the order in which it was done. */
  left(): readonly PendingEdit[]
  /** Takes it out of their lists, once this page keeps it itself. */
  takeOver(): void
}

/** True when some page, of whichever project, left edits. */
export function hasKept(storage: Storage): boolean {
  return keysOf(storage, PREFIX).length > 0
}

export function createKeeper(storage: Storage, pageId: string): Keeper {
  let prefix: string | null = null
  const own = () => `${prefix}${pageId}`
  const others = () => (prefix === null ? [] : keysOf(storage, prefix).filter((key) => key !== own()))
  let taken: readonly string[] = []
  return {
    setProject(path) {
      prefix = `${PREFIX}${encodeURIComponent(path)} `
    },
    keep(pending) {
      const edits = pending.flatMap(toKept)
      if (prefix === null) return edits.length === 0
      try {
        if (edits.length === 0) storage.removeItem(own())
        else storage.setItem(own(), JSON.stringify({ at: Date.now(), edits }))
        return true
      } catch {
        return edits.length === 0 // storage is full, or not allowed
      }
    },
    left() {
      taken = others()
      return taken
        .flatMap((key) => readList(storage.getItem(key)) ?? [])
        .sort((a, b) => a.at - b.at)
        .flatMap((list) => list.edits.map((edit): PendingEdit => ({ ...edit, state: 'queued', error: null })))
    },
    takeOver() {
      for (const key of taken) storage.removeItem(key)
      taken = []
    },
  }
}

type KeptEdit = Pick<PendingEdit, 'editId' | 'kind' | 'target' | 'label' | 'changes' | 'sent'>

/** A step without a target means whatever is next at its turn; by the time of another page that may be something else. */
function toKept({ editId, kind, target, label, changes, sent }: PendingEdit): KeptEdit[] {
  return kind !== 'edit' && target === null ? [] : [{ editId, kind, target, label, changes, sent }]
}

function readList(text: string | null): { readonly at: number; readonly edits: readonly KeptEdit[] } | null {
  try {
    const list = JSON.parse(text ?? 'null') as { at: number; edits: KeptEdit[] } | null
    return list && Array.isArray(list.edits) ? list : null
  } catch {
    return null
  }
}

function keysOf(storage: Storage, prefix: string): string[] {
  return Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? '').filter((key) => key.startsWith(prefix))
}
