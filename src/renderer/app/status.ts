/** The status bar: what is saved, what the screen wants to say, and on which device the model runs. */
import { useEffect, type ReactNode } from 'react'
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'

/** What the engine has not acknowledged; kept: this browser holds it for the next page. */
interface Unsaved {
  readonly edits: number
  readonly kept: boolean
}
export type SaveState = { readonly kind: 'saved' } | ({ readonly kind: 'saving' } & Unsaved) | ({ readonly kind: 'failed'; readonly message: string } & Unsaved)

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
