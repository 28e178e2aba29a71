/** Intervals from the draws of a bootstrap: by percentiles, and bias-corrected and accelerated (BCa; Efron 1987), as scipy.stats.bootstrap works them out. */
import type { z } from 'zod'
import type { intervalSchema } from '../../../shared/contract/compare.ts'
import { normalProbability, normalQuantile } from './normal.ts'

export type Interval = z.infer<typeof intervalSchema>

export interface Bootstrapped {
  readonly estimate: number
  /** The statistic of each draw; NaN where the draw had nothing of it. */
  readonly draws: Float64Array
  /** The statistic without one image, for each image. */
  readonly jackknife: Float64Array
}

/** The interval of 95 %. BCa where it can be worked out; it cannot where all draws are equal or lie on one side of the estimate: then by percentiles, which it says. */
export function intervalOf({ estimate, draws, jackknife }: Bootstrapped, level = 0.95): Interval | null {
  const sorted = draws.filter((value) => !Number.isNaN(value)).sort()
  if (sorted.length === 0) return null
  const tail = (1 - level) / 2
  const [percentileLow, percentileHigh] = [quantile(sorted, tail), quantile(sorted, 1 - tail)]
  const bca = bcaShares(sorted, estimate, jackknife, tail)
  return {
    low: bca ? quantile(sorted, bca[0]) : percentileLow, high: bca ? quantile(sorted, bca[1]) : percentileHigh, percentileLow, percentileHigh, method: bca ? 'BCa' : 'percentile',
  }
}

/** Which shares of the draws BCa takes in place of the tails; null where it is not defined. */
function bcaShares(sorted: Float64Array, estimate: number, jackknife: Float64Array, tail: number): [number, number] | null {
  const n = jackknife.length
  if (n < 2 || jackknife.some((value) => Number.isNaN(value))) return null
  const [below, notAbove] = [countBelow(sorted, estimate, false), countBelow(sorted, estimate, true)]
  const bias = normalQuantile((below + notAbove) / (2 * sorted.length))
  let mean = 0
  for (const value of jackknife) mean += value / n
  let [cubes, squares] = [0, 0]
  for (const value of jackknife) {
    const influence = (n - 1) * (mean - value)
    squares += influence ** 2
    cubes += influence ** 3
  }
  const acceleration = cubes / (6 * squares ** 1.5)
  if (!Number.isFinite(bias) || !Number.isFinite(acceleration)) return null
  const share = (z: number) => normalProbability(bias + (bias + z) / (1 - acceleration * (bias + z)))
  return [share(normalQuantile(tail)), share(normalQuantile(1 - tail))]
}

function countBelow(sorted: Float64Array, limit: number, orEqual: boolean): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (sorted[middle]! < limit || (orEqual && sorted[middle]! === limit)) from = middle + 1
    else to = middle
  }
  return from
}

/** Linear interpolation between order statistics, as numpy's default. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1)
  const low = Math.floor(at)
  const high = Math.min(low + 1, sorted.length - 1)
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low)
}
