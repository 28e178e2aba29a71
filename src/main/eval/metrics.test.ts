import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { prepareHeat, scoreRegion } from '../../shared/consistency.ts'
import type { Box } from '../../shared/geometry.ts'
import { boxesOnly, type Shape } from '../../shared/shape.ts'
import { boxOfHeat } from './heat-box.ts'
import { giniOf, METRICS, scoresOf, scoresWithoutHeat, type SampleHeat } from './metrics.ts'
import { peakOf } from './upsample.ts'

const SIZE = { width: 80, height: 80 }

const heatOf = (values: readonly number[], boxes: readonly Box[], size = SIZE): SampleHeat => heatOfShape(values, boxesOnly(boxes), size)

function heatOfShape(values: readonly number[], shape: Shape, size = SIZE): SampleHeat {
  const side = Math.sqrt(values.length)
  const grid = { width: side, height: side, values: Float32Array.from(values) }
  const peak = peakOf(grid, size, shape)!
  const prepared = prepareHeat(grid, peak.point, 40)
  return { grid, peak, prepared, consistency: scoreRegion(prepared, shape, size), shape, size, matchProbability: 0.75, faithfulness: null }
}

/** One hot cell of 4 x 4, in the second column and row: pixels 20 to 40. */
const ONE = Array.from({ length: 16 }, (_, i) => (i === 5 ? 1 : 0))

describe('pointing', () => {
  const { peak } = heatOf(ONE, [])
  const { x, y } = peak.point
  const score = (box: Box) => scoresOf(heatOf(ONE, [box]))

  test('strict means inside, not on the border', () => {
    expect(score([x - 1, y - 1, x + 1, y + 1])['pointing']).toBe(1)
    expect(score([x, y - 1, x + 9, y + 9])['pointing']).toBe(0)
  })

  test('tolerance 15 reaches less than 15 pixels beyond the pixels of a box', () => {
    expect(score([x + 14, y - 5, x + 40, y + 5])['pointingTolerance15']).toBe(1)
    expect(score([x + 15, y - 5, x + 40, y + 5])['pointingTolerance15']).toBe(0)
    // Across a corner: 9 and 12 make 15; 8 and 12 less.
    expect(score([x + 9, y + 12, x + 40, y + 40])['pointingTolerance15']).toBe(0)
    expect(score([x + 8, y + 12, x + 40, y + 40])['pointingTolerance15']).toBe(1)
    expect(score([x, y, x, y])['pointingTolerance15']).toBe(0)
  })

  test('any tie: a second equally high place may be the one inside', () => {
    const two = Array.from({ length: 16 }, (_, i) => (i === 0 || i === 15 ? 1 : 0))
    const size = { width: 4, height: 4 } // the map itself: nothing is interpolated
    const scores = scoresOf(heatOf(two, [[2.5, 2.5, 3.5, 3.5]], size))
    expect(scores).toMatchObject({ pointing: 0, pointingAnyTie: 1 })
  })

  test('strict is never easier than the others', () => {
    fc.assert(fc.property(fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 16, maxLength: 16 }), fc.tuple(...[0, 0, 40, 40].map((min) => fc.integer({ min, max: min + 39 }))), (values, box) => {
      const { pointing, pointingTolerance15, pointingAnyTie } = scoresOf(heatOf(values, [box as unknown as Box]))
      expect(pointingTolerance15!).toBeGreaterThanOrEqual(pointing!)
      expect(pointingAnyTie!).toBeGreaterThanOrEqual(pointing!)
    }))
  })
})

