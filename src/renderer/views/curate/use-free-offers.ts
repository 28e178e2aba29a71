/** Boxes round the heat of the phrase that is being typed, at several thresholds, and how much of the heat each offer holds. */
import { useMemo, useState } from 'react'
import { prepareHeat, scoreRegion } from '../../../shared/consistency.ts'
import type { Heatmap, ImageRecord } from '../../../shared/domain.ts'
import type { Box } from '../../../shared/geometry.ts'
import { boxesOnly } from '../../../shared/shape.ts'
import { type HeatOffer, heatOffers } from './mends.ts'

/** A phrase typed freely may name several things. */
const MOST_BOXES = 3
const NO_OFFERS: readonly HeatOffer[] = []
const NO_BOXES: readonly Box[] = []

export interface FreeOffers {
  readonly all: readonly HeatOffer[]
  readonly index: number
  /** Of the one shown; none where the heat is too flat for any. */
  readonly boxes: readonly Box[]
  /** How well the phrase matches the image, and the share of its heat in the boxes shown; null until both are there. */
  readonly scores: { readonly match: number; readonly held: number } | null
  step(by: number): void
}

/** @param heat of exactly the phrase in the field; null while there is none */
export function useFreeOffers(heat: Heatmap | null, image: ImageRecord | null, threshold: number): FreeOffers {
  const all = useMemo(() => (heat && image ? heatOffers(heat.grid, image, threshold, MOST_BOXES) : NO_OFFERS), [heat, image, threshold])
  const [{ of, at }, setAt] = useState<{ of: readonly HeatOffer[]; at: number }>({ of: NO_OFFERS, at: 0 })
  // Another phrase, or another threshold by hand, begins at the first.
  const index = of === all && at < all.length ? at : 0
  const boxes = all[index]?.boxes ?? NO_BOXES
  const scores = useMemo(
    () => (heat && image && boxes.length > 0 ? { match: heat.matchProbability, held: scoreRegion(prepareHeat(heat.grid, heat.peak, heat.maskSize), boxesOnly(boxes), image).insideEnergy } : null),
    [heat, image, boxes],
  )
  return { all, index, boxes, scores, step: (by) => setAt({ of: all, at: all.length === 0 ? 0 : (index + by + all.length) % all.length }) }
}
