import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CompareRow, CompareScores } from '../../../shared/contract/compare.ts'
import { drawImages, statisticOf, sumByImage } from './bootstrap.ts'
import { intervalOf } from './intervals.ts'
import { normalProbability, normalQuantile } from './normal.ts'
import { compareScores } from './statistics.ts'
import { benjaminiHochberg, exactMcNemar, holm } from './tests.ts'

interface Expected {
  readonly mcnemar: readonly { readonly fixed: number; readonly broken: number; readonly p: number }[]
  readonly corrections: readonly { readonly p: number[]; readonly holm: number[]; readonly bh: number[] }[]
  readonly normal: { readonly z: number[]; readonly cdf: number[]; readonly p: number[]; readonly ppf: number[] }
  readonly bootstrap: readonly {
    readonly name: string; readonly rows: (readonly [image: number, a: number, b: number])[]; readonly estimate: number; readonly jackknife: number[]; readonly draws: number[]
    readonly percentile: [number, number]; readonly bca: [number, number]; readonly scipyBca: [number, number]; readonly scipyPercentile: [number, number]
  }[]
}
/** Worked out by scipy and statsmodels: test/statistics/make.py. */
const expected = JSON.parse(readFileSync(new URL('../../../../test/statistics/expected.json', import.meta.url), 'utf8')) as Expected

const scores = (hit: boolean, energy: number | null = hit ? 0.8 : 0.2): CompareScores => ({ pointingHit: hit, insideEnergy: energy, maxMargin: 0, uncertain: false, matchProbability: 0.5 })
const row = (i: number, hits: readonly boolean[], more: Partial<CompareRow> = {}): CompareRow => ({
  regionId: `r${i}`, imageId: `i${i >> 1}`, phrase: 'the dog', split: 'val', boxAreaShare: i % 2 ? 0.005 : 0.2, boxes: 1, tags: [], concepts: [], scores: hits.map((hit) => scores(hit)), ...more,
})
const close = (got: number, wanted: number, relative: number) => expect(Math.abs(got - wanted)).toBeLessThanOrEqual(relative * Math.max(Math.abs(wanted), 1e-300))

describe('exact McNemar', () => {
  test.each(expected.mcnemar)('as statsmodels: $fixed fixed, $broken broken', ({ fixed, broken, p }) => close(exactMcNemar(fixed, broken), p, 1e-9))
  // A sum of binomial coefficients in exact rational arithmetic.
  test('where statsmodels has run out of digits', () => close(exactMcNemar(803, 174), 4.0574706474610664e-97, 1e-9))
  test('does not care which side is which', () => fc.assert(fc.property(fc.nat(500), fc.nat(500), (a, b) => void expect(exactMcNemar(a, b)).toBe(exactMcNemar(b, a)))))
  test('nothing differs: 1', () => expect(exactMcNemar(0, 0)).toBe(1))
})

describe('corrections for many tests', () => {
  test.each(expected.corrections)('as statsmodels, $p.length tests', ({ p, holm: strict, bh }) => {
    holm(p).forEach((value, i) => close(value, strict[i]!, 1e-12))
    benjaminiHochberg(p).forEach((value, i) => close(value, bh[i]!, 1e-12))
  })
  test('never make a p-value smaller, and Holm is the stricter', () =>
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }), (p) => {
      const [strict, loose] = [holm(p), benjaminiHochberg(p)]
      p.forEach((value, i) => {
        expect(loose[i]!).toBeGreaterThanOrEqual(value)
        expect(strict[i]!).toBeGreaterThanOrEqual(loose[i]! - 1e-12)
        expect(strict[i]!).toBeLessThanOrEqual(1)
      })
    })))
})

test('the normal distribution, as scipy', () => {
  const { z, cdf, p, ppf } = expected.normal
  z.forEach((value, i) => (value > 5 || value < -5 ? close(normalProbability(value), cdf[i]!, 1e-11) : close(normalProbability(value), cdf[i]!, 1e-14)))
  p.forEach((value, i) => close(normalQuantile(value), ppf[i]!, 1e-13))
  expect(normalQuantile(0)).toBe(-Infinity)
  expect(normalQuantile(1)).toBe(Infinity)
})

