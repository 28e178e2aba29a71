/**
 * Why a region may be wrong: each reason a pure function of what is stored, with its strength in [0, 1] and the numbers that its
 * sentence says. A strength of 0 is no reason. docs/suspects.md states them all.
 */
import type { Scores } from '../domain.ts'
import { boxFlags, type BoxFlag, boxHeight, boxIou, boxWidth, type Box, type Size } from '../geometry.ts'
import { areaShare, type Baseline, standing } from './baseline.ts'
import { alike, coverOf, type HeatRaster, shareIn } from './heat-raster.ts'

export const REASONS = ['outside', 'margin', 'neighbour', 'swap', 'twin', 'agree', 'disagree', 'unlearned', 'geometry'] as const
export type ReasonName = (typeof REASONS)[number]
export type Oddity = BoxFlag | 'tiny' | 'whole-image' | 'thin'

export interface Reason {
  readonly name: ReasonName
  readonly strength: number
  /** What its sentence says; which numbers is up to the reason. */
  readonly numbers: readonly number[]
  /** Another region of the image that it speaks of. */
  readonly otherId?: string
  /** For geometry: what is odd. */
  readonly oddity?: Oddity
}

export interface JudgedRegion {
  readonly id: string
  readonly phrase: string
  /** At least one. */
  readonly boxes: readonly Box[]
  readonly scores: Pick<Scores, 'insideEnergy' | 'maxMargin' | 'pointingHit'>
  /** Heat of its phrase; null when it is not stored any more. */
  readonly heat: HeatRaster | null
  /** Where it stands by other checkpoints (see baseline), and its share inside by them. */
  readonly peers: readonly { readonly z: number; readonly insideEnergy: number }[]
  /** By the checkpoints of one run, in the order of their steps. */
  readonly history: readonly { readonly insideEnergy: number; readonly hit: boolean }[]
}

/** A region among the others of its image. */
export interface Seen extends JudgedRegion {
  readonly area: number
  readonly z: number
  /** Share that is usual for boxes of this size and this phrase. */
  readonly usual: number
  /** Share of its heat in the boxes of each region of the image, itself among them; null without heat. */
  readonly held: ReadonlyMap<string, number> | null
}

export function seeTogether(regions: readonly JudgedRegion[], image: Size, baseline: Baseline): Seen[] {
  const covers = regions.map((region) => coverOf(region.boxes, image))
  return regions.map((region) => {
    const area = areaShare(region.boxes, image)
    const { z, usual } = standing(baseline, { phrase: region.phrase, area, insideEnergy: region.scores.insideEnergy })
    const { heat } = region
    return { ...region, area, z, usual, held: heat ? new Map(regions.map((other, i) => [other.id, shareIn(heat, covers[i]!)])) : null }
  })
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value))
/** 0 at `from`, 1 at `to`, straight between. */
const ramp = (value: number, from: number, to: number): number => clamp((value - from) / (to - from))

/** Less of the heat inside than is usual for boxes of this size and this phrase. Numbers: share inside, usual share. */
export function outside({ z, usual, scores }: Seen): Reason {
  // Smooth, so that the order of the unsuspected is theirs too: half at 3 spreads below what is usual.
  return { name: 'outside', strength: 1 / (1 + Math.exp(1.6 * (z + 3))), numbers: [scores.insideEnergy, usual] }
}

/** The hottest place lies outside. Numbers: the hottest place inside as a share of it. */
export function margin({ scores }: Seen): Reason {
  return { name: 'margin', strength: scores.pointingHit ? 0 : ramp(-scores.maxMargin, -0.05, 0.5), numbers: [clamp(1 + Math.min(0, scores.maxMargin))] }
}

/** The heat of this phrase lies in the boxes of another phrase. Numbers: share there, share inside. */
export function neighbour(region: Seen, all: readonly Seen[]): Reason {
  let best: Reason = { name: 'neighbour', strength: 0, numbers: [] }
  const own = region.held?.get(region.id) ?? 0
  for (const other of all) {
    if (!region.held || other.id === region.id || samePlace(region, other)) continue
    const there = region.held.get(other.id)!
    // A box over half of the image holds heat whatever the phrase: what counts is how much more than its area explains.
    const strength = ramp(there - own, 0.05, 0.45) * ramp(there / Math.max(other.area, 0.02), 1.2, 2.5)
    if (strength > best.strength) best = { name: 'neighbour', strength, numbers: [there, own], otherId: other.id }
  }
  return best
}

/** Two phrases each of whose heat lies in the other's boxes. Numbers: mean share that both hold now, and swapped. */
export function swap(region: Seen, all: readonly Seen[]): Reason {
  let best: Reason = { name: 'swap', strength: 0, numbers: [] }
  for (const other of all) {
    if (!region.held || !other.held || other.id === region.id || samePlace(region, other)) continue
    const [own, there] = [region.held.get(region.id)!, region.held.get(other.id)!]
    const [theirs, here] = [other.held.get(other.id)!, other.held.get(region.id)!]
    const strength = Math.min(ramp(there - own, 0.05, 0.4), ramp(here - theirs, 0.05, 0.4))
    if (strength > best.strength) best = { name: 'swap', strength, numbers: [(own + theirs) / 2, (there + here) / 2], otherId: other.id }
  }
  return best
}

