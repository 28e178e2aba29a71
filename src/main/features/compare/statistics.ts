/**
 * Is B better than A, by how much, and is that luck? Paired statistics over the regions that both checkpoints were scored on.
 * Regions of one image are not independent, so the intervals come from a bootstrap that draws whole images.
 */
import { setImmediate } from 'node:timers/promises'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { z } from 'zod'
import type { Comparison, compareRowSchema } from '../../../shared/contract/contract.ts'

export type CompareRow = z.infer<typeof compareRowSchema>
type Headline = NonNullable<Comparison['headline']>
type Interval = Headline['pointingGame']
type Slice = Comparison['slices'][number]

export interface BootstrapOptions {
  readonly draws?: number
  readonly seed?: number
  /** Tags of each row, for a slice a tag. */
  readonly tags?: readonly (readonly string[])[]
}

/** Everything of a comparison that is computed from its rows. Changes are b minus a; intervals hold 95 %. */
export async function compareScores(
  rows: readonly CompareRow[], { draws = 10_000, seed = 1, tags = [] }: BootstrapOptions = {},
): Promise<Pick<Comparison, 'headline' | 'matrix' | 'mcnemarP' | 'bootstrapDraws' | 'slices'>> {
  if (rows.length === 0) return { headline: null, matrix: null, mcnemarP: null, bootstrapDraws: draws, slices: [] }
  const matrix = hitMatrix(rows)
  const measures = MEASURES.map((measure) => ({ a: Float64Array.from(rows, (row) => measure(row.a)), b: Float64Array.from(rows, (row) => measure(row.b)) }))
  const changes = measures.map(({ a, b }) => a.map((value, i) => b[i]! - value))
  const members = [...Object.entries(SLICES), ...tagSlices(tags)].flatMap(([name, belongs]) => {
    const inside = rows.map((row, i) => (belongs(row, i) ? i : -1)).filter((i) => i >= 0)
    return inside.length > 0 && inside.length < rows.length ? [{ name, inside }] : []
  })
  // One set of draws serves the headline and every slice: a slice's value is zero outside it, its size a second column.
  const all = Float64Array.from(rows, () => 1)
  const columns = changes.map((values) => ({ values, weights: all }))
  for (const { inside } of members) {
    const weights = new Float64Array(rows.length)
    const values = new Float64Array(rows.length)
    for (const i of inside) {
      weights[i] = 1
      values[i] = changes[0]![i]!
    }
    columns.push({ values, weights })
  }
  const intervals = await bootstrapMeans(columns, rows.map((row) => row.imageId), draws, seed)
  const interval = (i: number): Interval => ({ a: mean(measures[i]!.a), b: mean(measures[i]!.b), change: mean(changes[i]!), ...intervals[i]! })
  return {
    headline: { pointingGame: interval(0), consistency: interval(1), uncertain: interval(2), matchProbability: interval(3) },
    matrix,
    mcnemarP: exactMcNemar(matrix.fixed, matrix.broken),
    bootstrapDraws: draws,
    slices: members.map(({ name, inside }, i): Slice => ({
      name, regions: inside.length, change: mean(inside.map((row) => changes[0]![row]!)), ...intervals[MEASURES.length + i]!,
    })),
  }
}

const MEASURES: readonly ((scores: CompareRow['a']) => number)[] = [
  (scores) => Number(scores.pointingHit),
  (scores) => scores.insideEnergy,
  (scores) => Number(scores.uncertain),
  (scores) => scores.matchProbability,
]

const wordCount = (phrase: string) => phrase.trim().split(/\s+/).length
const COLOUR = /\b(red|orange|yellow|green|blue|purple|pink|brown|black|white|gr[ae]y)\b/i
const POSITION = /\b(left|right|top|bottom|upper|lower|front|back|behind|above|below|middle|center|centre|near|next|between)\b/i
const SIZE = /\b(small|smaller|smallest|little|tiny|big|bigger|biggest|large|larger|largest|tall|short)\b/i

type Belongs = (row: CompareRow, index: number) => boolean

/** Box sizes by share of the image: below 1 %, 1 to 10 %, above, as COCO's 32 and 96 px squares at its usual image size. */
const SLICES: Readonly<Record<string, Belongs>> = {
  'Box: small': (row) => row.boxAreaShare < 0.01,
  'Box: medium': (row) => row.boxAreaShare >= 0.01 && row.boxAreaShare < 0.1,
  'Box: large': (row) => row.boxAreaShare >= 0.1,
  '1–2 words': (row) => wordCount(row.phrase) <= 2,
  '3–5 words': (row) => wordCount(row.phrase) >= 3 && wordCount(row.phrase) <= 5,
  '6+ words': (row) => wordCount(row.phrase) >= 6,
  'Colour word': (row) => COLOUR.test(row.phrase),
  'Size word': (row) => SIZE.test(row.phrase),
  'Position word': (row) => POSITION.test(row.phrase),
}

