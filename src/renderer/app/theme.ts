/** Light, dark or as the system says. Kept in this browser, applied before the first paint. */
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]
const KEY = 'amc.theme'

function stored(): Theme {
  try {
    const value = window.localStorage.getItem(KEY)
    return (THEMES as readonly string[]).includes(value ?? '') ? (value as Theme) : 'system'
  } catch {
    return 'system'
  }
}

const store = createStore<{ theme: Theme; dark: boolean }>(() => ({ theme: 'system', dark: true }))

function apply(): void {
  const { theme } = store.getState()
  const dark = theme === 'dark' || (theme === 'system' && !window.matchMedia('(prefers-color-scheme: light)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  store.setState({ dark })
}

/** Call once before rendering. */
export function startTheme(): void {
  store.setState({ theme: stored() })
  apply()
  window.matchMedia('(prefers-color-scheme: light)').addEventListener('change', apply)
}

export function setTheme(theme: Theme): void {
  try {
    window.localStorage.setItem(KEY, theme)
  } catch {
    // A browser that keeps nothing still changes the theme until the page closes.
  }
  store.setState({ theme })
  apply()
}

export function useTheme(): Theme {
  return useStore(store, (state) => state.theme)
}

/** What is shown now. Canvases read their colours from CSS and redraw when this changes. */
export function useIsDark(): boolean {
  return useStore(store, (state) => state.dark)
}
