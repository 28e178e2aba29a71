/** Choosing among a detector's boxes by the heat inside, and the intersection over union of the published evaluation. */
import type { Size } from '../../shared/geometry.ts'
import type { DetectionResult, XywhBox } from './types.ts'

/** A detector's box counts as right from here on. */
export const RIGHT_FROM = 0.5

/**
 * Intersection over union as published: the last pixel counts in the intersection (-1, +1) but not in the areas, and touching in one
 * row or column of pixels counts as nothing.
 */
export function publishedIou(a: XywhBox, b: XywhBox): number {
  const left = Math.max(a[0], b[0])
  const top = Math.max(a[1], b[1])
  const right = Math.min(a[0] + a[2] - 1, b[0] + b[2] - 1)
  const bottom = Math.min(a[1] + a[3] - 1, b[1] + b[3] - 1)
  const shared = left < right && top < bottom ? (right - left + 1) * (bottom - top + 1) : 0
  return shared === 0 ? 0 : shared / (a[2] * a[3] + b[2] * b[3] - shared)
}

/**
 * Heat inside each box over its area to the power of alpha. The box is cut out of the map the way Python slices: whole pixels
 * towards zero, negative places counted from the end. The area is that of the box as written, also where it leaves the image.
 */
export function boxScores(map: Float32Array, { width, height }: Size, boxes: readonly XywhBox[], alpha: number): number[] {
  return boxes.map(([x, y, w, h]) => {
    const columns = pythonSlice(Math.trunc(x), Math.trunc(x + w), width)
    const rows = pythonSlice(Math.trunc(y), Math.trunc(y + h), height)
    let sum = 0
    for (let row = rows.from; row < rows.to; row++) {
      for (let column = columns.from; column < columns.to; column++) sum += map[row * width + column]!
    }
    return Math.fround(Math.fround(sum) / (w * h) ** alpha)
  })
}

function pythonSlice(from: number, to: number, length: number): { from: number; to: number } {
  const place = (at: number): number => Math.min(Math.max(at < 0 ? at + length : at, 0), length)
  return { from: place(from), to: place(to) }
}

/** The first box with the highest score above zero; null when none has one. */
export function bestBox(boxes: readonly XywhBox[], scores: readonly number[]): XywhBox | null {
  let best: XywhBox | null = null
  let high = 0
  scores.forEach((score, i) => {
    if (!(score > high)) return
    best = boxes[i]!
    high = score
  })
  return best
}

/**
 * What counts in the end, in the order of the evaluation: as published, a sample without a box of its own is judged by the box
 * chosen for the one before. The very first may have none, where the published code stops; it is a miss here.
 * @param chosen the boxes of bestBox
 * @param truth the right boxes, x y w h
 */
export function carryBoxes(chosen: readonly (XywhBox | null)[], truth: readonly XywhBox[]): DetectionResult[] {
  let last: XywhBox | null = null
  return chosen.map((own, i) => {
    last = own ?? last
    return { box: last, iou: last ? publishedIou(truth[i]!, last) : 0, own: own !== null }
  })
}
