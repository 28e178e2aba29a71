/**
 * Which reasons a reviewer accepts. Each decision on a suspect says whether its reasons were right; the weights are those that make the
 * decisions most likely, held near the ones the program comes with (a logistic regression with a normal prior, MAP). A pure function of
 * the decisions: the same ones give the same weights, and taking one back takes its effect back.
 */
import { PRIOR_LOG_ODDS, type Strengths, type Weights, WEIGHTS, WORTH_SAYING } from './judge.ts'
import { REASONS, type ReasonName } from './reasons.ts'

export interface Decision {
  readonly strengths: Strengths
  /** The region was mended: the reasons were right. False when it was kept as it was. */
  readonly agreed: boolean
}

/** How far, in nats, a weight may be from the usual one before decisions must argue for it: one standard deviation. */
const PRIOR_SPREAD = 1
const ROUNDS = 40

export function learnWeights(decisions: readonly Decision[]): Weights {
  const weights: Record<ReasonName, number> = { ...WEIGHTS }
  if (decisions.length === 0) return weights
  const sums = decisions.map(({ strengths }) => REASONS.reduce((sum, name) => sum + weights[name] * (strengths[name] ?? 0), PRIOR_LOG_ODDS))
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of REASONS) {
      let slope = (WEIGHTS[name] - weights[name]) / PRIOR_SPREAD ** 2
      let bend = 1 / PRIOR_SPREAD ** 2
      decisions.forEach(({ strengths, agreed }, i) => {
        const x = strengths[name] ?? 0
        if (x === 0) return
        const p = 1 / (1 + Math.exp(-sums[i]!))
        slope += x * ((agreed ? 1 : 0) - p)
        bend += x * x * p * (1 - p)
      })
      // Newton's step, at most one nat at a time; a reason never speaks against a suspicion.
      const next = Math.max(0, weights[name] + Math.min(1, Math.max(-1, slope / bend)))
      const change = next - weights[name]
      weights[name] = next
      if (change !== 0) decisions.forEach(({ strengths }, i) => (sums[i] = sums[i]! + change * (strengths[name] ?? 0)))
    }
  }
  return weights
}

export interface Tally {
  readonly name: ReasonName
  readonly agreed: number
  readonly asked: number
}

/** For each reason that was said, how often it was right. */
export function tally(decisions: readonly Decision[]): Tally[] {
  return REASONS.map((name) => {
    const said = decisions.filter(({ strengths }) => (strengths[name] ?? 0) >= WORTH_SAYING)
    return { name, agreed: said.filter((one) => one.agreed).length, asked: said.length }
  }).filter(({ asked }) => asked > 0)
}
