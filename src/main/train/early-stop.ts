/** Ending a run that has stopped getting better: a count of validations without a new best, saved with the state. */
import type { RunConfig } from '../../shared/config/run-config.ts'
import type { MetricRow } from '../../shared/domain.ts'

export interface Stall {
  /** Highest value so far; null before the first. */
  readonly best: number | null
  /** Validations since then. */
  readonly waited: number
}

export const NO_STALL: Stall = { best: null, waited: 0 }

/** What judges a run: its best checkpoint, and whether it still gets better. One measure for both. */
export type Judge = Exclude<RunConfig['earlyStop']['metric'], 'off'>

export function judgeOf({ metric }: RunConfig['earlyStop']): Judge {
  return metric === 'off' ? 'pointingGame' : metric
}

/**
 * After a validation. One in which nothing could be measured (no val split, its images are away) decides nothing: it is neither better nor a
 * step towards the patience, as it makes no checkpoint the best. A value that was measured and is not finite counts as no better.
 */
export function afterValidation(stall: Stall, values: MetricRow['values'], { metric, minDelta }: RunConfig['earlyStop']): Stall {
  if (metric === 'off') return stall
  const value = values[`val.${metric}`]
  if (value === undefined) return stall
  const better = Number.isFinite(value) && (stall.best === null || value > stall.best + minDelta)
  return better ? { best: value, waited: 0 } : { ...stall, waited: stall.waited + 1 }
}

export function isStalled(stall: Stall, { metric, patience }: RunConfig['earlyStop']): boolean {
  return metric !== 'off' && stall.waited >= patience
}

/** For the log. */
export function stallSentence({ best, waited }: Stall, { metric }: RunConfig['earlyStop'], step: number): string {
  return `Ended early after step ${step}: val.${metric} has not risen above ${best === null ? 'anything' : best.toFixed(4)} for ${waited} ${waited === 1 ? 'validation' : 'validations'}.`
}