const MOST_TAGS = 12

/** The tags used most, each a slice. */
function tagSlices(tags: readonly (readonly string[])[]): [string, Belongs][] {
  const counts = new Map<string, number>()
  for (const list of tags) for (const tag of list) counts.set(tag, (counts.get(tag) ?? 0) + 1)
  const frequent = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_TAGS)
  return frequent.map(([tag]) => [`Tag: ${tag}`, (_row, i) => tags[i]!.includes(tag)])
}

export function hitMatrix(rows: readonly CompareRow[]): NonNullable<Comparison['matrix']> {
  const count = (a: boolean, b: boolean) => rows.filter((row) => row.a.pointingHit === a && row.b.pointingHit === b).length
  return { both: count(true, true), broken: count(true, false), fixed: count(false, true), neither: count(false, false) }
}

/**
 * Exact McNemar: two-sided binomial probability of a split of the discordant pairs at least this uneven when either side is
 * equally likely. 1 when nothing differs. Source: McNemar 1947, exact form; equals statsmodels' mcnemar(exact=True).
 */
export function exactMcNemar(fixed: number, broken: number): number {
  const n = fixed + broken
  const low = Math.min(fixed, broken)
  if (n === 0) return 1
  let logTerm = -n * Math.LN2 // log of C(n, 0) / 2^n
  let sum = Math.exp(logTerm)
  for (let k = 1; k <= low; k++) {
    logTerm += Math.log((n - k + 1) / k)
    sum += Math.exp(logTerm)
  }
  return Math.min(1, 2 * sum)
}

interface Column {
  readonly values: Float64Array
  /** 1 where the row counts. The statistic is sum(values) / sum(weights). */
  readonly weights: Float64Array
}

/** How long it computes before it lets other work of the engine through. */
const SLICE_MS = 12

/** 2.5 % and 97.5 % points of weighted means when whole images are drawn with replacement. Gives way to other work in between. */
export async function bootstrapMeans(columns: readonly Column[], imageIds: readonly string[], draws: number, seed: number): Promise<{ low: number; high: number }[]> {
  const { sums, counts, images } = sumByImage(columns, imageIds)
  const width = columns.length
  const statistics = columns.map(() => new Float64Array(draws))
  const generator = xoroshiro128plus(seed)
  const totals = new Float64Array(width)
  const sizes = new Float64Array(width)
  let sliceFrom = performance.now()
  for (let draw = 0; draw < draws; draw++) {
    if (performance.now() - sliceFrom > SLICE_MS) {
      await setImmediate()
      sliceFrom = performance.now()
    }
    totals.fill(0)
    sizes.fill(0)
    for (let i = 0; i < images; i++) {
      const at = uniformInt(generator, 0, images - 1) * width
      for (let c = 0; c < width; c++) {
        totals[c]! += sums[at + c]!
        sizes[c]! += counts[at + c]!
      }
    }
    for (let c = 0; c < width; c++) statistics[c]![draw] = sizes[c]! > 0 ? totals[c]! / sizes[c]! : NaN
  }
  return statistics.map((values) => {
    const sorted = values.filter((value) => !Number.isNaN(value)).sort()
    return { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) }
  })
}

function sumByImage(columns: readonly Column[], imageIds: readonly string[]) {
  const index = new Map<string, number>()
  for (const id of imageIds) if (!index.has(id)) index.set(id, index.size)
  const width = columns.length
  const sums = new Float64Array(index.size * width)
  const counts = new Float64Array(index.size * width)
  imageIds.forEach((id, row) => {
    const at = index.get(id)! * width
    columns.forEach(({ values, weights }, c) => {
      sums[at + c]! += values[row]!
      counts[at + c]! += weights[row]!
    })
  })
  return { sums, counts, images: index.size }
}

/** Linear interpolation between order statistics, as numpy's default. */
function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) return 0
  const at = share * (sorted.length - 1)
  const low = Math.floor(at)
  const high = Math.min(low + 1, sorted.length - 1)
  return sorted[low]! + (sorted[high]! - sorted[low]!) * (at - low)
}

function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return values.length > 0 ? sum / values.length : 0
}
