/**
 * Whether the tour runs and where it is. That somebody has seen it is kept in a cookie, not in the browser's storage: in a browser
 * the engine's port, and with it the page's origin, is another one at each start; cookies do not look at the port.
 */
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'
import { TOUR } from './steps.ts'

const COOKIE = 'amc-tour'
const TEN_YEARS_S = 315_360_000

/** Place in TOUR, or null while it does not run. */
const store = createStore<{ at: number | null }>(() => ({ at: null }))

export function wasSeen(cookies: string = document.cookie): boolean {
  return cookies.split(';').some((part) => part.trim() === `${COOKIE}=seen`)
}

export function startTour(): void {
  store.setState({ at: 0 })
}

/** It is not offered by itself again. */
export function endTour(): void {
  document.cookie = `${COOKIE}=seen; max-age=${TEN_YEARS_S}; path=/; samesite=strict`
  store.setState({ at: null })
}

/** Past the last stop it ends. */
export function stepTour(by: 1 | -1): void {
  const { at } = store.getState()
  if (at === null) return
  const next = Math.max(0, at + by)
  if (next >= TOUR.length) endTour()
  else store.setState({ at: next })
}

export function useTour(): number | null {
  return useStore(store, ({ at }) => at)
}
