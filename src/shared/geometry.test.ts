import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Box, boxArea, boxFlags, boxIou, clampBox, keepInside, moveBox, normalizeBox, pointStrictlyInside } from './geometry.ts'

const size = { width: 100, height: 80 }
const coordinate = fc.double({ min: -200, max: 300, noNaN: true })
const anyBox = fc.tuple(coordinate, coordinate, coordinate, coordinate).map((b): Box => b)

describe('boxes', () => {
  test('iou is symmetric, at most one, and one only for the same area', () => {
    fc.assert(
      fc.property(anyBox, anyBox, (p, q) => {
        const a = normalizeBox(p)
        const b = normalizeBox(q)
        expect(boxIou(a, b)).toBe(boxIou(b, a))
        expect(boxIou(a, b)).toBeLessThanOrEqual(1 + 1e-12)
        if (boxArea(a) > 1e-6) expect(boxIou(a, a)).toBeCloseTo(1, 9)
      }),
    )
  })

  test('known overlap', () => {
    expect(boxIou([0, 0, 10, 10], [5, 0, 15, 10])).toBeCloseTo(1 / 3, 12)
    expect(boxIou([0, 0, 10, 10], [10, 0, 20, 10])).toBe(0)
  })

  test('keepInside moves a box that fits wholly into the image without changing its size', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 80, noNaN: true }), fc.double({ min: 1, max: 80, noNaN: true }), coordinate, coordinate, (w, h, x, y) => {
        const inside = keepInside([x, y, x + w, y + h], size)
        expect(inside[2] - inside[0]).toBeCloseTo(w, 9)
        expect(inside[0]).toBeGreaterThanOrEqual(-1e-9)
        expect(inside[2]).toBeLessThanOrEqual(size.width + 1e-9)
        expect(inside[3]).toBeLessThanOrEqual(size.height + 1e-9)
      }),
    )
  })

  test('flags say what is unusual and leave the box alone', () => {
    expect(boxFlags([10, 10, 20, 20], size)).toEqual([])
    expect(boxFlags([-5, 10, 20, 20], size)).toEqual(['crosses-edge'])
    expect(boxFlags([200, 10, 220, 20], size)).toEqual(['outside-image'])
    expect(boxFlags([10, 10, 10, 20], size)).toEqual(['no-area'])
    expect(boxFlags([20, 10, 10, 20], size)).toEqual(['inverted'])
  })

  test('the pointing test is strict on every border', () => {
    const box: Box = [10, 10, 20, 20]
    expect(pointStrictlyInside(11, 11, box)).toBe(true)
    for (const [x, y] of [[10, 15], [20, 15], [15, 10], [15, 20]] as const) expect(pointStrictlyInside(x, y, box)).toBe(false)
  })

  test('moving there and back by whole pixels is exact', () => {
    fc.assert(
      fc.property(fc.integer({ min: -500, max: 500 }), fc.integer({ min: -500, max: 500 }), (dx, dy) => {
        const box: Box = [1.5, 2.25, 30.75, 40]
        expect(moveBox(moveBox(box, dx, dy), -dx, -dy)).toEqual(box)
      }),
    )
  })

  test('clamping is idempotent', () => {
    fc.assert(fc.property(anyBox, (box) => void expect(clampBox(clampBox(box, size), size)).toEqual(clampBox(box, size))))
  })
})
