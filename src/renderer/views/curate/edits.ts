/**
 * The page's one edit log. It outlives the screen: an edit that is not yet saved is still sent, and still shown when one
 * comes back. The status bar tells how it stands, and the window does not close on unsaved edits without asking.
 */
import { useMemo } from 'react'
import { useStore } from 'zustand'
import type { Region } from '../../../shared/domain.ts'
import { setSaveState } from '../../app/status.ts'
import { api } from '../../state/engine.ts'
import { errorData, isDisconnected } from '../../state/errors.ts'
import { type PendingEdit, createEditLog } from './edit-log.ts'
import { mintId } from './words.ts'

export const editLog = createEditLog(
  { apply: (input) => api.regions.apply(input), undo: () => api.regions.undo({}), redo: () => api.regions.redo({}) },
  { mintId, toError: errorData, isDisconnected, wait: (ms) => new Promise((resolve) => window.setTimeout(resolve, ms)) },
)

editLog.store.subscribe(({ pending }, before) => {
  if (pending === before.pending) return
  const failed = pending.find((edit) => edit.state === 'failed')
  if (failed) setSaveState({ kind: 'failed', edits: pending.length, message: failed.error?.message ?? '' })
  else setSaveState(pending.length > 0 ? { kind: 'saving', edits: pending.length } : { kind: 'saved' })
})

window.addEventListener('beforeunload', (event) => {
  if (editLog.store.getState().pending.length > 0) event.preventDefault()
})

/** The image's regions with unsaved edits on top; a new list only when something changed. */
export function useRegions(imageId: string | null): readonly Region[] {
  const base = useStore(editLog.store, (state) => (imageId === null ? undefined : state.base.get(imageId)))
  const pending = useStore(editLog.store, (state) => state.pending)
  return useMemo(() => (imageId === null ? [] : editLog.regions(imageId)), [imageId, base, pending])
}

export const usePending = (): readonly PendingEdit[] => useStore(editLog.store, (state) => state.pending)
export const useUndoLabels = () => ({
  undoLabel: useStore(editLog.store, (state) => state.pending.at(-1)?.label ?? state.undoLabel),
  redoLabel: useStore(editLog.store, (state) => (state.pending.length > 0 ? null : state.redoLabel)),
})
