import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bootstrapMeans, compareScores, type CompareRow, exactMcNemar } from './statistics.ts'

const scores = (hit: boolean, energy: number): CompareRow['a'] => ({
  pointingHit: hit, insideEnergy: energy, meanMargin: 0, maxMargin: 0, amcMean: 0, amcMax: 0, softIou: 0, uncertain: false, matchProbability: 0.5,
})
const row = (i: number, a: boolean, b: boolean, phrase = 'the dog'): CompareRow => ({
  regionId: `r${i}`, imageId: `i${i >> 1}`, phrase, split: 'val', boxAreaShare: i % 2 ? 0.005 : 0.2, a: scores(a, a ? 0.8 : 0.2), b: scores(b, b ? 0.8 : 0.2),
})

describe('exact McNemar', () => {
  // Sums of binomial coefficients in exact rational arithmetic.
  test.each([[803, 174, 4.0574706474610664e-97], [10, 3, 0.09228515625], [0, 5, 0.0625], [7, 7, 1], [2, 1, 1], [40, 25, 0.08168153394154005]])('%i fixed, %i broken', (fixed, broken, p) => {
    const got = exactMcNemar(fixed, broken)
    expect(Math.abs(got - p) / p).toBeLessThan(1e-9)
  })
  test('does not care which side is which', async () => {
    fc.assert(fc.property(fc.nat(500), fc.nat(500), (a, b) => void expect(exactMcNemar(a, b)).toBe(exactMcNemar(b, a))))
  })
  test('nothing differs: 1', () => expect(exactMcNemar(0, 0)).toBe(1))
})

describe('the bootstrap over images', () => {
  const values = Float64Array.from({ length: 400 }, (_, i) => ((i * 7919) % 101) / 100)
  const ids = Array.from(values, (_, i) => `image ${i}`)
  const column = { values, weights: Float64Array.from(values, () => 1) }

  test('agrees with the normal interval when every image has one region', async () => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)
    const half = (1.96 * deviation) / Math.sqrt(values.length)
    const [got] = await bootstrapMeans([column], ids, 4000, 3)
    expect(got!.low).toBeCloseTo(mean - half, 2)
    expect(got!.high).toBeCloseTo(mean + half, 2)
  })

  test('is wider when the regions of an image go together', async () => {
    const together = (await bootstrapMeans([{ ...column, values: values.slice().sort() }], ids.map((_, i) => `image ${i >> 3}`), 2000, 3))[0]!
    const alone = (await bootstrapMeans([column], ids, 2000, 3))[0]!
    expect(together.high - together.low).toBeGreaterThan(2 * (alone.high - alone.low))
  })

  test('is the same for the same seed', async () => {
    expect(await bootstrapMeans([column], ids, 200, 9)).toEqual(await bootstrapMeans([column], ids, 200, 9))
    expect(await bootstrapMeans([column], ids, 200, 9)).not.toEqual(await bootstrapMeans([column], ids, 200, 10))
  })
})

describe('a comparison', () => {
  const rows = [row(0, true, true), row(1, false, true), row(2, false, true, 'the red car on the left of the big tree'), row(3, true, false), row(4, false, false)]

  test('counts both, fixed, broken and neither, and the change is b minus a', async () => {
    const got = await compareScores(rows, { draws: 500 })
    expect(got.matrix).toEqual({ both: 1, fixed: 2, broken: 1, neither: 1 })
    expect(got.headline!.pointingGame).toMatchObject({ a: 0.4, b: 0.6 })
    expect(got.headline!.pointingGame.change).toBeCloseTo(0.2, 12)
    expect(got.headline!.pointingGame.low).toBeLessThanOrEqual(0.2)
    expect(got.headline!.pointingGame.high).toBeGreaterThanOrEqual(0.2)
    expect(got.mcnemarP).toBe(1)
  })

  test('slices say how many regions they hold, and leave out what would be everything or nothing', async () => {
    const slices = Object.fromEntries((await compareScores(rows, { draws: 200 })).slices.map((slice) => [slice.name, slice]))
    expect(slices['Colour word']).toMatchObject({ regions: 1, change: 1 })
    expect(slices['6+ words']!.regions).toBe(1)
    expect(slices['Box: small']!.regions + slices['Box: large']!.regions).toBe(rows.length)
    expect(slices['Box: medium']).toBeUndefined()
  })

  test('every tag is a slice', async () => {
    const tags = [['hard'], [], ['hard', 'new'], [], []]
    const slices = Object.fromEntries((await compareScores(rows, { draws: 50, tags })).slices.map((slice) => [slice.name, slice.regions]))
    expect(slices).toMatchObject({ 'Tag: hard': 2, 'Tag: new': 1 })
  })

  test('equal checkpoints differ by nothing', async () => {
    const same = rows.map((r) => ({ ...r, b: r.a }))
    expect((await compareScores(same, { draws: 100 })).headline!.pointingGame).toMatchObject({ change: 0, low: 0, high: 0 })
  })

  test('no rows give no numbers instead of NaN', async () => {
    expect(await compareScores([])).toMatchObject({ headline: null, matrix: null, mcnemarP: null, slices: [] })
  })
})
