/** Where an interval stands on a small axis that always shows zero. */
export interface Axis {
  readonly low: number
  readonly high: number
}

/** Room for zero and all values, with a margin of 12 % on each side. Never empty. */
export function axisFor(values: readonly number[]): Axis {
  const finite = values.filter((value) => Number.isFinite(value))
  const low = Math.min(0, ...finite)
  const high = Math.max(0, ...finite)
  const span = high - low || 1
  return { low: low - span * 0.12, high: high + span * 0.12 }
}

/** Position in percent of the axis. */
export function place(axis: Axis, value: number): number {
  return ((value - axis.low) / (axis.high - axis.low)) * 100
}

/** An interval that does not hold zero tells of a change; which way is good depends on the measure. */
export function verdict(interval: { readonly low: number; readonly high: number }, lessIsBetter = false): 'better' | 'worse' | 'unclear' {
  if (interval.low <= 0 && interval.high >= 0) return 'unclear'
  return interval.low > 0 === !lessIsBetter ? 'better' : 'worse'
}
