/** The status bar: what is saved, what the screen wants to say, and on which device the model runs. */
import { useEffect, type ReactNode } from 'react'
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'

export type SaveState = { readonly kind: 'saved' } | { readonly kind: 'saving'; readonly edits: number } | { readonly kind: 'failed'; readonly edits: number; readonly message: string }

interface StatusState {
  readonly save: SaveState
  readonly left: ReactNode
  readonly right: ReactNode
}

export const statusStore = createStore<StatusState>(() => ({ save: { kind: 'saved' }, left: null, right: null }))

export function setSaveState(save: SaveState): void {
  statusStore.setState({ save })
}

/** Texts of the screen that is mounted: `left` stands after the save state, `right` before the device. */
export function useStatus(left: ReactNode, right: ReactNode = null): void {
  useEffect(() => {
    statusStore.setState({ left, right })
  })
  useEffect(() => () => statusStore.setState({ left: null, right: null }), [])
}

export function useStatusState(): StatusState {
  return useStore(statusStore)
}
