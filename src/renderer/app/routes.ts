/**
 * The address of every view lives in the page's hash, so that a reload, a link from one screen to another and the back
 * button all lead to the same thing: #/curate?dataset=d1&region=r9.
 */
import { useSyncExternalStore } from 'react'

export const SCREENS = ['library', 'curate', 'train', 'checkpoints', 'compare', 'settings'] as const
export type Screen = (typeof SCREENS)[number]

export interface Route {
  readonly screen: Screen
  readonly params: Readonly<Record<string, string>>
}

/** An unknown or empty hash leads to the library: a stale link must not end in a blank page. */
export function parseHash(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const screen = (SCREENS as readonly string[]).includes(path) ? (path as Screen) : 'library'
  const params: Record<string, string> = {}
  for (const [key, value] of new URLSearchParams(query)) params[key] = value
  return { screen, params }
}

/** Undefined and empty parameters are left out. */
export function formatHash(screen: Screen, params: Readonly<Record<string, string | null | undefined>> = {}): string {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(params)) if (value) query.set(key, value)
  const text = query.toString()
  return text ? `#/${screen}?${text}` : `#/${screen}`
}

export function navigate(screen: Screen, params: Readonly<Record<string, string | null | undefined>> = {}, options: { replace?: boolean } = {}): void {
  const hash = formatHash(screen, params)
  if (hash === window.location.hash) return
  if (options.replace) {
    window.history.replaceState(null, '', hash)
    window.dispatchEvent(new HashChangeEvent('hashchange'))
  } else {
    window.location.hash = hash
  }
}

/** Changes some parameters of the present screen, without a new entry in the history. null removes one. */
export function setParams(changes: Readonly<Record<string, string | null | undefined>>): void {
  const route = parseHash(window.location.hash)
  navigate(route.screen, { ...route.params, ...changes }, { replace: true })
}

/** What of a screen's address is worth coming back to; what only opens a form is not. */
const KEPT: Partial<Record<Screen, readonly string[]>> = {
  library: ['dataset'], curate: ['dataset', 'view', 'sort', 'order', 'filter', 'region', 'image', 'checkpoint', 'with'], train: ['run'], checkpoints: ['id'], 
  compare: ['dataset', 'a', 'b', 'c', 'd', 'view', 'split', 'r1', 'r2', 'r3', 'r4', 'pair', 'cell', 'slice', 'ba', 'bb', 'bc', 'chart', 'order', 'region', 'mode', 'scale', 'interval', 'cut', 'held', 'camera', 'explainer'],
}
const kept = new Map<Screen, Readonly<Record<string, string>>>()
let keptDataset: string | undefined

function keep({ screen, params }: Route): void {
  kept.set(screen, Object.fromEntries(Object.entries(params).filter(([key]) => KEPT[screen]?.includes(key))))
  keptDataset = params.dataset ?? keptDataset
}

/** Where a screen was left; a screen not seen yet opens on the dataset seen last. A dataset that is gone takes its address along. */
export function leftAt(screen: Screen, datasetIds: readonly string[] | undefined): Readonly<Record<string, string>> {
  const params = kept.get(screen) ?? (KEPT[screen]?.includes('dataset') && keptDataset ? { dataset: keptDataset } : {})
  return params.dataset !== undefined && datasetIds && !datasetIds.includes(params.dataset) ? {} : params
}

let cached: { hash: string; route: Route } | null = null
function currentRoute(): Route {
  const hash = window.location.hash
  if (!cached || cached.hash !== hash) {
    cached = { hash, route: parseHash(hash) }
    keep(cached.route)
  }
  return cached.route
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, currentRoute)
}