/** Boxes that overlap by this much are taken for the same place. */
const SAME_PLACE = 0.5

function samePlace(a: Seen, b: Seen): boolean {
  return a.boxes.every((box) => b.boxes.some((other) => boxIou(box, other) >= SAME_PLACE))
}

/** Of two maps of which one is not stored it is not known whether they are alike. */
const UNKNOWN_LIKENESS = 0.6

/**
 * Nearly the boxes of another phrase, though the two look at different places and this one's heat lies elsewhere. Two phrases for one
 * thing look at the same place, and are no reason. Numbers: overlap of the boxes, what the two maps have in common.
 */
export function twin(region: Seen, all: readonly Seen[]): Reason {
  let best: Reason = { name: 'twin', strength: 0, numbers: [] }
  for (const other of all) {
    if (other.id === region.id || other.phrase === region.phrase || other.boxes.length !== region.boxes.length) continue
    const overlap = Math.min(...region.boxes.map((box) => Math.max(...other.boxes.map((theirs) => boxIou(box, theirs)))))
    const common = region.heat && other.heat ? alike(region.heat, other.heat) : UNKNOWN_LIKENESS
    // Of the two, the one that holds less of its own heat is the one in the wrong place.
    const less = ramp(other.scores.insideEnergy - region.scores.insideEnergy, -0.1, 0.3)
    const strength = ramp(overlap, 0.85, 0.95) * ramp(1 - common, 0.25, 0.5) * less
    if (strength > best.strength) best = { name: 'twin', strength, numbers: [overlap, common], otherId: other.id }
  }
  return best
}

/** Other checkpoints find the same. Numbers: how many of them, of how many, their mean share inside. */
export function agree({ peers, z }: Seen): Reason {
  if (peers.length === 0 || z > -1) return { name: 'agree', strength: 0, numbers: [] }
  const strength = meanOf(peers.map((peer) => ramp(-peer.z, 0.5, 3)))
  return { name: 'agree', strength, numbers: [peers.filter((peer) => peer.z < -1).length, peers.length, meanOf(peers.map((peer) => peer.insideEnergy))] }
}

/** One checkpoint finds it right and another wrong. Numbers: lowest and highest share inside. */
export function disagree({ peers, z, scores }: Seen): Reason {
  if (peers.length === 0) return { name: 'disagree', strength: 0, numbers: [] }
  const all = [z, ...peers.map((peer) => peer.z)]
  const shares = [scores.insideEnergy, ...peers.map((peer) => peer.insideEnergy)]
  const [low, high] = [Math.min(...all), Math.max(...all)]
  return { name: 'disagree', strength: ramp(high - low, 2, 6) * ramp(-low, 1, 3), numbers: [Math.min(...shares), Math.max(...shares)] }
}

/** From two checkpoints nothing can be said of how a sample was learned. */
export const LEAST_HISTORY = 3

/** A sample that a run did not learn, as wrong labels are not: low from its first checkpoint to its last. Numbers: hits, checkpoints, mean share inside. */
export function unlearned({ history, phrase, area }: Seen, baseline: Baseline): Reason {
  if (history.length < LEAST_HISTORY) return { name: 'unlearned', strength: 0, numbers: [] }
  // The last checkpoints know most: each counts by the square of its place in the run.
  const total = history.reduce((sum, _, i) => sum + (i + 1) ** 2, 0)
  const mean = history.reduce((sum, one, i) => sum + (one.insideEnergy * (i + 1) ** 2) / total, 0)
  const hits = history.reduce((sum, one, i) => sum + (one.hit ? (i + 1) ** 2 / total : 0), 0)
  const { z } = standing(baseline, { phrase, area, insideEnergy: mean })
  return { name: 'unlearned', strength: ramp(-z, 0.5, 3) * (1 - hits), numbers: [history.filter((one) => one.hit).length, history.length, mean] }
}

/** A box that is odd by itself: outside the image, hardly a pixel wide, or the whole image. Numbers: width and height in pixels. */
export function geometry({ boxes }: Seen, image: Size): Reason {
  let best: Reason = { name: 'geometry', strength: 0, numbers: [] }
  for (const box of boxes) {
    for (const [oddity, strength] of odditiesOf(box, image)) {
      if (strength > best.strength) best = { name: 'geometry', strength, numbers: [boxWidth(box), boxHeight(box)], oddity }
    }
  }
  return best
}

function odditiesOf(box: Box, image: Size): [Oddity, number][] {
  const found: [Oddity, number][] = boxFlags(box, image).map((flag) => [flag, flag === 'crosses-edge' ? 0.3 : 1])
  const [width, height] = [Math.abs(boxWidth(box)), Math.abs(boxHeight(box))]
  const [least, most] = [Math.min(width, height), Math.max(width, height)]
  if (least < Math.max(2, 0.01 * Math.min(image.width, image.height))) found.push(['tiny', 0.8])
  if (width * height > 0.97 * image.width * image.height) found.push(['whole-image', 0.4])
  if (most > 15 * least) found.push(['thin', 0.5])
  return found
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
