/**
 * What would likely mend a region: boxes round its heat at several thresholds, the boxes of another phrase of the image where its heat
 * lies, or a swap of the two. Each with the consistency that it would reach. Offers to look at, never applied by themselves.
 */
import { type HeatGrid, type PreparedHeat, scoreRegion } from '../../../shared/consistency.ts'
import type { Region } from '../../../shared/domain.ts'
import { type Box, boxIou, type Size } from '../../../shared/geometry.ts'
import { t } from '../../../shared/messages/messages.ts'
import { boxesOnly, type Shape } from '../../../shared/shape.ts'
import type { Reason } from '../../../shared/suspects/reasons.ts'
import { fixed, percent } from '../../app/format.ts'
import { proposeBoxes } from './propose.ts'
import { quote } from './words.ts'

export interface Mend {
  readonly kind: 'heat' | 'other' | 'swap'
  readonly shape: Shape
  /** Consistency of the region once it is mended so. */
  readonly reached: number
  /** Of 'heat': share of the maximum. */
  readonly threshold?: number
  /** Of 'other' and 'swap': whose boxes. */
  readonly other?: Region
}

const THRESHOLDS = [0.1, 0.25, 0.4, 0.6]
/** Boxes this much alike are one offer. */
const SAME = 0.85
const MOST_OTHERS = 2
const GAIN = 0.05
/** A swap that is this plain comes before everything else. */
const PLAIN_SWAP = 0.5

export interface MendInput {
  readonly region: Region
  readonly regions: readonly Region[]
  readonly image: Size
  readonly grid: HeatGrid
  readonly prepared: PreparedHeat
  /** The one chosen by hand; it comes first. */
  readonly threshold: number
  readonly reasons: readonly Reason[]
}

export function likelyMends({ region, regions, image, grid, prepared, threshold, reasons }: MendInput): readonly Mend[] {
  const now = scoreRegion(prepared, region, image).insideEnergy
  const reach = (shape: Shape): number => scoreRegion(prepared, shape, image).insideEnergy
  const heat = heatOffers(grid, image, threshold, Math.max(1, region.boxes.length)).map(({ threshold: level, boxes }): Mend => ({ kind: 'heat', shape: boxesOnly(boxes), reached: reach(boxesOnly(boxes)), threshold: level }))
  const others = regions
    .filter((other) => other.id !== region.id && other.boxes.length > 0 && !sameBoxes(other.boxes, region.boxes))
    .map((other): Mend => ({ kind: 'other', shape: { boxes: other.boxes, outlines: other.outlines }, reached: reach(other), other }))
    .filter((mend) => mend.reached > now + GAIN).sort((a, b) => b.reached - a.reached).slice(0, MOST_OTHERS)
  const swap = reasons.find((reason) => reason.name === 'swap')
  const partner = swap ? regions.find((other) => other.id === swap.otherId) : undefined
  const swaps: Mend[] = partner && region.boxes.length > 0 ? [{ kind: 'swap', shape: { boxes: partner.boxes, outlines: partner.outlines }, reached: reach(partner), other: partner }] : []
  const rest = [...heat.slice(0, 1), ...swaps.filter(() => swap!.strength < PLAIN_SWAP), ...others, ...heat.slice(1)]
  return swap && swap.strength >= PLAIN_SWAP ? [...swaps, ...rest] : rest
}

/** Boxes round a heat. */
export interface HeatOffer {
  /** Share of the maximum. */
  readonly threshold: number
  readonly boxes: readonly Box[]
}

/** Boxes round the heat at the threshold that was chosen, then at others where they are not much the same. */
export function heatOffers(grid: HeatGrid, image: Size, threshold: number, most: number): readonly HeatOffer[] {
  const offers: HeatOffer[] = []
  for (const level of [threshold, ...THRESHOLDS]) {
    const boxes = proposeBoxes(grid, image, level, most)
    if (boxes.length > 0 && !offers.some((known) => sameBoxes(known.boxes, boxes))) offers.push({ threshold: level, boxes })
  }
  return offers
}

function sameBoxes(a: readonly Box[], b: readonly Box[]): boolean {
  return a.length === b.length && a.every((box, i) => boxIou(box, b[i]!) >= SAME)
}

/** "Box round the heat at 15 %: consistency 0.20 → 0.95". @param now null for a region without boxes */
export function mendWords({ kind, reached, threshold, other, shape }: Mend, now: number | null): string {
  const n = shape.boxes.length
  const mend =
    kind === 'heat' ? t('{n, plural, one {Box} other {# boxes}} round the heat at {share}', { n, share: percent(threshold!) })
    : kind === 'swap' ? t('Swap boxes with {phrase}', { phrase: quote(other!.phrase) })
    : t('{n, plural, one {Box} other {# boxes}} of {phrase}', { n, phrase: quote(other!.phrase) })
  return now === null ? t('{mend}: holds {share} of the heat', { mend, share: percent(reached) }) : t('{mend}: consistency {now} → {reached}', { mend, now: fixed(now), reached: fixed(reached) })
}

/** What the edit is called in the history. */
export function mendLabel({ kind, other }: Mend): string {
  return kind === 'heat' ? t('Proposal used') : kind === 'swap' ? t('Boxes swapped with {phrase}', { phrase: quote(other!.phrase) }) : t('Boxes of {phrase} used', { phrase: quote(other!.phrase) })
}
