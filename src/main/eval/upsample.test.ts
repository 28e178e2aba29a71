import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bicubicPeak } from '../../shared/consistency.ts'
import { pointStrictlyInside, type Box } from '../../shared/geometry.ts'
import { boxesOnly } from '../../shared/shape.ts'
import { peakOf, upsampleBicubic } from './upsample.ts'

const grids = fc.integer({ min: 1, max: 5 }).chain((n) =>
  fc.array(fc.constantFrom(-1, 0, 0.25, 0.5, 1), { minLength: n * n, maxLength: n * n }).map((values) => ({ width: n, height: n, values: Float32Array.from(values) })))
const sizes = fc.record({ width: fc.integer({ min: 1, max: 12 }), height: fc.integer({ min: 1, max: 12 }) })
const box: Box = [1.5, -1, 6, 5]

describe('the upsampled map', () => {
  test('its first maximum is the point that scoring finds, and its ties are all places as high', () => {
    fc.assert(fc.property(grids, sizes, (grid, size) => {
      const map = upsampleBicubic(grid, size)
      const high = map.reduce((a, b) => Math.max(a, b), -Infinity)
      const places = [...map.keys()].filter((i) => map[i] === high).map((i) => ({ x: i % size.width, y: Math.floor(i / size.width) }))
      const peak = peakOf(grid, size, boxesOnly([box]))!
      expect(peak.point).toEqual(places[0])
      expect(peak.point).toEqual(bicubicPeak(grid, size))
      expect(peak.ties).toBe(places.length)
      expect(peak.anyTieInside).toBe(places.some(({ x, y }) => pointStrictlyInside(x, y, box)))
    }))
  })

  test('a map without heat points at the first pixel, where only a box beginning before the image is hit', () => {
    const cold = { width: 3, height: 3, values: new Float32Array(9) }
    expect(peakOf(cold, { width: 40, height: 30 }, boxesOnly([[-2, -2, 5, 5]]))).toEqual({ point: { x: 0, y: 0 }, anyTieInside: true, ties: 1200 })
    expect(peakOf(cold, { width: 40, height: 30 }, boxesOnly([[0, 0, 1, 1]]))).toMatchObject({ anyTieInside: false })
  })

  test.each([NaN, Infinity, -Infinity])('a map with %d in it has no maximum', (value) => {
    expect(peakOf({ width: 2, height: 1, values: [1, value] }, { width: 8, height: 8 }, boxesOnly([]))).toBeNull()
  })
})
