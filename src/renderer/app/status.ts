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
  /** Edits of many regions that the engine is making at this moment. */
  readonly bulks: number
  readonly left: ReactNode
  readonly right: ReactNode
}

export const statusStore = createStore<StatusState>(() => ({ save: { kind: 'saved' }, bulks: 0, left: null, right: null }))

export function setSaveState(save: SaveState): void {
  statusStore.setState({ save })
}

/** From now on an edit of many regions is being made. @returns what ends that */
export function beginBulk(): () => void {
  statusStore.setState(({ bulks }) => ({ bulks: bulks + 1 }))
  return () => statusStore.setState(({ bulks }) => ({ bulks: bulks - 1 }))
}

/** How it stands with all edits, those of many regions among them. */
export function saveStateOf({ save, bulks }: Pick<StatusState, 'save' | 'bulks'>): SaveState {
  return save.kind === 'saved' && bulks > 0 ? { kind: 'saving', edits: bulks, kept: false } : save
}

let keeper = (): Promise<void> => Promise.resolve()

/** @param keep makes edits of what stands typed in fields, and resolves once all edits are saved, rejects when one cannot be */
export function setKeeper(keep: () => Promise<void>): void {
  keeper = keep
}

/** Resolves once all there is to keep is saved, edits of many regions too; rejects when an edit cannot be. */
export async function settledAll(): Promise<void> {
  await keeper()
  if (statusStore.getState().bulks === 0) return
  await new Promise<void>((resolve) => {
    const stop = statusStore.subscribe(({ bulks }) => {
      if (bulks > 0) return
      stop()
      resolve()
    })
  })
}

/** Keeps all there is to keep and says how it stands: at once where that takes a while, and in the end. */
export async function tellSaved(say: (save: SaveState) => () => void): Promise<void> {
  const now = () => saveStateOf(statusStore.getState())
  const kept = keeper()
  const takeBack = now().kind === 'saving' ? say(now()) : null
  // One that failed is what is said then.
  await kept.catch(() => undefined)
  if (takeBack !== null && now().kind === 'saving') return
  takeBack?.()
  say(now())
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
