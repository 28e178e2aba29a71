/** Is one checkpoint better than another, by how much, and is that luck? Paired statistics over the regions that all of them were scored on. */
import { type SliceOf, slicesOf } from '../../../shared/compare-slices.ts'
import { type Comparison, type ComparePair, type CompareRow, type CompareScores, type CompareSlice, type Measure, MEASURES } from '../../../shared/contract/compare.ts'
import { type ByImage, type Column, drawImages, statisticOf, sumByImage } from './bootstrap.ts'
import { type Interval, intervalOf } from './intervals.ts'
import { benjaminiHochberg, exactMcNemar, holm } from './tests.ts'

export interface StatisticsOptions {
  readonly draws?: number
  readonly seed?: number
}

type Statistics = Pick<Comparison, 'method' | 'pairs'> & { readonly means: readonly (Comparison['checkpoints'][number]['means'])[] }

/** A bootstrap over fewer images than this says nothing, and no interval is given. */
export const FEWEST_IMAGES = 10
const LEVEL = 0.95

const VALUE: Readonly<Record<Measure, (scores: CompareScores) => number | null>> = {
  pointingGame: (scores) => Number(scores.pointingHit),
  consistency: (scores) => scores.insideEnergy,
  uncertain: (scores) => (scores.uncertain === null ? null : Number(scores.uncertain)),
  matchProbability: (scores) => scores.matchProbability,
}

interface Measured {
  readonly measure: Measure
  readonly regions: number
  readonly images: number
  /** Column of each checkpoint. */
  readonly columns: readonly number[]
}

/** @param checkpoints how many there are; each row has that many scores */
export async function compareScores(rows: readonly CompareRow[], checkpoints: number, { draws = 10_000, seed = 1 }: StatisticsOptions = {}): Promise<Statistics> {
  const places = Array.from({ length: checkpoints }, (_, k) => k)
  const couples = places.flatMap((a) => places.slice(a + 1).map((b) => ({ a, b })))
  const members = slicesOf(rows)
  const method = { draws, seed, level: LEVEL, pairTests: couples.length, sliceTests: couples.length * members.length, fewestImages: FEWEST_IMAGES }
  if (rows.length === 0) return { method, pairs: [], means: places.map(() => null) }

  const columns: Column[] = []
  const weights: Float64Array[] = []
  const imagesOf = (inside: readonly number[]): number => new Set(inside.map((row) => rows[row]!.imageId)).size
  /** One weight, and a column a checkpoint: what is not in it counts nothing. */
  const add = (inside: readonly number[], value: (scores: CompareScores) => number): number[] => {
    const weight = weights.push(new Float64Array(rows.length)) - 1
    for (const row of inside) weights[weight]![row] = 1
    return places.map((k) => {
      const values = new Float64Array(rows.length)
      for (const row of inside) values[row] = value(rows[row]!.scores[k]!)
      return columns.push({ values, weight }) - 1
    })
  }
  const measured = MEASURES.flatMap((measure): Measured[] => {
    const inside = rows.flatMap((row, i) => (row.scores.every((scores) => VALUE[measure](scores) !== null) ? [i] : []))
    return inside.length === 0 ? [] : [{ measure, regions: inside.length, images: imagesOf(inside), columns: add(inside, (scores) => VALUE[measure](scores)!) }]
  })
  const sliced = members.map((slice) => ({ slice, images: imagesOf(slice.rows), columns: add(slice.rows, (scores) => Number(scores.pointingHit)) }))

  // One set of draws serves everything, so that differences are taken draw by draw.
  const by = sumByImage(columns, weights, rows.map((row) => row.imageId))
  const drawn = await drawImages(by, draws, seed)
  const interval = (images: number, column: number, minus?: number): Interval | null => (images < FEWEST_IMAGES ? null : intervalOf(statisticOf(by, drawn, column, minus), LEVEL))
  const meanOf = (column: number): number => statisticMean(by, column)
  const perMeasure = <T>(of: (one: Measured) => T): Record<Exclude<Measure, 'pointingGame'>, T | null> & { pointingGame: T } =>
    Object.fromEntries(MEASURES.map((measure) => [measure, measured.find((one) => one.measure === measure)]).map(([measure, one]) => [measure, one ? of(one as Measured) : null]))

  const pairs = couples.map(({ a, b }) => ({
    a, b, matrix: hitMatrix(rows, a, b),
    headline: perMeasure((one) => {
      const [before, after] = [meanOf(one.columns[a]!), meanOf(one.columns[b]!)]
      return { a: before, b: after, change: after - before, regions: one.regions, interval: interval(one.images, one.columns[b]!, one.columns[a]!) }
    }),
    slices: sliced.map((one) => sliceOf(rows, one.slice, one.images, a, b, meanOf(one.columns[b]!) - meanOf(one.columns[a]!), interval(one.images, one.columns[b]!, one.columns[a]!))),
  }))
  return {
    method, pairs: withTests(pairs),
    means: places.map((k) => perMeasure((one) => ({ value: meanOf(one.columns[k]!), regions: one.regions, interval: interval(one.images, one.columns[k]!) }))),
  }
}

type Untested = Omit<ComparePair, 'test' | 'slices'> & { readonly slices: readonly Omit<CompareSlice, 'test'>[] }

/** All pairs are one family of tests, all slices of all pairs another. */
function withTests(pairs: readonly Untested[]): ComparePair[] {
  const p = (list: readonly { readonly matrix: ComparePair['matrix'] }[]): number[] => list.map(({ matrix }) => exactMcNemar(matrix.fixed, matrix.broken))
  const ofPairs = adjusted(p(pairs))
  const ofSlices = adjusted(p(pairs.flatMap((pair) => pair.slices)))
  let at = 0
  return pairs.map((pair, i) => ({ ...pair, test: ofPairs[i]!, slices: pair.slices.map((slice) => ({ ...slice, test: ofSlices[at++]! })) }))
}

function adjusted(p: readonly number[]): ComparePair['test'][] {
  const [strict, loose] = [holm(p), benjaminiHochberg(p)]
  return p.map((value, i) => ({ p: value, holm: strict[i]!, bh: loose[i]! }))
}

function sliceOf(rows: readonly CompareRow[], slice: SliceOf, images: number, a: number, b: number, change: number, interval: Interval | null): Omit<CompareSlice, 'test'> {
  return { group: slice.group, name: slice.name, regions: slice.rows.length, images, change, interval, matrix: hitMatrix(slice.rows.map((row) => rows[row]!), a, b) }
}

function hitMatrix(rows: readonly CompareRow[], a: number, b: number): ComparePair['matrix'] {
  const matrix = { both: 0, fixed: 0, broken: 0, neither: 0 }
  for (const { scores } of rows) matrix[scores[a]!.pointingHit ? (scores[b]!.pointingHit ? 'both' : 'broken') : scores[b]!.pointingHit ? 'fixed' : 'neither']++
  return matrix
}

function statisticMean({ images, sums, sizes, columns, weights }: ByImage, column: number): number {
  let [total, count] = [0, 0]
  for (let image = 0; image < images; image++) {
    total += sums[image * columns.length + column]!
    count += sizes[image * weights.length + columns[column]!.weight]!
  }
  return total / count
}
