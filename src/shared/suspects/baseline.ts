/**
 * What is usual in a dataset for one checkpoint: small boxes hold less of the heat than large ones, and some phrases less than others,
 * without anything being wrong. Medians, because some of what they are taken from is wrong.
 */

import { boxArea, clampBox, type Box, type Size } from '../geometry.ts'

interface Usual {
  /** Regions it was taken from. */
  readonly count: number
  /** Of the log-odds of the share inside. */
  readonly median: number
  readonly spread: number
}
export interface Baseline {
  readonly count: number
  /** By sizeClass. */
  readonly sizes: readonly Usual[]
  /** How far a phrase lies from what its sizes would suggest, by phraseKey; phrases that occur often enough only. */
  readonly phrases: Readonly<Record<string, { readonly count: number; readonly shift: number }>>
}
export interface BaselineSample {
  readonly phrase: string
  /** Share of the image that the boxes cover. */
  readonly area: number
  readonly insideEnergy: number
}

const SIZE_CLASSES = 10
/** Before anything is known: three fifths of the heat inside, give or take. */
const PRIOR = { median: 0.4, spread: 1.2 } as const
/** As many regions of a kind as the prior weighs. */
const PRIOR_COUNT = 20
const LEAST_SPREAD = 0.4
const LEAST_OF_A_PHRASE = 6
const MOST_PHRASES = 20_000
const MAD_TO_SIGMA = 1.4826

/** Share of the image that the boxes take; where they overlap, both count. */
export function areaShare(boxes: readonly Box[], image: Size): number {
  const area = boxes.reduce((sum, box) => sum + boxArea(clampBox(box, image)), 0)
  return Math.min(1, area / (image.width * image.height))
}

/** Halvings of the image's area. */
function sizeClass(area: number): number {
  return Math.min(SIZE_CLASSES - 1, Math.max(0, Math.floor(-Math.log2(Math.max(area, 1e-9)))))
}

function phraseKey(phrase: string): string {
  return phrase.trim().toLowerCase().replace(/\s+/g, ' ').replace(/^(a|an|the) /, '')
}

function logOdds(share: number): number {
  const inside = Math.min(0.995, Math.max(0.005, share))
  return Math.log(inside / (1 - inside))
}

export function takeBaseline(samples: Iterable<BaselineSample>): Baseline {
  const bySize = Array.from({ length: SIZE_CLASSES }, (): number[] => [])
  const kept: { readonly key: string; readonly size: number; readonly value: number }[] = []
  for (const { phrase, area, insideEnergy } of samples) {
    const one = { key: phraseKey(phrase), size: sizeClass(area), value: logOdds(insideEnergy) }
    kept.push(one)
    bySize[one.size]!.push(one.value)
  }
  const all = usualOf(kept.map((one) => one.value), { count: 0, ...PRIOR })
  const sizes = bySize.map((values) => usualOf(values, all))
  const byPhrase = new Map<string, number[]>()
  for (const { key, size, value } of kept) {
    const left = value - sizes[size]!.median
    const known = byPhrase.get(key)
    if (known) known.push(left)
    else byPhrase.set(key, [left])
  }
  const often = [...byPhrase].filter(([, values]) => values.length >= LEAST_OF_A_PHRASE).sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_PHRASES)
  return { count: kept.length, sizes, phrases: Object.fromEntries(often.map(([key, values]) => [key, { count: values.length, shift: medianOf(values) }])) }
}

export const NO_BASELINE: Baseline = takeBaseline([])

/** Where a share lies in what is usual for boxes of this size and this phrase, in spreads: below 0 it holds less than usual. */
export function standing(baseline: Baseline, { phrase, area, insideEnergy }: BaselineSample): { readonly z: number; readonly usual: number } {
  const size = baseline.sizes[sizeClass(area)]!
  const known = baseline.phrases[phraseKey(phrase)]
  // A phrase that a model does not know explains a low share, but one that is wrong each time must not excuse itself: half of the shift.
  const shift = known ? (0.5 * known.shift * known.count) / (known.count + PRIOR_COUNT) : 0
  const expected = size.median + shift
  return { z: (logOdds(insideEnergy) - expected) / size.spread, usual: 1 / (1 + Math.exp(-expected)) }
}

function usualOf(values: readonly number[], prior: Usual): Usual {
  const count = values.length
  if (count === 0) return { ...prior, count }
  const median = medianOf(values)
  const spread = MAD_TO_SIGMA * medianOf(values.map((value) => Math.abs(value - median)))
  const mix = (own: number, before: number): number => (own * count + before * PRIOR_COUNT) / (count + PRIOR_COUNT)
  return { count, median: mix(median, prior.median), spread: Math.max(LEAST_SPREAD, mix(spread, prior.spread)) }
}

function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