describe('the bootstrap over images', () => {
  test.each(expected.bootstrap)('the intervals of given draws are scipy’s: $name', ({ estimate, draws, jackknife, percentile, bca }) => {
    const got = intervalOf({ estimate, draws: Float64Array.from(draws), jackknife: Float64Array.from(jackknife) })!
    expect(got.method).toBe('BCa')
    for (const [ours, theirs] of [[got.percentileLow, percentile[0]], [got.percentileHigh, percentile[1]], [got.low, bca[0]], [got.high, bca[1]]] as const) expect(ours).toBeCloseTo(theirs, 12)
  })

  test.each(expected.bootstrap)('with its own draws it comes to what scipy comes to: $name', async ({ rows, estimate, jackknife, scipyBca, scipyPercentile }) => {
    const by = sumByImage([{ values: Float64Array.from(rows, ([, a]) => a), weight: 0 }, { values: Float64Array.from(rows, ([, , b]) => b), weight: 0 }], [new Float64Array(rows.length).fill(1)], rows.map(([image]) => String(image)))
    const statistic = statisticOf(by, await drawImages(by, 40_000, 5), 1, 0)
    expect(statistic.estimate).toBeCloseTo(estimate, 12)
    statistic.jackknife.forEach((value, i) => expect(value).toBeCloseTo(jackknife[i]!, 12))
    const got = intervalOf(statistic)!
    const width = scipyBca[1] - scipyBca[0]
    // What 40,000 draws leave to chance in a 2.5 % point is about 1 % of the width.
    for (const [ours, theirs] of [[got.low, scipyBca[0]], [got.high, scipyBca[1]], [got.percentileLow, scipyPercentile[0]], [got.percentileHigh, scipyPercentile[1]]] as const) expect(Math.abs(ours - theirs) / width).toBeLessThan(0.03)
  })

  test('is wider when the regions of an image go together', async () => {
    const values = Float64Array.from({ length: 400 }, (_, i) => ((i * 7919) % 101) / 100)
    const width = async (of: Float64Array, imageOf: (i: number) => number) => {
      const by = sumByImage([{ values: of, weight: 0 }], [new Float64Array(400).fill(1)], Array.from(of, (_, i) => String(imageOf(i))))
      const got = intervalOf(statisticOf(by, await drawImages(by, 2000, 3), 0))!
      return got.high - got.low
    }
    expect(await width(values.slice().sort(), (i) => i >> 3)).toBeGreaterThan(2 * (await width(values, (i) => i)))
  })

  test('says that it is by percentiles where BCa is not defined', () => {
    expect(intervalOf({ estimate: 0, draws: new Float64Array(50), jackknife: new Float64Array(8) })).toMatchObject({ low: 0, high: 0, method: 'percentile' })
    expect(intervalOf({ estimate: 0.5, draws: Float64Array.from({ length: 50 }, (_, i) => i / 100), jackknife: Float64Array.of(0.1, 0.2, 0.4) })).toMatchObject({ method: 'percentile' })
    expect(intervalOf({ estimate: 0, draws: Float64Array.of(NaN, NaN), jackknife: Float64Array.of(1, 2) })).toBeNull()
  })
})

