/** How this person likes to look at things in Curate; kept in this browser, never part of the project. */
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'
import { COLOUR_MAPS, type ColourMap } from '../../canvas/colour-maps.ts'
import { DEFAULT_HEAT_OPACITY } from '../../canvas/heat.ts'
import { DEFAULT_VIEW, isView } from '../../ui/ExplainerChoice.tsx'
import { DEFAULT_THRESHOLD, MAX_THRESHOLD, MIN_THRESHOLD } from './propose.ts'

export const LAYOUTS = ['side-by-side', 'overlay', 'image-only'] as const
export type CanvasLayout = (typeof LAYOUTS)[number]

export interface Prefs {
  readonly layout: CanvasLayout
  readonly map: ColourMap
  readonly opacity: number
  readonly peak: boolean
  readonly shared: boolean
  readonly brightness: number
  readonly contrast: number
  readonly gamma: number
  /** Crosshair lines through the pointer with every tool. */
  readonly guides: boolean
  /** Names at all boxes that have room for one. */
  readonly names: boolean
  /** A small picture of the whole image, while only a part of it is seen. */
  readonly minimap: boolean
  /** Images with more megapixels than this are loaded as tiles. */
  readonly tilesFromMegapixels: number
  readonly snap: boolean
  readonly others: boolean
  readonly threshold: number
  /** Which explanation is drawn: a value of ui/ExplainerChoice. */
  readonly explainer: string
  /** Decisions go beside those of another person. */
  readonly secondReview: boolean
}

const DEFAULTS: Prefs = {
  layout: 'side-by-side', map: 'inferno', opacity: DEFAULT_HEAT_OPACITY, peak: true, shared: false, brightness: 1, contrast: 1, gamma: 1,
  guides: false, names: false, minimap: true, tilesFromMegapixels: 40, snap: true, others: true, threshold: DEFAULT_THRESHOLD,
  explainer: DEFAULT_VIEW, secondReview: false,
}
const KEY = 'amc.curate'

export const SHADE_RANGE = { min: 0.4, max: 2.5 } as const
const shade = (value: number) => Math.min(SHADE_RANGE.max, Math.max(SHADE_RANGE.min, value))

/** What was kept, field by field: a value of the wrong kind falls back to its default. */
export function readPrefs(text: string | null): Prefs {
  let kept: Record<string, unknown> = {}
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    if (value && typeof value === 'object') kept = value as Record<string, unknown>
  } catch {
    // What cannot be read is as good as nothing kept.
  }
  const prefs: Record<string, unknown> = { ...DEFAULTS }
  for (const [key, fallback] of Object.entries(DEFAULTS)) {
    const value = kept[key]
    if (typeof value === typeof fallback && (typeof value !== 'number' || Number.isFinite(value))) prefs[key] = value
  }
  const result = prefs as unknown as Prefs
  return {
    ...result,
    layout: LAYOUTS.includes(result.layout) ? result.layout : DEFAULTS.layout,
    map: COLOUR_MAPS.includes(result.map) ? result.map : DEFAULTS.map,
    brightness: shade(result.brightness), contrast: shade(result.contrast), gamma: shade(result.gamma),
    explainer: isView(result.explainer) ? result.explainer : DEFAULTS.explainer,
    opacity: Math.min(1, Math.max(0, result.opacity)),
    threshold: Math.min(MAX_THRESHOLD, Math.max(MIN_THRESHOLD, result.threshold)),
  }
}

function stored(): string | null {
  try {
    return window.localStorage.getItem(KEY)
  } catch {
    return null
  }
}

const store = createStore<Prefs>(() => (typeof window === 'undefined' ? DEFAULTS : readPrefs(stored())))

export function setPrefs(change: Partial<Prefs>): void {
  store.setState(change)
  try {
    window.localStorage.setItem(KEY, JSON.stringify(store.getState()))
  } catch {
    // A browser that keeps nothing still shows the choice until the page closes.
  }
}

export const usePrefs = (): Prefs => useStore(store)
export const getPrefs = store.getState
