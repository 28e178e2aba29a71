/** Pure parts of the edit log: what pending edits and steps back and forward show, and what the next step would be. */
import type { Region, RegionFields, RegionMarks } from '../../../shared/domain.ts'
import type { ErrorData } from '../../../shared/errors.ts'
import { t } from '../../../shared/messages/messages.ts'
import { type RegionDiff, reverseRegionDiff } from '../../../shared/region-diff.ts'

export type Change =
  | { readonly kind: 'change'; readonly regionId: string; readonly imageId: string; readonly diff: RegionDiff }
  | { readonly kind: 'create'; readonly region: Region }

/** One entry of the order in which things are sent: an edit, or a step back or forward among the edits. */
export interface PendingEdit {
  readonly editId: string
  readonly kind: 'edit' | 'undo' | 'redo'
  /** Of a step: the edit it means; null until its turn, when it means whatever is next then. */
  readonly target: string | null
  readonly label: string
  /** What the screen shows of it. Of a step they are empty where the page does not know the edit. */
  readonly changes: readonly Change[]
  readonly state: 'queued' | 'sending' | 'failed'
  /** True once it went out: the engine may hold it, though no answer came. */
  readonly sent: boolean
  readonly error: ErrorData | null
}

/** The engine's undo ledger, as far as it is told. */
export interface UndoState {
  readonly undoLabel: string | null
  readonly redoLabel: string | null
  readonly undoEditId: string | null
  readonly redoEditId: string | null
}

/** What redo makes again: an edit that never went out, or one that the engine took back. */
export type Taken = { readonly kind: 'local'; readonly label: string; readonly changes: readonly Change[] } | { readonly kind: 'engine'; readonly label: string }

export const fieldsOf = (region: Region): RegionFields & RegionMarks => ({
  phrase: region.phrase, boxes: region.boxes, outlines: region.outlines, status: region.status, tags: region.tags, note: region.note, deleted: region.deleted,
  split: region.split, assignee: region.assignee, review: region.review, second: region.second, z: region.z ?? 0,
})

export function afterValues(diff: RegionDiff): Partial<RegionFields & RegionMarks> {
  const values: Record<string, unknown> = {}
  for (const [field, change] of Object.entries(diff)) if (change) values[field] = change.after
  return values as Partial<RegionFields & RegionMarks>
}

/** The region with all pending entries on top, the failed ones too; a diff that no longer fits shows the user's value. */
export function overlay(region: Region | undefined, regionId: string, pending: readonly PendingEdit[]): Region | undefined {
  let shown = region
  for (const edit of pending) {
    for (const change of edit.changes) {
      if (change.kind === 'create' && change.region.id === regionId) shown ??= change.region
      if (change.kind === 'change' && change.regionId === regionId && shown) shown = { ...shown, ...afterValues(change.diff) }
    }
  }
  return shown
}

/** Taking back a creation is deleting, making it again is bringing back. */
export const backwards = (changes: readonly Change[]): readonly Change[] =>
  changes.map((change): Change => change.kind === 'create'
    ? { kind: 'change', regionId: change.region.id, imageId: change.region.imageId, diff: { deleted: { before: false, after: true } } }
    : { ...change, diff: reverseRegionDiff(change.diff) }).reverse()

export const forwards = (changes: readonly Change[]): readonly Change[] =>
  changes.map((change): Change => change.kind === 'create'
    ? { kind: 'change', regionId: change.region.id, imageId: change.region.imageId, diff: { deleted: { before: true, after: false } } }
    : change)

export const imagesOf = (changes: readonly Change[]): readonly string[] => [...new Set(changes.map((change) => (change.kind === 'create' ? change.region.imageId : change.imageId)))]

/** True when an edit changes a region that the other created, or the same field of the same region. */
export function buildsOn(edit: PendingEdit, earlier: PendingEdit): boolean {
  if (edit.kind !== 'edit') return edit.target === earlier.editId
  return edit.changes.some((change) =>
    earlier.changes.some((other) => {
      if (change.kind === 'create') return false
      if (other.kind === 'create') return other.region.id === change.regionId
      return other.regionId === change.regionId && Object.keys(other.diff).some((field) => field in change.diff)
    }),
  )
}

/** Pending edits that stand once all pending steps are made, the last one last; beyond: steps that reach into what the engine holds. */
export function standing(pending: readonly PendingEdit[]): { readonly edits: readonly PendingEdit[]; readonly beyond: number } {
  const edits: PendingEdit[] = []
  const undone: (PendingEdit | null)[] = []
  let beyond = 0
  for (const entry of pending) {
    if (entry.kind === 'edit') {
      edits.push(entry)
      undone.length = 0
    } else if (entry.kind === 'undo') {
      const back = edits.pop() ?? null
      if (!back) beyond++
      undone.push(back)
    } else {
      const again = undone.pop() ?? null
      if (again) edits.push(again)
      else beyond--
    }
  }
  return { edits, beyond }
}

const EARLIER = t('an earlier edit')

/** What undo and redo would do next, in words; null when there is nothing. */
export function stepLabels(state: UndoState & { readonly pending: readonly PendingEdit[]; readonly taken: readonly Taken[] }): { readonly undoLabel: string | null; readonly redoLabel: string | null } {
  const { edits, beyond } = standing(state.pending)
  const last = state.pending.at(-1)
  const undoLabel = edits.at(-1)?.label ?? (last?.kind === 'redo' ? last.label : beyond === 0 ? state.undoLabel : state.undoLabel === null ? null : EARLIER)
  const redoLabel = state.taken.at(-1)?.label ?? (state.pending.length === 0 ? state.redoLabel : null)
  return { undoLabel, redoLabel }
}