describe('a comparison', () => {
  const rows = [row(0, [true, true]), row(1, [false, true]), row(2, [false, true], { phrase: 'the red car on the left of the big tree' }), row(3, [true, false]), row(4, [false, false])]

  test('counts both, fixed, broken and neither, and the change is b minus a', async () => {
    const { pairs, means } = await compareScores(rows, 2, { draws: 500 })
    expect(pairs).toHaveLength(1)
    expect(pairs[0]!.matrix).toEqual({ both: 1, fixed: 2, broken: 1, neither: 1 })
    expect(pairs[0]!.headline.pointingGame).toMatchObject({ a: 0.4, b: 0.6, regions: 5 })
    expect(pairs[0]!.headline.pointingGame.change).toBeCloseTo(0.2, 12)
    expect(pairs[0]!.test).toEqual({ p: 1, holm: 1, bh: 1 })
    expect(means.map((one) => one!.pointingGame.value)).toEqual([0.4, 0.6])
  })

  test('gives no interval of a handful of images, and one of enough', async () => {
    expect((await compareScores(rows, 2, { draws: 50 })).pairs[0]!.headline.pointingGame.interval).toBeNull()
    const many = Array.from({ length: 60 }, (_, i) => row(i, [i % 3 === 0, i % 4 !== 0]))
    const { interval, change } = (await compareScores(many, 2, { draws: 500 })).pairs[0]!.headline.pointingGame
    expect(interval!.low).toBeLessThan(change)
    expect(interval!.high).toBeGreaterThan(change)
  })

  test('slices say how many regions they hold, and leave out what would be everything or nothing', async () => {
    const { pairs, method } = await compareScores(rows, 2, { draws: 200 })
    const slices = Object.fromEntries(pairs[0]!.slices.map((slice) => [slice.name, slice]))
    expect(slices['Colour word']).toMatchObject({ regions: 1, images: 1, change: 1, group: 'Words', matrix: { fixed: 1 } })
    expect(slices['6+ words']!.regions).toBe(1)
    expect(slices['Box: small']!.regions + slices['Box: large']!.regions).toBe(rows.length)
    expect(slices['Box: medium']).toBeUndefined()
    expect(slices['1 box']).toBeUndefined()
    expect(method.sliceTests).toBe(pairs[0]!.slices.length)
  })

  test('tags, concepts, splits and the number of boxes are slices', async () => {
    const some = rows.map((one, i) => ({ ...one, tags: i === 0 ? ['hard'] : i === 2 ? ['hard', 'new'] : [], concepts: i < 3 ? ['dog'] : [], boxes: i === 4 ? 3 : 1, split: i === 1 ? 'test' : 'val' }))
    const slices = Object.fromEntries((await compareScores(some, 2, { draws: 50 })).pairs[0]!.slices.map((slice) => [slice.name, slice.regions]))
    expect(slices).toMatchObject({ 'Tag: hard': 2, 'Tag: new': 1, 'Concept: dog': 3, '3+ boxes': 1, '1 box': 4, 'Split: test': 1, 'Split: val': 4 })
  })

  test('of four checkpoints all six pairs are tested, and corrected as one family', async () => {
    const many = Array.from({ length: 200 }, (_, i) => row(i, [i % 2 === 0, i % 3 !== 0, i % 5 !== 0, i % 7 === 0]))
    const { pairs, method } = await compareScores(many, 4, { draws: 200 })
    expect(pairs.map(({ a, b }) => [a, b])).toEqual([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])
    expect(method.pairTests).toBe(6)
    expect(pairs.map((pair) => pair.test.holm)).toEqual(holm(pairs.map((pair) => pair.test.p)))
    expect(pairs.map((pair) => pair.test.bh)).toEqual(benjaminiHochberg(pairs.map((pair) => pair.test.p)))
    const p = pairs.flatMap((pair) => pair.slices.map((slice) => slice.test.p))
    expect(pairs.flatMap((pair) => pair.slices.map((slice) => slice.test.holm))).toEqual(holm(p))
    for (const pair of pairs) expect(pair.headline.pointingGame.change).toBeCloseTo(pair.headline.pointingGame.b - pair.headline.pointingGame.a, 12)
    // A difference is taken draw by draw: the third pair is the second less the first.
    expect(pairs[3]!.headline.pointingGame.change).toBeCloseTo(pairs[1]!.headline.pointingGame.change - pairs[0]!.headline.pointingGame.change, 12)
  })

  test('a measure that one checkpoint lacks for a region leaves that region out of it for all, and says so', async () => {
    const some = rows.map((one, i) => (i === 0 ? { ...one, scores: [one.scores[0]!, scores(true, null)] } : one))
    const { headline } = (await compareScores(some, 2, { draws: 50 })).pairs[0]!
    expect(headline.consistency!.regions).toBe(4)
    expect(headline.pointingGame.regions).toBe(5)
    const none = rows.map((one) => ({ ...one, scores: one.scores.map((each) => ({ ...each, uncertain: null })) }))
    expect((await compareScores(none, 2, { draws: 50 })).pairs[0]!.headline.uncertain).toBeNull()
  })

  test('the same seed gives the same intervals, another seed others; equal checkpoints differ by nothing', async () => {
    const many = Array.from({ length: 80 }, (_, i) => row(i, [i % 3 === 0, i % 4 !== 0]))
    const of = async (seed: number) => (await compareScores(many, 2, { draws: 300, seed })).pairs[0]!.headline.pointingGame.interval
    expect(await of(4)).toEqual(await of(4))
    expect(await of(4)).not.toEqual(await of(5))
    const same = many.map((one) => ({ ...one, scores: [one.scores[0]!, one.scores[0]!] }))
    expect((await compareScores(same, 2, { draws: 100 })).pairs[0]!.headline.pointingGame).toMatchObject({ change: 0, interval: { low: 0, high: 0 } })
  })

  test('no rows give no numbers instead of NaN', async () => expect(await compareScores([], 3)).toMatchObject({ pairs: [], means: [null, null, null] }))
})
