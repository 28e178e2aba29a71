import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bicubicPeak, bicubicTaps, type HeatGrid, normalizeHeat, prepareHeat, scoreRegion, upsampleBilinear } from './consistency.ts'
import type { Box } from './geometry.ts'
import { boxesOnly } from './shape.ts'
import { shapeMask } from './shape-mask.ts'

const grid = (width: number, height: number, values: number[]): HeatGrid => ({ width, height, values })
const hot = grid(4, 4, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
const image = { width: 64, height: 64 }

const regionMask = (boxes: readonly Box[], of: { width: number; height: number }, side: number) => shapeMask(boxesOnly(boxes), of, { width: side, height: side })

const gridArbitrary = fc.integer({ min: 2, max: 6 }).chain((n) =>
  fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: n * n, maxLength: n * n }).map((values) => grid(n, n, values)),
)
const boxArbitrary = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 64 }))
  .map(([x, y, w, h]): Box => [x, y, Math.min(64, x + w), Math.min(64, y + h)])

describe('normalizeHeat', () => {
  test('clamps below zero, shifts by the minimum and divides by the maximum', () => {
    const values = Array.from(normalizeHeat(grid(2, 2, [-3, 1, 2, 5])).values)
    expect(values[0]).toBe(0)
    expect(values[1]).toBeCloseTo(0.2, 6)
    expect(values[3]).toBeCloseTo(1, 6)
  })

  test('a map without heat stays zero instead of dividing by zero', () => {
    expect(Array.from(normalizeHeat(grid(2, 1, [-1, 0])).values)).toEqual([0, 0])
  })

  test('does not depend on the scale of the raw map', () => {
    fc.assert(
      fc.property(gridArbitrary, fc.integer({ min: 1, max: 10 }), (heat, exponent) => {
        const scaled = { ...heat, values: Array.from(heat.values, (v) => v * 2 ** exponent) }
        const peak = Math.max(...Array.from(heat.values, (v) => Math.max(0, v)))
        fc.pre(peak - Math.max(0, Math.min(...Array.from(heat.values))) > 0.05)
        const a = normalizeHeat(heat).values
        const b = normalizeHeat(scaled).values
        for (let i = 0; i < a.length; i++) expect(b[i]).toBeCloseTo(a[i]!, 4)
      }),
    )
  })
})

describe('upsampleBilinear', () => {
  test('matches torch on a ramp: half-pixel centres, edges clamped', () => {
    // torch.nn.functional.interpolate(torch.tensor([[[[0., 1.]]]]), size=(1, 4), mode='bilinear', align_corners=False)
    expect(Array.from(upsampleBilinear(grid(2, 1, [0, 1]), 4, 1).values)).toEqual([0, 0.25, 0.75, 1])
  })

  test('never leaves the range of the map', () => {
    fc.assert(
      fc.property(gridArbitrary, fc.integer({ min: 1, max: 40 }), (heat, size) => {
        const values = Array.from(heat.values)
        for (const v of Array.from(upsampleBilinear(heat, size, size).values)) {
          expect(v).toBeGreaterThanOrEqual(Math.min(...values) - 1e-6)
          expect(v).toBeLessThanOrEqual(Math.max(...values) + 1e-6)
        }
      }),
    )
  })
})

describe('bicubicPeak', () => {
  test('weights of every output pixel sum to one', () => {
    const { weight } = bicubicTaps(7, 19)
    for (let i = 0; i < 19; i++) expect(weight[4 * i]! + weight[4 * i + 1]! + weight[4 * i + 2]! + weight[4 * i + 3]!).toBeCloseTo(1, 12)
  })

  test('finds the hot cell of the map, in image pixels', () => {
    const peak = bicubicPeak(hot, image)
    expect(peak.x).toBeGreaterThanOrEqual(32)
    expect(peak.x).toBeLessThan(48)
    expect(peak.y).toBeGreaterThanOrEqual(32)
    expect(peak.y).toBeLessThan(48)
  })

  test('an all-zero map points at (0, 0), as the reference does', () => {
    expect(bicubicPeak(grid(4, 4, Array<number>(16).fill(0)), image)).toEqual({ x: 0, y: 0 })
  })
})

