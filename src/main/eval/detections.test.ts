import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bestBox, boxScores, carryBoxes, publishedIou } from './detections.ts'
import type { XywhBox } from './types.ts'

const SIZE = { width: 10, height: 8 }
const MAP = Float32Array.from({ length: 80 }, (_, i) => (i % 7) / 8)

describe('heat inside a box', () => {
  test.each<[why: string, box: XywhBox, columns: number[], rows: number[]]>([
    ['parts of pixels are cut off', [1.9, 2.2, 3.2, 2.9], [1, 2, 3, 4], [2, 3, 4]],
    ['a negative corner is counted from the far side and leaves nothing', [-2.5, 0, 5, 2], [], []],
    ['both corners negative: the far side of the image', [-6, 0, 4, 2], [4, 5, 6, 7], [0, 1]],
    ['beyond the image nothing is there', [8, 6, 30, 30], [8, 9], [6, 7]],
  ])('%s', (_, box, columns, rows) => {
    const sum = rows.flatMap((y) => columns.map((x) => MAP[y * 10 + x]!)).reduce((a, b) => a + b, 0)
    expect(boxScores(MAP, SIZE, [box], 0)[0]).toBeCloseTo(sum, 6)
    // The area is that of the box as written.
    expect(boxScores(MAP, SIZE, [box], 1)[0]).toBeCloseTo(sum / (box[2] * box[3]), 6)
    expect(boxScores(MAP, SIZE, [box], 0.5)[0]).toBeCloseTo(sum / Math.sqrt(box[2] * box[3]), 6)
  })

  test('a box without an area is not a number, and is never chosen', () => {
    const boxes: XywhBox[] = [[2, 2, 0, 4], [1, 1, 3, 3]]
    const scores = boxScores(MAP, SIZE, boxes, 0.5)
    expect(scores[0]).toBeNaN()
    expect(bestBox(boxes, scores)).toBe(boxes[1])
  })

  test('of equal scores the first is chosen, and none at or below zero', () => {
    const boxes: XywhBox[] = [[0, 0, 1, 1], [1, 1, 1, 1], [2, 2, 1, 1]]
    expect(bestBox(boxes, [0.5, 0.5, 0.1])).toBe(boxes[0])
    expect(bestBox(boxes, [0, -1, NaN])).toBeNull()
  })
})

describe('intersection over union as published', () => {
  const boxes = fc.tuple(...([20, 20, 12, 12].map((max, i) => fc.integer({ min: i < 2 ? -5 : 2, max }))) as [fc.Arbitrary<number>, fc.Arbitrary<number>, fc.Arbitrary<number>, fc.Arbitrary<number>])

  test('on whole pixels it is the share of pixels, unless they overlap in one row or column only', () => {
    const pixels = ([x, y, w, h]: XywhBox) => new Set(Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`))
    fc.assert(fc.property(boxes, boxes, (a, b) => {
      const [ofA, ofB] = [pixels(a), pixels(b)]
      const shared = [...ofA].filter((at) => ofB.has(at))
      const columns = new Set(shared.map((at) => at.split(' ')[0])).size
      const rows = new Set(shared.map((at) => at.split(' ')[1])).size
      const expected = columns > 1 && rows > 1 ? shared.length / new Set([...ofA, ...ofB]).size : 0
      expect(publishedIou(a, b)).toBeCloseTo(expected, 12)
      expect(publishedIou(b, a)).toBeCloseTo(publishedIou(a, b), 12)
    }))
  })

  test('two boxes without area share nothing', () => expect(publishedIou([0, 0, 0, 0], [0, 0, 0, 0])).toBe(0))
})

describe('the box that counts', () => {
  const [a, b]: XywhBox[] = [[0, 0, 10, 10], [20, 20, 10, 10]]

  test('without one of its own a sample is judged by the one before', () => {
    expect(carryBoxes([a!, null, b!], [a!, a!, b!])).toEqual([
      { box: a, iou: 1, own: true }, { box: a, iou: 1, own: false }, { box: b, iou: 1, own: true },
    ])
  })

  test('the first may have none at all: a miss instead of a stop', () => {
    expect(carryBoxes([null, b!], [a!, a!])).toEqual([{ box: null, iou: 0, own: false }, { box: b, iou: 0, own: true }])
  })
})
