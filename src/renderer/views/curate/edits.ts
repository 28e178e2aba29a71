/**
 * The page's one edit log. It outlives the screen: an edit that is not yet saved is still sent, and still shown when one
 * comes back. The status bar tells how it stands, and the window does not close on unsaved edits without asking.
 */
import { useEffect, useLayoutEffect, useMemo, useRef } from 'react'
import { useStore } from 'zustand'
import type { Region } from '../../../shared/domain.ts'
import { setKeeper, setSaveState } from '../../app/status.ts'
import { api, connectionStore } from '../../state/engine.ts'
import { errorData, isDisconnected } from '../../state/errors.ts'
import { onEngineEvent } from '../../state/events.ts'
import { createEditLog } from './edit-log.ts'
import { type PendingEdit, imagesOf, stepLabels } from './edit-steps.ts'
import { createKeeper, type Storage } from './kept-edits.ts'
import { labelWords } from './label-words.ts'
import { followMarks } from './marks.ts'
import { mintId } from './words.ts'
import { suspectOf } from './shown-suspects.ts'

export const editLog = createEditLog(
  { apply: (input) => api.regions.apply({ ...input, suspect: suspectOf(input.edits) }), undo: (input) => api.regions.undo(input), redo: (input) => api.regions.redo(input), undoState: () => api.regions.undoState({}) },
  { mintId, toError: errorData, isDisconnected, wait: (ms) => new Promise((resolve) => window.setTimeout(resolve, ms)) },
)

followMarks(editLog)

const keeper = createKeeper(browserStorage(), mintId())

function tellSaveState(pending: readonly PendingEdit[]): void {
  const kept = keeper.keep(pending)
  const failed = pending.find((edit) => edit.state === 'failed')
  if (failed) setSaveState({ kind: 'failed', edits: pending.length, kept, message: failed.error?.message ?? '' })
  else setSaveState(pending.length > 0 ? { kind: 'saving', edits: pending.length, kept } : { kind: 'saved' })
}

editLog.store.subscribe(({ pending }, before) => {
  if (pending === before.pending) return
  tellSaveState(pending)
  const failed = pending.find((edit) => edit.state === 'failed')
  // After a conflict the present state is fetched, wherever one has walked since: it is shown beside, and a retry builds on it.
  if (failed?.error?.code === 'conflict' && !before.pending.some((edit) => edit.editId === failed.editId && edit.state === 'failed')) void refetch(failed)
})

async function fetchImage(imageId: string): Promise<void> {
  const seen = editLog.acknowledged()
  const { regions } = await api.regions.onImage({ imageId, checkpointIds: [] })
  editLog.receive(imageId, regions, seen)
}

async function refetch(edit: PendingEdit): Promise<void> {
  await Promise.all(imagesOf(edit.changes).map(fetchImage)).catch(() => undefined) // The edit stays failed, and Retry fetches again.
}

/** What an earlier page could not save is sent from this one, upon the regions as they are now. */
async function restore(): Promise<void> {
  keeper.setProject((await api.system.info({})).project.path)
  tellSaveState(editLog.store.getState().pending)
  const left = keeper.left()
  for (const imageId of new Set(left.flatMap((edit) => imagesOf(edit.changes)))) {
    // Of an image that is gone the edit fails, and says so.
    await fetchImage(imageId).catch((error: unknown) => {
      if (isDisconnected(error)) throw error
    })
  }
  if (left.length > 0) editLog.restore(left)
  keeper.takeOver()
}

let restoring: 'no' | 'now' | 'done' = 'no'
function restoreOnce(): void {
  if (restoring !== 'no' || connectionStore.getState().phase !== 'open') return
  restoring = 'now'
  // When the engine goes away meanwhile, the next connection begins anew; the lists are still there.
  restore().then(() => (restoring = 'done'), () => (restoring = 'no'))
}
connectionStore.subscribe(restoreOnce)
restoreOnce()

/** A browser may not allow any. */
function browserStorage(): Storage {
  try {
    return window.localStorage
  } catch {
    return { length: 0, key: () => null, getItem: () => null, removeItem: () => undefined, setItem: () => { throw new Error('No storage.') } }
  }
}

/** Sends what failed again; a conflict upon what the engine holds at this moment. */
export async function retryEdits(): Promise<void> {
  const failed = editLog.store.getState().pending.find((edit) => edit.state === 'failed')
  if (failed?.error?.code === 'conflict') await refetch(failed)
  editLog.retry()
}

// Undo and redo are the project's: other windows step too, and an engine may have been away.
onEngineEvent((event) => {
  if (event.type === 'regions.changed') editLog.setLedger(event)
})
let heard = 0
const askLedger = () => {
  const { phase, opened } = connectionStore.getState()
  if (phase !== 'open' || opened === heard) return
  heard = opened
  void api.regions.undoState({}).then(editLog.setLedger, () => undefined)
}
connectionStore.subscribe(askLedger)
askLedger()

type DraftKind = 'typed' | 'asked'
const drafts = new Map<() => void, DraftKind>()

setKeeper(() => {
  for (const [keep, kind] of drafts) if (kind === 'typed') keep()
  return editLog.settled()
})

/**
 * Something being typed: `take` makes an edit of it. It is called when the field goes away, before the window closes, and when somebody
 * asks for all to be saved; what is only 'asked' for, and still waits for the engine, goes on waiting then.
 */
export function useKeptDraft(take: () => void, kind: DraftKind = 'typed'): void {
  const newest = useRef(take)
  useLayoutEffect(() => {
    newest.current = take
  })
  useEffect(() => {
    const keep = () => newest.current()
    drafts.set(keep, kind)
    return () => {
      drafts.delete(keep)
      keep()
    }
  }, [])
}

window.addEventListener('beforeunload', (event) => {
  for (const keep of drafts.keys()) keep()
  if (editLog.store.getState().pending.length > 0) event.preventDefault()
})

/** The image's regions with unsaved edits on top; a new list only when something changed. */
export function useRegions(imageId: string | null): readonly Region[] {
  const base = useStore(editLog.store, (state) => (imageId === null ? undefined : state.base.get(imageId)))
  const pending = useStore(editLog.store, (state) => state.pending)
  return useMemo(() => (imageId === null ? [] : editLog.regions(imageId)), [imageId, base, pending])
}

export const usePending = (): readonly PendingEdit[] => useStore(editLog.store, (state) => state.pending)
const said = (label: string | null): string | null => label && labelWords(label)
export const useUndoLabels = () => ({
  undoLabel: useStore(editLog.store, (state) => said(stepLabels(state).undoLabel)),
  redoLabel: useStore(editLog.store, (state) => said(stepLabels(state).redoLabel)),
})
