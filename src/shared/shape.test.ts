import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from './errors.ts'
import type { Box } from './geometry.ts'
import { boxesOnly, checkOutlines, fittingOutlines, type Outline, outlineBounds, outlineOf, replaceBox, scaleOutline, type Shape, shapeOf, withBoxes, withCopy } from './shape.ts'

/** No minus zero: it equals zero everywhere but in toEqual. */
const coordinate = fc.double({ min: -500, max: 2000, noNaN: true }).map((value) => value + 0)
const outline: fc.Arbitrary<Outline> = fc
  .array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 12 })
  .map((points) => points.flat())
  .filter((points) => {
    const [x1, y1, x2, y2] = outlineBounds(points)
    return x2 - x1 > 0.5 && y2 - y1 > 0.5
  })
const box: fc.Arbitrary<Box> = fc.tuple(coordinate, coordinate, fc.double({ min: 0.5, max: 900, noNaN: true }), fc.double({ min: 0.5, max: 900, noNaN: true })).map(([x, y, w, h]): Box => [x, y, x + w, y + h])
const part = fc.oneof(outline.map((points) => ({ box: outlineBounds(points), outline: points })), box.map((one) => ({ box: one, outline: [] as Outline })))
const shape: fc.Arbitrary<Shape> = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => shapeOf(parts.map((one) => one.box), parts.map((one) => one.outline)))

const TRIANGLE = [10, 10, 30, 10, 20, 40]
const withTriangle: Shape = { boxes: [[10, 10, 30, 40], [50, 50, 60, 60]], outlines: [TRIANGLE, []] }

describe('an outline', () => {
  test('moves and stretches with its box, whose exact bounds it stays', () => {
    fc.assert(fc.property(outline, box, (points, to) => {
      const moved = scaleOutline(points, outlineBounds(points), to)
      expect(moved).toHaveLength(points.length)
      expect(outlineBounds(moved)).toEqual(to)
    }))
  })

  test('keeps its proportions', () => {
    expect(scaleOutline(TRIANGLE, [10, 10, 30, 40], [0, 0, 40, 30])).toEqual([0, 0, 40, 0, 20, 30])
    fc.assert(fc.property(outline, box, (points, to) => {
      const from = outlineBounds(points)
      const moved = scaleOutline(points, from, to)
      points.forEach((value, i) => {
        const axis = i % 2 as 0 | 1
        const [before, after] = [(value - from[axis]) / (from[axis + 2]! - from[axis]), (moved[i]! - to[axis]) / (to[axis + 2]! - to[axis])]
        expect(after).toBeCloseTo(before, 6)
      })
    }))
  })

  test('goes when its box loses its area: it has no shape any more', () => {
    expect(scaleOutline(TRIANGLE, [10, 10, 30, 40], [5, 5, 5, 9])).toEqual([])
    expect(replaceBox({ boxes: [[10, 10, 30, 40]], outlines: [TRIANGLE] }, 0, [5, 5, 5, 9])).toEqual({ boxes: [[5, 5, 5, 9]], outlines: [] })
  })
})