describe('regionMask', () => {
  test('takes int() of the corners and the nearest source pixel', () => {
    const mask = regionMask([[1.9, 0, 3.9, 2]], { width: 4, height: 2 }, 4)
    expect(Array.from(mask.slice(0, 4))).toEqual([0, 1, 1, 0])
  })

  test('several boxes are their union', () => {
    fc.assert(
      fc.property(boxArbitrary, boxArbitrary, (a, b) => {
        const both = regionMask([a, b], image, 32)
        const first = regionMask([a], image, 32)
        const second = regionMask([b], image, 32)
        for (let i = 0; i < both.length; i++) expect(both[i]).toBe(first[i]! | second[i]!)
      }),
    )
  })
})

describe('scoreRegion', () => {
  const heat = prepareHeat(hot, bicubicPeak(hot, image), 64)

  test('a box round the heat scores high, a box elsewhere low, and the dragged box in between', () => {
    const around = scoreRegion(heat, boxesOnly([[24, 24, 56, 56]]), image)
    const away = scoreRegion(heat, boxesOnly([[0, 0, 12, 12]]), image)
    const half = scoreRegion(heat, boxesOnly([[24, 24, 40, 56]]), image)
    expect(around.pointingHit).toBe(true)
    expect(around.insideEnergy).toBeGreaterThan(0.95)
    expect(around.amcMax).toBeLessThan(0.25)
    expect(away).toMatchObject({ pointingHit: false, insideEnergy: 0 })
    // Bilinear upsampling of one hot cell does not quite reach 1: the hinge is just under 1 + 0.5.
    expect(away.amcMax).toBeGreaterThan(1.4)
    expect(away.amcMax).toBeLessThanOrEqual(1.5)
    expect(half.insideEnergy).toBeCloseTo(0.5, 1)
  })

  test('equals the definitions computed plainly from the mask and the map', () => {
    fc.assert(
      fc.property(gridArbitrary, fc.array(boxArbitrary, { minLength: 1, maxLength: 3 }), (map, boxes) => {
        const prepared = prepareHeat(map, { x: 5, y: 5 }, 24)
        const c = Array.from(prepared.map.values)
        const r = Array.from(regionMask(boxes, image, 24))
        const sum = (f: (i: number) => number) => c.reduce((total, _, i) => total + f(i), 0)
        const inside = sum((i) => c[i]! * r[i]!)
        const count = sum((i) => r[i]!)
        const got = scoreRegion(prepared, boxesOnly(boxes), image)
        const all = sum((i) => c[i]!)
        expect(got.insideEnergy).toBeCloseTo(all > 0 ? inside / all : 0, 6)
        const meanIn = count ? inside / count : 0
        const meanOut = count < c.length ? (all - inside) / (c.length - count) : 0
        expect(got.meanMargin).toBeCloseTo(meanIn - meanOut, 6)
        const maxIn = Math.max(0, ...c.map((v, i) => v * r[i]!))
        const maxOut = Math.max(0, ...c.map((v, i) => v * (1 - r[i]!)))
        expect(got.maxMargin).toBeCloseTo(maxIn - maxOut, 6)
        expect(got.amcMean).toBeCloseTo(Math.max(0, meanOut - meanIn + 0.1), 6)
        expect(got.amcMax).toBeCloseTo(Math.max(0, maxOut - maxIn + 0.5), 6)
      }),
    )
  })

  test('two strong peaks, one inside and one outside, are uncertain', () => {
    const two = grid(4, 4, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.9])
    const prepared = prepareHeat(two, bicubicPeak(two, image), 64)
    expect(scoreRegion(prepared, boxesOnly([[0, 0, 32, 32]]), image).uncertain).toBe(true)
    expect(scoreRegion(prepared, boxesOnly([[0, 0, 64, 64]]), image).uncertain).toBe(false)
  })

  test('masks that are empty or full give numbers, not NaN', () => {
    for (const box of [[0, 0, 0, 0], [0, 0, 64, 64]] as const) {
      for (const value of Object.values(scoreRegion(heat, boxesOnly([box]), image))) expect(Number.isNaN(Number(value))).toBe(false)
    }
  })
})
