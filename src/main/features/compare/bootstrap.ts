/**
 * A bootstrap over images: regions of one image are not independent, so whole images are drawn with replacement. All statistics are
 * ratios of sums, and all of them are taken of the same draws, so that any two may be subtracted draw by draw.
 */
import { setImmediate } from 'node:timers/promises'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Bootstrapped } from './intervals.ts'

export interface Column {
  /** Of each row; 0 where its weight is 0. */
  readonly values: Float64Array
  /** Which of the weights divides it. */
  readonly weight: number
}

/** Sums by image, image after image. */
export interface ByImage {
  readonly images: number
  readonly sums: Float64Array
  readonly sizes: Float64Array
  readonly columns: readonly Column[]
  readonly weights: readonly Float64Array[]
}

export function sumByImage(columns: readonly Column[], weights: readonly Float64Array[], imageIds: readonly string[]): ByImage {
  const index = new Map<string, number>()
  for (const id of imageIds) if (!index.has(id)) index.set(id, index.size)
  const sums = new Float64Array(index.size * columns.length)
  const sizes = new Float64Array(index.size * weights.length)
  imageIds.forEach((id, row) => {
    const image = index.get(id)!
    columns.forEach(({ values }, c) => (sums[image * columns.length + c]! += values[row]!))
    weights.forEach((of, w) => (sizes[image * weights.length + w]! += of[row]!))
  })
  return { images: index.size, sums, sizes, columns, weights }
}

/** How long it computes before it lets other work of the engine through. */
const SLICE_MS = 12

/** The statistic of every column in every draw. The same seed draws the same images. */
export async function drawImages({ images, sums, sizes, columns, weights }: ByImage, draws: number, seed: number): Promise<Float64Array[]> {
  const [width, wide] = [columns.length, weights.length]
  const drawn = columns.map(() => new Float64Array(draws))
  const generator = xoroshiro128plus(seed)
  const times = new Int32Array(images)
  const totals = new Float64Array(width)
  const counts = new Float64Array(wide)
  let sliceFrom = performance.now()
  for (let draw = 0; draw < draws; draw++) {
    if (performance.now() - sliceFrom > SLICE_MS) {
      await setImmediate()
      sliceFrom = performance.now()
    }
    times.fill(0)
    for (let i = 0; i < images; i++) times[uniformInt(generator, 0, images - 1)]!++
    totals.fill(0)
    counts.fill(0)
    for (let image = 0; image < images; image++) {
      const n = times[image]!
      if (n === 0) continue
      for (let c = 0, at = image * width; c < width; c++, at++) totals[c]! += n * sums[at]!
      for (let w = 0, at = image * wide; w < wide; w++, at++) counts[w]! += n * sizes[at]!
    }
    for (let c = 0; c < width; c++) drawn[c]![draw] = totals[c]! / counts[columns[c]!.weight]!
  }
  return drawn
}

/** The statistic of a column, and without one image, for each image. */
function leaveOneOut({ images, sums, sizes, columns, weights }: ByImage, column: number): { estimate: number; without: Float64Array } {
  const weight = columns[column]!.weight
  let [total, count] = [0, 0]
  for (let image = 0; image < images; image++) {
    total += sums[image * columns.length + column]!
    count += sizes[image * weights.length + weight]!
  }
  const without = new Float64Array(images)
  for (let image = 0; image < images; image++) without[image] = (total - sums[image * columns.length + column]!) / (count - sizes[image * weights.length + weight]!)
  return { estimate: total / count, without }
}

/** One column, or the second minus the first, with what an interval is made of. */
export function statisticOf(by: ByImage, drawn: readonly Float64Array[], column: number, minus?: number): Bootstrapped {
  const first = leaveOneOut(by, column)
  if (minus === undefined) return { estimate: first.estimate, draws: drawn[column]!, jackknife: first.without }
  const second = leaveOneOut(by, minus)
  return {
    estimate: first.estimate - second.estimate,
    draws: drawn[column]!.map((value, i) => value - drawn[minus]![i]!), jackknife: first.without.map((value, i) => value - second.without[i]!),
  }
}
