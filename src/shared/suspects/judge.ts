/**
 * One rank from several reasons: the odds that a region is wrong are those of any region, times a factor for each reason by its
 * strength. In logarithms a sum: logit p = prior + sum of weight x strength. docs/suspects.md says where the weights come from.
 */
import type { Size } from '../geometry.ts'
import type { Baseline } from './baseline.ts'
import { agree, disagree, geometry, type JudgedRegion, margin, neighbour, outside, type Reason, REASONS, type ReasonName, seeTogether, swap, twin, unlearned } from './reasons.ts'

/** In nats: a reason at its full strength multiplies the odds by e to this. */
export type Weights = Readonly<Record<ReasonName, number>>
export type Strengths = Readonly<Partial<Record<ReasonName, number>>>

/** One region in forty is supposed to be wrong before anything is known of it. */
export const PRIOR_LOG_ODDS = Math.log(1 / 39)

export const WEIGHTS: Weights = { outside: 4.5, margin: 0.5, neighbour: 0.5, swap: 1.5, twin: 3, agree: 1, disagree: 0.3, unlearned: 1, geometry: 2 }

/** From here on a region is called a suspect: more likely wrong than right. */
export const SUSPECT_FROM = 0.5

/** Below this strength a reason is not worth a sentence. */
export const WORTH_SAYING = 0.15

export interface Judgement {
  readonly regionId: string
  /** Probability of being wrong, (0, 1). */
  readonly suspicion: number
  readonly strengths: Strengths
  /** Those worth a sentence, the one that raises the suspicion most first. */
  readonly reasons: readonly Reason[]
}

export function suspicionOf(strengths: Strengths, weights: Weights = WEIGHTS): number {
  let sum = PRIOR_LOG_ODDS
  for (const name of REASONS) sum += weights[name] * (strengths[name] ?? 0)
  return 1 / (1 + Math.exp(-sum))
}

/** Judges the regions of one image by each other. Each must have a box. */
export function judgeRegions(regions: readonly JudgedRegion[], image: Size, baseline: Baseline, weights: Weights = WEIGHTS): Judgement[] {
  const all = seeTogether(regions, image, baseline)
  return all.map((one) => {
    const found = [outside(one), margin(one), neighbour(one, all), swap(one, all), twin(one, all), agree(one), disagree(one), unlearned(one, baseline), geometry(one, image)]
    const strengths = Object.fromEntries(found.filter(({ strength }) => strength > 0).map(({ name, strength }) => [name, strength])) as Strengths
    const worth = found.filter(({ strength }) => strength >= WORTH_SAYING).sort((a, b) => weights[b.name] * b.strength - weights[a.name] * a.strength)
    return { regionId: one.id, suspicion: suspicionOf(strengths, weights), strengths, reasons: worth }
  })
}