describe('a shape with other boxes', () => {
  test('fits together whatever is done with it', () => {
    fc.assert(fc.property(shape, fc.array(box, { maxLength: 3 }), fc.nat(10), fc.nat(10), box, (before, added, at, take, place) => {
      const index = at % before.boxes.length
      const without = before.boxes.filter((_, i) => i !== take % before.boxes.length)
      for (const after of [replaceBox(before, index, place), withCopy(before, index, place), withBoxes(before, [...before.boxes, ...added]), withBoxes(before, without), withBoxes(before, [...without].reverse()), withBoxes(before, added)]) {
        expect(() => checkOutlines(after)).not.toThrow()
      }
    }))
  })

  test('keeps every outline whose box is still there, in any order', () => {
    fc.assert(fc.property(shape, fc.array(box, { maxLength: 2 }), (before, added) => {
      const pairs = (of: Shape) => of.boxes.map((one, i) => JSON.stringify([one, outlineOf(of, i)]))
      expect(pairs(withBoxes(before, [...before.boxes, ...added])).slice(0, before.boxes.length)).toEqual(pairs(before))
      expect(pairs(withBoxes(before, [...before.boxes].reverse())).sort()).toEqual(pairs(before).sort())
    }))
  })

  test('takes the outline of the one changed box along', () => {
    expect(withBoxes(withTriangle, [[11, 10, 31, 40], [50, 50, 60, 60]]).outlines).toEqual([[11, 10, 31, 10, 21, 40], []])
    expect(withBoxes(withTriangle, [[10, 10, 30, 40], [51, 50, 61, 60]])).toEqual({ boxes: [[10, 10, 30, 40], [51, 50, 61, 60]], outlines: [TRIANGLE, []] })
  })

  test('has no list of outlines once the last one is gone', () => {
    expect(withBoxes(withTriangle, [[50, 50, 60, 60]])).toEqual(boxesOnly([[50, 50, 60, 60]]))
    expect(withBoxes(boxesOnly([[0, 0, 1, 1]]), [[0, 0, 2, 2]])).toEqual(boxesOnly([[0, 0, 2, 2]]))
  })

  test('copies the outline with the box', () => {
    expect(withCopy(withTriangle, 0, [20, 20, 40, 50])).toEqual({ boxes: [...withTriangle.boxes, [20, 20, 40, 50]], outlines: [TRIANGLE, [], [20, 20, 40, 20, 30, 50]] })
    expect(withCopy(boxesOnly([[0, 0, 4, 4]]), 0, [1, 1, 5, 5])).toEqual(boxesOnly([[0, 0, 4, 4], [1, 1, 5, 5]]))
  })

  test('leaves out outlines that belong to other boxes', () => {
    expect(fittingOutlines({ boxes: [[0, 0, 5, 5], [10, 10, 30, 40]], outlines: [TRIANGLE] })).toEqual(boxesOnly([[0, 0, 5, 5], [10, 10, 30, 40]]))
    expect(fittingOutlines({ ...withTriangle, boxes: [withTriangle.boxes[0]!, [1, 1, 2, 2]] })).toEqual({ boxes: [[10, 10, 30, 40], [1, 1, 2, 2]], outlines: [TRIANGLE, []] })
    fc.assert(fc.property(shape, (one) => void expect(fittingOutlines(one)).toEqual(one)))
  })
})

describe('boxes and outlines that do not belong together are refused:', () => {
  test.each<[string, Shape, RegExp]>([
    ['fewer outlines than boxes', { ...withTriangle, outlines: [TRIANGLE] }, /2 boxes and 1 outlines/],
    ['nothing but empty outlines', { ...withTriangle, outlines: [[], []] }, /All outlines of the region are empty/],
    ['two points', { boxes: [[0, 0, 4, 4]], outlines: [[0, 0, 4, 4]] }, /Outline 1 has 4 numbers/],
    ['half a point', { boxes: [[0, 0, 4, 4]], outlines: [[0, 0, 4, 4, 0, 4, 1]] }, /Outline 1 has 7 numbers/],
    ['a number that is none', { boxes: [[0, 0, 4, 4]], outlines: [[0, 0, 4, 4, 0, NaN]] }, /not finite/],
    ['a box beside its outline', { ...withTriangle, boxes: [[10, 10, 30, 41], [50, 50, 60, 60]] }, /Box 1 is \[10, 10, 30, 41\], but its outline reaches over \[10, 10, 30, 40\]/],
    ['more points than anybody needs', { boxes: [[0, 0, 1, 1]], outlines: [Array.from({ length: 200_002 }, (_, i) => (i % 4 === 0 ? 1 : 0))] }, /100001 points/],
  ])('%s', (_name, wrong, says) => {
    let thrown: unknown
    try {
      checkOutlines(wrong)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(AppError)
    expect(thrown).toMatchObject({ code: 'bad-input', place: 'outlines', message: expect.stringMatching(says) as string })
  })

  test('and everything else is taken', () => {
    checkOutlines(withTriangle)
    checkOutlines(boxesOnly([]))
    fc.assert(fc.property(shape, checkOutlines))
  })
})
