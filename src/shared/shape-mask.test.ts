import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Box } from './geometry.ts'
import { boxesOnly, type Outline, outlineBounds, type Shape, shapeOf } from './shape.ts'
import { pointStrictlyInsideShape, shapeMask } from './shape-mask.ts'

const IMAGE = { width: 23, height: 17 }
const coordinate = fc.double({ min: -6, max: 30, noNaN: true })
const outline: fc.Arbitrary<Outline> = fc.array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 9 }).map((points) => points.flat())
const box: fc.Arbitrary<Box> = fc.tuple(coordinate, coordinate, coordinate, coordinate).map(([x, y, u, v]): Box => [Math.min(x, u), Math.min(y, v), Math.max(x, u), Math.max(y, v)])
const size = fc.record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 40 }) })
const outlined = (...outlines: Outline[]): Shape => shapeOf(outlines.map(outlineBounds), outlines)
const rectangle = ([x1, y1, x2, y2]: Box): Outline => [x1, y1, x2, y1, x2, y2, x1, y2]
const mirrored = (mask: Uint8Array, width: number): number[] => Array.from(mask, (_, i) => mask[i - (i % width) + width - 1 - (i % width)]!)

/** The plain way: for every pixel a ray from its centre to the left, crossing edges one by one. */
function plainMask(points: Outline): number[] {
  const corner = (i: number) => [Math.trunc(points[(2 * i) % points.length]!), Math.trunc(points[(2 * i + 1) % points.length]!)] as const
  return Array.from({ length: IMAGE.width * IMAGE.height }, (_, p) => {
    const [x, y] = [(p % IMAGE.width) + 0.5, Math.floor(p / IMAGE.width) + 0.5]
    let crossed = 0
    for (let i = 0; i < points.length / 2; i++) {
      const [[ax, ay], [bx, by]] = corner(i)[1] <= corner(i + 1)[1] ? [corner(i), corner(i + 1)] : [corner(i + 1), corner(i)]
      // x >= ax + (y - ay) (bx - ax) / (by - ay), in whole numbers
      if (y > ay && y < by && (x - ax) * (by - ay) >= (y - ay) * (bx - ax)) crossed++
    }
    return crossed % 2
  })
}

