/** Any phrase typed under the heat: its own heat, its own boxes, and the moment at which both are there. */
import { useRef, useState } from 'react'
import type { ImageRecord } from '../../../shared/domain.ts'
import { useSettled } from '../../state/use-settled.ts'
import { type HeatAnswer, useHeat } from './use-heat.ts'

export const HEAT_DELAY_MS = 220
export const squeezed = (text: string): string => text.replace(/\s+/g, ' ').trim()

/** An annotation asked for before its heat was there. */
export interface Awaited {
  readonly phrase: string
  readonly image: ImageRecord
}

export interface FreePhrase {
  /** As it is in the field. */
  readonly text: string
  readonly typed: string
  /** The phrase the heat was asked for: it follows what is typed a moment later. */
  readonly asked: string
  readonly heat: HeatAnswer
  /** Whether the heat is of what is typed, to the last letter: only then its boxes may be used. */
  readonly state: 'none' | 'waiting' | 'ready' | 'failed'
  readonly awaited: { current: Awaited | null }
  set(text: string): void
  /** Asks at once, without waiting for more letters. */
  hurry(): void
}

export function useFreePhrase(imageId: string | null, checkpointId: string | null): FreePhrase {
  const [text, setText] = useState('')
  const [hurried, setHurried] = useState(false)
  const awaited = useRef<Awaited | null>(null)
  const settled = useSettled(text, text && !hurried ? HEAT_DELAY_MS : 0)
  const [typed, asked] = [squeezed(text), squeezed(settled)]
  const heat = useHeat(typed ? imageId : null, checkpointId, asked)
  return {
    text, typed, asked, heat, awaited, state: freeState(typed, asked, heat),
    set(next) {
      awaited.current = null
      setHurried(false)
      setText(next)
    },
    hurry: () => setHurried(true),
  }
}

export function freeState(typed: string, asked: string, heat: Pick<HeatAnswer, 'heat' | 'stale' | 'error'>): FreePhrase['state'] {
  if (typed === '') return 'none'
  if (asked !== typed) return 'waiting'
  if (heat.error) return 'failed'
  return heat.heat !== null && !heat.stale ? 'ready' : 'waiting'
}