describe('box from the heatmap', () => {
  test('frames the largest hot patch, not the hottest', () => {
    const map = { width: 8, height: 4, values: Float32Array.from([
      1, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 0.6, 0.7, 0, 0, 0,
      0, 0, 0, 0.5, 0.9, 0, 0, 0,
      0, 0, 0, 0, 0, 0.6, 0.49, 0,
    ]) }
    expect(boxOfHeat(map, { width: 80, height: 20 })).toEqual([30, 5, 50, 15])
    expect(boxOfHeat({ ...map, values: new Float32Array(32) }, SIZE)).toBeNull()
  })

  test('is right from an IoU of 0.5 with any of the boxes', () => {
    const { prepared } = heatOf(ONE, [])
    const box = boxOfHeat(prepared.map, SIZE)!
    expect(scoresOf(heatOf(ONE, [[70, 70, 79, 79], box]))['boxAccuracy']).toBe(1)
    expect(scoresOf(heatOf(ONE, [[box[0], box[1], box[2], box[1] + 0.45 * (box[3] - box[1])]]))['boxAccuracy']).toBe(0)
    expect(scoresOf(heatOf(Array.from(ONE, () => 0), [box]))['boxAccuracy']).toBe(0)
  })
})

describe('Gini sparseness', () => {
  test('0 for an even map, (n - 1) / n for a single cell, nothing for none', () => {
    expect(giniOf([2, 2, 2, 2])).toBeCloseTo(0, 12)
    expect(giniOf([0, 0, 5, 0])).toBeCloseTo(0.75, 12)
    expect(giniOf([0, -3, 0])).toBeNull()
  })

  test('is half the mean difference of all pairs over the mean', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 12 }), (values) => {
      fc.pre(values.some((value) => value > 0))
      const mean = values.reduce((a, b) => a + b) / values.length
      const differences = values.flatMap((a) => values.map((b) => Math.abs(a - b))).reduce((a, b) => a + b, 0)
      expect(giniOf(values)).toBeCloseTo(differences / (2 * values.length ** 2 * mean), 9)
    }))
  })
})

test('the figures of scoring are those of scoring', () => {
  const boxes: Box[] = [[10, 10, 45, 45]]
  const heat = heatOf(Array.from({ length: 16 }, (_, i) => (i * 7) % 11), boxes)
  const { insideEnergy, softIou, uncertain, meanMargin, maxMargin, pointingHit } = heat.consistency
  expect(scoresOf(heat)).toMatchObject({ energyInside: insideEnergy, softIou, uncertain: Number(uncertain), meanMargin, maxMargin, pointing: Number(pointingHit), matchProbability: 0.75 })
})

test('every metric has a name of its own, and without a heatmap a share counts as a miss', () => {
  expect(new Set(METRICS.map(({ key }) => key)).size).toBe(METRICS.length)
  expect(new Set(METRICS.map(({ title }) => title)).size).toBe(METRICS.length)
  expect(scoresWithoutHeat()).toMatchObject({ pointing: 0, pointingTolerance15: 0, pointingAnyTie: 0, boxAccuracy: 0, energyInside: 0, softIou: 0, giniSparseness: null, matchProbability: null })
})

test('an outline is what counts, not its box', () => {
  // The peak is at pixels 20 to 40; the triangle leaves the lower right corner of its box out.
  const corner = (side: number): Shape => ({ boxes: [[0, 0, side, side]], outlines: [[0, 0, side, 0, 0, side]] })
  const [inside, near, far] = [70, 45, 34].map((side) => scoresOf(heatOfShape(ONE, corner(side))))
  expect(inside).toMatchObject({ pointing: 1, pointingTolerance15: 1, pointingAnyTie: 1 })
  expect(near).toMatchObject({ pointing: 0, pointingTolerance15: 1, pointingAnyTie: 0 })
  expect(far).toMatchObject({ pointing: 0, pointingTolerance15: 0 })
  expect(scoresOf(heatOf(ONE, [[0, 0, 34, 34]]))).toMatchObject({ pointing: 1 }) // its box has it
  expect(scoresOf(heatOf(ONE, [[0, 0, 45, 45]]))).toMatchObject({ pointing: 1 })
  expect(near!['energyInside']!).toBeLessThan(scoresOf(heatOf(ONE, [[0, 0, 45, 45]]))['energyInside']!)
  // A rectangle as an outline is its box in every figure.
  expect(scoresOf(heatOfShape(ONE, { boxes: [[10, 10, 45, 40]], outlines: [[10, 10, 45, 10, 45, 40, 10, 40]] }))).toEqual(scoresOf(heatOf(ONE, [[10, 10, 45, 40]])))
})