describe('the mask of a shape', () => {
  test('is even-odd at the centres of pixels', () => {
    fc.assert(fc.property(outline, (points) => void expect(Array.from(shapeMask(outlined(points), IMAGE))).toEqual(plainMask(points))))
  })

  test('a polygon that crosses itself has a hole where it covers twice', () => {
    // A five-pointed star: its middle is covered twice.
    const star = outlined([10, 0, 16, 16, 0, 6, 20, 6, 4, 16])
    const mask = shapeMask(star, { width: 20, height: 16 })
    expect(mask[9 * 20 + 10]).toBe(0)
    expect(mask[3 * 20 + 10]).toBe(1)
    expect(mask.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(40)
  })

  test('a rectangle as an outline is the mask of its box, at any size', () => {
    fc.assert(fc.property(box, size, size, (one, image, target) => {
      expect(shapeMask(outlined(rectangle(one)), image, target)).toEqual(shapeMask(boxesOnly([one]), image, target))
    }))
  })

  test('an outline never leaves the mask of its box', () => {
    fc.assert(fc.property(outline, size, (points, target) => {
      const inner = shapeMask(outlined(points), IMAGE, target)
      const outer = shapeMask(boxesOnly([outlineBounds(points)]), IMAGE, target)
      expect(inner.every((value, i) => value <= outer[i]!)).toBe(true)
    }))
  })

  test('boxes and outlines together are their union', () => {
    fc.assert(fc.property(outline, outline, box, size, (a, b, c, target) => {
      const whole = shapeMask(shapeOf([outlineBounds(a), c, outlineBounds(b)], [a, [], b]), IMAGE, target)
      const parts = [outlined(a), outlined(b), boxesOnly([c])].map((one) => shapeMask(one, IMAGE, target))
      whole.forEach((value, i) => expect(value).toBe(Math.max(...parts.map((mask) => mask[i]!))))
    }))
  })

  test('at another size is the mask of the image, nearest pixels taken', () => {
    fc.assert(fc.property(outline, box, size, (points, extra, target) => {
      const both = shapeOf([outlineBounds(points), extra], [points, []])
      const [full, small] = [shapeMask(both, IMAGE), shapeMask(both, IMAGE, target)]
      const source = (i: number, from: number, to: number) => Math.min(Math.floor(i * (1 / (to / from))), from - 1)
      small.forEach((value, i) => {
        const [x, y] = [source(i % target.width, IMAGE.width, target.width), source(Math.floor(i / target.width), IMAGE.height, target.height)]
        expect(value).toBe(full[y * IMAGE.width + x])
      })
    }))
  })

  test('does not depend on where an outline begins nor on its direction', () => {
    fc.assert(fc.property(outline, fc.nat(8), (points, from) => {
      const pairs = Array.from({ length: points.length / 2 }, (_, i) => [points[2 * i]!, points[2 * i + 1]!])
      const turned = [...pairs.slice(from % pairs.length), ...pairs.slice(0, from % pairs.length)]
      const mask = shapeMask(outlined(points), IMAGE)
      expect(shapeMask(outlined(turned.flat()), IMAGE)).toEqual(mask)
      expect(shapeMask(outlined([...turned].reverse().flat()), IMAGE)).toEqual(mask)
    }))
  })

  test('outlines that share an edge share no pixel and leave none out', () => {
    fc.assert(fc.property(box, coordinate, coordinate, (one, x, y) => {
      const [x1, y1, x2, y2] = one.map(Math.trunc) as unknown as Box
      // The rectangle cut in two from corner to corner, by way of a point within.
      const by = [Math.min(Math.max(Math.trunc(x), x1), x2), Math.min(Math.max(Math.trunc(y), y1), y2)] as const
      const [upper, lower] = [[x1, y1, x2, y1, x2, y2, ...by], [x1, y1, ...by, x2, y2, x1, y2]].map((points) => shapeMask(outlined(points), IMAGE))
      const whole = shapeMask(boxesOnly([[x1, y1, x2, y2]]), IMAGE)
      whole.forEach((value, i) => expect(upper![i]! + lower![i]!).toBe(value))
    }))
  })

  test('of a mirrored outline is the mirrored mask, for whole pixels', () => {
    const whole = fc.array(fc.tuple(fc.integer({ min: 0, max: IMAGE.width }), fc.integer({ min: 0, max: IMAGE.height })), { minLength: 3, maxLength: 8 })
    fc.assert(fc.property(whole, (points) => {
      // A centre exactly on a slanted edge belongs to the pixel right of the edge: those are left out.
      const on = points.some(([ax, ay], i) => {
        const [bx, by] = points[(i + 1) % points.length]!
        return ay !== by && Array.from({ length: Math.abs(by - ay) }, (_, k) => Math.min(ay, by) + k + 0.5).some((y) => ((ax + ((y - ay) * (bx - ax)) / (by - ay)) * 2) % 2 === 1)
      })
      fc.pre(!on)
      const mask = shapeMask(outlined(points.flat()), IMAGE)
      const turned = outlined(points.flatMap(([x, y]) => [IMAGE.width - x, y]))
      expect(Array.from(shapeMask(turned, IMAGE))).toEqual(mirrored(mask, IMAGE.width))
    }))
  })

  test('outside the image and without area there is nothing, and nothing fails', () => {
    for (const points of [[-9, -9, -2, -9, -5, -1], [50, 50, 60, 50, 55, 60], [3, 3, 3, 3, 3, 3], [1, 4, 9, 4, 5, 4], [1e308, 0, -1e308, 1e308, 0, -1e308]]) {
      expect(shapeMask(outlined(points), IMAGE)).toHaveLength(IMAGE.width * IMAGE.height)
    }
    expect(shapeMask(outlined([-9, -9, -2, -9, -5, -1]), IMAGE)).not.toContain(1)
    expect(shapeMask(boxesOnly([[9, 9, 2, 2]]), IMAGE)).not.toContain(1)
  })
})

describe('a point strictly inside', () => {
  const triangle = outlined([10, 10, 30, 10, 10, 30])
  test('is inside the outline, not only its box', () => {
    expect(pointStrictlyInsideShape(12, 12, triangle)).toBe(true)
    expect(pointStrictlyInsideShape(28, 28, triangle)).toBe(false)
  })

  test('is not on the outline', () => {
    for (const [x, y] of [[10, 15], [15, 10], [20, 20], [10, 10], [30, 10]] as const) expect(pointStrictlyInsideShape(x, y, triangle)).toBe(false)
  })

  test('for a rectangle is what it is for its box', () => {
    const around = fc.integer({ min: -3, max: 14 })
    fc.assert(fc.property(fc.tuple(around, around, around, around), around, around, ([x, y, u, v], px, py) => {
      fc.pre(x < u && y < v)
      expect(pointStrictlyInsideShape(px, py, outlined(rectangle([x, y, u, v])))).toBe(pointStrictlyInsideShape(px, py, boxesOnly([[x, y, u, v]])))
    }))
  })

  test('lies in any one of several parts', () => {
    const both = shapeOf([[10, 10, 30, 30], [40, 40, 50, 50]], [[10, 10, 30, 10, 10, 30], []])
    expect(pointStrictlyInsideShape(45, 45, both)).toBe(true)
    expect(pointStrictlyInsideShape(35, 35, both)).toBe(false)
  })
})
