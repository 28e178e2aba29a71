/**
 * Phrases and single boxes that are hidden or locked. A way of working, not a part of the data: kept for this window, so that a reload
 * shows what was shown before, and never written into the project. A phrase is known by its id, a box by its phrase and its numbers, so
 * that it stays marked wherever it comes to stand among the others.
 */
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'
import type { Region, RegionState } from '../../../shared/domain.ts'
import { type Box, sameBox } from '../../../shared/geometry.ts'
import type { EditLog, EditLogState } from './edit-log-types.ts'
import { overlay } from './edit-steps.ts'

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
  if (ids.length === 0) return
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

export const boxMark = (regionId: string, box: Box): string => `${regionId} ${box.join(' ')}`
const regionOf = (id: string): string => id.split(' ', 1)[0]!

/** Ids of the phrases that have a mark, whole or a single box of theirs. */
export const markedPhrases = (ids: ReadonlySet<string>): ReadonlySet<string> => new Set([...ids].map(regionOf))

/** Takes every mark off these phrases and their boxes. */
export function unmark(regionIds: readonly string[]): void {
  const wanted = new Set(regionIds)
  for (const kind of ['hidden', 'locked'] as const) mark(kind, [...store.getState()[kind]].filter((id) => wanted.has(regionOf(id))), false)
}

/** What of a phrase is locked against a change: all of it, or a box that would be changed or would go; null when nothing is. */
export function lockedAgainst({ locked }: Marks, region: Pick<Region, 'id' | 'boxes' | 'outlines'>, after: Partial<RegionState>): 'phrase' | Box | null {
  if (after.boxes === undefined && after.outlines === undefined && after.deleted === undefined) return null
  if (locked.has(region.id)) return 'phrase'
  const boxes = after.deleted === true ? [] : (after.boxes ?? region.boxes)
  const stays = (box: Box, index: number): boolean => {
    const at = boxes.findIndex((other) => sameBox(other, box))
    // Boxes alone leave the outlines of those that stay as they are.
    return at >= 0 && (after.outlines === undefined || String(after.outlines[at] ?? []) === String(region.outlines[index] ?? []))
  }
  return region.boxes.find((box, index) => locked.has(boxMark(region.id, box)) && !stays(box, index)) ?? null
}

/** A marked box that became another one in its place keeps its marks; one that only came to stand elsewhere has them still. */
export function carryMarks(regionId: string, before: readonly Box[], after: readonly Box[]): void {
  if (after.length !== before.length) return
  const has = (list: readonly Box[], box: Box): boolean => list.some((other) => sameBox(other, box))
  const became = before.flatMap((box, i) => (has(after, box) || has(before, after[i]!) ? [] : [{ from: boxMark(regionId, box), to: boxMark(regionId, after[i]!) }]))
  for (const kind of ['hidden', 'locked'] as const) {
    const carried = became.filter(({ from }) => store.getState()[kind].has(from))
    mark(kind, carried.map(({ from }) => from), false)
    mark(kind, carried.map(({ to }) => to), true)
  }
}

/** Marks go along with whatever changes a box: an edit, a step back or forward, somebody elsewhere. */
export function followMarks(log: Pick<EditLog, 'store'>): () => void {
  return log.store.subscribe((after, before) => {
    if (after.base === before.base && after.pending === before.pending) return
    const { hidden, locked } = store.getState()
    const ids = markedPhrases(new Set([...hidden, ...locked].filter((id) => id.includes(' '))))
    for (const id of ids) {
      const shown = ({ base, pending }: EditLogState) => {
        for (const image of base.values()) if (image.has(id)) return overlay(image.get(id), id, pending)
        return overlay(undefined, id, pending)
      }
      const [old, next] = [shown(before), shown(after)]
      if (old && next) carryMarks(id, old.boxes, next.boxes)
    }
  })
}
