/** Curves as people want to read them, without losing a point: unbiased exponential smoothing, and an envelope of all values. */

/**
 * Exponential moving average corrected for its start (as Adam's moments are): out[i] = m[i] / (1 - weight^n), where n counts
 * the finite values so far. Values that are not finite are passed by and repeat the average before them; before the first
 * finite one the result is NaN.
 * @param weight 0 leaves the values as they are; near 1 smooths most. Must be in [0, 1).
 */
export function smooth(values: ArrayLike<number>, weight: number): Float64Array {
  const out = new Float64Array(values.length)
  let mean = 0
  let power = 1
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (Number.isFinite(value)) {
      mean = weight * mean + (1 - weight) * value
      power *= weight
    }
    out[i] = power === 1 ? Number.NaN : mean / (1 - power)
  }
  return out
}

export interface Envelope {
  /** Step of the last point of each bucket, rising. */
  readonly steps: Float64Array
  /** Smoothed value at that step; NaN where the bucket holds a value that is not finite, so that a run that broke shows it. */
  readonly line: Float64Array
  /** Least and greatest raw value in the bucket and its neighbours within the radius. */
  readonly low: Float64Array
  readonly high: Float64Array
}

/**
 * At most `buckets` points for drawing, each standing for a stretch of steps of equal length. Every raw value is inside the
 * band, so no spike is lost however far a curve is zoomed out. With few points the band reaches over `radius` neighbours, so
 * that it shows how much the values scatter and not just each of them.
 * @param steps rising; same length as values and smoothed
 */
export function envelope(steps: ArrayLike<number>, values: ArrayLike<number>, smoothed: ArrayLike<number>, buckets: number, radius = 0): Envelope {
  const n = steps.length
  const count = Math.min(n, Math.max(1, Math.floor(buckets)))
  const first = n > 0 ? steps[0]! : 0
  const span = n > 0 ? steps[n - 1]! - first : 0
  const outSteps: number[] = []
  const line: number[] = []
  const low: number[] = []
  const high: number[] = []
  let bucket = -1
  let broken = false
  for (let i = 0; i < n; i++) {
    const at = n <= count || span === 0 ? i : Math.min(count - 1, Math.floor(((steps[i]! - first) / span) * count))
    const value = values[i]!
    if (at !== bucket) {
      bucket = at
      broken = !Number.isFinite(value)
      outSteps.push(steps[i]!)
      line.push(broken ? Number.NaN : smoothed[i]!)
      low.push(Number.isFinite(value) ? value : Number.NaN)
      high.push(Number.isFinite(value) ? value : Number.NaN)
      continue
    }
    const last = outSteps.length - 1
    outSteps[last] = steps[i]!
    broken ||= !Number.isFinite(value)
    line[last] = broken ? Number.NaN : smoothed[i]!
    if (Number.isFinite(value)) {
      low[last] = Number.isNaN(low[last]!) ? value : Math.min(low[last]!, value)
      high[last] = Number.isNaN(high[last]!) ? value : Math.max(high[last]!, value)
    }
  }
  return { steps: Float64Array.from(outSteps), line: Float64Array.from(line), low: widened(low, radius, Math.min), high: widened(high, radius, Math.max) }
}

/** The extreme of each value and its neighbours within the radius, passing by what is not finite. */
function widened(values: readonly number[], radius: number, extreme: (a: number, b: number) => number): Float64Array {
  const out = Float64Array.from(values)
  for (let i = 0; radius > 0 && i < out.length; i++) {
    for (let j = Math.max(0, i - radius); j <= Math.min(out.length - 1, i + radius); j++) {
      const value = values[j]!
      if (!Number.isNaN(value)) out[i] = Number.isNaN(out[i]!) ? value : extreme(out[i]!, value)
    }
  }
  return out
}

/**
 * The part of a curve within a stretch of steps, with one point more on either side, so that its line reaches the edges.
 * @param stretch null for all of it
 */
export function within(steps: ArrayLike<number>, stretch: readonly [number, number] | null): readonly [number, number] {
  if (!stretch) return [0, steps.length]
  let from = 0
  while (from < steps.length && steps[from]! < stretch[0]) from++
  let to = from
  while (to < steps.length && steps[to]! <= stretch[1]) to++
  return [Math.max(0, from - 1), Math.min(steps.length, to + 1)]
}

/** The place of the last step at or before this one; -1 when there is none. Steps rise. */
export function lastAt(steps: ArrayLike<number>, step: number): number {
  let [low, high] = [0, steps.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (steps[middle]! <= step) low = middle + 1
    else high = middle
  }
  return low - 1
}

/**
 * Several curves over one axis of steps: the union of their steps. undefined stands where a curve has no point, over which
 * its line goes on; null where its value is not finite, which is a gap.
 * @returns [steps, ...curves]
 */
export function align(curves: readonly { readonly steps: ArrayLike<number>; readonly values: readonly ArrayLike<number>[] }[]): (number | null | undefined)[][] {
  const all = new Set<number>()
  for (const curve of curves) for (let i = 0; i < curve.steps.length; i++) all.add(curve.steps[i]!)
  const steps = [...all].sort((a, b) => a - b)
  const index = new Map(steps.map((step, i) => [step, i]))
  const columns: (number | null | undefined)[][] = [steps]
  for (const curve of curves) {
    for (const values of curve.values) {
      const column = new Array<number | null | undefined>(steps.length).fill(undefined)
      for (let i = 0; i < curve.steps.length; i++) {
        const value = values[i]!
        column[index.get(curve.steps[i]!)!] = Number.isFinite(value) ? value : null
      }
      columns.push(column)
    }
  }
  return columns
}
